"""Exports: what is written is what is shown, read back by something else, and names cannot break out of it."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bqplot
import mistune
import numpy as np
import pandas as pd
import pytest
from seen import HOSTILE, TIMEOUT, Page, Wire, decode, hostile

import weight_widgets as ww
from weight_widgets.display import visible
from weight_widgets.panes.export import menu
from weight_widgets.panes.export.axes import number_in_words
from weight_widgets.panes.export.places import Area
from weight_widgets.panes.export.tables import to_csv, to_latex, to_markdown
from weight_widgets.panes.sheet import Column, Row, Sheet
from weight_widgets.panes.style import count, number

SVG = "{http://www.w3.org/2000/svg}"
COLUMNS = (
    Column("name", "name_of|it"),
    Column("mean", "mean", format=number),
    Column("size", "size", format=count),
)
FORMULAS = ["=1+1", '=cmd|" /C calc"!A0', "+1", "-1", "@SUM(A1)", "＝1"]
LATEX = [r"\input{/etc/passwd}", r"\write18{x}", "^^5cinput", "a&b%c$d#e_f{g}h~i^j\\", "[x] * <y> |z|", "--- ,, ''"]
MARKDOWN = ["a|b", r"a\|b", "`code`", "[x](javascript:y)", "![x](y)", "*b* __c__ ~~d~~", "&amp; $x$ #1", "<b>"]
MARKDOWN += ["https://a.bc/d", "see http://a.bc", "www.a.bc", "WWW.a.bc", "mailto:a@b.cd", "@name"]
NAMES = [*FORMULAS, *LATEX, *MARKDOWN, *(visible(name) for name in HOSTILE)]
VALUES = [0.1 + 0.2, -1e-300, np.float32(0.1), np.nan, None, np.inf]
# What a cell of ours may use, and what it stands for.
COMMANDS = {
    **{rf"\{char}": char for char in "{}$&#_%"},
    **{
        rf"\text{name}{{}}": char
        for name, char in zip(
            ("backslash", "asciicircum", "asciitilde", "asciigrave", "less", "greater", "bar", "endash", "emdash"),
            "\\^~`<>|–—",
            strict=True,
        )
    },
    r"\ldots{}": "…",
    r"\,": "\u2009",
    "$-$": "−",
    r"$\times$": "×",
    r"$\approx$": "≈",
    "{[}": "[",
    "{*}": "*",
    "{}": "",
}
TOKEN = re.compile(r"\\[a-z]+\{\}|\\.|\$[^$]+\$|\{[\[*]?\}|.", re.DOTALL)


@pytest.fixture
def sheet() -> Sheet:
    rows = [
        Row({"name": name, "mean": VALUES[place % len(VALUES)], "size": np.int64(10**12 + place)}, near=("size",))
        for place, name in enumerate(NAMES)
    ]
    return Sheet(COLUMNS, rows)


def test_csv_has_every_digit_and_no_formula(sheet: Sheet) -> None:
    text = to_csv(sheet)
    assert text.count("\r\n") == text.count("\n") == len(NAMES) + 1
    head, *rows = csv.reader(io.StringIO(text), strict=True)
    assert head == ["name", "mean", "size"]
    assert [row[0] for row in rows] == [f"'{name}" if name[0] in "=+-@＝" else name for name in NAMES]
    expected = [np.nan if value is None else float(value) for value in VALUES]
    assert [float(row[1] or "nan") for row in rows[: len(VALUES)]] == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
    frame = pd.read_csv(io.StringIO(text))
    assert frame["mean"].tolist()[: len(VALUES)] == pytest.approx(expected, rel=1e-15, nan_ok=True)
    assert frame["size"].dtype == np.int64
    assert frame["size"].tolist() == [10**12 + place for place in range(len(NAMES))]


def test_csv_has_no_formula_where_semicolons_separate() -> None:
    names = ["x;=1+1", 'x; "=1+1"', "x;;-1;@a", '";=1', "x;y"]
    rows = [Row({"mean": 1.5, "name": name}) for name in names]
    text = to_csv(Sheet((COLUMNS[1], COLUMNS[0]), rows))
    _, *found = csv.reader(io.StringIO(text))
    assert [row[1].replace("'", "") for row in found] == names
    assert found[-1][1] == names[-1]
    for row in csv.reader(io.StringIO(text), delimiter=";"):
        assert not any(re.match(r'[\s"]*[=+\-@]', cell) for cell in row)


def test_markdown_is_a_table_of_what_is_shown(sheet: Sheet) -> None:
    html = mistune.create_markdown(plugins=["table", "strikethrough", "math", "url"])(to_markdown(sheet))
    page = Page(html)
    # What GitHub makes links of besides.
    assert not re.search(r"(?i)(?<!\\)[:@]|www\.", to_markdown(sheet).split("\n", 2)[2])
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    head, *rows = ([cell.strip("\n ") for cell in row] for row in page.rows)
    assert head == ["name_of|it", "mean", "size"]
    assert [row[0] for row in rows] == NAMES
    assert rows[0][1:] == ["0.300", "≈1\u2009000\u2009000\u2009000\u2009000"]
    assert rows[1][1] == "−1.00e−300"
    assert rows[3][1] == rows[4][1] == "n/a"


def test_latex_has_no_character_that_acts(sheet: Sheet) -> None:
    first, *lines, last, end = to_latex(sheet).split("\n")
    assert (first, last, end) == (r"\begin{tabular}{lrr}", r"\end{tabular}", "")
    rows = [line for line in lines if line != r"\hline"]
    assert len(rows) == len(NAMES) + 1
    assert [read_latex(cell) for cell in rows[0].removesuffix(r" \\").split(" & ")] == ["name_of|it", "mean", "size"]
    for name, row in zip(NAMES, rows[1:], strict=True):
        assert row.endswith(r" \\")
        cells = row.removesuffix(r" \\").split(" & ")
        assert len(cells) == 3
        assert read_latex(cells[0]) == name
    assert read_latex(rows[2].split(" & ")[1]) == "−1.00e−300"


def read_latex(cell: str) -> str:
    assert not re.search("--|,,|''", cell), cell
    found = TOKEN.findall(cell)
    assert not {*found} & {*"\\{}$&#^_%~[*|<>`−"}, cell
    return "".join(token if len(token) == 1 else COMMANDS[token] for token in found)


def test_numbers_on_axes_are_written_as_d3_does() -> None:
    for value, style, expected in [
        (1500, "~s", "1.5k"),
        (2e6, "~s", "2M"),
        (0, "~s", "0"),
        (20, "~s", "20"),
        (0.00038, ".1~e", "3.8e−4"),
        (1e-3, ".1~e", "1e−3"),
        (20000, ".1~e", "2e+4"),
        (-0.19, "~g", "−0.19"),
        (-0.0, "~g", "0"),
        (1234567, "d", "1234567"),
    ]:
        assert number_in_words(value, style) == expected


@pytest.fixture
def saved(explore: Any, tmp_path: Path) -> Iterator[Any]:
    """A function that exports from an explorer of A, 0 to 1 in 96 steps, and its negative half, B."""
    a = np.linspace(0, 1, 96, dtype="f4").reshape(8, 12)
    explorer = explore(a={"one": a}, b={"one": -a / 2})
    explorer.histogram.initial = False
    explorer.histogram.bins = 10

    def saved(name: str, suffix: str) -> str:
        path = tmp_path / f"{name}{suffix}"
        explorer.export(name, path)
        assert explorer._state.status.shown == f"Saved {path}"
        return path.read_text("utf-8")

    saved.explorer = explorer  # type: ignore[attr-defined]
    return saved


def points(d: str) -> np.ndarray:
    return np.array([pair.split(",") for pair in re.findall(r"[-\d.]+,[-\d.]+", d)], float)


def ticks(root: ElementTree.Element, anchor: str) -> dict[float, tuple[float, float]]:
    """Places by what is written there."""
    found = [text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == anchor]
    return {
        float(text.text.replace("−", "-")): (float(text.get("x", "")), float(text.get("y", "")))
        for text in found
        if text.text and re.fullmatch(r"−?[\d.]+", text.text)
    }


def test_a_histogram_has_the_bars_that_numpy_counts(saved: Any) -> None:
    root = ElementTree.fromstring(saved("histogram", ".svg"))
    across, upwards = ticks(root, "middle"), ticks(root, "end")
    (x0, _), (x1, _) = across[0.0], across[1.0]
    (_, y0), (_, y1) = upwards[0.0], upwards[max(upwards)]
    lines = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "1.3"]
    edges = np.linspace(-0.5, 1, 11)
    a = np.linspace(0, 1, 96, dtype="f4").astype(float)
    for line, values in zip(lines, (a, -a / 2), strict=True):
        drawn = points(line.get("d", ""))
        # The text stands a bit lower than what it is about.
        heights = (y0 - 0.35 * 11 - drawn[::2, 1]) / (y0 - y1) * max(upwards)
        assert heights == pytest.approx(np.histogram(values, edges)[0], abs=0.05)
        assert (drawn[::2, 0] - x0) / (x1 - x0) == pytest.approx(edges[:-1], abs=1e-3)


def test_a_heatmap_is_one_picture_with_its_titles(saved: Any) -> None:
    root = ElementTree.fromstring(saved("heatmap", ".svg"))
    assert root.find(f"{SVG}title").text == "one · kernel"
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A a", "B b", "B − A", "1.5", "−1.5"} <= {*words}
    assert any(word.startswith("8 × 12: ") for word in words if word)
    pictures = [decode(base64.b64decode(image.get("href", "").partition(",")[2])) for image in root.iter(f"{SVG}image")]
    assert [picture.shape for picture in pictures] == [(8, 12, 3)] * 3 + [(255, 1, 3)]
    # −1.5 has the colour at the end of the bar, and 0 that of its middle.
    assert pictures[2][-1, -1].tolist() == pictures[3][-1, 0].tolist()
    assert pictures[0][0, 0].tolist() == pictures[3][127, 0].tolist()


def test_a_zoomed_heatmap_is_cut_to_what_is_in_sight(saved: Any) -> None:
    explorer = saved.explorer
    figure = next(each for each in _figures(explorer) if each.marks and type(each.marks[0]).__name__ == "Image")
    x = figure.axes[0].scale
    x.min, x.max = 0.0, 6.0
    assert explorer.wait(TIMEOUT)
    root = ElementTree.fromstring(saved("heatmap", ".svg"))
    clip = next(root.iter(f"{SVG}clipPath")).find(f"{SVG}rect")
    image = next(root.iter(f"{SVG}image"))
    assert float(image.get("width", "")) == pytest.approx(2 * float(clip.get("width", "")), abs=0.02)
    assert next(group for group in root.iter(f"{SVG}g") if group.get("clip-path")).get("clip-path") == "url(#plot-0)"


def _figures(widget: Any) -> Iterator[Any]:
    if hasattr(widget, "marks"):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from _figures(child)


def test_the_largest_numbers_that_there_are_have_places() -> None:
    area = Area(10.0, 20.0, 110.0, 220.0)
    scale = bqplot.LinearScale(min=-1.7e308, max=1.7e308)
    assert area.across(scale)(np.array([-1.7e308, 0, 1.7e308])) == pytest.approx([10, 60, 110])
    assert area.upwards(scale)(np.array([-1.7e308, 0.85e308, 1.7e308])) == pytest.approx([220, 70, 20])


def test_hostile_names_stay_text_in_every_file(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 12, dtype="f4").reshape(3, 4)
    explorer = ww.compare(hostile("\udc80<b>\x00", values), hostile("=1+1", values / 2))
    try:
        for name in ("parts", "comparison", "scatter", "findings", "spectrum"):
            getattr(explorer, name).shown = True
        explorer.compute_spectrum()
        for layer in HOSTILE[:6]:
            explorer.selection.layer = layer
            assert explorer.wait(TIMEOUT)
            for export in menu.exports_of(explorer):
                for format_ in menu.FORMATS.values():
                    if export.offers(format_):
                        _check(export.written(format_).decode(), format_.suffix)
                    stem = export.file_name(format_)
                    assert not re.search(r'[/\\:*?"<>|\x00-\x1f]|^[. ]', stem)
                    assert len(stem) <= 140
    finally:
        explorer.close()


def _check(text: str, suffix: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    if suffix not in (".svg", ".png"):
        return
    root = ElementTree.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "rect", "text", "g", "clipPath", "path", "image", "circle")
    }
    for element in root.iter():
        for name, value in element.items():
            assert not name.startswith("on")
            assert name != "href" or value.startswith("data:image/png;base64,")


def test_the_overview_has_every_tensor_of_every_model(saved: Any) -> None:
    saved.explorer.overview.measure = "mean"
    head, *rows = csv.reader(io.StringIO(saved("overview", ".csv"), newline=""))
    assert head == ["layer", "tensor", "mean of a", "mean of b"]
    assert [row[:2] for row in rows] == [["one", "kernel"]]
    assert [float(value) for value in rows[0][2:]] == pytest.approx([0.5, -0.25], rel=1e-6)


def test_the_overview_has_names_as_long_as_they_are(explore: Any, tmp_path: Path) -> None:
    names = [f"{'L' * 60}{place}{'L' * 60}" for place in range(2)]
    explorer = explore(a={name: np.eye(2) for name in names}, b={name: np.eye(2) * 3 for name in names})
    explorer.overview.measure = "relative_change"
    for suffix in (".csv", ".md"):
        explorer.export("overview", tmp_path / f"overview{suffix}")
    head, *rows = csv.reader(io.StringIO((tmp_path / "overview.csv").read_text("utf-8"), newline=""))
    assert head[2:] == ["relative_change of a", "relative_change of b"]
    assert [row[0] for row in rows] == names
    assert "| relative change of b |" in (tmp_path / "overview.md").read_text("utf-8")


def test_what_cannot_be_written_is_said(saved: Any, tmp_path: Path) -> None:
    export = saved.explorer.export
    with pytest.raises(ww.WeightWidgetsError, match=r"figure\.pdf has none of the suffixes \.svg, \.png, \.csv"):
        export("heatmap", tmp_path / "figure.pdf")
    with pytest.raises(
        ww.WeightWidgetsError, match=r"Nothing called 'heatmap' .* CSV .* there is overview, histogram, table"
    ):
        export("heatmap", tmp_path / "figure.csv")
    with pytest.raises(ww.WeightWidgetsError, match="'parts'"):
        export("parts", tmp_path / "figure.svg")
    with pytest.raises(FileNotFoundError):
        export("heatmap", tmp_path / "none" / "figure.png")
    saved.explorer.close()
    with pytest.raises(ww.WeightWidgetsError, match="closed"):
        export("heatmap", tmp_path / "figure.svg")
    assert not (tmp_path / "figure.svg").exists()


class Painter:
    """Pages that paint what an explorer sends for a path."""

    def __init__(self, explorer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.explorer = explorer
        self.sent: list[dict[str, Any]] = []
        monkeypatch.setattr(explorer._menu, "send", lambda content, buffers: self.sent.append(content))
        monkeypatch.setattr(menu, "PATIENCE", 0.0)

    def ask(self, path: Path, *answers: dict[str, Any]) -> None:
        """Export the heatmap; the answers come before the time is out."""

        async def cell() -> None:
            self.explorer.export("heatmap", path)
            for each in answers:
                self.answer(each)
            await asyncio.sleep(0.01)

        asyncio.run(cell())

    def answer(self, content: dict[str, Any]) -> None:
        self.explorer._menu._handle_custom_msg({"ticket": self.sent[-1]["ticket"], **content}, [])

    @property
    def problems(self) -> tuple[str, ...]:
        return self.explorer._state.status.problems


def piece(view: str, text: str) -> dict[str, Any]:
    return {"do": "painted", "view": view, "piece": text, "parts": 2}


def test_a_png_is_written_when_a_page_has_painted_it(
    saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, painter = tmp_path / "figure.png", Painter(saved.explorer, monkeypatch)
    painter.ask(path, piece("one", "AAE"), piece("two", "//"), piece("one", "CAw=="), piece("two", "//"))
    assert path.read_bytes() == b"\x00\x01\x02\x03"
    assert saved.explorer._state.status.shown == f"Saved {path}"
    assert not painter.problems
    path.unlink()
    painter.ask(path, piece("one", "AAE"))
    assert any("no page that shows the explorer" in problem for problem in painter.problems)
    assert not path.exists()
    # Its answer came behind the cells that were run at once.
    painter.answer(piece("one", "CAw=="))
    assert path.read_bytes() == b"\x00\x01\x02\x03"
    assert not painter.problems


def test_a_page_that_cannot_paint_is_heard(saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, painter = tmp_path / "figure.png", Painter(saved.explorer, monkeypatch)
    painter.ask(path, {"do": "failed", "name": path.name, "why": "no canvas"})
    assert painter.problems == ("figure.png could not be saved: no canvas",)
    # Another can.
    painter.answer(piece("two", "AAE"))
    painter.answer(piece("two", "CAw=="))
    assert path.exists()
    assert not painter.problems


def test_a_png_lies_where_its_path_led(saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    painter = Painter(saved.explorer, monkeypatch)
    painter.ask(Path("figure.png"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    painter.answer(piece("one", "AAE"))
    painter.answer(piece("one", "CAw=="))
    assert [found.relative_to(tmp_path) for found in tmp_path.rglob("*.png")] == [Path("figure.png")]


def test_large_pictures_travel_in_small_messages(wire: Wire, explore: Any) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, size=(2, 256, 256)).astype("f4")
    explorer = explore(a={"one": noise[0]}, b={"one": noise[1]})
    wire.sizes.clear()
    explorer._menu._handle_custom_msg({"do": "make", "view": "v", "name": "heatmap", "format": "SVG"}, [])
    assert len(wire.sizes) > 1
    assert max(wire.sizes) <= 300_000
