"""What a look at the file told is told again without another, for whatever is asked next, and never of another file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from seen import TIMEOUT, grid_rows, write_model

import weight_widgets as ww
from weight_widgets.analysis import cache, passes, summary
from weight_widgets.panes.style import number
from weight_widgets.reading import files
from weight_widgets.state import Comparisons, FindingsState, OverviewState

RNG = np.random.default_rng(41)
ROWS, COLUMNS = 600, 300
PIECE = 30 * COLUMNS


class Reads:
    """Counts the stretches of files that are read; opening one to see whether it is the same is none."""

    def __init__(self) -> None:
        self.count = 0

    def taken(self) -> int:
        """How many since it was asked last."""
        taken, self.count = self.count, 0
        return taken


@pytest.fixture(autouse=True)
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is settled, every tensor large; and the cache is empty."""
    monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "SETTLING", -1)
    monkeypatch.setattr(summary, "EXACT_SIZE", 1000)
    monkeypatch.setattr(summary, "RUN", 1000)
    # What reads whole files in the background is not about the panes.
    monkeypatch.setattr(Comparisons, "begin", lambda _: None)
    monkeypatch.setattr(FindingsState, "begin_if_quick", lambda _: None)
    monkeypatch.setattr(OverviewState, "begin", lambda _: None)
    cache._memory.clear()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    found = Reads()
    read_into = files.read_into

    def counted(*arguments: Any) -> None:
        found.count += 1
        read_into(*arguments)

    monkeypatch.setattr("weight_widgets.reading.storage.read_into", counted)
    return found


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("f4")


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    kernels = {"a": normal(ROWS, COLUMNS), "b": normal(ROWS, COLUMNS)}
    return {
        label: write_model(tmp_path / f"{label}.h5", {"dense": values, "other": -values})
        for label, values in kernels.items()
    }


@pytest.fixture
def open_explorer() -> Iterator[Callable[..., ww.WeightExplorer]]:
    made: list[ww.WeightExplorer] = []

    def open_explorer(sources: dict[str, Path]) -> ww.WeightExplorer:
        explorer = ww.compare(sources)
        made.append(explorer)
        assert explorer.wait(TIMEOUT)
        return explorer

    yield open_explorer
    for explorer in made:
        explorer.close()


OTHERS: dict[str, Callable[[ww.WeightExplorer], None]] = {
    "bins": lambda explorer: setattr(explorer.histogram, "bins", 33),
    "clip": lambda explorer: setattr(explorer.histogram, "clip", 1.0),
    "log": lambda explorer: setattr(explorer.histogram, "log", True),
    "density": lambda explorer: setattr(explorer.histogram, "density", True),
    "fewer models": lambda explorer: setattr(explorer.selection, "checkpoints", ("b",)),
    "the other model as A": lambda explorer: setattr(explorer.selection, "reference", "b"),
    "rows of the layer": lambda explorer: setattr(explorer.table, "scope", "layer"),
}


class TestAgain:
    def test_all_panes_of_one_pick_share_one_pass(
        self, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer], reads: Reads
    ) -> None:
        passed = 0
        for path in paths.values():
            tensor = ww.open_checkpoint(path)["dense"]["kernel"]
            reads.taken()
            list(tensor.blocks(nbytes=passes.COUNT * tensor.dtype.itemsize))
            passed += reads.taken()
        explorer = open_explorer(paths)
        # One pass over each file, and for B − A one over both.
        assert reads.taken() == 2 * passed > 0
        assert explorer.heatmap.result.contrast.rasters[2] is not None
        assert explorer.histogram.result.curves[0].histogram.uncertain > 0
        assert explorer.table.result.near

    @pytest.mark.parametrize("name", OTHERS)
    def test_another_setting_reads_nothing(
        self, name: str, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer], reads: Reads
    ) -> None:
        explorer = open_explorer(paths)
        # B − A the other way round is another picture.
        explorer.heatmap.shown = name != "the other model as A"
        assert reads.taken() > 0
        before = explorer.histogram.result, explorer.table.result
        OTHERS[name](explorer)
        assert explorer.wait(TIMEOUT)
        assert reads.taken() == 0
        if name not in ("log", "density"):
            assert (explorer.histogram.result, explorer.table.result) != before

    def test_picking_again_reads_nothing(
        self, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer], reads: Reads
    ) -> None:
        explorer = open_explorer(paths)
        first = [curve.histogram.counts for curve in explorer.histogram.result.curves]
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert reads.taken() > 0
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        assert reads.taken() == 0
        for curve, counts in zip(explorer.histogram.result.curves, first, strict=True):
            np.testing.assert_array_equal(curve.histogram.counts, counts)

    def test_a_pane_that_is_shown_later_reads_nothing(
        self, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer], reads: Reads
    ) -> None:
        explorer = open_explorer(paths)
        explorer.table.shown = False
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        reads.taken()
        explorer.table.shown = True
        assert explorer.wait(TIMEOUT)
        assert {row["layer"] for row in explorer.table.result.rows} == {"other"}
        assert reads.taken() == 0

    def test_a_second_explorer_reads_nothing(
        self, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer], reads: Reads
    ) -> None:
        first = open_explorer(paths)
        assert reads.taken() > 0
        # As if in another process: only the disk remembers.
        cache._memory.clear()
        second = open_explorer(paths)
        assert reads.taken() == 0
        assert grid_rows(second) == grid_rows(first)
        for one, other in zip(
            first.heatmap.result.contrast.rasters, second.heatmap.result.contrast.rasters, strict=True
        ):
            np.testing.assert_array_equal(one.mean, other.mean)

    def test_a_second_process_reads_nothing(
        self, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer]
    ) -> None:
        code = (
            "import sys, weight_widgets as ww; from weight_widgets.reading import files, storage\n"
            "from weight_widgets.state import OverviewState\n"
            "files.SETTLING = -1; storage.read_into = None; OverviewState.begin = lambda _: None\n"
            "explorer = ww.compare(*sys.argv[1:]); assert explorer.wait(60)\n"
            "print(*(row['std'] for row in explorer.table.result.rows)); print(explorer._state.status.problems)\n"
            "explorer.close()"
        )
        expected = " ".join(str(row["std"]) for row in open_explorer(paths).table.result.rows)
        command = [sys.executable, "-W", "ignore", "-c", code, *map(str, paths.values())]
        done = subprocess.run(
            command, cwd=paths["a"].parent, env=os.environ, capture_output=True, text=True, check=False
        )
        assert (done.stdout.splitlines(), done.stderr) == ([expected, "()"], "")


