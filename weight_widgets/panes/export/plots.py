"""A bqplot figure as SVG: the scales, axes and marks that the panes use, drawn from what the browser is sent."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import bqplot
import numpy as np

from .axes import draw_axis
from .drawing import child, decimal, write
from .places import Area

__all__ = ["Plot", "draw_plot", "draw_sign"]

DASHES = {"dashed": "6,4"}
# Half of the height of a capital letter, by which a text is lower than the place that it is about.
HALF_LETTER = 0.35
PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Plot:
    """A figure of a plate.

    Parameters
    ----------
    figure : bqplot.Figure
        Its layout has a height in pixels, each scale both ends, each axis its ticks.
    width : float
        Pixels.
    title : str
        Plain text; none for "".
    bare : bool
        Whether its axes have labels alone.
    without : sequence of bqplot.Mark
        Marks that tell where the user is, and nothing about the weights.
    """

    figure: bqplot.Figure
    width: float
    title: str = ""
    bare: bool = False
    without: Sequence[bqplot.Mark] = ()

    @property
    def height(self) -> float:
        """Pixels."""
        return float(self.figure.layout.height.removesuffix("px"))


def draw_plot(parent: Element, plot: Plot, key: str) -> None:
    """Add a plot, its upper left corner at the origin; no other of the picture has this key."""
    figure = plot.figure
    area = Area.within(plot.width, plot.height, figure.fig_margin)
    child(child(parent, "clipPath", id=key), "rect", **area.rectangle)
    marks = child(parent, "g", clip_path=f"url(#{key})")
    for mark in figure.marks:
        if mark.visible and mark not in plot.without:
            DRAWN[type(mark)](marks, mark, area)
    for axis in figure.axes:
        draw_axis(parent, axis, area, plot.bare)


def _draw_lines(parent: Element, mark: bqplot.Lines, area: Area) -> None:
    stroke = {"stroke_width": mark.stroke_width, "stroke_dasharray": DASHES.get(mark.line_style)}
    for number, points in enumerate(_lines(mark, area)):
        colour = mark.colors[number % len(mark.colors)]
        opacity = _nth(mark.opacities, number)
        if mark.fill != "none" and len(points):
            shape = points if mark.fill == "inside" else area.down_to_its_bottom(points)
            child(parent, "path", d=_path(shape) + "Z", fill=colour, fill_opacity=_nth(mark.fill_opacities, number))
        if d := _path(points):
            child(parent, "path", d=d, fill="none", stroke=colour, stroke_opacity=opacity, **stroke)


def _lines(mark: bqplot.Lines, area: Area) -> Iterator[np.ndarray]:
    """The points of each line in pixels, shape (points, 2)."""
    x, y = np.atleast_2d(np.asarray(mark.x, float)), np.atleast_2d(np.asarray(mark.y, float))
    across, upwards = area.across(mark.scales["x"]), area.upwards(mark.scales["y"])
    for xs, ys in zip(np.broadcast_to(x, y.shape), y, strict=True):
        yield np.stack([across(xs), upwards(ys)], axis=1)


def _path(points: np.ndarray) -> str:
    """NaN lifts the pen."""
    drawn = []
    pen = "M"
    for x, y in points.tolist():
        if np.isfinite(x) and np.isfinite(y):
            drawn.append(f"{pen}{decimal(x)},{decimal(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(drawn)


def _draw_image(parent: Element, mark: bqplot.Image, area: Area) -> None:
    left, right = area.across(mark.scales["x"])(np.asarray(mark.x, float)).tolist()
    bottom, top = area.upwards(mark.scales["y"])(np.asarray(mark.y, float)).tolist()
    child(
        parent,
        "image",
        x=left,
        y=top,
        width=right - left,
        height=bottom - top,
        preserveAspectRatio="none",
        style="image-rendering: pixelated",
        href=PNG + base64.b64encode(mark.image.value).decode(),
    )


def _draw_label(parent: Element, mark: bqplot.Label, area: Area) -> None:
    places = area.across(mark.scales["x"])(_array(mark.x)), area.upwards(mark.scales["y"])(_array(mark.y))
    size = mark.default_size
    for x, y, words in zip(*places, mark.text, strict=True):
        write(
            parent, x, y + HALF_LETTER * size, str(words), font_size=size, fill=mark.colors[0], text_anchor=mark.align
        )


def _draw_scatter(parent: Element, mark: bqplot.Scatter, area: Area) -> None:
    places = area.across(mark.scales["x"])(_array(mark.x)), area.upwards(mark.scales["y"])(_array(mark.y))
    colour = mark.colors[0]
    paint = {"fill": colour} if mark.fill else {"fill": "none", "stroke": colour, "stroke_width": mark.stroke_width}
    for x, y in zip(*places, strict=True):
        draw_sign(parent, mark.marker, x, y, mark.default_size, paint)


def draw_sign(parent: Element, kind: str, x: float, y: float, size: float, paint: dict[str, Any]) -> None:
    """A sign of so many square pixels, as d3 measures them."""
    if kind == "circle":
        child(parent, "circle", cx=x, cy=y, r=float(np.sqrt(size / np.pi)), **paint)
    elif kind == "square":
        side = float(np.sqrt(size))
        child(parent, "rect", x=x - side / 2, y=y - side / 2, width=side, height=side, **paint)
    else:
        arm = float(np.sqrt(size / 5))
        steps = [(-3, -1), (-1, -1), (-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1), (1, 3), (-1, 3), (-1, 1)]
        steps.append((-3, 1))
        corners = np.array(steps) * arm / 2 + (x, y)
        child(parent, "path", d=_path(corners) + "Z", **paint)


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, float)


def _nth(values: list[float], number: int) -> float | None:
    """Of a setting for each line; None for that of SVG."""
    return values[number] if number < len(values) else None


DRAWN: dict[type, Callable[[Element, Any, Area], None]] = {
    bqplot.Lines: _draw_lines,
    bqplot.Image: _draw_image,
    bqplot.Label: _draw_label,
    bqplot.Scatter: _draw_scatter,
}
