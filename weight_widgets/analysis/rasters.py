"""A matrix as a picture of at most 256 × 256 cells, gathered from its rows as they come."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .rows import Rows

__all__ = ["Pooling", "Raster", "cells", "exact", "raster", "spans"]

# A matrix up to this many rows and columns is shown weight by weight.
EXACT_SIDE = 256
# Cells of a pooled raster: three float32 planes of it stay under 250 KB, and 144 falls evenly into 2, 3, 4, 6 and 8.
POOLED_SIDE = 144
# numpy reduces the rows of a narrower matrix faster when they lie the other way.
NARROW = 64
# Elements of a matrix in memory that are pooled at a time.
PIECE = 1 << 17


@dataclass(frozen=True, eq=False)
class Raster:
    """A matrix in at most 256 × 256 cells.

    Attributes
    ----------
    mean : numpy.ndarray
        Shape (cell rows, cell columns), float64: the weight itself where a cell holds one, else the mean. NaN and Inf
        pass through: a cell that holds any is not finite.
    low, high : numpy.ndarray or None
        Smallest and largest weight of each cell, NaN left out; None when every cell holds one weight.
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
    def nbytes(self) -> int:
        return sum(plane.nbytes for plane in self.planes)

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


class Pooling:
    """Mean, smallest and largest weight of each cell, gathered from the matrix piece by piece.

    The pieces follow on each other in C order from `start` on. Several that have gone through different rows merge.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the whole matrix.
    start : int
        The place of the first element that comes.
    grid : tuple of int, optional
        Rows and columns of cells, where they are not the usual ones.
    """

    def __init__(self, shape: tuple[int, int], start: int = 0, grid: tuple[int, int] | None = None) -> None:
        self.shape = shape
        rows, columns = shape
        down, across = grid or cells(rows, columns)
        self._starts = spans(columns, across)
        self._bounds = np.append(spans(rows, down), rows)
        self._sums = np.zeros((down, across))
        self._low = np.full((down, across), np.nan)
        self._high = np.full((down, across), np.nan)
        self._row, self._column = divmod(start, columns)
        self._band = int(np.searchsorted(self._bounds, self._row, "right")) - 1
        # What came of the band so far: of each column its sum and its extremes; None before anything has come.
        self._open: list[np.ndarray] | None = None

    def add(self, piece: np.ndarray) -> tuple[float, float, float]:
        """Take the next elements, and tell the smallest and the largest of them, and their sum."""
        columns = self.shape[1]
        left = piece.reshape(-1)
        taken = []
        while left.size:
            if self._column or left.size < columns:
                width = min(left.size, columns - self._column)
                taken.append(self._take(left[:width].reshape(1, width), self._column))
                self._column = (self._column + width) % columns
                self._move(0 if self._column else 1)
                left = left[width:]
            else:
                height = min(left.size // columns, int(self._bounds[self._band + 1]) - self._row)
                taken.append(self._take(left[: height * columns].reshape(height, columns), 0))
                self._move(height)
                left = left[height * columns :]
        lows, highs, sums = zip(*taken, strict=True)
        return min(lows), max(highs), sum(sums)

    def _move(self, rows: int) -> None:
        self._row += rows
        if self._row == self._bounds[self._band + 1]:
            self._fold()
            self._band += 1

    def _take(self, block: np.ndarray, column: int) -> tuple[float, float, float]:
        """Take some rows of one band, whose first column is `column`."""
        # The sums of a few rows of float32 lose nothing that a picture shows.
        kind = np.float32 if block.dtype.kind == "f" and block.dtype.itemsize <= 4 else np.float64
        if block.shape[1] < NARROW:
            block, axis = np.ascontiguousarray(block.T), 1
        else:
            axis = 0
        # Inf − Inf in a sum is NaN, which is what such a cell shows. NaN is no extreme.
        with np.errstate(invalid="ignore", over="ignore"):
            sums = np.add.reduce(block, axis, kind)
            total = float(sums.sum(dtype=np.float64))
            if not math.isfinite(total):
                sums = np.add.reduce(block, axis, np.float64)
                total = float(sums.sum())
            low, high = np.fmin.reduce(block, axis), np.fmax.reduce(block, axis)
            if self._open is None and len(low) == self.shape[1]:
                self._open = [sums, low, high]
            else:
                self._add(column, sums, low, high)
            return float(np.fmin.reduce(low)), float(np.fmax.reduce(high)), total

    def _add(self, column: int, sums: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        if self._open is None:
            self._open = [np.zeros(self.shape[1]), *(np.full(self.shape[1], np.nan) for _ in range(2))]
        self._open[0] = self._open[0].astype(np.float64, copy=False)
        place = slice(column, column + len(sums))
        for plane, found, join in zip(self._open, (sums, low, high), (np.add, np.fmin, np.fmax), strict=True):
            plane[place] = join(plane[place], found)

    def _fold(self) -> None:
        """Take the columns of the band together."""
        if self._open is None:
            return
        sums, low, high = self._open
        self._open = None
        with np.errstate(invalid="ignore", over="ignore"):
            self._sums[self._band] += np.add.reduceat(sums.astype(np.float64), self._starts)
            self._low[self._band] = np.fmin(self._low[self._band], np.fmin.reduceat(low, self._starts))
            self._high[self._band] = np.fmax(self._high[self._band], np.fmax.reduceat(high, self._starts))

    def merge(self, other: Pooling) -> Pooling:
        """Take in what another one has gathered from other elements of the same matrix."""
        self._fold()
        other._fold()
        with np.errstate(invalid="ignore"):
            self._sums += other._sums
            np.fmin(self._low, other._low, out=self._low)
            np.fmax(self._high, other._high, out=self._high)
        return self

    def raster(self) -> Raster:
        self._fold()
        widths, heights = np.diff(np.append(self._starts, self.shape[1])), np.diff(self._bounds)
        return Raster(self._sums / np.outer(heights, widths), self._low, self._high, self.shape)


def raster(matrix: Rows) -> Raster:
    """The raster of a matrix of shape (rows, columns); pooled by mean, min and max beyond 256 × 256.

    A large one is taken some rows at a time, which alone need be in memory.
    """
    rows, columns = matrix.shape
    if exact(rows, columns):
        return Raster(matrix[:].astype(np.float64), None, None, (rows, columns))
    pooling = Pooling((rows, columns))
    step = max(1, PIECE // columns)
    for top in range(0, rows, step):
        pooling.add(np.ascontiguousarray(matrix[top : top + step]))
    return pooling.raster()


def exact(rows: int, columns: int) -> bool:
    """Whether a matrix is shown weight by weight."""
    return cells(rows, columns) == (rows, columns)


def _twelves(count: int) -> int:
    return count // 12 * 12 or count
