"""A picture for a paper: the figures of a pane side by side, with a title, a legend and a note, as one SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from xml.etree.ElementTree import Element, tostring

from ...display import sentence
from .drawing import child, decimal, text_width, write
from .plots import Plot, draw_plot, draw_sign

__all__ = ["Key", "Plate", "Plot", "to_svg"]

# On white, whatever the theme of the page: that is what papers and slides are printed on.
GROUND, TEXT, DIM = "#ffffff", "#1f2328", "#4b5563"
FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
EDGE, GAP = 12.0, 4.0
TITLE, SMALL, LINE = 15.0, 11.5, 17.0
SIGN, SIGN_SIZE, BETWEEN = 14.0, 70.0, 18.0


@dataclass(frozen=True)
class Key:
    """An entry of a legend.

    Parameters
    ----------
    colour : str
    name : str
        Plain text.
    sign : str
        ``"square"``, ``"circle"`` or ``"cross"``.
    """

    colour: str
    name: str
    sign: str = "square"


@dataclass(frozen=True)
class Plate:
    """All that is seen of a pane's figures.

    Parameters
    ----------
    title : str
        Plain text.
    plots : sequence of Plot
        Beside one another.
    legend : sequence of Key
    note : str
        Plain text, below.
    """

    title: str
    plots: Sequence[Plot]
    legend: Sequence[Key] = ()
    note: str = ""


def to_svg(plate: Plate) -> str:
    """The plate as an SVG document that needs nothing from elsewhere; its texts stay text."""
    inner = sum(plot.width for plot in plate.plots) + GAP * (len(plate.plots) - 1)
    width = inner + 2 * EDGE
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT})
    title = child(svg, "title")
    title.text = sentence(plate.title, 300)
    ground = child(svg, "rect", width=width, fill=GROUND)
    y = EDGE + TITLE
    write(svg, EDGE, y, _fitting(plate.title, inner, TITLE), font_size=TITLE, font_weight=600, fill=TEXT)
    y = _draw_legend(svg, plate.legend, y + 6, inner)
    y = _draw_plots(svg, plate.plots, y + 8)
    for line in _wrapped(plate.note, inner):
        write(svg, EDGE, y + SMALL, line, font_size=SMALL, fill=DIM)
        y += LINE
    height = decimal(y + EDGE)
    ground.set("height", height)
    for name, value in {"width": decimal(width), "height": height, "viewBox": f"0 0 {decimal(width)} {height}"}.items():
        svg.set(name, value)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(svg, encoding="unicode")


def _draw_plots(svg: Element, plots: Sequence[Plot], top: float) -> float:
    """Their titles are on one line, and so are their lower edges; where these are."""
    titled = LINE if any(plot.title for plot in plots) else 0.0
    bottom = top + titled + max(plot.height for plot in plots)
    lefts = accumulate((plot.width + GAP for plot in plots), initial=EDGE)
    for number, (plot, left) in enumerate(zip(plots, lefts, strict=False)):
        y = bottom - plot.height
        if plot.title:
            inset = plot.figure.fig_margin["left"]
            said = _fitting(plot.title, plot.width - inset, SMALL)
            write(svg, left + inset, y - 3, said, font_size=SMALL, fill=TEXT)
        group = child(svg, "g", transform=f"translate({decimal(left)} {decimal(y)})")
        draw_plot(group, plot, f"plot-{number}")
    return bottom


def _draw_legend(svg: Element, legend: Sequence[Key], top: float, room: float) -> float:
    """In as many lines as it needs; where the last ends."""
    if not legend:
        return top
    x = EDGE
    for key in legend:
        wide = SIGN + text_width(key.name, SMALL)
        if x > EDGE and x + wide > EDGE + room:
            x, top = EDGE, top + LINE
        draw_sign(svg, key.sign, x + 5, top + 10, SIGN_SIZE, {"fill": key.colour})
        write(svg, x + SIGN, top + 14, _fitting(key.name, room - SIGN, SMALL), font_size=SMALL, fill=TEXT)
        x += wide + BETWEEN
    return top + LINE


def _fitting(words: str, room: float, size: float) -> str:
    """The text, cut in the middle where there is not so much room."""
    limit = len(words)
    while text_width(found := sentence(words, max(limit, 3)), size) > room and limit > 3:
        limit -= 1
    return found


def _wrapped(words: str, room: float) -> Iterable[str]:
    """In lines, broken at spaces."""
    line = ""
    for word in words.split():
        longer = f"{line} {word}".lstrip()
        if line and text_width(longer, SMALL) > room:
            yield line
            longer = word
        line = longer
    if line:
        yield _fitting(line, room, SMALL)
