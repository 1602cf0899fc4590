"""What the panes' tests share: widgets found by class, HTML taken apart, messages counted, names that mean harm."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import ipywidgets as widgets
import numpy as np
from ipywidgets.widgets import widget as registry

import weight_widgets as ww
from weight_widgets.panes.plain import is_shared

TIMEOUT = 60.0
TAGS = {"table", "thead", "tbody", "tr", "th", "td", "small", "span", "div", "ul", "li", "h3", "p", "b"}
TAGS |= {"bdi", "details", "summary"}
ATTRIBUTES = {"class", "style", "scope", "colspan", "role", "title"}


def write_model(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """A legacy weights file: one layer for each tensor, which is its `kernel`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in tensors]
        for name, values in tensors.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [b"kernel"]
            group["kernel"] = values
    return path


def write_models(folder: Path, labels: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Path]:
    """Files of one architecture, a letter each, with random kernels of these shapes."""
    random = np.random.default_rng(7)
    return {
        label: write_model(
            folder / f"{label}.h5", {name: random.normal(size=shape).astype("f4") for name, shape in shapes.items()}
        )
        for label in labels
    }


def final(results: Iterable[Any]) -> Any:
    """The last of the results that a look gives, each in the place of the one before."""
    *_, last = results
    return last


def everything(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    below = [*getattr(widget, "children", ()), *getattr(widget, "marks", ()), *getattr(widget, "axes", ())]
    for child in below:
        yield from everything(child)


def having(widget: widgets.Widget, name: str) -> Any:
    """The one widget with this CSS class."""
    (found,) = [one for one in everything(widget) if name in getattr(one, "_dom_classes", ())]
    return found


def of_kind(widget: widgets.Widget, kind: type) -> list[Any]:
    return [one for one in everything(widget) if isinstance(one, kind)]


def decode(value: bytes | memoryview, transparent: bool = False) -> np.ndarray:
    """The pixels of an 8-bit indexed PNG without row filters, shape (rows, columns, 3), by the specification.

    With `transparent`, the last of its colours must be, and no other.
    """
    lines, palette, alpha = indices(value)
    assert alpha == (b"\xff" * 255 + b"\0" if transparent else None)
    return palette[lines]


def indices(value: bytes | memoryview) -> tuple[np.ndarray, np.ndarray, bytes | None]:
    """Of such a PNG the place of each pixel in the palette, the palette, and how opaque its colours are."""
    png = bytes(value)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length) == (zlib.crc32(kind + data),)
        chunks[kind] = chunks.get(kind, b"") + data
        place += 12 + length
    assert next(iter(chunks)) == b"IHDR"
    assert [*chunks][-1] == b"IEND"
    columns, rows, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, rest) == (8, 3, [0, 0, 0])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    return lines[:, 1:], palette, chunks.get(b"tRNS")


def widgets_alive() -> int:
    """How many widgets there are, in all pages, but for those that all share."""
    # ipywidgets 7 and 8 call it differently.
    found = registry._instances if hasattr(registry, "_instances") else registry.Widget.widgets
    return sum(not is_shared(widget) for widget in list(found.values()))


class Page(HTMLParser):
    """The tags, attributes and text of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


class Wire:
    """Every message that leaves for the browser: its size in bytes, and what is in it as text."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.seen = ""

    def take(self, data: object, buffers: Sequence[Any] | None) -> None:
        self.seen += json.dumps(data, ensure_ascii=False)
        self.sizes.append(len(json.dumps(data)) + sum(memoryview(buffer).nbytes for buffer in buffers or ()))


def grid_rows(explorer: ww.WeightExplorer, name: str = "ww-table") -> list[dict[str, str]]:
    """The rows that a table's leaf was given, as it shows them."""
    grid = having(explorer, name)
    columns = [getattr(grid, f"column_{place}")["cells"] for place in range(len(grid.columns))]
    labels = [column["label"] for column in grid.columns]
    return [dict(zip(labels, cells, strict=True)) for cells in zip(*columns, strict=True)]


HOSTILE = [
    # Short enough to be shown uncut.
    "<img src=x onerror=a()>&\"'",
    "</script>",
    "\x00\x1b[31m\n\t",
    "\u202egnp.exe",
    "\u2066\u2069\u200b\u2028",
    "\udc80\ud800",
    "caf\u00e9",
    "cafe\u0301",
    "e" + "\u0323" * 500,
    *(f"{'L' * 5000}{place}{'L' * 5000}" for place in range(3)),
    "$\\href{javascript:a()}{x}$",
    " ",
]


def hostile(label: str, values: np.ndarray) -> ww.Checkpoint:
    return ww.open_checkpoint({name: {name: values} for name in HOSTILE}, label)
