"""The axes of a bqplot figure as SVG."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import bqplot
import numpy as np

from .drawing import child, decimal, write
from .places import Area

__all__ = ["draw_axis"]

TICK, GAP, SIZE = 5.0, 3.0, 11.0
LINE, DIM = "#9aa0a8", "#4b5563"
# The letters for powers of a thousand that the International System of Units has, and d3 with it.
PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}


def draw_axis(parent: Element, axis: bqplot.Axis, area: Area, bare: bool) -> None:
    """Add an axis beside the area; `bare` leaves its labels alone."""
    group = child(parent, "g", font_size=SIZE, fill=DIM)
    sideways = axis.side in ("left", "right")
    along = area.upwards(axis.scale) if sideways else area.across(axis.scale)
    outwards = -1.0 if axis.side == "left" else 1.0
    edge = {"left": area.left, "right": area.right}.get(axis.side, area.bottom)
    values = np.asarray([] if axis.tick_values is None else axis.tick_values, float)
    values = values[(values >= axis.scale.min) & (values <= axis.scale.max)]
    lines = [(edge, area.top, edge, area.bottom) if sideways else (area.left, edge, area.right, edge)]
    for value, place in zip(values.tolist(), along(values).tolist(), strict=True):
        end = edge + outwards * (TICK + GAP)
        if sideways:
            lines.append((edge, place, edge + outwards * TICK, place))
            anchor = "end" if axis.side == "left" else "start"
            write(group, end, place + 0.35 * SIZE, _tick(axis, value), text_anchor=anchor)
        else:
            lines.append((place, edge, place, edge + TICK))
            write(group, place, end + 0.75 * SIZE, _tick(axis, value), text_anchor="middle")
    if not bare:
        drawn = "".join(f"M{decimal(a)},{decimal(b)}L{decimal(c)},{decimal(d)}" for a, b, c, d in lines)
        child(group, "path", d=drawn, fill="none", stroke=LINE)
    _draw_name(group, axis, area, sideways, edge + outwards * _offset(axis))


def _draw_name(parent: Element, axis: bqplot.Axis, area: Area, sideways: bool, place: float) -> None:
    if not axis.label:
        return
    if not sideways:
        write(parent, (area.left + area.right) / 2, place + 0.6 * SIZE, axis.label, text_anchor="middle")
        return
    middle = (area.top + area.bottom) / 2
    turn = f"rotate(-90 {decimal(place)} {decimal(middle)})"
    write(parent, place, middle, axis.label, text_anchor="middle", transform=turn)


def _offset(axis: bqplot.Axis) -> float:
    """From the axis to its name, in pixels."""
    return float((axis.label_offset or "3em").removesuffix("em")) * SIZE


def _tick(axis: bqplot.Axis, value: float) -> str:
    named: str | None = (axis.tick_labels or {}).get(str(int(value)) if value == int(value) else str(value))
    return number_in_words(value, axis.tick_format or "~g") if named is None else named


def number_in_words(value: float, style: str) -> str:
    """A number as d3 writes it in one of the formats that the panes give their axes."""
    value += 0.0  # no minus before a zero
    if style == "d":
        return f"{value:.0f}".replace("-", "−")
    power = 0
    if style == "~s" and value:
        power = int(np.clip(3 * (np.floor(np.log10(abs(value))) // 3), min(PREFIXES), max(PREFIXES)))
    words = f"{value:.1e}" if style == ".1~e" else f"{value / 10.0**power:.6g}"
    mantissa, _, exponent = words.partition("e")
    if style == ".1~e":
        mantissa = mantissa.removesuffix(".0")
    return (mantissa + (f"e{int(exponent):+d}" if exponent else "") + PREFIXES[power]).replace("-", "−")
