"""Panes without an explorer, in two cells and on one selection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from explorer import Explorer
from lab import Lab
from playwright.sync_api import expect
from seen import write_model

SHAPES = {"first": (30, 20), "second": (40, 60)}
# The panes in the order of the page: each is a root of its own.
HEATMAP, TABLE = 2, 4
# The width of a picture beside that of its plot, for each heatmap pane.
SPREADS = """() => [...document.querySelectorAll('.ww-pictures')].map(row => {
    const figure = row.querySelector('.bqplot');
    const [image, plot] = ['image', '.plotarea_events'].map(name => figure.querySelector(name).getBoundingClientRect());
    return image.width / plot.width;
})"""


@pytest.fixture
def explorer(lab: Lab, tmp_path: Path) -> Explorer:
    random = np.random.default_rng(3)
    paths = {
        label: str(write_model(tmp_path / f"{label}.h5", {name: random.normal(size=of) for name, of in SHAPES.items()}))
        for label in "ab"
    }
    lab.open_notebook(
        [
            f"""import weight_widgets as ww
from ipywidgets import HBox, VBox
selection = ww.Selection({paths!r})
VBox([ww.LayerChooser(selection), HBox([ww.HistogramPane(selection), ww.HeatmapPane(selection)])])""",
            "VBox([ww.HeatmapPane(selection), ww.TablePane(selection)])",
            "ww.ScatterPane(selection)",
        ]
    )
    lab.run_all()
    lab.page.locator(".ww-scatter-figure image").wait_for()
    return Explorer(lab, HEATMAP)


def test_two_cells_on_one_selection(explorer: Explorer) -> None:
    page = explorer.lab.page
    expect(page.locator(".ww-pictures")).to_have_count(2)
    # There is no explorer that could have brought the look, or keep the keys of the choosers from the notebook.
    assert page.locator(".ww-pane").first.evaluate("pane => getComputedStyle(pane).borderTopStyle") == "solid"
    layer = page.locator(".ww-choose-layer select")
    layer.focus()
    cells = page.locator(".jp-Cell").count()
    for key in ("b", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert explorer.lab.kernel_eval("selection.layer") == "'second'"
    explorer.eventually(lambda: _shows(explorer, "40 × 60"))
    assert [explorer.pixels(number).shape[:2] for number in range(3)] == [(40, 60)] * 3

    # What is zoomed into here is in sight there, and a double click shows all in both.
    explorer.eventually(lambda: _spread(explorer, at_most=1.01))
    explorer.point_at(0, 10, 15, (40, 60))
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("document.activeElement.className === 'ww-crosshair'")
    page.mouse.wheel(0, -800)
    explorer.eventually(lambda: _spread(explorer, at_least=1.5))
    plot = page.locator(".ww-pictures").nth(1).locator(".bqplot").nth(1).locator(".plotarea_events")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    explorer.eventually(lambda: _spread(explorer, at_most=1.01))
    assert explorer.lab.kernel_eval("selection.explorer_state.heatmap.window is None") == "True"

    # The histogram is zoomed once it was clicked, until the next double click; its ticks follow.
    ticks = page.locator(".ww-histogram-figure .axis").first.locator(".tick text")
    everything = ticks.all_text_contents()
    plot = page.locator(".ww-histogram-figure .plotarea_events")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    page.wait_for_function("document.activeElement.className === 'ww-zoom'")
    page.mouse.wheel(0, -800)
    explorer.eventually(lambda: _differ(ticks.all_text_contents(), everything))
    page.mouse.dblclick(*middle)
    explorer.eventually(lambda: _equal(ticks.all_text_contents(), everything))

    # Fixed in one, the colours end there in the other, and for another layer as well.
    page.locator(".ww-set-colours select").first.select_option(label="fixed")
    page.locator(".ww-set-limit input").first.fill("2.5")
    page.keyboard.press("Enter")
    ends = page.locator(".ww-colour-bar .tick text").filter(has_text="2.5")
    expect(ends).to_have_count(4)
    layer.select_option(index=0)
    explorer.eventually(lambda: _shows(explorer, "30 × 20"))
    expect(ends).to_have_count(4)
    assert explorer.lab.errors == []


def _differ(found: list[str], others: list[str]) -> None:
    assert all(found)
    assert found != others


def _equal(found: list[str], others: list[str]) -> None:
    assert found == others


def _shows(explorer: Explorer, shape: str) -> None:
    table = Explorer(explorer.lab, TABLE).table()
    assert {row["shape"] for row in table.values()} == {shape}


def _spread(explorer: Explorer, at_least: float = 0.0, at_most: float = np.inf) -> None:
    spreads = explorer.lab.page.evaluate(SPREADS)
    assert len(spreads) == 2
    assert all(at_least <= spread <= at_most for spread in spreads), spreads
    assert spreads[0] == pytest.approx(spreads[1], rel=0.1)