def rewritten(path: Path, value: float, mtime: bool) -> None:
    """Other values of the same size in the same file; with the time of change set back only the ctime tells."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        with h5py.File(path, "r+") as file:
            for name in ("dense", "other"):
                file[f"{name}/kernel"][...] = value
        if mtime:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def shown(explorer: ww.WeightExplorer) -> dict[str, set[str]]:
    """The labels of which each pane shows numbers."""
    pictures = explorer.heatmap.result
    drawn = pictures.contrast.rasters[:2] if pictures else (None, None)
    pair = (explorer.selection.reference, explorer.selection.other)
    return {
        "histogram": {curve.label for curve in explorer.histogram.result.curves},
        "heatmap": {label for label, raster in zip(pair, drawn, strict=True) if raster is not None},
        "table": {row["checkpoint"] for row in explorer.table.result.rows if row["mean"] is not None},
        "parts": {
            label for strip in explorer.parts.result.strips for panel in strip.panels for label in panel.histograms
        },
    }


@pytest.mark.parametrize("mtime", [False, True], ids=["rewritten", "with its old time"])
@pytest.mark.parametrize("size", ["large", "small"])
class TestRewritten:
    @pytest.fixture(autouse=True)
    def small(self, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
        if size == "small":
            monkeypatch.setattr(summary, "EXACT_SIZE", 1 << 22)

    @pytest.mark.parametrize("layer", ["dense", "other"])
    def test_between_two_looks(
        self, layer: str, mtime: bool, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer]
    ) -> None:
        explorer = open_explorer(paths)
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        assert all(labels == {"a", "b"} for labels in shown(explorer).values())
        rewritten(paths["a"], 7.0, mtime)
        explorer.histogram.bins = 50
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        explorer.selection.layer = layer
        assert explorer.wait(TIMEOUT)
        # Neither what was known of it nor what is in it now.
        assert shown(explorer) == {pane: {"b"} for pane in ("histogram", "heatmap", "table", "parts")}
        assert any("a.h5 was rewritten" in problem for problem in explorer._state.status.problems)

    def test_an_explorer_of_the_new_file_shows_the_new_numbers(
        self, mtime: bool, paths: dict[str, Path], open_explorer: Callable[..., ww.WeightExplorer]
    ) -> None:
        open_explorer(paths)
        rewritten(paths["a"], 7.0, mtime)
        found = {row["model"]: row for row in grid_rows(open_explorer(paths))}
        assert (found["a"]["mean"], found["a"]["std"]) == ("+7.00", "0")
        with h5py.File(paths["b"]) as file:
            assert found["b"]["std"] == number(float(file["dense/kernel"][...].astype("f8").std()))

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
    def test_during_one(
        self,
        share: float,
        size: str,
        mtime: bool,
        paths: dict[str, Path],
        open_explorer: Callable[..., ww.WeightExplorer],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """In the first look after the choice: in the pass over A, or after it and in that over B."""
        explorer = open_explorer(paths)
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        monkeypatch.setattr(summary, "COUNT", PIECE)
        pieces = ROWS // ((PIECE if size == "large" else summary.RUN) // COLUMNS)
        call = 1 + int(share * 2 * pieces)
        read_into, lock, calls = files.read_into, threading.Lock(), 0

        def disturbed(*arguments: Any) -> None:
            nonlocal calls
            with lock:
                calls += 1
                if calls == call:
                    rewritten(paths["a"], 7.0, mtime)
            read_into(*arguments)

        monkeypatch.setattr("weight_widgets.reading.storage.read_into", disturbed)
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert calls >= call
        # What does not come from A is as before, and of A there is nothing.
        for pane, labels in shown(explorer).items():
            assert labels <= {"b"}, pane
        assert any("a.h5 was rewritten" in problem for problem in explorer._state.status.problems)
        with h5py.File(paths["b"]) as file:
            std = float(file["other/kernel"][...].astype("f8").std())
        assert [row["std"] for row in explorer.table.result.rows if row["mean"] is not None] == pytest.approx([std])
