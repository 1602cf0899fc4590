"""Zooming into a large kernel, by wheel and by drag, down to single weights, against what h5py reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab

SHAPE = (6000, 4000)
SINGLE = "document.querySelector('.ww-layout').textContent.includes('each cell is one weight')"
# The notebook takes the focus to its cell, and the crosshair takes it back when the button is up.
FOCUSED = "document.activeElement.className === 'ww-crosshair'"
PLOT = "figure => figure.querySelector('.plotarea_events').getBoundingClientRect().toJSON()"
READOUT = re.compile(r"input (\d+), unit (\d+): a ([+−\d.e]+) · b ([+−\d.e]+) · b − a ([+−\d.e]+)")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("zoom")
    paths = {}
    for seed, label in enumerate("ab"):
        paths[label] = folder / f"{label}.h5"
        with h5py.File(paths[label], "w") as file:
            file.attrs["layer_names"] = ["dense"]
            file["dense/kernel"] = np.random.default_rng(seed).standard_normal(SHAPE, "f4")
            file["dense"].attrs["weight_names"] = ["kernel"]
    return paths


@pytest.fixture
def explorer(lab: Lab, kernels: dict[str, Path]) -> Iterator[Explorer]:
    sources = {label: str(path) for label, path in kernels.items()}
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare({sources!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("dense", "kernel")
    yield found
    assert lab.errors == []


def plot(explorer: Explorer, number: int) -> dict[str, float]:
    figure = explorer.lab.page.locator(".ww-pictures").first.locator(".bqplot").nth(number)
    box: dict[str, float] = figure.evaluate(PLOT)
    return box


def place(explorer: Explorer, number: int, across: float, down: float) -> tuple[float, float]:
    """A place in the plot by its shares."""
    box = plot(explorer, number)
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def numbers(explorer: Explorer) -> list[float]:
    """Row, column, and the values of A, B and B − A under the pointer."""
    found = READOUT.match(explorer.readout())
    assert found is not None, explorer.readout()
    return [float(text.replace("−", "-")) for text in found.groups()]


def weights(kernels: dict[str, Path], row: int, column: int) -> list[float]:
    values = []
    for path in kernels.values():
        with h5py.File(path) as file:
            values.append(float(file["dense/kernel"][row, column]))
    return [*values, values[1] - values[0]]


def check_readout(explorer: Explorer, kernels: dict[str, Path]) -> tuple[int, int]:
    row, column, *shown = numbers(explorer)
    assert shown == pytest.approx(weights(kernels, int(row), int(column)), rel=1e-5, abs=1e-6)
    return int(row), int(column)


def check_pixels(explorer: Explorer, kernels: dict[str, Path], at: tuple[float, float]) -> None:
    """The colour on the screen is that of the weight which the crosshair reads there."""
    page = explorer.lab.page
    page.mouse.move(*at)
    row, column = check_readout(explorer, kernels)
    page.mouse.move(2, 2)
    # The click gave the crosshair the focus, with which it stays where it is.
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.ww-marker') === null")
    value, step = explorer.looked_up(explorer.colour(*at))
    assert value[0, 0] == pytest.approx(weights(kernels, row, column)[0], abs=1.5 * step)


def test_down_to_single_weights_and_back(explorer: Explorer, kernels: dict[str, Path]) -> None:
    page = explorer.lab.page
    page.locator(".ww-pictures").first.scroll_into_view_if_needed()
    said = page.locator(".ww-layout").inner_text()
    assert "Pooled to" in said
    whole = explorer.pixels(0)
    # Off the centre, so that rows and columns cannot be confused with what is left of them.
    at = place(explorer, 0, 0.3, 0.7)
    page.mouse.move(*at)
    page.wait_for_function("document.querySelector('.ww-readout').textContent.includes('mean of')")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(FOCUSED)
    page.mouse.wheel(0, -1000)
    page.locator(".ww-layout").get_by_text(re.compile(r"each cell is [\d.]+ × [\d.]+ weights")).wait_for()
    page.mouse.wheel(0, -2300)
    page.wait_for_function(SINGLE)
    explorer.eventually(lambda: _is_near(check_readout(explorer, kernels), (4200, 1200)))
    # What was drawn and what is in the file, over the whole window, on the scale that the bar has now.
    for number in range(3):
        explorer.eventually(lambda number=number: _check_window(explorer, kernels, number))  # type: ignore[misc]

    # Dragged by most of the plot there are other weights under the pointer, read by then.
    window = explorer.lab.kernel_eval("explorer.heatmap.detail.window")
    for _ in range(3):
        start, end = place(explorer, 1, 0.9, 0.9), place(explorer, 1, 0.1, 0.1)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(*end, steps=5)
        page.mouse.up()
        page.wait_for_function(FOCUSED)
    explorer.eventually(lambda: _is_other(explorer, window))
    explorer.eventually(lambda: check_readout(explorer, kernels))
    assert page.evaluate(SINGLE)
    for number in range(3):
        explorer.eventually(lambda number=number: _check_window(explorer, kernels, number))  # type: ignore[misc]

    # As near as it goes, a weight is many pixels wide.
    page.mouse.move(*at)
    page.mouse.wheel(0, -3400)
    explorer.eventually(lambda: _sees_at_most(explorer, 8))
    explorer.eventually(lambda: check_pixels(explorer, kernels, place(explorer, 0, 0.31, 0.69)))

    page.get_by_text("Reset view").first.click()
    page.wait_for_function("said => document.querySelector('.ww-layout').innerText === said", arg=said)
    explorer.eventually(lambda: _has_pixels(explorer, whole))
    page.mouse.move(*at)
    page.wait_for_function("document.querySelector('.ww-readout').textContent.includes('mean of')")


def _is_near(found: tuple[int, int], wanted: tuple[int, int]) -> None:
    # Within the pooled cell that the pointer was in.
    assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= 42


def _is_other(explorer: Explorer, window: str) -> None:
    assert explorer.lab.kernel_eval("explorer.heatmap.detail.window") != window


def _sees_at_most(explorer: Explorer, count: int) -> None:
    window = "explorer.heatmap.window"
    shape = explorer.lab.kernel_eval(f"max({window}.shape) if {window} else None")
    assert int(shape) <= count


def _has_pixels(explorer: Explorer, pixels: np.ndarray) -> None:
    np.testing.assert_array_equal(explorer.pixels(0), pixels)


def _check_window(explorer: Explorer, kernels: dict[str, Path], number: int) -> None:
    said = explorer.lab.kernel_eval("explorer.heatmap.detail.window")
    top, bottom, left, right = map(int, re.findall(r"\d+", said))
    parts = []
    for path in kernels.values():
        with h5py.File(path) as file:
            parts.append(file["dense/kernel"][top:bottom, left:right])
    expected = (*parts, parts[1] - parts[0])[number]
    shown, step = explorer.values(number, close=True)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).max() <= 1.5 * step
