"""Text from strangers: every character is seen, none acts, no two names that differ look alike in a chooser."""

from __future__ import annotations

import itertools
import json
import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weight_widgets.display import MAX_NAME, numbered, visible
from weight_widgets.errors import DamagedFileError, MissingFileError, WeightWidgetsError

# Any text at all, undecodable bytes and halves of pairs among it, and mostly what makes trouble.
TROUBLE = (
    " \0\t\n\x1b\x7f\x85\xad\u0300\u0301\u0345\u034f\u061c\u115f\u200b\u200d\u2028\u202e\u2066\u2800\u3000\ufe0f\ufeff"
)
ANY = st.text(st.one_of(st.characters(), st.characters(categories=["Cs", "Cf", "Mn"]), st.sampled_from(TROUBLE)))


class TestVisible:
    @pytest.mark.parametrize(
        ("text", "seen"),
        [
            ("dense_1/kernel:0", "dense_1/kernel:0"),
            ("层 слой λ 🧠", "层 слой λ 🧠"),
            ("", ""),
            ("a\0b\nc\x1b[31m\x7f", "a␀b␊c␛[31m␡"),
            ("\x85\xa0", "⟨U+0085⟩⟨U+00A0⟩"),
            ("gnp.\u202eexe", "gnp.⟨U+202E⟩exe"),
            ("\u2066a\u2069\u200f\u061c", "⟨U+2066⟩a⟨U+2069⟩⟨U+200F⟩⟨U+061C⟩"),
            ("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩"),
            ("a\u2028b\u2029", "a⟨U+2028⟩b⟨U+2029⟩"),
            ("\udc80\ud800", "⟨U+DC80⟩⟨U+D800⟩"),
            ("\ue000\U000e0041\U0010ffff", "⟨U+E000⟩⟨U+E0041⟩⟨U+10FFFF⟩"),
            ("\u3164\u2800\ufe0f\u034f", "⟨U+3164⟩⟨U+2800⟩⟨U+FE0F⟩⟨U+034F⟩"),
            (" a  b ", "␣a ␣b␣"),
            (" ", "␣"),
            ("Showing ␣ now", "Showing ␣ now"),
            ("<b>&\"'", "<b>&\"'"),
        ],
    )
    def test_characters(self, text: str, seen: str) -> None:
        assert visible(text) == seen

    def test_both_ends_of_a_long_text_are_kept(self) -> None:
        assert visible("run_" + "x" * 60 + "_seed_1") == "run_" + "x" * 19 + "…" + "x" * 16 + "_seed_1"
        assert visible("a" * 48) == "a" * 48
        assert visible("a" * 49, 49) == "a" * 49

    @pytest.mark.parametrize("unit", ["x", "é", "e\u0301", "α\u0313\u0300\u0345", "\0", "\u202e", "🧠"])
    @pytest.mark.parametrize("length", [50, 97, 145, 290, 10_000])
    def test_what_is_too_long_says_so(self, unit: str, length: int) -> None:
        seen = visible(unit * length)
        assert seen.count("…") == 1
        assert MAX_NAME - 20 < len(seen) <= MAX_NAME

    def test_a_tower_of_marks_is_cut_down(self) -> None:
        seen = visible("e" + "\u0323" * 30, 600)
        assert max(len(list(run)) for mark, run in itertools.groupby(seen, unicodedata.combining) if mark) <= 3
        assert seen.count("⟨U+0323⟩") == 30 - 4
        # Nor does a mark reach what stands before the name.
        assert visible("\u0301a") == "⟨U+0301⟩a"

    def test_one_way_to_write_a_letter(self) -> None:
        assert visible("cafe\u0301") == visible("caf\u00e9") == "caf\u00e9"

    @given(text=ANY, limit=st.integers(24, 700))
    def test_always_printable_bounded_and_the_same_again(self, text: str, limit: int) -> None:
        seen = visible(text, limit)
        assert len(seen) <= limit
        assert seen.isprintable()
        assert not {unicodedata.category(char)[0] for char in seen} & {"C"}
        assert seen == seen.strip()
        assert "  " not in seen
        assert bool(seen) == bool(text)
        assert visible(seen, limit) == seen
        json.dumps(seen, ensure_ascii=False).encode()


class TestNumbered:
    def test_what_looks_alike_gets_numbers(self) -> None:
        assert numbered(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]

    def test_a_number_that_is_a_name_already_is_left_out(self) -> None:
        assert numbered(["a", "a", "a (2)", "a"]) == ["a", "a (3)", "a (2)", "a (4)"]

    @given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "a (2) (2)", "b"]), max_size=12))
    def test_no_two_are_the_same(self, texts: list[str]) -> None:
        found = numbered(texts)
        assert len(set(found)) == len(texts)
        assert all(one.startswith(text) for one, text in zip(found, texts, strict=True))


class TestErrors:
    @pytest.mark.parametrize("kind", [WeightWidgetsError, DamagedFileError, MissingFileError])
    def test_a_message_cannot_drive_a_terminal(self, kind: type[WeightWidgetsError]) -> None:
        error = kind("/tmp/\x1b]0;owned\x07.h5: layer '\u202e' is damaged. Save the model again.")
        assert str(error) == "/tmp/␛]0;owned␇.h5: layer '⟨U+202E⟩' is damaged. Save the model again."
        assert str(pickle.loads(pickle.dumps(error))) == str(error)

    def test_a_long_message_keeps_the_file_and_the_advice(self) -> None:
        message = str(DamagedFileError(f"a.h5: layer {'x' * 10_000!r} is damaged. Save the model again."))
        assert len(message) <= 600
        assert message.startswith("a.h5: layer 'xxx")
        assert message.endswith("xxx' is damaged. Save the model again.")
