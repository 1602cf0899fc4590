"""Panes used alone, in a layout of the user's own: what is shared, computed and left behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pytest
from seen import TIMEOUT, grid_rows, having, of_kind, widgets_alive, write_model, write_models

import weight_widgets as ww
from weight_widgets.panes.pane import Pane
from weight_widgets.state import ExplorerState

SHAPES = {"first": (30, 20), "second": (8, 5)}
PANES = [
    ww.ComparePane,
    ww.FindingsPane,
    ww.HeatmapPane,
    ww.HistogramPane,
    ww.LayerChooser,
    ww.ModelChooser,
    ww.OverviewPane,
    ww.PartsPane,
    ww.ScatterPane,
    ww.SpectrumPane,
    ww.StatusLine,
    ww.TablePane,
    ww.VerdictPane,
]


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    return write_models(tmp_path, "ab", SHAPES)


@pytest.fixture
def selection(paths: dict[str, Path]) -> Iterator[ww.Selection]:
    selection = ww.Selection(paths)
    yield selection
    selection.close()


def settle(selection: ww.Selection) -> ExplorerState:
    state = ExplorerState.of(selection)
    assert state.wait(TIMEOUT)
    return state


def lines(pane: widgets.Widget) -> list[np.ndarray]:
    """What the lines of a histogram pane draw."""
    return [line.y for line in having(pane, "ww-histogram-figure").marks if line.visible]


def test_nothing_is_computed_for_a_pane_that_nobody_made(selection: ww.Selection) -> None:
    pane = ww.HistogramPane(selection)
    state = settle(selection)
    assert len(lines(pane)) == 2
    assert (state.heatmap.result, state.table.result, state.findings.result) == (None, None, None)
    assert state.comparisons.relations == {}
    line = ww.VerdictPane(selection)
    assert settle(selection).comparisons.relations["b"].verdict.sentence in of_kind(line, widgets.HTML)[1].value


def test_panes_on_one_selection_follow_it_and_share_their_settings(selection: ww.Selection) -> None:
    table, *histograms = ww.TablePane(selection), ww.HistogramPane(selection), ww.HistogramPane(selection)
    settle(selection)
    selection.layer = "second"
    having(histograms[0], "ww-set-bins").value = 10
    settle(selection)
    assert [row["shape"] for row in grid_rows(table)] == ["8 × 5", "8 × 5"]
    assert having(histograms[1], "ww-set-bins").value == 10
    first, second = map(lines, histograms)
    assert [line.tolist() for line in first] == [line.tolist() for line in second]
    assert sum(float(line[::2].sum()) for line in first) == 2 * 40

    # The other one goes on.
    gone = weakref.ref(histograms[0])
    histograms.pop(0).close()
    gc.collect()
    assert gone() is None
    selection.layer = "first"
    settle(selection)
    assert sum(float(line[::2].sum()) for line in lines(histograms[0])) == 2 * 600


def test_beside_an_explorer(paths: dict[str, Path]) -> None:
    explorer = ww.compare(paths)
    pane = ww.ScatterPane(explorer.selection)
    assert explorer.wait(TIMEOUT)
    assert having(pane, "ww-scatter-figure").marks[0].visible
    # It shows what the user has it show, and goes without taking the other's work along.
    assert not explorer.scatter.shown
    explorer.close()
    explorer.selection.layer = "second"
    assert explorer.wait(TIMEOUT)
    assert explorer.scatter.result.pick.layer == "second"
    assert explorer.histogram.result.pick.layer == "first"
    pane.close()


def test_what_goes_wrong_is_said_in_the_pane(paths: dict[str, Path], selection: ww.Selection) -> None:
    histogram, heatmap = ww.HistogramPane(selection), ww.HeatmapPane(selection)
    settle(selection)
    assert having(histogram, "ww-own-line").value == ""
    write_model(paths["a"], {"first": np.ones((2, 2)), "second": np.ones((3, 3))})
    selection.layer = "second"
    settle(selection)
    for pane in (histogram, heatmap):
        said = having(pane, "ww-own-line").value
        assert str(paths["a"]) in said
        assert "was rewritten" in said


@pytest.mark.parametrize("kind", PANES, ids=lambda kind: kind.__name__)
def test_a_closed_pane_leaves_nothing(kind: type[ww.HistogramPane], selection: ww.Selection) -> None:
    # What there is only once for all of a kind is there by then.
    first = kind(selection)
    settle(selection)
    first.close()
    before = widgets_alive()
    pane = kind(selection)
    settle(selection)
    # Brought along, for there may be no explorer that does.
    assert having(pane, "weight-widgets") is pane
    selection.layer = "second"
    settle(selection)
    gone = weakref.ref(pane)
    pane.close()
    assert widgets_alive() == before
    del pane
    gc.collect()
    assert gone() is None
    selection.layer = "first"
    assert not settle(selection).status.asked
    assert widgets_alive() == before


def test_a_closed_selection_takes_no_more_panes(selection: ww.Selection) -> None:
    ww.TablePane(selection)
    settle(selection)
    selection.close()
    with pytest.raises(ww.WeightWidgetsError, match="this selection was closed"):
        ww.TablePane(selection)
    gc.collect()


def test_a_pane_that_draws_nothing_is_none(selection: ww.Selection) -> None:
    class Bare(Pane):
        pass

    with pytest.raises(NotImplementedError):
        Bare(selection)
