"""For everybody: what axe-core finds, figures in words, the keyboard alone, every width, and nothing that jumps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from accessible import focus_walk, sticking_out, violations
from explorer import Explorer, stored
from lab import THEMES, Lab

MODELS = ("baseline", "dropout", "mlp")
# An image that says nothing, by the class of its figure.
NAMELESS = """figures => figures
    .filter(figure => figure.querySelector('svg:not([aria-hidden])') && !figure.querySelector('svg[aria-label]'))
    .map(figure => figure.className)"""
HEIGHTS = """() => Object.fromEntries(['histogram', 'heatmap', 'scatter', 'parts', 'overview', 'verdicts']
    .map(name => [name, document.querySelector('.ww-' + name).getBoundingClientRect().height]))"""
OBSERVE_SHIFTS = """() => {
    window.shifts = [];
    const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
    const named = ({ node, previousRect, currentRect }) =>
        `${node?.getAttribute?.('class') || node?.nodeName}: ${box(previousRect)}, ${box(currentRect)}`;
    const keep = list => shifts.push(...list.getEntries().map(({ value, sources }) => [value, sources.map(named)]));
    new PerformanceObserver(keep).observe({ type: 'layout-shift' });
}"""


@pytest.fixture(scope="module")
def explorer(lab: Lab, models: Path) -> Iterator[Explorer]:
    paths = [str(models / f"digits_{name}.h5") for name in MODELS]
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare(*{paths!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("conv_1", "kernel")
    for name in ("compare", "scatter", "parts", "spectrum", "findings"):
        lab.page.locator(f".ww-show-{name}").click()
    lab.page.locator(".ww-spectrum").get_by_role("button", name="Compute").click()
    for awaited in (".ww-spectrum td", ".ww-findings tbody tr", ".ww-compare tbody tr", ".ww-overview [role=row]"):
        lab.page.locator(awaited).first.wait_for()
    yield found
    assert lab.errors == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1360, 700])
def test_axe_finds_nothing(explorer: Explorer, theme: str, width: int) -> None:
    explorer.lab.set_viewport(width)
    explorer.lab.set_theme(theme)
    assert violations(explorer.lab.page, ".weight-widgets") == []


def words(explorer: Explorer, figure: str) -> str:
    return explorer.lab.page.locator(f"{figure} svg[role=img]").first.get_attribute("aria-label") or ""


def test_figures_say_what_they_show(explorer: Explorer, models: Path) -> None:
    page = explorer.lab.page
    assert page.locator(".weight-widgets .bqplot.figure").evaluate_all(NAMELESS) == []
    for layer in ("dense_1", "conv_1"):
        explorer.lab.kernel_eval(f"explorer.selection.layer = {layer!r}")
        a, b = (stored(models, f"digits_{name}", layer, "kernel") for name in MODELS[:2])

        def check(layer: str = layer, a: np.ndarray = a, b: np.ndarray = b) -> None:
            said = words(explorer, ".ww-histogram-figure")
            assert said.startswith(f"Histogram of {layer} · kernel: 120 bins")
            assert number_after(said, "digits_baseline: mean") == pytest.approx(a.mean(), rel=6e-3)
            assert number_after(said, "standard deviation") == pytest.approx(a.std(), rel=6e-3)
            said = words(explorer, ".ww-picture:nth-child(2)")
            assert said.startswith(f"Heatmap digits_dropout: {b.size // b.shape[-1]} × {b.shape[-1]} weights")
            assert number_after(said, "from") == pytest.approx(b.min(), rel=6e-3)
            said = words(explorer, ".ww-scatter")
            assert number_after(said, "correlation") == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], rel=6e-3)
            assert f"A small histogram for each part of {layer} · kernel" in words(explorer, ".ww-parts")

        explorer.eventually(check)
    said = words(explorer, ".ww-change-map")
    rows = page.locator(".ww-compare-table tbody tr").all_text_contents()
    assert said.startswith(f"Change map of {len(rows)} tensors")
    moved = number_after(said, "The largest relative change is")
    assert moved == pytest.approx(greatest_change(models), rel=6e-3)


def greatest_change(models: Path) -> float:
    changes = []
    with h5py.File(models / "digits_baseline.h5") as a, h5py.File(models / "digits_dropout.h5") as b:

        def visit(name: str, one: object) -> None:
            if isinstance(one, h5py.Dataset):
                values, others = one[()], b["model_weights"][name][()]
                if np.linalg.norm(values):
                    changes.append(float(np.linalg.norm(others - values) / np.linalg.norm(values)))

        a["model_weights"].visititems(visit)
    return max(changes)


def number_after(said: str, before: str) -> float:
    found = re.search(re.escape(before) + r" ([+−]?[\d.]+(?:e−?\d+)?)", said)
    assert found is not None, said
    return float(found[1].replace("−", "-"))


def test_tab_goes_through_everything_and_out_again(explorer: Explorer) -> None:
    page = explorer.lab.page
    cells = page.locator(".jp-Cell").count()
    stops = focus_walk(page, ".weight-widgets")
    assert [stop for stop in stops if not stop["name"]] == []
    assert [stop for stop in stops if not stop["seen"]] == []
    assert [stop for stop in stops if stop["control"] and not stop["hint"]] == []
    reached = {stop["place"] for stop in stops}
    places = page.locator(".weight-widgets :is(select, input, button, summary):visible:not(:disabled)").count()
    # Of a table's rows, and of the overview's cells, one at a time.
    assert len(reached) >= places
    assert page.evaluate("document.activeElement.closest('.weight-widgets') === null")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('.weight-widgets') !== null")
    assert page.locator(".jp-Cell").count() == cells


@pytest.mark.parametrize("width", [700, 960, 1360, 1920, 2560])
def test_nothing_sticks_out(explorer: Explorer, width: int) -> None:
    """A page at 200 % is one of half the width."""
    explorer.lab.set_viewport(width)
    explorer.eventually(lambda: check_inside(explorer))


def check_inside(explorer: Explorer) -> None:
    assert sticking_out(explorer.lab.page, ".weight-widgets") == []


def test_panes_stay_where_they_are(explorer: Explorer) -> None:
    page, lab = explorer.lab.page, explorer.lab
    lab.set_viewport(1360, 900)
    # Another width moves everything, which is no shift that a user would wonder at.
    lab.settled()
    page.evaluate(OBSERVE_SHIFTS)
    layers = ast.literal_eval(lab.kernel_eval("list(explorer.selection.layers)"))
    heights = []
    for layer in layers[1:]:
        lab.kernel_eval(f"explorer.selection.layer = {layer!r}\nexplorer.wait()")
        explorer.await_shown(layer, lab.kernel_eval("explorer.selection.tensor").strip("'"))
        heights.append(page.evaluate(HEIGHTS))
    for name in heights[0]:
        assert np.ptp([each[name] for each in heights]) <= 20, (name, [each[name] for each in heights])
    shifts = page.evaluate("shifts")
    total = sum(value for value, _ in shifts)
    print(f"layout shift over {len(layers) - 1} layers: {total:.3f}")
    # Up to 0.1 is called good for a whole visit.
    assert total < 0.1, max(shifts)


def test_pictures_and_plots_zoom_by_keys(explorer: Explorer) -> None:
    page, lab = explorer.lab.page, explorer.lab
    lab.kernel_eval("explorer.selection.layer = 'dense_1'\nexplorer.wait()")
    explorer.await_shown("dense_1", "kernel")
    page.locator(".ww-crosshair").focus()
    page.keyboard.press("+")
    explorer.eventually(lambda: check_window(explorer, "Window(top=24, bottom=72, left=16, right=48)"))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    explorer.eventually(lambda: check_window(explorer, "Window(top=24, bottom=72, left=8, right=40)"))
    page.keyboard.press("0")
    explorer.eventually(lambda: check_window(explorer, "None"))
    before = ticks_of(explorer)
    page.locator(".ww-histogram .ww-zoom").focus()
    page.keyboard.press("+")
    explorer.eventually(lambda: check_ticks(explorer, before, same=False))
    page.keyboard.press("0")
    explorer.eventually(lambda: check_ticks(explorer, before, same=True))


def check_window(explorer: Explorer, window: str) -> None:
    # What is None by itself, the kernel does not tell.
    assert explorer.lab.kernel_eval("repr(explorer.heatmap.window)") == repr(window)


def ticks_of(explorer: Explorer) -> list[str]:
    return explorer.lab.page.locator(".ww-histogram-figure .axis").first.locator(".tick").all_text_contents()


def check_ticks(explorer: Explorer, before: list[str], same: bool) -> None:
    assert (ticks_of(explorer) == before) is same
