"""Notebook 7 and Voila: the explorer draws there, and what is chosen moves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from explorer import Explorer
from lab import Host, Lab, write_notebook
from lab_server import NOTEBOOK, Server, free_port, serve
from pages import HOSTS
from playwright.sync_api import Page, Route
from test_pages import check_all
from test_sessions import cells

pytestmark = pytest.mark.hosts

# Voila would load the extension of Notebook 7, which is there beside it, with libraries of an older JupyterLab.
VOILA = '--VoilaConfiguration.extension_denylist=["@jupyter-notebook/lab-extension"]'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Notebook 7, with Voila as its extension."""
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "root").mkdir()
    python = HOSTS / "jupyter" / "bin" / "python"
    with serve(folder / "root", folder / "private", free_port(), (*NOTEBOOK, VOILA), python) as server:
        yield server


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    page = lab.page.context.browser.new_page(viewport={"width": 1360, "height": 1000})
    yield page
    page.close()


def draws_and_moves(host: Host, models: Path) -> None:
    check_all(Explorer(host), models)
    # Voila's own formulas, which are not loaded here.
    assert [error for error in host.errors if error != "MathJax is not defined"] == []


def test_notebook_7(server: Server, page: Page, models: Path) -> None:
    notebook = Lab(page, server, "notebooks")
    notebook.open_notebook(cells(models)[:2])
    notebook.run_all()
    draws_and_moves(notebook, models)
    assert notebook.kernel_eval("explorer.selection.layer") == "'conv_2'"


def test_voila(server: Server, page: Page, models: Path) -> None:
    write_notebook(server.root / "voila.ipynb", cells(models)[:2])

    def icons(route: Route) -> None:
        # Voila's own page takes its icons and formulas from there.
        assert "bqplot" not in route.request.url
        assert "widget" not in route.request.url
        route.fulfill(body="")

    page.route(re.compile("https:"), icons)
    host = Host(page)
    page.goto(server.address("voila/render/voila.ipynb"))
    draws_and_moves(host, models)
