"""What a cell publishes: widgets where they load, and a picture of them for everywhere else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen import HOSTILE, TIMEOUT, Page, hostile, indices, write_model

import weight_widgets as ww
from weight_widgets.display import visible
from weight_widgets.panes import shown
from weight_widgets.panes.shades import DIVERGING

VIEW = "application/vnd.jupyter.widget-view+json"
# What sanitizers of pages that show notebooks let through.
TAGS = {"div", "p", "b", "i", "ul", "li", "table", "tr", "th", "td", "span", "img"}
ATTRIBUTES = {"src", "width", "height", "style", "alt", "align"}
GREY = [0x80, 0x80, 0x80]


def published(widget: Any, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """The bundle that a cell which ends with the widget sends through the channel of `display`."""
    sent: list[Mapping[str, Any]] = []
    monkeypatch.setattr(shown, "display", lambda data, raw: sent.append(data))
    widget._ipython_display_()
    (bundle,) = sent
    return bundle


def images(html: str) -> list[bytes]:
    return [base64.b64decode(found) for found in re.findall(r'src="data:image/png;base64,([^"]+)"', html)]


class TestBundle:
    def test_widgets_and_a_picture(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        explorer = explore(a={"dense": np.eye(3)}, b={"dense": np.eye(3) * 2})
        bundle = published(explorer, monkeypatch)
        assert set(bundle) == {"text/plain", "text/html", VIEW}
        assert bundle[VIEW] == {"version_major": 2, "version_minor": 0, "model_id": explorer.model_id}

    def test_one_without_a_picture_is_shown_and_says_why(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        explorer = explore(a={"dense": np.eye(3)})
        monkeypatch.setattr(explorer, "picture", lambda: 1 / 0)
        bundle = published(explorer, monkeypatch)
        assert bundle[VIEW]["model_id"] == explorer.model_id
        assert "division by zero" in bundle["text/html"]

    def test_a_closed_one_says_what_to_do(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        explorer = explore(a={"dense": np.eye(3)})
        explorer.close()
        bundle = published(explorer, monkeypatch)
        assert set(bundle) == {"text/plain"}
        assert "Run the cell" in bundle["text/plain"]

    def test_a_picker_has_a_picture_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
        monkeypatch.chdir(tmp_path)
        picker = ww.compare()
        bundle = published(picker, monkeypatch)
        assert VIEW in bundle
        assert "ww.demo()" in bundle["text/html"]
        picker._open(lambda: ww.compare(models / "digits_wide.h5"))
        assert picker.explorer.wait(TIMEOUT)
        assert "digits_wide" in published(picker, monkeypatch)["text/html"]
        picker.close()


class TestPicture:
    def test_numbers_and_verdict_are_those_of_the_models(self, explore: Any) -> None:
        a = np.random.default_rng(1).normal(size=(40, 30)).astype("f4")
        explorer = explore(one={"dense": a}, same={"dense": a.copy()})
        page = Page(explorer.picture())
        assert visible(explorer.verdicts["same"].sentence, 400) in page.text
        head, *rows = [row for row in page.rows if len(row) > 3]
        assert [row[0] for row in rows] == ["one", "same"]
        for row in rows:
            cells = dict(zip(head, row, strict=True))
            assert cells["shape"] == "40 × 30"
            assert float(cells["std"]) == pytest.approx(a.std(), rel=5e-3)
            assert float(cells["min"].replace("−", "-")) == pytest.approx(a.min(), rel=5e-3)

    def test_heatmaps_have_the_colours_of_the_weights(self, explore: Any) -> None:
        a = np.arange(-2.0, 4.0).reshape(2, 3)
        b = a.copy()
        b[1, 1] = np.nan
        explorer = explore(a={"dense": a}, b={"dense": b})
        pictures = [(palette[pixels], alpha) for pixels, palette, alpha in map(indices, images(explorer.picture())[1:])]
        limit = explorer.heatmap.result.contrast.limit
        expected = DIVERGING[np.rint(np.clip(a / limit, -1, 1) * 127).astype(int) + 127]
        assert [alpha for _, alpha in pictures] == [None] * 3
        np.testing.assert_array_equal(pictures[0][0], expected)
        assert pictures[1][0][1, 1].tolist() == pictures[2][0][1, 1].tolist() == GREY
        assert pictures[2][0][0, 0].tolist() == DIVERGING[127].tolist()

    @pytest.mark.parametrize("log", [False, True])
    def test_histograms_are_as_tall_as_their_bins(self, log: bool, explore: Any) -> None:
        rng = np.random.default_rng(2)
        drawn = {"a": rng.normal(size=(60, 50)), "b": rng.normal(0.5, 0.3, size=(60, 50))}
        explorer = explore(**{label: {"dense": values} for label, values in drawn.items()})
        explorer.histogram.bins = 20
        explorer.histogram.log = log
        assert explorer.wait(TIMEOUT)
        pixels, palette, alpha = indices(images(explorer.picture())[0])
        assert alpha is not None
        low, high = (end(list(drawn.values())) for end in (np.min, np.max))
        counts = {label: np.histogram(values, 20, (low, high))[0] for label, values in drawn.items()}
        raised = {label: np.log(np.maximum(each, 0.5)) if log else each for label, each in counts.items()}
        floor = min(each.min() for each in raised.values()) if log else 0
        reach = max(each.max() for each in raised.values()) - floor
        rows, columns = pixels.shape
        middles = ((np.arange(20) + 0.5) * columns / 20).astype(int)
        for place, label in enumerate(drawn):
            line = 2 + 2 * place
            colour = "#" + bytes(palette[line]).hex()
            assert f'color:{colour}">■</span> {label}' in explorer.picture()
            for middle, height in zip(middles, raised[label], strict=True):
                at = np.flatnonzero(pixels[:, middle] == line)
                # The line of the other may lie over it.
                if at.size:
                    assert (rows - 2 - at[0]) / (rows - 2) == pytest.approx(0.95 * (height - floor) / reach, abs=0.02)
            assert sum((pixels[:, middle] == line).any() for middle in middles) >= 15
        assert alpha[0] == 0
        assert not pixels[0].any()

    def test_of_much_it_is_small_and_names_are_text(self) -> None:
        values = np.random.default_rng(3).normal(size=(256, 256))
        checkpoints = [hostile(label, values) for label in HOSTILE]
        explorer = ww.compare(*checkpoints)
        explorer.table.scope = "model"
        assert explorer.wait(TIMEOUT)
        html = explorer.picture()
        page = Page(html)
        assert len(html.encode()) <= 100_000
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
        assert visible(HOSTILE[0]) in page.text
        assert {char for char in html if not char.isprintable()} <= {"\u2009"}
        explorer.close()

    @pytest.mark.parametrize(
        "values",
        [
            np.full((4, 5), 3.0),
            np.full((4, 5), np.nan),
            np.array([[-1e308, 1e308, np.inf]]),
            np.zeros((0, 3)),
            np.array(2.0),
            np.arange(7.0),
            np.array([[1 << 40, -3]]),
            np.ones((2, 3, 4, 5, 6)),
        ],
        ids=["constant", "NaN", "huge", "empty", "scalar", "vector", "integers", "five axes"],
    )
    def test_odd_tensors(self, values: np.ndarray, explore: Any) -> None:
        explorer = explore(a={"odd": values}, b={"odd": values})
        for log, density in ((False, False), (True, True)):
            explorer.histogram.log, explorer.histogram.density = log, density
            assert explorer.wait(TIMEOUT)
            page = Page(explorer.picture())
            assert [row[1] for row in page.rows if len(row) > 3] == ["weight", "odd · kernel", "odd · kernel"]

    def test_more_models_than_colours(self, explore: Any) -> None:
        explorer = explore(**{f"m{number}": {"dense": np.full((3, 3), float(number))} for number in range(11)})
        pixels, palette, _ = indices(images(explorer.picture())[0])
        assert len(palette) == 23
        assert set(np.unique(pixels)) >= {2 + 2 * number for number in range(11)}

    def test_many_models(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        explorer = explore(**{f"m{number}": {"dense": np.full((2, 2), float(number))} for number in range(130)})
        html = published(explorer, monkeypatch)["text/html"]
        pixels, palette, _ = indices(images(html)[0])
        assert len(palette) == 25
        assert set(np.unique(pixels)) <= set(range(25))
        assert "■</span> m11" in html
        assert "■</span> m12" not in html
        assert "m11 and 118 more</p>" in html
        assert "<p>and 117 more models.</p>" in html
        assert len(html.encode()) <= 100_000

    def test_nothing_of_what_was_chosen_before(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        layers = {"first": np.eye(3), "second": np.ones((2, 3))}
        explorer = explore(a=layers, b=layers)
        explorer.histogram.shown = explorer.table.shown = False
        explorer.selection.layer = "second"
        assert explorer.wait(TIMEOUT)
        html = explorer.picture()
        assert len(images(html)) == 3
        assert "Histogram" not in html
        assert "first" not in html
        explorer.heatmap.shown = False
        explorer.histogram.shown = explorer.table.shown = True
        assert explorer.wait(TIMEOUT)
        html = explorer.picture()
        assert len(images(html)) == 1
        # The table of a tensor, when that of the layer was asked for.
        assert [row for row in Page(html).rows if len(row) > 3]
        monkeypatch.setattr(explorer._state, "_ask", lambda key: None)
        explorer.table.scope = "layer"
        assert not [row for row in Page(explorer.picture()).rows if len(row) > 3]

    def test_what_does_not_depend_on_a_choice_stays(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.eye(3)}, b={"dense": np.eye(3) * 2})
        explorer.selection.checkpoints = ("a",)
        explorer.selection.other = "a"
        explorer.selection.other = "b"
        assert explorer.wait(TIMEOUT)
        assert len(images(explorer.picture())) == 4

    def test_what_is_said_of_a_picture_has_no_markup(self, explore: Any) -> None:
        explorer = explore(**{"שלום": {"dense": np.eye(3)}, '"<b>': {"dense": np.eye(3)}})
        said = re.findall(r'alt="([^"]*)"', explorer.picture())
        assert [unescape(each) for each in said[1:]] == ["A שלום", 'B "<b>', "B − A"]
        assert not re.search("[<>]", "".join(said))

    def test_files_that_are_still_being_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        explorer = ww.compare(write_model(tmp_path / "a.h5", {"dense": np.eye(3)}))
        monkeypatch.setattr(explorer._state, "wait_for_panes", lambda timeout: False)
        explorer._state.status = type(explorer._state.status)(reading="Reading dense · kernel …")
        assert "still being read" in explorer.picture()
        explorer.close()
