"""All that one pass over a tensor tells, in pieces that fit the cache and on every core.

Small tensors are told exactly, from all of their values in order. Large ones are counted in cells: their counts,
extremes, mean, norm and standard deviation are those of the values, the rest is near.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from ..reading.tensors import Tensor
from .cells import Cells
from .counting import Counted, Widths
from .measures import Measures, kept, measures_of
from .moments import RUN, Moments, extremes, in_pieces, merge, order_dtype, piece_moments, sorted_run
from .passes import COUNT, Check, gather
from .rasters import Pooling, Raster, cells, raster
from .runs import Runs

__all__ = ["Summary", "preview", "summarise", "summarise_values"]

# Up to so many elements the values themselves are kept.
EXACT_SIZE = 1 << 21
# From so many on a sample comes first.
PREVIEW_SIZE, SAMPLE_SIZE = 1 << 25, 1 << 19


@dataclass(frozen=True, eq=False)
class Summary:
    """What one pass over a tensor tells.

    Attributes
    ----------
    moments : Moments
    values : Runs or Cells
        How the finite values are distributed.
    raster : Raster or None
        The usual layout; None where its rows do not follow on each other in the file.
    share : float
        Of the elements that were looked at: below 1 for a sample.
    """

    moments: Moments
    values: Runs | Cells
    raster: Raster | None = None
    share: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether every number is that of all values."""
        return self.share == 1 and self.values.exact

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + (self.raster.nbytes if self.raster else 0)

    def measures(self, near_zero: float) -> Measures:
        return replace(measures_of(self.moments, self.values, near_zero), exact=self.exact)


def summarise_values(values: np.ndarray) -> Summary:
    """The summary of an array in memory, without a picture."""
    return Summary(*kept(in_pieces(values.reshape(-1), RUN)))


def summarise(tensor: Tensor, check: Check) -> Summary:
    """The summary of a tensor, in less than 64 MiB of memory whatever its size.

    Parameters
    ----------
    tensor : Tensor
    check : callable
        Called between pieces with the share that is done.

    Raises
    ------
    WeightWidgetsError
        The file cannot be read.
    """
    check(0.0)
    if tensor.size <= RUN:
        values = tensor.read()
        return replace(summarise_values(values), raster=raster(tensor.structure.to_matrix(values)))
    if tensor.size <= EXACT_SIZE:
        return _in_order(tensor, check)
    counted = gather([tensor], lambda start: _CountedPicture(_pooling(tensor, start)), COUNT, check)
    counts = counted.values.counts
    if counted.values.good or not counts.finite:
        return counted.summary()
    # Float32 does not tell these values apart, or their squares.
    low, high = counts.minimum, counts.maximum
    widths = gather([tensor], lambda _: Widths(low, high, COUNT), COUNT, check)
    whole = [each for each in (counted.values.cells, widths.cells) if each.size == counts.finite]
    return Summary(widths.moments, min(whole, key=lambda each: each.coarseness), counted.raster)


def _in_order(tensor: Tensor, check: Check) -> Summary:
    """The summary from all values, which another thread puts in order while this one goes on."""
    pooling = _pooling(tensor, 0)
    found = Moments()
    runs: list[Future[np.ndarray]] = []
    # All at once, for which systems give larger pages than for many small ones.
    room = np.empty(tensor.size, order_dtype(tensor.dtype))
    sorter = ThreadPoolExecutor(1, "weight-widgets order")
    try:
        done = 0
        for block in tensor.blocks(nbytes=RUN * tensor.dtype.itemsize):
            check(done / tensor.size)
            piece = block.reshape(-1)
            run = room[done : done + piece.size]
            with np.errstate(over="ignore"):
                run[...] = piece
            runs.append(sorter.submit(sorted_run, run))
            low, high, total = pooling.add(piece) if pooling else extremes(piece)
            found = merge(found, piece_moments(piece, low, high, total))
            done += piece.size
        values = Runs(tuple(run for each in runs if (run := each.result()).size))
    finally:
        sorter.shutdown(cancel_futures=True)
    return Summary(replace(found, zeros=values.zeros), values, pooling.raster() if pooling else None)


def preview(tensor: Tensor, check: Check) -> Summary | None:
    """The summary of a sample of a large matrix, some rows of each row of cells; None where it is not worth it."""
    matrix = tensor.structure.matrix
    rows, columns = matrix.shape
    if tensor.size < PREVIEW_SIZE or len(tensor.shape) != 2 or not matrix.as_stored or tensor.shape != matrix.shape:
        return None
    grid = cells(rows, columns)
    height = max(1, SAMPLE_SIZE // (grid[0] * columns))
    if 4 * height * grid[0] > rows:
        return None
    pooling = Pooling((height * grid[0], columns), grid=grid)
    moments, runs = Moments(), Runs(())
    for band in range(grid[0]):
        check(0.0)
        top = (2 * band + 1) * rows // (2 * grid[0])
        values = tensor.read((slice(top, top + height),))
        pooling.add(values)
        own, distribution = kept(in_pieces(values.reshape(-1), RUN))
        moments = merge(moments, own)
        runs += distribution
    sampled = height * grid[0] / rows
    return Summary(moments, runs, replace(pooling.raster(), shape=(rows, columns)), sampled)


def _pooling(tensor: Tensor, start: int) -> Pooling | None:
    matrix = tensor.structure.matrix
    return Pooling(matrix.shape, start) if matrix.as_stored else None


class _CountedPicture:
    """Values in cells, and the picture."""

    def __init__(self, pooling: Pooling | None) -> None:
        self._pooling = pooling
        self.values = Counted(COUNT)

    def add(self, piece: np.ndarray) -> None:
        if self._pooling:
            low, high, total = self._pooling.add(piece)
        else:
            low, high, total = extremes(piece)
        self.values.add(piece, low, high, total)

    def merge(self, other: _CountedPicture) -> _CountedPicture:
        if self._pooling and other._pooling:
            self._pooling.merge(other._pooling)
        self.values.merge(other.values)
        return self

    @property
    def raster(self) -> Raster | None:
        return self._pooling.raster() if self._pooling else None

    def summary(self) -> Summary:
        found = self.values
        return Summary(found.moments if found.counts.finite else found.counts, found.cells, self.raster)
