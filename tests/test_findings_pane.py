"""The findings pane: what it lists, what a click chooses, when it is computed, and what goes wrong."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from seen import ATTRIBUTES, HOSTILE, TAGS, TIMEOUT, Page, Wire, grid_rows, having, hostile, of_kind

import weight_widgets as ww
from weight_widgets.analysis.findings.compose import gather
from weight_widgets.analysis.findings.finding import Finding
from weight_widgets.panes.brief import brief
from weight_widgets.panes.style import models_by_label
from weight_widgets.state import findings as findings_module
from weight_widgets.state.looks import findings as look_module

FOLDER = Path(__file__).parent / "fixtures" / "findings"
NAMES = ("healthy", "dead", "pruned")
RNG = np.random.default_rng(23)
TABLE = "ww-findings-table"


def opened(*names: str) -> ww.WeightExplorer:
    return ww.compare({name: str(FOLDER / f"{name}.keras") for name in names})


@pytest.fixture
def explorer() -> Iterator[ww.WeightExplorer]:
    found = opened(*NAMES)
    found.findings.shown = True
    assert found.wait(TIMEOUT)
    yield found
    found.close()


@pytest.fixture
def never_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "QUICK", 0)


def chosen(explorer: ww.WeightExplorer) -> tuple[str, str, str]:
    return explorer.selection.layer, explorer.selection.tensor, explorer.selection.part


def place(explorer: ww.WeightExplorer, **cells: str) -> int:
    """Of the first row that has these cells."""
    rows = grid_rows(explorer, TABLE)
    return next(number for number, row in enumerate(rows) if cells.items() <= row.items())


def said(explorer: ww.WeightExplorer) -> str:
    """What stands in the pane beside its rows."""
    return "".join(Page(one.value).text for one in of_kind(having(explorer, "ww-findings"), widgets.HTML))


def told(explorer: ww.WeightExplorer) -> str:
    """What the status line says of what is chosen."""
    return Page(having(explorer, "ww-found").value).text


def button(explorer: ww.WeightExplorer, title: str) -> Any:
    (found,) = [one for one in of_kind(having(explorer, "ww-findings"), widgets.Button) if one.description == title]
    return found


class TestRows:
    def test_they_are_those_of_the_frame_warnings_first(self, explorer: ww.WeightExplorer) -> None:
        frame = ww.findings({name: str(FOLDER / f"{name}.keras") for name in NAMES})
        listed = frame[frame.severity != "n/a"]
        rows = grid_rows(explorer, TABLE)
        for column, name in (("model", "checkpoint"), ("layer", "layer"), ("rule", "rule"), ("message", "message")):
            assert [row[column] for row in rows] == [*listed[name]]
        assert [row["rests on"] for row in rows] == [*listed.evidence]
        severities = [row["severity"] for row in rows]
        assert severities == sorted(severities, reverse=True)
        # As the fixtures were made: units that were killed, a kernel that was pruned.
        assert [(row["model"], row["part"]) for row in rows if row["rule"] == "dead-units"] == [
            ("dead", "unit 2"),
            ("dead", "unit 5"),
        ]
        assert {row["model"] for row in rows if row["rule"] == "sparsity"} == {"pruned"}

    def test_what_the_files_do_not_tell_stands_apart(self, explorer: ww.WeightExplorer) -> None:
        frame = ww.findings({name: str(FOLDER / f"{name}.keras") for name in NAMES})
        missing = frame[frame.severity == "n/a"]
        assert len(missing) > 0
        assert "n/a" not in {row["severity"] for row in grid_rows(explorer, TABLE)}
        beside = said(explorer)
        assert f"n/a: {len(missing)} that the files do not tell" in beside
        assert all(message in beside for message in missing.message)

    def test_the_button_counts_them(self, explorer: ww.WeightExplorer) -> None:
        titles = [one.description for one in of_kind(explorer, widgets.ToggleButton)]
        assert f"Findings {len(grid_rows(explorer, TABLE))}" in titles
        assert "Parts" in titles

    def test_nothing_to_find(self) -> None:
        explorer = opened("healthy")
        explorer.findings.shown = True
        assert explorer.wait(TIMEOUT)
        grid = having(explorer, TABLE)
        assert grid_rows(explorer, TABLE) == []
        assert grid.empty.startswith("Nothing is found")
        assert "Findings" in [one.description for one in of_kind(explorer, widgets.ToggleButton)]
        assert told(explorer) == ""
        explorer.close()


class TestChoosing:
    def test_a_row_chooses_layer_tensor_part_and_a_model_in_sight(self, explorer: ww.WeightExplorer) -> None:
        explorer.selection.layer = "output"
        grid = having(explorer, TABLE)
        explorer.selection.other = "pruned"
        grid.selected = place(explorer, part="unit 5")
        assert chosen(explorer) == ("units", "kernel", "unit 5")
        assert (explorer.selection.reference, explorer.selection.other) == ("healthy", "dead")
        assert explorer.wait(TIMEOUT)
        assert explorer.heatmap.result.pick.part == "unit 5"
        assert told(explorer) == "1 finding: dead: dead units 5"

    def test_it_can_be_chosen_again_after_another_choice(self, explorer: ww.WeightExplorer) -> None:
        grid = having(explorer, TABLE)
        wanted = place(explorer, part="unit 2")
        grid.selected = wanted
        explorer.selection.part = ""
        assert grid.selected == -1
        grid.selected = wanted
        assert chosen(explorer) == ("units", "kernel", "unit 2")

    def test_a_row_of_a_run_as_a_whole_moves_nothing(self, explore: Any) -> None:
        kernel = RNG.normal(size=(9, 9))
        explorer = explore(a={"x": kernel, "y": kernel.T}, b={"x": kernel, "y": kernel.T})
        explorer.findings.shown = True
        explorer.selection.layer = "y"
        (row,) = grid_rows(explorer, TABLE)
        assert (row["model"], row["layer"], row["rule"]) == ("all", "", "frozen")
        having(explorer, TABLE).selected = 0
        assert chosen(explorer) == ("y", "kernel", "")

    def test_the_status_line_follows_ticks_and_choice(self, explorer: ww.WeightExplorer) -> None:
        explorer.selection.layer, explorer.selection.tensor = "units", "kernel"
        assert told(explorer) == "3 findings: dead: dead units 2, 5; pruned: sparsity"
        explorer.selection.checkpoints = ("healthy", "dead")
        assert told(explorer) == "2 findings: dead: dead units 2, 5"
        explorer.selection.part = "unit 3"
        assert told(explorer) == ""
        explorer.selection.part = "unit 2"
        assert told(explorer) == "1 finding: dead: dead units 2"
        explorer.selection.tensor = "bias"
        assert told(explorer) == ""


class TestUnderOtherNames:
    @pytest.fixture
    def renamed(self, explore: Any) -> ww.WeightExplorer:
        """The second is the first trained further under counted names, with one kernel pruned."""
        shapes = {"dense": (20, 30), "dense_1": (30, 40), "dense_2": (40, 10)}
        first = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
        second = {
            f"dense_{place}": values + 0.01 * RNG.normal(size=values.shape)
            for place, values in enumerate(first.values(), 5)
        }
        second["dense_6"][:12] = 0
        explorer: ww.WeightExplorer = explore(a=first, b=second)
        explorer.findings.shown = True
        return explorer

    def test_a_row_stands_under_the_references_name(self, renamed: ww.WeightExplorer) -> None:
        (row,) = [row for row in grid_rows(renamed, TABLE) if row["rule"] == "sparsity"]
        assert (row["model"], row["layer"]) == ("b", "dense_1 ↔ dense_6")
        having(renamed, TABLE).selected = place(renamed, rule="sparsity")
        assert chosen(renamed)[:2] == ("dense_1", "kernel")
        assert told(renamed) == "1 finding: b: sparsity"

    def test_another_reference_has_its_names(self, renamed: ww.WeightExplorer) -> None:
        renamed.selection.reference, renamed.selection.other = "b", "a"
        (row,) = [row for row in grid_rows(renamed, TABLE) if row["rule"] == "sparsity"]
        assert row["layer"] == "dense_6"
        having(renamed, TABLE).selected = place(renamed, rule="sparsity")
        assert chosen(renamed)[:2] == ("dense_6", "kernel")
        assert (renamed.selection.reference, renamed.selection.other) == ("b", "a")

    def test_an_alignment_by_hand_moves_the_row(self, renamed: ww.WeightExplorer) -> None:
        renamed.selection.layer = "dense_1"
        assert told(renamed) == "1 finding: b: sparsity"
        renamed.alignment["b"] = renamed.alignment["b"].unpair("dense_1")
        (row,) = [row for row in grid_rows(renamed, TABLE) if row["rule"] == "sparsity"]
        assert row["layer"] == "dense_6"
        assert told(renamed) == ""


class TestWork:
    def test_small_models_are_looked_at_at_once_and_large_ones_when_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = opened("dead")
        assert small.wait(TIMEOUT)
        assert small.findings.result is not None
        small.close()
        monkeypatch.setattr(findings_module, "QUICK", 0)
        large = opened("dead")
        assert large.wait(TIMEOUT)
        assert large.findings.result is None
        large.findings.shown = True
        assert large.wait(TIMEOUT)
        assert len(large.findings.result.found) == 2
        assert button(large, "Look").layout.display == "none"
        large.close()

    @pytest.mark.usefixtures("never_quick")
    def test_a_choice_does_not_wait_and_it_can_be_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        going, ended = threading.Event(), threading.Event()

        def endless(checkpoints: Mapping[str, ww.Checkpoint], *, check: Any) -> Any:
            going.set()
            try:
                while True:
                    check(0.25)
                    threading.Event().wait(0.01)
            finally:
                ended.set()

        monkeypatch.setattr(look_module, "gather", endless)
        explorer = opened("dead")
        explorer.findings.shown = True
        assert going.wait(TIMEOUT)
        explorer.selection.layer = "output"
        assert explorer._state.wait_for_panes(TIMEOUT)
        assert explorer.heatmap.result.pick.layer == "output"
        assert not ended.is_set()
        assert explorer.findings.progress
        button(explorer, "Cancel").click()
        assert ended.wait(TIMEOUT)
        assert explorer.wait(TIMEOUT)
        assert (explorer.findings.result, explorer.findings.progress) == (None, "")
        assert "dead, sparse, unstable or untrained" in said(explorer)
        monkeypatch.setattr(look_module, "gather", gather)
        button(explorer, "Look").click()
        assert explorer.wait(TIMEOUT)
        assert len(grid_rows(explorer, TABLE)) == 2
        explorer.close()

    @pytest.mark.parametrize("names", [("run_0",), ("run_0", "run_1", "run_2")])
    def test_how_far_it_is_rises_to_the_end(self, names: tuple[str, ...]) -> None:
        shares: list[float] = []

        def check(share: float | None = None) -> None:
            shares.extend([] if share is None else [share])

        gather({name: ww.open_checkpoint(FOLDER / f"{name}.weights.h5") for name in names}, check=check)
        assert shares == sorted(shares)
        assert shares[0] == 0
        # Before the last weight of the last pass.
        assert 0.5 < shares[-1] <= 1


@pytest.mark.usefixtures("never_quick")
class TestProblems:
    def test_a_file_that_was_rewritten_is_a_sentence_and_the_others_are_told(self, tmp_path: Path) -> None:
        path = shutil.copy(FOLDER / "pruned.keras", tmp_path / "pruned.keras")
        explorer = ww.compare({"dead": str(FOLDER / "dead.keras"), "other": str(path)})
        assert explorer.wait(TIMEOUT)
        shutil.copy(FOLDER / "healthy.keras", path)
        explorer.findings.shown = True
        assert explorer.wait(TIMEOUT)
        assert {row["model"] for row in grid_rows(explorer, TABLE)} == {"dead"}
        assert "pruned.keras" in said(explorer)
        assert "was rewritten after it was opened" in said(explorer)
        explorer.close()

    def test_what_goes_wrong_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def failing(*_: object, **__: object) -> None:
            raise MemoryError("no room for <b>that</b>")

        monkeypatch.setattr(look_module, "gather", failing)
        explorer = opened("dead")
        explorer.findings.shown = True
        assert explorer.wait(TIMEOUT)
        assert "no room for <b>that</b>" in said(explorer)
        assert explorer.findings.progress == ""
        explorer.close()


def test_hostile_names_are_text_and_lead_where_they_should(wire: Wire) -> None:
    values = np.eye(9)
    values[4, 4] = np.nan
    explorer = ww.compare(*(hostile(name, values * (place + 1)) for place, name in enumerate(HOSTILE[:3])))
    explorer.findings.shown = True
    assert explorer.wait(TIMEOUT)
    rows = grid_rows(explorer, TABLE)
    assert len(rows) == 3 * len(HOSTILE)
    assert all(cell.isprintable() and len(cell) <= 600 for row in rows for cell in row.values())
    for page in (Page(one.value) for one in of_kind(explorer, widgets.HTML)):
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
    grid = having(explorer, TABLE)
    for number, finding in enumerate(explorer.findings.result.found):
        if finding.layer:
            grid.selected = number
            assert chosen(explorer)[:2] == (finding.layer, finding.tensor or explorer.selection.tensor)
            assert told(explorer) != ""
    assert max(wire.sizes) <= 300_000
    explorer.close()


def finding(rule: str, part: str = "", label: str = "a") -> Finding:
    return Finding(label, "layer", "kernel", part, rule, "note", 0.0, 0.0, "It is so.", "the values")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], ""),
        ([finding("dead-units", "unit 4"), finding("dead-units", "unit 17")], "2 findings: dead units 4, 17"),
        ([finding("dead-units", "filter 4")], "1 finding: dead units filter 4"),
        (
            [finding("small-gamma", "filter 4"), finding("small-gamma", "filter 5")],
            "2 findings: small gamma filters 4, 5",
        ),
        ([finding("sparsity"), finding("dead-units", "unit 3")], "2 findings: sparsity, dead units 3"),
        ([finding("sparsity", "forget")], "1 finding: sparsity forget"),
        ([finding("frozen", label="")], "1 finding: frozen"),
    ],
)
def test_few_words(rows: list[Finding], words: str) -> None:
    assert brief(rows, models_by_label(["a"])) == words
    named = words.replace(": ", ": a: ", 1) if rows and rows[0].checkpoint else words
    assert brief(rows, models_by_label(["a", "b"])) == named
