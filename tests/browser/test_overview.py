"""The overview in the explorer: it drives the panes and they drive it, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab
from playwright.sync_api import Locator

GRID = ".ww-side [role=treegrid]"
POPUP = ".ww-side [role=tooltip]"
NAMES = ("baseline", "finetuned", "dead")


@pytest.fixture
def explorer(lab: Lab, models: Path) -> Iterator[Explorer]:
    paths = {name: str(models / f"digits_{name}.h5") for name in NAMES}
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare({paths!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("conv_1", "kernel")
    yield found
    assert lab.errors == []


@pytest.fixture
def kernels(models: Path) -> list[np.ndarray]:
    """Those of `dense_1` in each model, as h5py reads them."""
    found = []
    for name in NAMES:
        with h5py.File(models / f"digits_{name}.h5") as file:
            found.append(file["model_weights/dense_1/digits/dense_1/kernel"][()].astype(np.float64))
    return found


def row(explorer: Explorer, place: int) -> Locator:
    """A row by its place in the outline: conv_1 with two tensors, norm_1 with four, and so on."""
    return explorer.lab.page.locator(f"{GRID} [role=row][aria-rowindex='{place + 2}']:visible")


CONV_1, CONV_1_BIAS, CONV_2_KERNEL, DENSE_1_KERNEL = 0, 2, 9, 17


def number(explorer: Explorer, place: int, column: int) -> float:
    label = row(explorer, place).locator("[role=gridcell]").nth(column).get_attribute("aria-label") or ""
    assert label[:1].isdigit(), label
    return float(label.split()[0].rstrip(","))


def check_numbers(explorer: Explorer, expected: list[float]) -> None:
    shown = [number(explorer, DENSE_1_KERNEL, column) for column in range(len(expected))]
    assert shown == pytest.approx(expected, rel=6e-3)


def selected(explorer: Explorer) -> list[str | None]:
    rows = explorer.lab.page.locator(f"{GRID} [role=row][aria-selected=true]:visible")
    return [each.get_attribute("aria-rowindex") for each in rows.all()]


def check_selected(explorer: Explorer, place: int) -> None:
    assert selected(explorer) == [str(place + 2)]


def test_mouse(explorer: Explorer, kernels: list[np.ndarray]) -> None:
    page = explorer.lab.page
    reference = kernels[0]
    changes = [float(np.linalg.norm(kernel - reference) / np.linalg.norm(reference)) for kernel in kernels]
    explorer.eventually(lambda: check_numbers(explorer, changes))

    row(explorer, DENSE_1_KERNEL).locator("[role=gridcell]").nth(2).click()
    explorer.await_shown("dense_1", "kernel")
    assert explorer.chosen("other") == "dead"
    check_selected(explorer, DENSE_1_KERNEL)
    # What is chosen elsewhere is marked here.
    explorer.choose("layer", "conv_2 · Conv2D")
    explorer.await_shown("conv_2", "kernel")
    explorer.eventually(lambda: check_selected(explorer, CONV_2_KERNEL))

    # To where the measure is chosen, and back.
    page.locator(".ww-side select").hover()
    page.locator(".ww-side select").select_option(label="std")
    explorer.eventually(lambda: check_numbers(explorer, [float(kernel.std()) for kernel in kernels]))

    row(explorer, DENSE_1_KERNEL).hover()
    page.locator(f"{POPUP} path[d^=M]").nth(2).wait_for(state="attached")
    lines = page.locator(f"{POPUP} li").all_inner_texts()
    assert [f"{kernel.std():.3g}" in line for kernel, line in zip(kernels, lines, strict=False)] == [True] * 3

    page.locator(".ww-side input[type=search]").fill("findings:silent dense")
    explorer.eventually(lambda: check_found(explorer, "dense_1"))
    page.locator(".ww-side input[type=search]").fill("")

    # Hidden, it leaves its place to the panes.
    page.locator(".ww-show-overview").click()
    page.locator(GRID).wait_for(state="hidden")
    explorer.eventually(lambda: check_widths(explorer))


def check_widths(explorer: Explorer) -> None:
    widths = [explorer.lab.page.locator(name).evaluate("box => box.clientWidth") for name in (".ww-body", ".ww-main")]
    assert widths[0] == widths[1]


def check_found(explorer: Explorer, layer: str) -> None:
    headers = explorer.lab.page.locator(f"{GRID} [role=row]:visible [role=rowheader]").all_inner_texts()
    assert headers
    assert headers[0].startswith(layer)


def test_keyboard(explorer: Explorer) -> None:
    page, press = explorer.lab.page, explorer.lab.page.keyboard.press
    row(explorer, DENSE_1_KERNEL).wait_for()
    page.locator(".ww-side input[type=checkbox]").last.focus()
    press("Tab")
    assert page.evaluate(f"document.activeElement === document.querySelector('{GRID}')")
    cells = page.locator(".jp-Cell").count()
    # Letters are for names here; the notebook would insert cells and save.
    page.keyboard.type("bias")
    press("Enter")
    explorer.await_shown("conv_1", "bias")
    check_selected(explorer, CONV_1_BIAS)
    press("ArrowRight")
    press("ArrowRight")
    press("ArrowRight")
    press("Enter")
    explorer.eventually(lambda: check_other(explorer, "dead"))
    press("Home")
    for _ in range(3):
        press("ArrowLeft")
    press("Control+Home")
    press("ArrowLeft")
    assert row(explorer, CONV_1).get_attribute("aria-expanded") == "false"
    assert page.locator(".jp-Cell").count() == cells


def check_other(explorer: Explorer, label: str) -> None:
    assert explorer.chosen("other") == label
