"""The scatter pane: A's weights against B's, as the density of so many points."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import bqplot
import ipywidgets as widgets
import numpy as np

from ..analysis.pair_summary import Joint, Scattered
from ..state import ExplorerState, Scatter, ScatterState
from . import plain
from .axes import horizontal_axis, short_format, single, ticks, vertical_axis
from .export import Export, Plate, Plot, exporting
from .figure_box import FigureBox
from .figures import plain_figure, replace_image
from .in_words import scatter_in_words
from .pane import Pane
from .png import encode
from .shades import DENSITY
from .sheet import Column, Row, Sheet, cell_text
from .style import NEUTRAL, Models, count, number, pair_in_words, percent, text
from .zoom import Zoom

__all__ = ["ScatterPane"]

SIZE = "340px"
# Of the exported picture; its plot is square.
WIDTH = 366
COLUMNS = (
    Column("size", "pairs", format=count),
    Column("pearson", "Pearson's correlation", format=number),
    Column("cosine", "cosine", format=number),
    Column("relative_change", "relative change", format=number),
    Column("max_abs", "largest |B − A|", format=number),
    Column("equal_share", "equal", format=percent),
)
NEVER = "Not computed yet."
LEGEND = "Dashed: equal weights. A cell's colour tells how many pairs it holds, on a logarithmic scale: from {} to {}."


class ScatterPane(Pane):
    """Model A's weights against Model B's, as a density around the line of equal weights."""

    key = "scatter"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _scatter(state.scatter, models)


def _scatter(state: ScatterState, models: Models) -> widgets.Box:
    """The pane; beside the picture stand the numbers, and what the picture cannot show."""
    x, y = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=0.0, max=1.0)
    scales = {"x": x, "y": y}
    image = bqplot.Image(
        image=plain.Image(value=_pixels(np.zeros((1, 1))), format="png"), scales=scales, x=[0.0, 1.0], y=[0.0, 1.0]
    )
    identity = bqplot.Lines(x=[], y=[], scales=scales, colors=[NEUTRAL], line_style="dashed", stroke_width=1.2)
    across = horizontal_axis(x, label="weight in A", label_offset="2.4em")
    upwards = vertical_axis(y, label="weight in B", label_offset="3.8em")
    figure = plain_figure(
        [image, identity], [across, upwards], {"top": 10, "bottom": 44, "left": 66, "right": 14}, SIZE
    )
    figure.add_class("ww-scatter-figure")

    def mark(seen: Sequence[tuple[float, float]]) -> None:
        for axis, (low, high) in zip((across, upwards), seen, strict=True):
            with axis.hold_sync():
                axis.tick_format = short_format(max(abs(low), abs(high)))
                axis.tick_values = ticks(low, high)

    zoom = Zoom(figure, x, y, seen=mark)
    box = FigureBox(figure, drawn=False)
    said = plain.HTML(classes="ww-counts")

    def draw(_: object = None) -> None:
        result = state.result
        found = result.found if result else None
        box.drawn = found is not None
        said.value = _said(result, models) if result else f"<p>{NEVER}</p>"
        if result is None or found is None:
            return
        a, b = models[result.pick.reference], models[result.pick.other]
        box.describe(scatter_in_words(found, a.name, b.name))
        low, high = found.joint.span_a
        zoom.fit((low, high), (low, high))
        mark([(scale.min, scale.max) for scale in (x, y)])
        replace_image(image, _pixels(found.joint.counts), [low, high], [low, high])
        with identity.hold_sync():
            identity.x = identity.y = single(np.array([low, high]))

    body = plain.Box([box, said], classes="ww-scatter-body")
    pane = plain.VBox([plain.HTML("<h3>Scatter</h3>"), body, zoom], classes="ww-pane ww-scatter")
    state.observe(draw, "result")
    draw()
    export = Export(
        "scatter",
        lambda: f"{state.result.pick.address} {_pair(state.result, models)}" if state.result else "",
        lambda: _plate(state.result, figure, models) if state.result and state.result.found else None,
        lambda: _sheet(state.result.found) if state.result and state.result.found else None,
    )
    return exporting(pane, export)


def _plate(result: Scatter, figure: bqplot.Figure, models: Models) -> Plate:
    said = [f"{_pair(result, models)}.", *(_remarks(result.found) if result.found else [])]
    return Plate(result.pick.address, [Plot(figure, WIDTH)], note=" ".join(said))


def _pair(result: Scatter, models: Models) -> str:
    return pair_in_words(models, result.pick.reference, result.pick.other)


def _pixels(counts: np.ndarray) -> bytes:
    """By A from left to right and by B from bottom to top; cells without a pair are see-through."""
    filled = counts.T[::-1].astype(np.float64)
    with np.errstate(divide="ignore"):
        shares = np.log(filled) / (np.log(max(float(filled.max(initial=0)), 2.0)))
    return encode(2 * shares - 1, 1.0, DENSITY, see_through=True)


def _said(result: Scatter, models: Models) -> str:
    a, b = models[result.pick.reference], models[result.pick.other]
    who = f"<p>A {a.title} · B {b.title}</p>"
    if result.found is None:
        return f"{who}<p>{text(result.why, 600)}.</p>"
    return who + _numbers(result.found) + "".join(f"<p>{text(each, 300)}</p>" for each in _remarks(result.found))


def _sheet(found: Scattered) -> Sheet:
    moments = found.moments
    cells = {
        "size": moments.size,
        "pearson": moments.pearson,
        "cosine": moments.cosine,
        "relative_change": moments.relative_change,
        "max_abs": moments.max_delta if moments.finite else None,
        "equal_share": moments.equal_share,
    }
    return Sheet(COLUMNS, [Row(cells)])


def _numbers(found: Scattered) -> str:
    (row,) = _sheet(found).rows
    cells = (f'<th scope="row">{escape(column.label)}</th><td>{cell_text(column, row)}</td>' for column in COLUMNS)
    return f"<table>{''.join(f'<tr>{each}</tr>' for each in cells)}</table>"


def _remarks(found: Scattered) -> list[str]:
    moments, joint = found.moments, found.joint
    said = []
    if lost := moments.size - moments.finite:
        said.append(
            f"{count(lost)} pairs hold NaN or Inf: they are not in the picture, and in no number but the share."
        )
    if outside := moments.finite - int(joint.counts.sum()):
        said.append(f"{count(outside)} pairs lie outside of the picture.")
    if joint.counts.any():
        said.append(LEGEND.format(count(_fewest(joint)), count(int(joint.counts.max()))))
    return said


def _fewest(joint: Joint) -> int:
    return int(joint.counts[joint.counts > 0].min())
