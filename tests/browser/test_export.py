"""Figures and tables saved from a page: by mouse, by keys and to a path; each file read by something independent."""

from __future__ import annotations

import base64
import csv
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from explorer import Explorer
from lab import Lab
from playwright.sync_api import Download
from seen import write_model

SVG = "{http://www.w3.org/2000/svg}"
A = np.array([[-1, 0, 1, 1], [1, 1, 0, -1], [0, -1, -1, 1]], "f4")
B = A / 2
LAYERS = {"first<&>": A, "layer_10": np.float32([[0.1, 0.25]]), "layer_2": np.float32([[0.3]]), "=1+1": np.ones((1, 1))}
MENU = ".ww-export-list"
# The whole of a picture in twice the density is more than a test should carry.
SAMPLE = """async ([address, places]) => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const colours = places.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
    return { size: [canvas.width, canvas.height], colours };
}"""


@pytest.fixture(scope="module")
def explorer(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    folder = tmp_path_factory.mktemp("export")
    b = {name: values / 3 for name, values in LAYERS.items()} | {"first<&>": B}
    paths = {"a": str(write_model(folder / "a.h5", LAYERS)), "b": str(write_model(folder / "b.h5", b))}
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare({paths!r})\nexplorer", "display(explorer)"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("first<&>", "kernel")
    yield found
    assert lab.errors == []


def save(explorer: Explorer, name: str, format_: str) -> Path:
    """In the first of two views."""
    return kept(explorer, explorer.save(name, format_))


def kept(explorer: Explorer, download: Download) -> Path:
    path = explorer.lab.root / download.suggested_filename
    download.save_as(path)
    explorer.lab.page.get_by_role("status").get_by_text(f"Saved {path.name}").first.wait_for()
    return path


def test_a_heatmap_and_a_table_are_saved(explorer: Explorer) -> None:
    page = explorer.lab.page
    downloads: list[str] = []

    def note(download: Download) -> None:
        downloads.append(download.suggested_filename)

    page.on("download", note)

    svg = save(explorer, "heatmap", "SVG")
    assert svg.name == "first & · kernel heatmap.svg"
    check_svg(svg)
    png = save(explorer, "heatmap", "PNG")
    check_png(explorer, png, svg)

    # By keys: the menu opens on its first item, and Escape leads back to the button.
    page.locator(".ww-export > button").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.getAttribute('role') === 'menuitem'")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Export ▾"
    assert page.locator(MENU).first.is_hidden()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.getAttribute('role') === 'menuitem'")
    page.keyboard.press("End")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert kept(explorer, download.value).name == "first & · kernel table.tex"
    # Two views, and each file was saved once.
    assert downloads == [svg.name, png.name, "first & · kernel table.tex"]
    page.remove_listener("download", note)

    # To a path, which the page answers when the cell has ended; both views paint.
    explorer.lab.kernel_eval("explorer.export('heatmap', 'at a path.png')")
    page.get_by_role("status").get_by_text("Saved at a path.png").first.wait_for()
    assert (explorer.lab.root / "at a path.png").read_bytes() == png.read_bytes()


def check_svg(path: Path) -> None:
    root = ElementTree.fromstring(path.read_bytes())
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"first<&> · kernel", "A a", "B b", "B − A", "input", "unit"} <= {*words}
    addresses = [value for element in root.iter() for name, value in element.items() if "href" in name]
    assert len(addresses) == 4
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert base64.b64decode(addresses[0].partition(",")[2]).startswith(b"\x89PNG")


def check_png(explorer: Explorer, png: Path, svg: Path) -> None:
    """Cell by cell, where the SVG has them, in the colours of its bar."""
    root = ElementTree.fromstring(svg.read_bytes())
    (group, *_) = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}g/{SVG}image") is not None]
    dx, dy = map(float, group.get("transform", "").removeprefix("translate(").rstrip(")").split())
    image, _, _, bar = root.iter(f"{SVG}image")
    x, y, width, height = (float(image.get(name, "")) for name in ("x", "y", "width", "height"))
    places = [
        (int(2 * (dx + x + width * (column + 0.5) / 4)), int(2 * (dy + y + height * (row + 0.5) / 3)))
        for row, column in np.ndindex(A.shape)
    ]
    address = "data:image/png;base64," + base64.b64encode(png.read_bytes()).decode()
    found = explorer.lab.page.evaluate(SAMPLE, [address, [(0, 0), *places]])
    assert found["size"] == [int(np.ceil(2 * float(root.get(side, "")))) for side in ("width", "height")]
    ground, *cells = found["colours"]
    assert ground == [255, 255, 255, 255]
    scale = explorer.decoded(bar.get("href"))[:, 0, :3].astype(int)
    colours = {1: scale[0], 0: scale[127], -1: scale[254]}
    # Blue for negative, red for positive.
    assert colours[-1][2] > colours[-1][0] + 50
    assert colours[1][0] > colours[1][2] + 50
    for cell, value in zip(cells, A.ravel(), strict=True):
        assert cell[:3] == pytest.approx(colours[int(value)].tolist(), abs=2)


def test_what_is_filtered_and_sorted_is_what_is_saved(explorer: Explorer) -> None:
    page = explorer.lab.page
    page.locator(".ww-set-scope select").first.select_option(label="all layers")
    table = page.locator(".ww-table").first
    table.locator("tbody tr").nth(7).wait_for()
    table.locator("input[type=search]").fill("a layer")
    table.get_by_role("button", name="mean", exact=True).click()
    table.locator("summary").click()
    table.get_by_label("near zeros", exact=True).check()
    table.get_by_label("min", exact=True).uncheck()

    with save(explorer, "table", "CSV").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert "min" not in head
    assert head.index("near_zeros") == head.index("inf") + 1
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert "part" not in head
    assert [[row[key] for key in ("model", "layer", "tensor", "assumed")] for row in found] == [
        ["a", "layer_2", "kernel", "yes"],
        ["a", "layer_10", "kernel", "yes"],
        ["b", "layer_2", "kernel", "yes"],
        ["b", "layer_10", "kernel", "yes"],
    ]
    assert [float(row["mean"]) for row in found] == pytest.approx(
        [float(np.mean(values, dtype=float)) for values in (LAYERS["layer_2"], LAYERS["layer_10"])]
        + [float(np.mean(values / 3, dtype=float)) for values in (LAYERS["layer_2"], LAYERS["layer_10"])],
        rel=1e-12,
    )

    lines = save(explorer, "table", "Markdown").read_text("utf-8").splitlines()
    assert len(lines) == 2 + 4
    assert lines[2].startswith(r"| a | layer\_2 | kernel | yes | 1 × 1 |")
