"""The change map: how far every tensor of B is from the one opposite it in A, in model order, as one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import bqplot
import numpy as np

from ..analysis.comparing import ComparedRow
from ..analysis.verdict.traces import is_kernel
from . import plain
from .axes import horizontal_axis, powers, short_format, single, ticks, vertical_axis
from .export import Key
from .figure_box import FigureBox
from .figures import plain_figure
from .in_words import changes_in_words
from .style import NEUTRAL, count

__all__ = ["ChangeMap"]

HEIGHT = "190px"
# A page grows slow beyond.
MAX_POINTS = 4000
KERNEL, OTHER, FROZEN, NEVER = "kernel", "other weight", "equal", "never compared"
LOOKS = {
    KERNEL: ("#1f77b4", "circle"),
    OTHER: (NEUTRAL, "circle"),
    FROZEN: ("#2b9a66", "square"),
    NEVER: ("#c3871e", "cross"),
}
MEANINGS = {
    KERNEL: "changed kernels",
    OTHER: "other changed weights",
    FROZEN: "equal, bit by bit",
    NEVER: "never compared: without an opposite, of another shape, or not readable",
}
# Other types with the same values, or zeros of another sign.
IN_VALUE = "equal, some of them in value and not bit by bit"
SIGNS = {"circle": "●", "square": "■", "cross": "✚"}
MAX_TICKS = 5
# How far lanes lie apart, beside the range of the changes on the logarithmic scale.
LANE = 0.15
# Where every tensor is equal there is no range to show.
NO_RANGE = (1e-3, 1.0)


class ChangeMap:
    """A figure with a point for each tensor; a click on one calls `choose` with its row.

    Parameters
    ----------
    choose : callable
    """

    def __init__(self, choose: Callable[[int], None]) -> None:
        self._x, self._y = bqplot.LinearScale(min=-0.5, max=0.5), bqplot.LogScale(min=NO_RANGE[0], max=NO_RANGE[1])
        scales = {"x": self._x, "y": self._y}
        self._places: dict[str, list[int]] = {kind: [] for kind in LOOKS}
        self._heights: dict[int, float] = {}
        self._marks = {
            kind: bqplot.Scatter(x=[], y=[], scales=scales, colors=[colour], marker=sign, default_size=34)
            for kind, (colour, sign) in LOOKS.items()
        }
        for kind, mark in self._marks.items():
            mark.on_element_click(lambda _, event, kind=kind: choose(self._places[kind][_index(event)]))
        self.ring = bqplot.Scatter(
            x=[], y=[], scales=scales, colors=["#d1495b"], marker="circle", fill=False, default_size=140, stroke_width=2
        )
        self._across = horizontal_axis(self._x, label="tensor, in model order", label_offset="2.4em", tick_format="d")
        self._upwards = vertical_axis(self._y, label="relative change", label_offset="3.8em", tick_format="~g")
        self.figure = plain_figure(
            [self.ring, *self._marks.values()],
            [self._across, self._upwards],
            {"top": 8, "bottom": 42, "left": 66, "right": 14},
            HEIGHT,
        )
        self.figure.add_class("ww-change-map")
        self.keys: Sequence[Key] = ()
        self.box = FigureBox(self.figure)
        self.legend = plain.HTML(classes="ww-note")

    def show(self, rows: Sequence[ComparedRow], names: Sequence[str]) -> None:
        """Exchange the points; a name for each row."""
        kinds = [_kind(row) for row in rows]
        shown = range(min(len(rows), MAX_POINTS))
        changes = {place: _change(rows[place]) for place in shown if kinds[place] in (KERNEL, OTHER)}
        finite = [change for change in changes.values() if 0 < change < math.inf]
        low, high = (min(finite), max(finite)) if finite else NO_RANGE
        # What is equal, and what cannot be compared, has lanes of its own below, and what is infinite one above.
        step = max(high / low, 10.0) ** LANE
        heights = {FROZEN: low / step, NEVER: low / step**2}
        self._heights = {
            place: heights.get(kinds[place]) or min(max(changes[place], low), high * step) for place in shown
        }
        with self._x.hold_sync():
            self._x.min, self._x.max = -0.5, max(len(shown), 1) - 0.5
        with self._y.hold_sync():
            self._y.min, self._y.max = low / step**3, high * step**2
        self._across.tick_values = ticks(0, max(len(shown) - 1, 1), whole=True, most=9)
        with self._upwards.hold_sync():
            self._upwards.tick_values = _apart(powers(low, high * 1.0001)) if high > low else np.array([low])
            self._upwards.tick_format = short_format(low)
        for kind, mark in self._marks.items():
            self._places[kind] = [place for place in shown if kinds[place] == kind]
            self._put(mark, self._places[kind])
        frozen = all(_is_frozen(row) for kind, row in zip(kinds, rows, strict=True) if kind == FROZEN)
        self.keys = [_key(kind, kinds.count(kind), frozen) for kind in LOOKS if kind in kinds]
        self.box.describe(changes_in_words(rows, [key.name for key in self.keys], names))
        said = [f'<span style="color:{key.colour}">{SIGNS[key.sign]}</span> {key.name}' for key in self.keys]
        if len(rows) > MAX_POINTS:
            said.append(f"the first {count(MAX_POINTS)} of {count(len(rows))} tensors are drawn")
        self.legend.value = " &nbsp; ".join(said)

    def mark(self, place: int) -> None:
        """Put a ring around the point of a row; around none for −1."""
        self._put(self.ring, [place] if place in self._heights else [])

    def _put(self, mark: bqplot.Scatter, places: Sequence[int]) -> None:
        with mark.hold_sync():
            mark.x = single(np.array(places, np.float64))
            mark.y = single(np.array([self._heights[place] for place in places], np.float64))


def _apart(values: np.ndarray) -> np.ndarray:
    """Of rising ticks those that leave room for each other's labels."""
    room = max(float(np.log(values[-1] / values[0])) if values.size else 0.0, np.log(10.0)) / MAX_TICKS
    found: list[float] = []
    for value in values.tolist():
        if not found or np.log(value / found[-1]) >= room:
            found.append(value)
    return np.array(found)


def _index(event: dict[str, Any]) -> int:
    return int(event["data"]["index"])


def _kind(row: ComparedRow) -> str:
    if row.twin is None or math.isnan(row.twin.moments.relative_change):
        return NEVER
    if row.status == "same":
        return FROZEN
    return KERNEL if is_kernel(row) else OTHER


def _is_frozen(row: ComparedRow) -> bool:
    return row.twin is not None and row.twin.moments.identical


def _change(row: ComparedRow) -> float:
    return row.twin.moments.relative_change if row.twin else math.nan


def _key(kind: str, number: int, frozen: bool) -> Key:
    colour, sign = LOOKS[kind]
    meaning = MEANINGS[kind] if kind != FROZEN or frozen else IN_VALUE
    return Key(colour, f"{count(number)} {meaning}", sign)
