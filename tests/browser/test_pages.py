"""The explorer where Colab and exported notebooks show it: in pages of html-manager, which load scripts by npm name.

The one of ipywidgets 7 has the versions that Colab has.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from explorer import Explorer, stored
from lab import Lab
from pages import HOSTS, MANAGER, Packages, StaticPage, started
from test_sessions import LABELS, NAMES, SHAPES, WORDS

pytestmark = pytest.mark.hosts

COLAB = HOSTS / "colab"
EXPORT = """
import sys
import ipywidgets.embed, weight_widgets as ww
explorer = ww.compare(*sys.argv[2:])
explorer.selection.layer = "conv_2"
assert explorer.wait()
ipywidgets.embed.embed_minimal_html(sys.argv[1], views=[explorer], title="Exported", drop_defaults=False)
"""


@dataclass(frozen=True)
class Generation:
    """Of ipywidgets: an environment, a kernel in it, and what pages load."""

    python: Path
    kernel: str
    packages: Packages
    fetched: frozenset[str]


def generation(number: int) -> Generation:
    environment, version = (COLAB, "0.20.6") if number == 7 else (Path(sys.prefix), "1.0.15")
    packages = Packages(
        HOSTS / "npm" / "requirejs-2.3.8.tgz",
        HOSTS / "npm" / f"jupyter-widgets-html-manager-{version}.tgz",
        environment / "share" / "jupyter" / "nbextensions",
        version,
    )
    fetched = {"requirejs", MANAGER, "anywidget", "bqplot"} | ({"bqscales"} if number == 8 else set())
    return Generation(
        environment / "bin" / "python", "colab" if number == 7 else "python3", packages, frozenset(fetched)
    )


@pytest.fixture(params=[7, 8], ids=["ipywidgets7", "ipywidgets8"])
def widgets(request: pytest.FixtureRequest) -> Generation:
    return generation(request.param)


def open_page(lab: Lab, packages: Packages, lacking: frozenset[str] = frozenset()) -> StaticPage:
    return StaticPage(lab.page.context.browser.new_page(viewport={"width": 1360, "height": 1000}), packages, lacking)


@pytest.fixture
def page(lab: Lab, widgets: Generation) -> Iterator[StaticPage]:
    page = open_page(lab, widgets.packages)
    yield page
    page.page.close()
    assert page.errors == []
    # Nothing of ours is on a CDN, and nothing is taken from anywhere else.
    assert page.strange == []
    assert page.fetched == widgets.fetched


def export(python: Path, models: Path, folder: Path) -> str:
    """The HTML of an explorer that was saved with its state."""
    path = folder / "exported.html"
    files = [str(models / f"{name}.h5") for name in NAMES]
    subprocess.run([python, "-I", "-c", EXPORT, path, *files], check=True, cwd=folder)
    return path.read_text("utf-8")


def check(explorer: Explorer, layer: str, models: Path) -> None:
    first, second = (stored(models, name, layer, "kernel").reshape(SHAPES[layer]) for name in NAMES)
    explorer.await_shown(layer, "kernel")
    explorer.eventually(lambda: explorer.check_pictures((first, second)))
    assert len(explorer.counts()) == 2
    rows, columns = SHAPES[layer]
    explorer.point_at(1, rows - 1, columns // 2, SHAPES[layer])

    def reads() -> None:
        assert f"{abs(second[rows - 1, columns // 2]):.6g}" in explorer.readout()

    explorer.eventually(reads)


def check_all(explorer: Explorer, models: Path) -> None:
    """A chooser and the overview move the panes and the table, and a picture and the table are saved."""
    explorer.lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    check(explorer, "conv_1", models)
    explorer.choose("layer", LABELS["dense_1"])
    check(explorer, "dense_1", models)
    explorer.click_overview("conv_2")
    check(explorer, "conv_2", models)
    saved = explorer.save("heatmap", "SVG")
    assert saved.suggested_filename == "conv_2 · kernel heatmap.svg"
    pictures = [element for element in ElementTree.parse(saved.path()).iter() if element.tag.endswith("}image")]
    # A, B, B − A and the colours' bar.
    assert len(pictures) == 4
    assert Path(explorer.save("heatmap", "PNG").path()).read_bytes().startswith(b"\x89PNG")
    std = pytest.approx([stored(models, name, "conv_2", "kernel").std(dtype=float) for name in NAMES], rel=5e-3)
    assert [float(row["std"]) for row in explorer.table().values()] == std
    with Path(explorer.save("table", "CSV").path()).open(newline="", encoding="utf-8") as file:
        assert [float(row["std"]) for row in csv.DictReader(file)] == std


def test_from_saved_state(page: StaticPage, widgets: Generation, models: Path, tmp_path: Path) -> None:
    page.open_html(export(widgets.python, models, tmp_path))
    page.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    check(Explorer(page), "conv_2", models)
    assert "No kernel" in page.page.evaluate(WORDS, [".weight-widgets", "::before"])


def test_with_a_kernel(lab: Lab, page: StaticPage, widgets: Generation, models: Path) -> None:
    add_kernel(lab, widgets)
    with started(lab.server, widgets.kernel) as kernel:
        page.connect(lab.server, kernel)
        files = [str(models / f"{name}.h5") for name in NAMES]
        page.run(f"import weight_widgets as ww\nexplorer = ww.compare(*{files})\nexplorer._ipython_display_()")
        explorer = Explorer(page)
        check_all(explorer, models)
        page.run("explorer.selection.layer = 'conv_1'\nexplorer.parts.shown = True")
        check(explorer, "conv_1", models)
        page.page.wait_for_function("document.querySelector('.ww-parts path.line')?.getAttribute('d')")
        assert page.page.evaluate(WORDS, [".weight-widgets", "::before"]) == "none"


def add_kernel(lab: Lab, widgets: Generation) -> None:
    folder = lab.server.private / "data" / "kernels" / widgets.kernel
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(widgets.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Test", "language": "python"}))


def test_a_page_that_finds_no_bqplot_says_so(lab: Lab, models: Path, tmp_path: Path) -> None:
    eight = generation(8)
    page = open_page(lab, eight.packages, frozenset({"bqplot", "bqscales"}))
    page.open_html(export(eight.python, models, tmp_path))
    page.page.wait_for_function("document.querySelector('.jupyter-widgets-error-widget')")
    assert "could not load the scripts of bqplot" in page.page.evaluate(WORDS, [".weight-widgets", "::after"])
    assert list(Explorer(page).table()) == list(NAMES)
    page.page.close()
