"""Counts between edges, and edges for several tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

__all__ = ["Histogram", "histogram", "joint_range", "round_up", "shared_edges"]

# Elements that are copied to float64 at a time.
PIECE = 1 << 17
# Below this float64 runs out of digits.
TINY = 1e-290


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts between edges. Two with equal edges add up.

    Attributes
    ----------
    edges : numpy.ndarray
        Shape (bins + 1,), float64, rising. Bins are half open but for the last, as in ``numpy.histogram``.
    counts : numpy.ndarray
        Shape (bins,), int64.
    outside : int
        Finite values below the first edge or above the last.
    uncertain : float
        Share of the values, 0 to 1, of which it is not known on which side of an edge they lie; 0 if all were counted.
    """

    edges: np.ndarray
    counts: np.ndarray
    outside: int = 0
    uncertain: float = 0.0

    @property
    def density(self) -> np.ndarray:
        """Counts over (all counted values × bin width): integrates to 1; zeros when nothing was counted."""
        total = self.counts.sum()
        return self.counts / (total * np.diff(self.edges)) if total else np.zeros(len(self.counts))

    def __add__(self, other: Histogram) -> Histogram:
        if not np.array_equal(self.edges, other.edges):
            raise ValueError("histograms with different edges cannot be added")
        return Histogram(self.edges, self.counts + other.counts, self.outside + other.outside)


def shared_edges(low: float, high: float, bins: int) -> np.ndarray:
    """`bins` + 1 evenly spaced edges from `low` to `high`, widened where the two are too close to be told apart.

    Parameters
    ----------
    low, high : float
        Finite, ``low <= high``.
    bins : int

    Raises
    ------
    InputError
        Float64 holds both, and not the distance between them.
    """
    if not math.isfinite(high - low):
        raise InputError(
            f"The values reach from {low:.3g} to {high:.3g}, which is wider than a float64 can tell: there are no bins "
            "for them. Leave the outermost values out."
        )
    # Float64 must be able to tell the edges apart; a constant tensor gets a window around its value.
    room = max(abs(low), abs(high), TINY) * bins * 1e-14
    if high - low <= room:
        half = 0.5 * abs(low) if abs(low) > TINY else 0.5
        low, high = low - half, high + half
    return np.linspace(low, high, bins + 1)


def histogram(values: np.ndarray, edges: np.ndarray) -> Histogram:
    """Count the finite values of an array of any shape between evenly spaced `edges`."""
    counts = np.zeros(len(edges) - 1, np.int64)
    size = 0
    flat = values.reshape(-1)
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE].astype(np.float64, copy=False)
        finite = piece[np.isfinite(piece)]
        # Given the range numpy need not search the edges, which is three times as fast and counts the same.
        counts += np.histogram(finite, len(edges) - 1, (edges[0], edges[-1]))[0]
        size += finite.size
    return Histogram(edges, counts, int(size - counts.sum()))


def joint_range(ranges: list[tuple[float, float]]) -> tuple[float, float]:
    """The smallest range that holds all of them; (0, 0) when there are none."""
    if not ranges:
        return 0.0, 0.0
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def round_up(value: float) -> float:
    """`value` rounded up to two significant digits, so that limits read well; 1 for 0."""
    if not value:
        return 1.0
    if value < TINY:
        return value
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
