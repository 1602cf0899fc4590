"""What of the heatmaps is in sight: the scales that all of them share, and axes that say what lies along them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import bqplot
import numpy as np

from ..display import visible
from ..reading.structure import Axis, Matrix
from ..state import Window
from .axes import ticks
from .zoom import has_ends, set_ends

__all__ = ["Sight"]

CLOSEST = 4.0
# Names of gates, heads and the like are written while there are at most so many in sight.
MAX_NAMED = 8
# What fits beside the first picture.
MAX_ROW_NAME = 9


@dataclass(frozen=True)
class Marks:
    """Where the ticks of a side are, what they say, and what the side counts."""

    at: np.ndarray
    labels: tuple[str, ...]
    title: str


class Sight:
    """Row 0 is on top: y runs from −rows up to 0, because bqplot pans a reversed scale the wrong way."""

    def __init__(self) -> None:
        self.x, self.y = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=-1.0, max=0.0)
        self._shape = (1, 1)
        self._matrices: Sequence[Matrix | None] = ()
        self._across: Sequence[bqplot.Axis] = ()
        self._down: bqplot.Axis | None = None

    def attach(self, across: Sequence[bqplot.Axis], down: bqplot.Axis) -> None:
        """Keep ticks on these axes. Panning and zooming happen in the browser, and reach this side as limits."""
        self._across, self._down = across, down
        for scale in (self.x, self.y):
            scale.observe(self._limited, ["min", "max"])
        self._mark()

    def fit(self, matrices: Sequence[Matrix | None], shape: tuple[int, int], window: Window | None) -> None:
        """Bring a window of pictures into sight, or all of them.

        A matrix for each axis that runs across; the one that runs down has that of the first.
        """
        shape = max(1, shape[0]), max(1, shape[1])
        changed = shape != self._shape
        self._matrices, self._shape = matrices, shape
        self.show(window, anew=changed)
        self._mark()

    def show(self, window: Window | None, anew: bool = False) -> None:
        """Bring a window into sight, or everything; what the browser has there already stays, unless `anew`."""
        if window == self.window and not anew:
            return
        rows, columns = self._shape
        seen = window or Window(0, rows, 0, columns)
        # Both sides at once: one with the other's old limits would be a window that nobody asked for.
        with self.x.hold_trait_notifications(), self.y.hold_trait_notifications():
            set_ends(self.x, float(seen.left), float(seen.right))
            set_ends(self.y, -float(seen.bottom), -float(seen.top))

    @property
    def window(self) -> Window | None:
        """What is in sight; None for all of it."""
        rows, columns = self._shape
        seen = Window(
            max(0, math.floor(-self.y.max)),
            min(rows, math.ceil(-self.y.min)),
            max(0, math.floor(self.x.min)),
            min(columns, math.ceil(self.x.max)),
        )
        return None if seen.shape == self._shape or not all(size > 0 for size in seen.shape) else seen

    def _limited(self, _: object) -> None:
        rows, columns = self._shape
        _keep(self.x, 0.0, float(columns))
        _keep(self.y, -float(rows), 0.0)
        self._mark()

    def _mark(self) -> None:
        matrices = self._matrices or [None] * len(self._across)
        for axis, matrix in zip(self._across, matrices, strict=True):
            side = (matrix.columns, matrix.separations[1]) if matrix else ((), 0)
            columns = _marks(*side, self.x.min, self.x.max)
            _write(axis, columns.at, _initials(columns.labels), columns.title)
        first = next(iter(matrices), None)
        side = (first.rows, first.separations[0]) if first else ((), 0)
        rows = _marks(*side, -self.y.max, -self.y.min)
        if self._down is not None:
            _write(self._down, -rows.at, [visible(label, MAX_ROW_NAME) for label in rows.labels], rows.title)


def _write(axis: bqplot.Axis, at: np.ndarray, labels: Sequence[str], title: str) -> None:
    # In this order and apart: bqplot draws new ticks with the labels that it had before the message.
    axis.tick_labels = {_key(place): visible(label) for place, label in zip(at, labels, strict=True)}
    axis.tick_values = at
    axis.label = visible(title)


def _initials(labels: Sequence[str]) -> Sequence[str]:
    """Words that stand side by side under a narrow picture by their first letters; the line below has the words."""
    letters = [label[:1] for label in labels]
    words = len(labels) > 2 and all(label.isalpha() for label in labels) and len({*letters}) == len(labels)
    return letters if words else labels


def _key(place: float) -> str:
    """A number as JavaScript writes it."""
    return str(int(place)) if place == int(place) else str(float(place))


def _marks(axes: Sequence[Axis], separation: int, low: float, high: float) -> Marks:
    """Names of the blocks between separators, or numbers where there are none, or only one is in sight."""
    # Axes of one position say nothing.
    axes = [axis for axis in axes if axis.size > 1] or list(axes[-1:])
    title = _title(axes, ranks=True)
    total = math.prod(axis.size for axis in axes)
    if total == 1:
        return Marks(np.array([0.5]), ("0",), "")
    block = separation or (1 if len(axes) == 1 and axes[0].names else 0)
    if block and total // block > 1:
        first, last = math.floor(low / block), math.ceil(high / block) - 1
        if last > first:
            return _named_blocks(axes, block, (first, last), (low, high))
        name = _block_name(axes, block, first)
        inner = [axis.label for axis in axes[len(_outside(axes, block)) :]]
        found = ticks(low - first * block, high - first * block, whole=True)
        kept = found[found < block]
        counted = f"{' · '.join(inner) or title} of {name}" if inner else name
        return Marks(kept + first * block, tuple(str(int(number)) for number in kept), counted)
    at = ticks(low, high, whole=True)
    if len(axes) == 1 and axes[0].first:
        return Marks(at, tuple(str(int(place) + axes[0].first) for place in at), title)
    return Marks(at, tuple(str(int(place)) for place in at), title)


def _title(axes: Sequence[Axis], ranks: bool) -> str:
    """What a side counts; axes that share a label are one."""
    labels = " · ".join(dict.fromkeys(axis.label for axis in axes if axis.label))
    if not any(axis.numbers for axis in axes):
        return labels
    return f"{'rank of ' if ranks else ''}{labels}, by norm"


def _named_blocks(axes: Sequence[Axis], block: int, blocks: tuple[int, int], limits: tuple[float, float]) -> Marks:
    first, last = blocks
    low, high = limits
    wanted = np.arange(first, last + 1)
    if len(wanted) > MAX_NAMED:
        wanted = ticks(first, last, whole=True).astype(int)
    begin, end = np.maximum(wanted * block, low), np.minimum((wanted + 1) * block, high)
    # Half numbers are the same in every floating-point type.
    middle = np.round(begin + end) / 2
    names = tuple(_block_name(axes, block, int(number), short=True) for number in wanted)
    outer = _outside(axes, block)
    return Marks(middle, names, _title(outer, ranks=any(axis.counts_ranks for axis in outer)))


def _outside(axes: Sequence[Axis], block: int) -> list[Axis]:
    """The axes that count the blocks."""
    outer: list[Axis] = []
    for axis in axes:
        if math.prod(each.size for each in axes[len(outer) :]) <= block:
            break
        outer.append(axis)
    return outer


def _block_name(axes: Sequence[Axis], block: int, number: int, short: bool = False) -> str:
    """What a block is called, by the axes outside of it: ``"forget"``, or ``"head 3"`` and shortly ``"3"``."""
    outer = _outside(axes, block)
    if len(outer) != 1 or outer[0].size <= number:
        return str(number)
    axis = outer[0]
    return str(axis.number(number)) if short and not axis.names else axis.name(number)


def _keep(scale: bqplot.LinearScale, low: float, high: float) -> None:
    """Undo a zoom out of the whole or into less than `CLOSEST` weights, and a pan out of the picture."""
    if not has_ends(scale):
        set_ends(scale, low, high)
    width = min(max(scale.max - scale.min, CLOSEST), high - low)
    start = min(max(scale.min, low), high - width)
    # What the browser sends is rounded; to correct that would be to fight it.
    if max(abs(scale.min - start), abs(scale.max - start - width)) > 1e-6 * (high - low):
        set_ends(scale, start, start + width)
