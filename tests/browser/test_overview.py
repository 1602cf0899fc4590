"""The overview in the explorer: its cells tell what is in the files, it drives the panes and follows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab
from playwright.sync_api import Locator

NAMES = ("baseline", "dropout", "finetuned")
GRID = ".ww-overview [role=treegrid]"
CELLS_OF_NOTEBOOK = "() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.length"


@pytest.fixture
def explorer(lab: Lab, models: Path) -> Iterator[Explorer]:
    paths = [str(models / f"digits_{name}.h5") for name in NAMES]
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare(*{paths!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("conv_1", "kernel")
    yield found
    assert lab.errors == []


def kernels(models: Path, layer: str) -> list[np.ndarray]:
    found = []
    for name in NAMES:
        with h5py.File(models / f"digits_{name}.h5") as file:
            model = next(iter(file[f"model_weights/{layer}"]))
            found.append(file[f"model_weights/{layer}/{model}/{layer}/kernel"][()].astype(np.float64))
    return found


def selected(explorer: Explorer) -> Locator:
    return explorer.root.locator(f"{GRID} [aria-selected=true]")


def check_cells(explorer: Explorer, numbers: list[float]) -> None:
    """The only tensor in sight has these numbers, to the three digits that are told."""
    cells = explorer.root.locator(f"{GRID} [role=row][data-kind=tensor]:visible [role=gridcell]").all()
    told = [str(cell.get_attribute("aria-label")) for cell in cells]
    assert len(told) == len(numbers)
    assert not [text for text in told if not text or text == "not yet known"]
    np.testing.assert_allclose([float(text) for text in told], numbers, rtol=5.1e-3)


def check_selected(explorer: Explorer, text: str) -> None:
    assert selected(explorer).locator("[role=rowheader]").inner_text().split() == text.split()


def test_it_tells_what_is_in_the_files_and_drives_the_panes(explorer: Explorer, models: Path) -> None:
    page = explorer.lab.page
    first, *others = kernels(models, "conv_2")
    search = explorer.root.locator(".ww-overview input[type=search]")
    search.fill("conv_2 kernel")
    changes = [float(np.linalg.norm(other - first) / np.linalg.norm(first)) for other in others]
    explorer.eventually(lambda: check_cells(explorer, [0.0, *changes]))
    explorer.root.locator(".ww-overview select").select_option("std")
    explorer.eventually(lambda: check_cells(explorer, [float(each.std()) for each in (first, *others)]))

    # A click on a cell chooses the tensor, and its model as the other one.
    explorer.root.locator(f"{GRID} [role=row][data-kind=tensor]:visible [role=gridcell]").nth(2).click()
    explorer.await_shown("conv_2", "kernel")
    assert explorer.chosen("other") == "digits_finetuned"
    check_selected(explorer, "kernel 3 × 3 × 16 × 24")
    page.locator(".ww-overview-popup svg path").first.wait_for()

    # What is chosen elsewhere is marked, but not while it is searched away.
    explorer.choose("layer", "dense_1 · Dense")
    explorer.await_shown("dense_1", "kernel")
    explorer.eventually(lambda: check_nothing(explorer))
    search.fill("")
    explorer.eventually(lambda: check_selected(explorer, "kernel 96 × 64"))

    # By keyboard: a letter goes to a row and is no command of the notebook's.
    cells = page.evaluate(CELLS_OF_NOTEBOOK)
    explorer.root.locator(GRID).focus()
    for key in ("Control+Home", "b", "Enter"):
        page.keyboard.press(key)
    explorer.await_shown("conv_1", "bias")
    explorer.eventually(lambda: check_selected(explorer, "bias 16"))
    page.keyboard.press("Escape")
    page.locator(".ww-overview-popup").wait_for(state="hidden")
    assert page.evaluate(CELLS_OF_NOTEBOOK) == cells
    assert explorer.lab.kernel_eval("explorer.selection.tensor") == "'bias'"


def check_nothing(explorer: Explorer) -> None:
    assert selected(explorer).count() == 0
