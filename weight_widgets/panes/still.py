"""What the panes show as plain HTML: for GitHub, nbviewer and every page where no widget can load.

No script, no style sheet and no SVG gets through to all of them, so the pictures are PNG, and colours and grounds are
those of the page.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ..analysis.rasters import Raster
from ..display import sentence, visible
from ..state import Comparisons, ExplorerState, HistogramState, Overlay, Pictures, Table
from .bars import bar_heights
from .columns import COLUMNS
from .png import encode, indexed
from .shades import DIVERGING
from .sheet import Row, Sheet, html_table
from .style import SAMPLED, Model, Models, count, number, percent, text

__all__ = ["still"]

HINT = (
    "This is a picture. Run the cell where widgets can load (JupyterLab, Notebook 7, VS Code, Colab) to choose models, "
    "layers and more."
)
UNREAD = "The files were still being read; run the cell again."
# So all of it stays under 100 KB, whatever is shown.
MAX_SIDE = 96
MAX_ROWS = 20
MAX_MODELS = 12
MAX_SENTENCE = 400
# Of a heatmap and of the histogram, in pixels of the page; the histogram is drawn for screens with two dots a pixel.
SIDE, THINNEST = 200, 12
WIDTH, HEIGHT = 640, 160
DOTS = 2
FILL = 46
MEASURED = [column for column in COLUMNS if column.visible and column.key != "type"]


def still(state: ExplorerState, models: Models) -> str:
    """The results that there are by now."""
    overlay, pictures, table = (state.result_of(key) for key in ("histogram", "heatmap", "table"))
    if table is not None and table.scope != state.table.scope:
        table = None
    parts = [
        *_about(state),
        *_sampled(overlay, pictures, table),
        *_verdicts(state.comparisons, models),
        *_histogram(overlay, state.histogram, models),
        *_heatmaps(pictures, models),
        *_table(table, models),
    ]
    return f"<div>{''.join(parts)}</div>"


def _about(state: ExplorerState) -> Iterator[str]:
    status = state.status
    yield f"<p><b>{text(state.selection.pick.address, 200)}</b>. {UNREAD if status.reading else ''} <i>{HINT}</i></p>"
    problems = "".join(f"<li>{text(problem, MAX_SENTENCE)}</li>" for problem in status.problems[:MAX_MODELS])
    yield f"<ul>{problems}</ul>" if problems else ""


def _sampled(*results: Overlay | Pictures | Table | None) -> Iterator[str]:
    share = min((result.sampled for result in results if result is not None), default=1.0)
    if share < 1:
        yield f"<p>{SAMPLED.format(percent(share))}</p>"


def _verdicts(comparisons: Comparisons, models: Models) -> Iterator[str]:
    """A sentence for each model that was compared."""
    against = f"<b>{text(models[comparisons.reference].name)}</b>"
    for label in comparisons.others[:MAX_MODELS]:
        relation, why = comparisons.relations.get(label), comparisons.problems.get(label)
        if relation is not None:
            said = text(relation.verdict.sentence, MAX_SENTENCE)
        else:
            said = f"could not be compared: {text(why, MAX_SENTENCE)}" if why else "not compared yet"
        yield f"<p><b>{text(models[label].name)}</b> against {against}: {said}</p>"
    if more := _more(comparisons.others):
        yield f"<p>{more} models.</p>"


def _histogram(overlay: Overlay | None, state: HistogramState, models: Models) -> Iterator[str]:
    if overlay is None or not overlay.curves:
        return
    curves = {curve.label: curve.histogram for curve in overlay.curves[:MAX_MODELS]}
    heights = {label: bar_heights(found, state.log, state.density) for label, found in curves.items()}
    edges = next(iter(curves.values())).edges
    picture = _outlines(edges, [(models[label].colour, found) for label, found in heights.items()], state.log)
    key = " ".join([*(_key(models[label]) for label in curves), _more(overlay.curves)]).rstrip()
    top = max(float(found.max()) for found in heights.values())
    tallest = f"a density of {number(top)}" if state.density else f"{count(round(top))} weights"
    ends = f"{number(float(edges[0]))} to {number(float(edges[-1]))}"
    scale = ", on a logarithmic axis" if state.log else ""
    yield f"<p>Histogram from {ends}, the tallest bar {tallest}{scale}: {key}</p>"
    yield _image(picture, WIDTH, HEIGHT, f"Histogram from {ends}")


def _more(listed: Sequence[object]) -> str:
    """How many of them there is no room for; ``""`` where all have some."""
    left = len(listed) - MAX_MODELS
    return f"and {count(left)} more" if left > 0 else ""


def _key(model: Model) -> str:
    return f'<span style="color:{model.colour}">■</span> {text(model.name)}'


def _outlines(edges: np.ndarray, curves: Sequence[tuple[str, np.ndarray]], log: bool) -> bytes:
    """Filled step lines, each in its colour, on nothing."""
    drawn = [np.log(heights) if log else heights for _, heights in curves]
    low = min(float(found.min()) for found in drawn) if log else 0.0
    reach = (max(float(found.max()) for found in drawn) - low) or 1.0
    rows, columns = HEIGHT * DOTS, WIDTH * DOTS
    row = np.arange(rows)[:, None]
    # The distance of the largest numbers that there are would be none.
    edges = edges / (np.abs(edges).max() or 1.0)
    at = np.linspace(edges[0], edges[-1], columns, endpoint=False)
    bins = np.clip(np.searchsorted(edges, at, "right") - 1, 0, len(edges) - 2)
    pixels = np.zeros((rows, columns), np.uint8)
    lines = np.zeros_like(pixels)
    for place, found in enumerate(drawn):
        # A line of two dots, and what joins it with its neighbour to the left.
        top = np.round((rows - 2) * (1 - 0.95 * (found[bins] - low) / reach))
        before = np.concatenate([top[:1], top[:-1]])
        pixels[row >= top] = 1 + 2 * place
        lines[(row >= np.minimum(top, before)) & (row <= np.maximum(top, before) + 1)] = 2 + 2 * place
    colours = np.array([_rgb(colour) for colour, _ in curves], np.uint8).repeat(2, axis=0)
    alpha = [0, *([FILL, 255] * len(drawn))]
    return indexed(np.where(lines, lines, pixels), np.vstack([np.zeros((1, 3), np.uint8), colours]), alpha)


def _rgb(colour: str) -> tuple[int, ...]:
    """``"#1f77b4"`` as red, green and blue."""
    return tuple(bytes.fromhex(colour[1:]))


def _heatmaps(result: Pictures | None, models: Models) -> Iterator[str]:
    if result is None or result.matrix is None or not all(result.matrix.shape):
        return
    names = (models[result.pick.reference].name, models[result.pick.other].name)
    titles = (f"A {names[0]}", f"B {names[1]}", "B − A")
    limit = result.contrast.limit
    shown = [(title, raster) for title, raster in zip(titles, result.contrast.rasters, strict=True) if raster]
    colours = f"blue from −{number(limit, 2)} over white to +{number(limit, 2)} in red"
    yield f"<p>Heatmap, {colours}. {text(result.matrix.sentence, MAX_SENTENCE)}.</p>"
    head = "".join(f"<th>{text(title, MAX_SENTENCE)}</th>" for title, _ in shown)
    cells = "".join(f"<td>{_heatmap(raster, limit, title)}</td>" for title, raster in shown)
    yield f"<table><tr>{head}</tr><tr>{cells}</tr></table>"


def _heatmap(raster: Raster, limit: float, title: str) -> str:
    """A picture of some rows and columns at most, as far apart as is needed."""
    steps = [-(-size // MAX_SIDE) for size in raster.mean.shape]
    pixels = encode(raster.mean[:: steps[0], :: steps[1]], limit, DIVERGING)
    rows, columns = raster.shape
    longest = max(rows, columns)
    sides = [max(THINNEST, round(SIDE * size / longest)) for size in (columns, rows)]
    return _image(pixels, sides[0], sides[1], title)


def _image(png: bytes, width: int, height: int, said: str) -> str:
    """`said` is plain text."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    words = escape(sentence(said, MAX_SENTENCE))
    return f'<img src="{source}" width="{width}" height="{height}" style="image-rendering:pixelated" alt="{words}">'


def _table(table: Table | None, models: Models) -> Iterator[str]:
    if table is None or not table.rows:
        return
    shown = table.rows[:MAX_ROWS]
    headers = [f"<th>{text(models[row['checkpoint']].name)}</th>" for row in shown]
    yield html_table(Sheet(MEASURED, [Row(_cells(row)) for row in shown]), headers)
    if len(table.rows) > MAX_ROWS or table.cut:
        yield f"<p>The first {MAX_ROWS} rows.</p>"


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    names = " · ".join(visible(row[name]) for name in ("layer", "tensor", "part") if row[name])
    return {**row, "weight": names, "shape": " × ".join(map(str, row["shape"])) or "scalar"}
