"""Small mergeable pictures of a tensor: `Histogram` and `Raster`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .moments import pieces
from .order import quantiles
from .rows import Rows

__all__ = [
    "Histogram",
    "Raster",
    "finite_range",
    "histogram",
    "joint_range",
    "raster",
    "round_up",
    "shared_edges",
    "spans",
]

# A matrix up to this many rows and columns is shown weight by weight.
EXACT_SIDE = 256
# Cells of a pooled raster: three float32 planes of it stay under 250 KB, and 144 falls evenly into 2, 3, 4, 6 and 8.
POOLED_SIDE = 144
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
    for finite in _finite_pieces(values):
        # Given the range numpy need not search the edges, which is three times as fast and counts the same.
        counts += np.histogram(finite, len(edges) - 1, (edges[0], edges[-1]))[0]
        size += finite.size
    return Histogram(edges, counts, int(size - counts.sum()))


def _finite_pieces(values: np.ndarray) -> Iterator[np.ndarray]:
    """The finite values as float64, some at a time."""
    for piece in pieces(values.reshape(-1)):
        finite = np.isfinite(piece)
        yield piece if finite.all() else piece[finite]


@dataclass(frozen=True, eq=False)
class Raster:
    """A matrix in at most 256 × 256 cells.

    Attributes
    ----------
    mean : numpy.ndarray
        Shape (cell rows, cell columns), float64: the weight itself where a cell holds one, else the mean. NaN and Inf
        pass through: a cell that holds any is not finite.
    low, high : numpy.ndarray or None
        Smallest and largest weight of each cell; None when every cell holds one weight.
    shape : tuple of int
        Rows and columns of the matrix.
    """

    mean: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    shape: tuple[int, int]

    @property
    def exact(self) -> bool:
        return self.low is None

    @property
    def planes(self) -> tuple[np.ndarray, ...]:
        return (self.mean,) if self.low is None or self.high is None else (self.mean, self.low, self.high)

    @property
    def reach(self) -> float:
        """The largest absolute finite value shown, 0 when there is none."""
        finite = self.mean[np.isfinite(self.mean)]
        return float(np.abs(finite).max()) if finite.size else 0.0


def cells(rows: int, columns: int) -> tuple[int, int]:
    """How many rows and columns of cells a matrix is shown in."""
    if rows * columns == 0 or max(rows, columns) <= EXACT_SIDE:
        return rows, columns
    budget = POOLED_SIDE**2
    across = min(columns, EXACT_SIDE, max(POOLED_SIDE, budget // rows))
    down = min(rows, EXACT_SIDE, budget // across)
    # A multiple of twelve lets cells end where gates do.
    return (down if down == rows else _twelves(down)), (across if across == columns else _twelves(across))


def spans(size: int, count: int) -> np.ndarray:
    """Where each of `count` cells begins along `size` elements: floor(i · size / count)."""
    return np.arange(count) * size // count


def raster(matrix: Rows) -> Raster:
    """The raster of a matrix of shape (rows, columns); pooled by mean, min and max beyond 256 × 256.

    A large one is taken in bands of rows, of which one at a time need be in memory.
    """
    rows, columns = matrix.shape
    down, across = cells(rows, columns)
    if (down, across) == (rows, columns):
        return Raster(matrix[:].astype(np.float64), None, None, (rows, columns))
    mean, low, high = (np.empty((down, across)) for _ in range(3))
    starts, bounds = spans(columns, across), np.append(spans(rows, down), rows)
    widths = np.diff(np.append(starts, columns))
    # Inf − Inf in a sum is NaN, which is what such a cell shows.
    with np.errstate(invalid="ignore"):
        for row, (top, bottom) in enumerate(itertools.pairwise(bounds)):
            band = matrix[top:bottom]
            sums = np.add.reduceat(band.sum(axis=0, dtype=np.float64), starts)
            mean[row] = sums / (widths * (bottom - top))
            low[row] = np.minimum.reduceat(band.min(axis=0), starts)
            high[row] = np.maximum.reduceat(band.max(axis=0), starts)
    return Raster(mean, low, high, (rows, columns))


def _twelves(count: int) -> int:
    return count // 12 * 12 or count


def finite_range(values: np.ndarray, clip: float = 0.0) -> tuple[float, float] | None:
    """The range of the finite values without `clip` percent at either end; None when there are none.

    Percentiles are linear interpolations, numpy's default.
    """
    if not clip:
        ends = [(float(finite.min()), float(finite.max())) for finite in _finite_pieces(values) if finite.size]
        return joint_range(ends) if ends else None
    finite = np.isfinite(values)
    pool = values.reshape(-1) if finite.all() else values[finite]
    if not pool.size:
        return None
    low, high = quantiles(pool, (clip, 100 - clip)).tolist()
    return low, high


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
