"""One pass over values too many to be kept: counted in cells, with the sums that moments are made of."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import numpy as np

from .cells import CELLS, SPECIAL, ZEROS, Cells, cells_by_bits, cells_by_width
from .moments import EXPONENTS, Moments, finite_moments, merge, power_of_two, typical, zeros_in
from .tally import Tally

__all__ = ["Counted", "Widths"]

# Elements that are summed as float32 before the sums go on as float64.
LINE = 1 << 12
# Magnitudes whose squares a float32 holds.
LOWEST, HIGHEST = 1e-15, 1e15
# A mean no larger than this beside the standard deviation leaves its squares enough digits.
MAX_MEAN = 8.0


class Counted:
    """Values by the upper bits of their float32, with exact counts and extremes, their sum and that of their squares.

    Parameters
    ----------
    size : int
        The most elements that come in one piece.

    Attributes
    ----------
    counts : Moments
        Nothing but counts and extremes.
    """

    def __init__(self, size: int) -> None:
        self._tally = Tally(CELLS, size)
        self._tail = 0
        self._single = np.empty(size, np.float32)
        self._zeros = np.zeros(2, np.int64)
        self.counts = Moments()
        # Of the values and of their squares.
        self._sums = np.zeros(2)

    def add(self, piece: np.ndarray, low: float, high: float, total: float) -> None:
        """Take a piece of one dimension, with its extremes and its sum, which are only used if all of it is finite."""
        single = piece
        if piece.dtype != np.float32:
            single = self._single[: piece.size]
            with np.errstate(over="ignore"):
                single[...] = piece
        bits = single.view(np.uint32)
        np.right_shift(bits, 16, out=self._tally.indices[: piece.size].view(np.uint32))
        special = self._tally.add(piece.size)[SPECIAL]
        # Other types lost digits, so that no cell is a single value.
        exactly = np.can_cast(piece.dtype, np.float32)
        self._tail |= int(np.bitwise_or.reduce(bits)) & 0xFFFF if exactly else 0xFFFF
        nan = inf = zeros = 0
        if special[len(ZEROS) :].any():
            nan, inf = int(np.count_nonzero(np.isnan(piece))), int(np.count_nonzero(np.isinf(piece)))
        if special[: len(ZEROS)].any():
            zeros = zeros_in(piece)
            negative = int(np.count_nonzero(np.signbit(piece) & (piece == 0)))
            self._zeros += zeros - negative, negative
        if nan or inf:
            known = np.isfinite(piece)
            single, piece = single[known], piece[known]
            low, high = (float(piece.min()), float(piece.max())) if piece.size else (math.nan, math.nan)
            total = float(piece.sum(dtype=np.float64))
        size = piece.size + nan + inf
        self.counts = _together(self.counts, Moments(size, nan, inf, zeros, low, high))
        with np.errstate(over="ignore"):
            self._sums += total, _square(single)

    def merge(self, other: Counted) -> Counted:
        self._tally.counts += other._tally.counts
        self._tail |= other._tail
        self._zeros += other._zeros
        self.counts = _together(self.counts, other.counts)
        self._sums += other._sums
        return self

    # These are asked for when everything has come.
    @cached_property
    def cells(self) -> Cells:
        return cells_by_bits(self._tally.counts, self._zeros, self._tail, self.counts.minimum, self.counts.maximum)

    @property
    def good(self) -> bool:
        """Whether float32 tells these values and their squares apart."""
        reach = max(-self.counts.minimum, self.counts.maximum)
        cells = self.cells
        if not LOWEST <= reach <= HIGHEST or cells.size < self.counts.finite or not cells.fine:
            return False
        found = self.moments
        return abs(found.mean) <= MAX_MEAN * found.std

    @cached_property
    def moments(self) -> Moments:
        """Counts, extremes, mean and norm are those of the values; what follows from other powers is from the cells."""
        found = self.counts
        unit = power_of_two(max(-found.minimum, found.maximum))
        mean = min(max(self._sums[0] / found.finite, found.minimum), found.maximum)
        total, third, fourth = self.cells.powers(mean)
        return replace(
            found,
            unit=unit,
            center=mean / unit,
            total=total / unit,
            second=max(0.0, self._sums[1] - self._sums[0] * mean) / unit**2,
            third=third / unit**3,
            fourth=fourth / unit**4,
        )


class Widths:
    """Finite values in cells of one width, with all their moments in float64.

    Parameters
    ----------
    low, high : float
        The smallest and the largest value.
    size : int
        The most elements that come in one piece.
    """

    def __init__(self, low: float, high: float, size: int) -> None:
        self._low, self._high = low, high
        self._tally = Tally(CELLS, size)
        self._moments = Moments()

    def add(self, piece: np.ndarray) -> None:
        finite = piece[np.isfinite(piece)]
        nan = int(np.count_nonzero(np.isnan(piece)))
        counts = Moments(piece.size, nan, piece.size - finite.size - nan, zeros_in(piece))
        if not finite.size:
            self._moments = merge(self._moments, counts)
            return
        found = finite_moments(counts, finite, float(finite.min()), float(finite.max()), typical(finite))
        self._moments = merge(self._moments, found)
        # Halves, because the distance of two numbers may be beyond float64.
        half = finite.astype(np.float64) / 2 - self._low / 2
        places = half * (CELLS / max(self._high / 2 - self._low / 2, 2.0 ** EXPONENTS[0]))
        np.minimum(places, CELLS - 1, out=self._tally.indices[: finite.size], casting="unsafe")
        self._tally.add(finite.size)

    def merge(self, other: Widths) -> Widths:
        self._tally.counts += other._tally.counts
        self._moments = merge(self._moments, other._moments)
        return self

    @property
    def moments(self) -> Moments:
        return self._moments

    @property
    def cells(self) -> Cells:
        return cells_by_width(self._tally.counts, self._low, self._high)


def _together(a: Moments, b: Moments) -> Moments:
    """Counts and extremes of both."""
    return Moments(
        a.size + b.size,
        a.nan + b.nan,
        a.inf + b.inf,
        a.zeros + b.zeros,
        float(np.fmin(a.minimum, b.minimum)),
        float(np.fmax(a.maximum, b.maximum)),
    )


def _square(single: np.ndarray) -> float:
    """The sum of the squares of float32 values, as float64 from line to line."""
    whole = single.size // LINE * LINE
    lines, rest = single[:whole].reshape(-1, LINE), single[whole:].astype(np.float64)
    # Line by line too because numpy's library starts threads of its own for longer ones.
    squares = np.matmul(lines[:, np.newaxis, :], lines[:, :, np.newaxis])
    return float(squares.sum(dtype=np.float64) + np.dot(rest, rest))
