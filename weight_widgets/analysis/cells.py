"""Values counted in cells by the upper half of a float32's bits: a small, mergeable picture of a distribution.

A cell is an interval from one float32 with an empty lower half to the next, a 128th of a power of two wide. Cells stand
in the order of their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .moments import PIECE

__all__ = ["CELLS", "Cells", "cell_of", "count_cells"]

CELLS = 1 << 16
# With a sign the bits fall as the values rise.
RISING = np.concatenate([np.arange(CELLS - 1, CELLS // 2 - 1, -1), np.arange(CELLS // 2)])
PLACES = np.argsort(RISING)
# Where a cell of positive bits begins, and where one of negative bits does; NaN and infinity have cells of no width.
with np.errstate(invalid="ignore"):
    _LOWER = (RISING.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    _UPPER = ((RISING.astype(np.uint32) << 16) | 0xFFFF).view(np.float32).astype(np.float64)
FINITE = np.isfinite(_UPPER)
# −0 is as large as 0 and has another cell.
ZEROS = (CELLS // 2 - 1, CELLS // 2)
# A cell with a larger share than this hides what is inside.
MAX_SHARE = 0.05


def cell_of(piece: np.ndarray) -> np.ndarray:
    """The cell of each value by its bits, uint16.

    Rounding to float32 never turns two values round, so that this puts values of every dtype in order.
    """
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(piece, np.float32)
    return (single.view(np.uint32) >> 16).astype(np.uint16)


def count_cells(flat: np.ndarray) -> np.ndarray:
    """How many of the values, which hold no NaN, fall into each cell: int64, shape (CELLS,), from the lowest up."""
    counts = np.zeros(CELLS, np.int64)
    for piece in _pieces(flat):
        counts += np.bincount(cell_of(piece), minlength=CELLS)
    return counts[RISING]


def _pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    return (flat[start : start + PIECE] for start in range(0, flat.size, PIECE))


@dataclass(frozen=True, eq=False)
class Cells:
    """Finite values by their cells; two of them add up.

    Attributes
    ----------
    counts : numpy.ndarray
        Int64, shape (65536,), from the lowest values up.
    low, high : float
        The smallest and the largest value themselves; NaN where there is none.
    """

    counts: np.ndarray
    low: float
    high: float

    def __add__(self, other: Cells) -> Cells:
        low, high = np.fmin(self.low, other.low), np.fmax(self.high, other.high)
        return Cells(self.counts + other.counts, float(low), float(high))

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    @property
    def fine(self) -> bool:
        """Whether the cells tell enough: no value is beyond float32, and no cell has too large a share."""
        return not self.counts[~FINITE].any() and self.counts.max() <= self.size * MAX_SHARE

    def below(self, ends: np.ndarray) -> np.ndarray:
        """How many values lie below each of some numbers, as if a cell's were spread evenly over it."""
        bounds, sums = self._rising
        return np.interp(ends, bounds, sums)

    def quantiles(self, percents: np.ndarray) -> np.ndarray:
        """Values with so many percent below them, as if a cell's were spread evenly over it."""
        bounds, sums = self._rising
        return np.interp(np.asarray(percents) / 100 * self.size, sums, bounds)

    def uncertain(self, ends: np.ndarray) -> int:
        """How many values share a cell with one of these numbers, so that on which side they lie is not known."""
        inner = ends[(ends > self.low) & (ends < self.high)]
        cells = np.unique(PLACES[cell_of(inner)])
        if np.isin(ZEROS, cells).any():
            cells = np.union1d(cells, ZEROS)
        return int(self.counts[cells].sum())

    @property
    def _rising(self) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the occupied cells, and how many values lie below each."""
        occupied = np.flatnonzero(self.counts)
        sums = np.cumsum(self.counts[occupied])
        lower, upper = np.minimum(_LOWER, _UPPER)[occupied], np.maximum(_LOWER, _UPPER)[occupied]
        bounds = np.clip(np.stack([lower, upper], axis=1), self.low, self.high).ravel()
        return bounds, np.stack([np.append(0, sums[:-1]), sums], axis=1).ravel()
