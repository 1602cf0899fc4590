"""A notebook that was saved with the state of its widgets, where no kernel knows them: opened again, and exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbconvert
import nbformat
import pytest
from explorer import Explorer
from lab import STOP_KERNEL, Lab
from test_pages import check, generation, open_page
from test_sessions import LABELS, NAMES, SAVE, WORDS, cells

pytestmark = pytest.mark.hosts

TOGGLE_SAVING = "() => jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')"


@pytest.fixture(scope="module")
def saved(lab: Lab, models: Path) -> Iterator[Path]:
    """What JupyterLab wrote, with its setting to save the state of widgets; the kernel has ended."""
    lab.open_notebook(cells(models)[:2])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    explorer = Explorer(lab)
    explorer.choose("layer", LABELS["conv_2"])
    check(explorer, "conv_2", models)
    lab.page.evaluate(TOGGLE_SAVING)
    lab.page.evaluate(SAVE)
    lab.page.evaluate(TOGGLE_SAVING)
    lab.page.evaluate(STOP_KERNEL)
    yield lab.root / "test.ipynb"
    assert lab.errors == []


def test_opened_again(saved: Path, lab: Lab, models: Path) -> None:
    lab.open_again(saved.name)
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    assert "No kernel" in lab.page.evaluate(WORDS, [".weight-widgets", "::before"])
    check(Explorer(lab), "conv_2", models)
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    assert lab.page.evaluate(WORDS, [".weight-widgets", "::before"]) == "none"
    check(Explorer(lab), "conv_1", models)


def test_exported_by_nbconvert(saved: Path, lab: Lab, models: Path) -> None:
    html, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.read(saved, as_version=4))
    eight = generation(8)
    page = open_page(lab, eight.packages)
    page.open_html(html)
    page.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    assert "No kernel" in page.page.evaluate(WORDS, [".weight-widgets", "::before"])
    check(Explorer(page), "conv_2", models)
    assert page.fetched == eight.fetched
    # nbconvert's own formulas.
    assert [url for url in page.strange if "mathjax" not in url] == []
    page.page.close()


def test_exported_without_the_state_it_is_a_picture(saved: Path, lab: Lab) -> None:
    notebook = nbformat.read(saved, as_version=4)
    del notebook.metadata["widgets"]
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    page = open_page(lab, generation(8).packages)
    page.open_html(html)
    output = page.page.locator(".jp-OutputArea-output")
    assert output.locator("img, svg").count() > 0
    for name in NAMES:
        assert output.get_by_text(name).first.is_visible()
    assert "bqplot" not in page.fetched
    page.page.close()
