"""What befalls a page with an explorer: two views, a reload, a restart, an end. Each works, or says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from explorer import Explorer, stored
from lab import AWAIT_KERNEL, Lab

NAMES = ("digits_baseline", "digits_dropout")
SHAPES = {"conv_1": (9, 16), "conv_2": (144, 24), "dense_1": (96, 64)}
LABELS = {"conv_1": "conv_1 · Conv2D", "conv_2": "conv_2 · Conv2D", "dense_1": "dense_1 · Dense"}
WORDS = "([selector, part]) => getComputedStyle(document.querySelector(selector), part).content"
CLEAR_OUTPUT = """async cell => {
    jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
    await jupyterapp.commands.execute("notebook:clear-cell-output");
}"""
RESTART = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
SAVE = "() => jupyterapp.shell.currentWidget.context.save()"


def cells(models: Path) -> list[str]:
    files = ", ".join(repr(str(models / f"{name}.h5")) for name in NAMES)
    return [f"import weight_widgets as ww\nexplorer = ww.compare({files})", "explorer", "explorer"]


@pytest.fixture(scope="module")
def opened(lab: Lab, models: Path) -> Iterator[Lab]:
    lab.open_notebook(cells(models))
    yield lab
    assert lab.errors == []


@pytest.fixture
def views(opened: Lab) -> tuple[Explorer, Explorer]:
    """Two output cells with one explorer, new from a kernel that knows it."""
    opened.run_all()
    opened.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 8")
    return Explorer(opened), Explorer(opened, 1)


def choose(chosen: Explorer, layer: str, models: Path, *others: Explorer) -> None:
    """Choose a layer in one view, and find in it and in the others what the files hold."""
    chosen.choose("layer", LABELS[layer])
    first, second = (stored(models, name, layer, "kernel").reshape(SHAPES[layer]) for name in NAMES)
    for view in (chosen, *others):
        view.await_shown(layer, "kernel")
        view.eventually(lambda view=view: view.check_pictures((first, second)))
        assert view.chosen("layer") == LABELS[layer]


def test_two_views_live_and_outlive_one_another(views: tuple[Explorer, Explorer], opened: Lab, models: Path) -> None:
    one, two = views
    choose(two, "conv_2", models, one)
    choose(one, "dense_1", models, two)
    opened.page.evaluate(CLEAR_OUTPUT, 1)
    opened.page.wait_for_function("document.querySelectorAll('.weight-widgets').length === 1")
    choose(one, "conv_1", models)
    one.point_at(1, 4, 7, SHAPES["conv_1"])
    value = stored(models, NAMES[1], "conv_1", "kernel").reshape(SHAPES["conv_1"])[4, 7]
    one.eventually(lambda: _reads(one, value))


def _reads(explorer: Explorer, value: np.float32) -> None:
    assert f"{abs(value):.6g}" in explorer.readout()


def test_a_reloaded_page_goes_on(views: tuple[Explorer, Explorer], opened: Lab, models: Path) -> None:
    one, two = views
    choose(one, "conv_2", models, two)
    opened.page.evaluate(SAVE)
    opened.open_again()
    opened.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 8")
    one.await_shown("conv_2", "kernel")
    choose(two, "dense_1", models, one)
    assert opened.kernel_eval("explorer.selection.layer") == "'dense_1'"


def test_a_new_kernel_needs_the_cells_again(views: tuple[Explorer, Explorer], opened: Lab, models: Path) -> None:
    assert opened.page.evaluate(WORDS, [".weight-widgets", "::before"]) == "none"
    opened.page.evaluate(RESTART)
    opened.page.evaluate(AWAIT_KERNEL)
    opened.page.wait_for_function("document.querySelector('.weight-widgets.jupyter-widgets-disconnected')")
    assert "run the notebook’s cells" in opened.page.evaluate(WORDS, [".weight-widgets", "::before"])
    # ipywidgets would have a sign before every widget, which takes a place in the layout.
    assert opened.page.evaluate(WORDS, [".weight-widgets .jupyter-widgets-disconnected", "::before"]) == "none"
    # What is read in the page alone goes on without a kernel.
    views[0].point_at(0, 0, 0, SHAPES["conv_1"])
    value = stored(models, NAMES[0], "conv_1", "kernel").reshape(SHAPES["conv_1"])[0, 0]
    views[0].eventually(lambda: _reads(views[0], value))

    opened.run_all()
    opened.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 8")
    assert opened.page.evaluate(WORDS, [".weight-widgets", "::before"]) == "none"
    choose(views[0], "conv_2", models, views[1])


def test_a_closed_explorer_says_how_to_open_another(views: tuple[Explorer, Explorer], opened: Lab) -> None:
    opened.kernel_eval("explorer.close()")
    opened.page.wait_for_function("document.querySelectorAll('.weight-widgets').length === 0")
    opened.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex = 2")
    opened.page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    said = opened.page.locator(".jp-OutputArea-output").filter(has_text="This is closed.")
    assert "Run the cell that made it" in said.inner_text()
