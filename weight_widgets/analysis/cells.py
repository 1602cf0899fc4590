"""Values counted in cells: a small, mergeable picture of a distribution, for tensors too large to be kept.

The usual cells are those of a float32's upper 16 bits: from one number with an empty lower half to the next, a 128th of
a power of two wide. Where most values share a few of those, cells of one width between the smallest and the largest
value tell more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .histograms import Histogram
from .runs import interpolated

__all__ = ["CELLS", "SPECIAL", "ZEROS", "Cells", "cells_by_bits", "cells_by_width"]

CELLS = 1 << 16
# By their bits: where ±0 and the smallest numbers are.
ZEROS = np.array([0x0000, 0x8000])
# And, behind those, where infinity and NaN are.
SPECIAL = np.concatenate([ZEROS, np.arange(0x7F80, 0x8000), np.arange(0xFF80, CELLS)])
# With a sign the bits fall as the values rise.
RISING = np.concatenate([np.arange(CELLS - 1, CELLS // 2 - 1, -1), np.arange(CELLS // 2)])
TINIEST = float(np.nextafter(0.0, 1.0))
# A cell with a larger share than this hides what is inside.
MAX_SHARE = 0.05


def _ends(tail: int) -> np.ndarray:
    """The numbers with these lower bits in the cells by upper bits, from the smallest."""
    with np.errstate(invalid="ignore"):
        return ((RISING.astype(np.uint32) << 16) | np.uint32(tail)).view(np.float32).astype(np.float64)


FINITE = np.isfinite(_ends(0xFFFF))


@dataclass(frozen=True, eq=False)
class Cells:
    """Finite values by their cells, the occupied ones alone.

    Attributes
    ----------
    lower, upper : numpy.ndarray
        Shape (n,), float64, rising. A cell holds its ends; where both are equal it holds one value.
    counts : numpy.ndarray
        Shape (n,), int64, positive.
    low, high : float
        The smallest and the largest value themselves; NaN where there is none.
    """

    lower: np.ndarray
    upper: np.ndarray
    counts: np.ndarray
    low: float
    high: float

    @property
    def exact(self) -> bool:
        return bool((self.lower == self.upper).all())

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    @property
    def nbytes(self) -> int:
        return self.lower.nbytes + self.upper.nbytes + self.counts.nbytes

    @property
    def coarseness(self) -> float:
        """The largest share of the values that one cell of some width holds, 0 to 1."""
        wide = self.counts[self.lower < self.upper]
        return float(wide.max()) / self.size if wide.size else 0.0

    @property
    def fine(self) -> bool:
        """Whether no cell hides a large share of the values."""
        return self.coarseness <= MAX_SHARE

    def below(self, ends: np.ndarray) -> np.ndarray:
        """How many values lie below each of some numbers, as if a cell's were spread evenly over it."""
        lower, upper = self._ends
        sums = np.append(0, np.cumsum(self.counts))
        places = np.searchsorted(lower, ends) - 1
        cut = np.maximum(places, 0)
        width = upper[cut] - lower[cut]
        share = np.divide(ends - lower[cut], width, out=np.ones(len(ends)), where=width > 0)
        return np.where(places < 0, 0.0, sums[cut] + self.counts[cut] * np.minimum(share, 1.0))

    def span(self, clip: float) -> tuple[float, float] | None:
        """The range of the values without `clip` percent at either end; None when there are none."""
        if not self.counts.size:
            return None
        if not clip:
            return self.low, self.high
        low, high = self.quantiles((clip, 100 - clip)).tolist()
        return low, high

    def histogram(self, edges: np.ndarray) -> Histogram:
        """Counts between rising `edges`, nearly so: `Histogram.uncertain` says how nearly."""
        if not self.counts.size:
            return Histogram(edges, np.zeros(len(edges) - 1, np.int64))
        # The last bin holds its upper edge.
        ends = np.append(edges[:-1], np.nextafter(edges[-1], math.inf))
        counts = np.diff(np.rint(self.below(ends))).astype(np.int64)
        return Histogram(edges, counts, int(self.size - counts.sum()), self.uncertain(ends) / self.size)

    def quantiles(self, percents: Sequence[float] | np.ndarray) -> np.ndarray:
        """Values with so many percent below them, as if each cell's were spread evenly; numpy's where it is one."""
        if self.exact:
            return interpolated(self._ranked, self.size, percents)
        sums = np.append(0, np.cumsum(self.counts))
        steps = np.stack([sums[:-1], sums[1:]], axis=1).ravel()
        return np.interp(np.asarray(percents) / 100 * self.size, steps, np.stack(self._ends, axis=1).ravel())

    def within(self, threshold: float) -> int:
        """How many values have a magnitude below `threshold`, nearly."""
        low, high = self.below(np.array([np.nextafter(-threshold, math.inf), threshold]))
        return max(0, round(high - low))

    def around(self, ranks: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The cells that hold some places of all values in order, and some values, to be looked into again.

        Returns
        -------
        numpy.ndarray
            Shape (2n,), float64: where each stretch of cells begins, and what is the first number beyond it.
        """
        # Rounding may have taken a value next to the end of a cell into its neighbour.
        places = np.append(self._places(ranks), np.searchsorted(self.lower, values, "right") - 1)
        first = np.unique(np.clip(places, 0, len(self.lower) - 1))
        inexact = (self.upper[first] - self.lower[first]) / (CELLS // 2)
        low, high = self.lower[first] - inexact, self.upper[first] + inexact
        beyond = np.nextafter(high, math.inf)
        apart = np.append(True, low[1:] > beyond[:-1])
        return np.stack([low[apart], np.append(beyond[:-1][apart[1:]], beyond[-1])], axis=1).ravel()

    def powers(self, mean: float) -> tuple[float, float, float]:
        """The sums of the magnitudes and of the third and fourth powers of the deviations from a number."""
        lower, upper = self._ends
        total = float(np.dot(self.counts, np.abs(lower + upper) / 2))
        a, b = lower - mean, upper - mean
        # The means of the powers over a stretch from a to b.
        squares = a * a + b * b
        third = (a + b) * squares / 4
        fourth = (squares * squares - a * b * (a * b - squares)) / 5
        return total, float(np.dot(self.counts, third)), float(np.dot(self.counts, fourth))

    def uncertain(self, ends: np.ndarray) -> int:
        """How many values share a cell with one of these numbers, so that on which side they lie is not known."""
        lower, upper = self._ends
        places = np.searchsorted(lower, ends) - 1
        cut = places[(places >= 0) & (ends <= upper[places])]
        return int(self.counts[np.unique(cut)].sum())

    def _ranked(self, ranks: np.ndarray) -> np.ndarray:
        """The values at these places of all values in order, of cells that are single values."""
        return self.lower[self._places(ranks)]

    def _places(self, ranks: np.ndarray) -> np.ndarray:
        """Which of the cells hold these places of all values in order."""
        return np.searchsorted(np.cumsum(self.counts), ranks, "right")

    @property
    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the cells, as far as there are values."""
        return np.maximum(self.lower, self.low), np.minimum(self.upper, self.high)


def cells_by_bits(counts: np.ndarray, zeros: np.ndarray, tail: int, low: float, high: float) -> Cells:
    """Cells from a count for each pattern of upper bits.

    Parameters
    ----------
    counts : numpy.ndarray
        Int64, shape (65536,).
    zeros : numpy.ndarray
        How many of them are exactly +0, and −0.
    tail : int
        The lower 16 bits that any value has. None has any where all were bfloat16, whose cells are single values.
    low, high : float
        The smallest and the largest value.
    """
    counts = counts.copy()
    counts[ZEROS] -= zeros
    rising = np.where(FINITE, counts[RISING], 0)
    ends = _ends(0), _ends(tail)
    lower, upper = np.minimum(*ends), np.maximum(*ends)
    # Beside 0 lie the smallest numbers.
    half = CELLS // 2
    if tail:
        upper[half - 1], lower[half] = -TINIEST, TINIEST
    kept = np.flatnonzero(rising)
    place = int(np.searchsorted(kept, half))
    found = [lower[kept], upper[kept], rising[kept]]
    if zeros.any():
        found = [np.insert(each, place, value) for each, value in zip(found, (0.0, 0.0, zeros.sum()), strict=True)]
    lower, upper, rising = found
    return Cells(lower, upper, rising, low, high)


def cells_by_width(counts: np.ndarray, low: float, high: float) -> Cells:
    """Cells from counts between `low` and `high` in steps of one width."""
    kept = np.flatnonzero(counts)
    # From the nearer end, for the distance of two numbers may be beyond float64.
    ends = np.arange(len(counts) + 1) / len(counts)
    edges = low * (1 - ends) + high * ends
    return Cells(edges[kept], edges[kept + 1], counts[kept], low, high)
