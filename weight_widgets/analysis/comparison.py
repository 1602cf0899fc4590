"""Pictures of several tensors on common ground: overlaid histograms, and A, B and B − A on one colour scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ..reading.tensors import Tensor
from .distribution import Distribution
from .histograms import Histogram, joint_range, round_up, shared_edges
from .parallel import each, shares
from .passes import COUNT, Check, gather
from .rasters import PIECE, Pooling, Raster, exact, raster
from .rows import Difference, Rows, difference

__all__ = ["Contrast", "contrast", "overlay", "overlay_edges", "pooled_difference"]


def overlay(values: Mapping[str, Distribution], bins: int, clip: float = 0.0) -> dict[str, Histogram]:
    """Histograms of several tensors on the edges of `overlay_edges`."""
    edges = overlay_edges(values, bins, clip)
    return {name: each.histogram(edges) for name, each in values.items()}


def overlay_edges(values: Mapping[str, Distribution], bins: int, clip: float = 0.0) -> np.ndarray:
    """Edges that several tensors share: float64, shape (bins + 1,).

    Parameters
    ----------
    values : mapping of str to Distribution
    bins : int
    clip : float
        Percent of each tensor left out at either end when the range is chosen; the range holds all that is left of
        every tensor. Values outside are counted in `Histogram.outside`.
    """
    ranges = [found for each in values.values() if (found := each.span(clip))]
    return shared_edges(*joint_range(ranges), bins)


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two matrices and their difference, drawn between −limit and +limit.

    Attributes
    ----------
    rasters : tuple of (Raster or None)
        A, B and B − A; None for what is not there.
    limit : float
        The same for all three, so that a small difference looks small; rounded up to two digits.
    """

    rasters: tuple[Raster | None, Raster | None, Raster | None]
    limit: float

    @classmethod
    def of(cls, a: Raster | None, b: Raster | None, delta: Raster | None) -> Contrast:
        """With the limit that holds all of them."""
        reach = max((found.reach for found in (a, b, delta) if found), default=0.0)
        return cls((a, b, delta), round_up(reach))


def contrast(a: Rows | None, b: Rows | None, difference: bool = True) -> Contrast:
    """Rasters of two matrices and, if wanted, of B − A; none where one is missing or the shapes differ."""
    if difference and a is not None and b is not None and a.shape == b.shape:
        return Contrast.of(*_side_by_side(a, b))
    left, right = (None if matrix is None else raster(matrix) for matrix in (a, b))
    return Contrast.of(left, right, None)


def _side_by_side(a: Rows, b: Rows) -> tuple[Raster, Raster, Raster]:
    """Rasters of A, B and B − A. Large ones are looked at once, some rows at a time, on every core."""
    rows, columns = a.shape
    if exact(rows, columns):
        left, right = a[:], b[:]
        return raster(left), raster(right), raster(Difference(left, right))

    def pooled(part: range) -> list[Pooling]:
        found = [Pooling((rows, columns), part.start * columns) for _ in range(3)]
        step = max(1, PIECE // columns)
        for top in range(part.start, part.stop, step):
            taken = slice(top, min(top + step, part.stop))
            left, right = a[taken], b[taken]
            for pooling, piece in zip(found, (left, right, difference(left, right)), strict=True):
                pooling.add(np.ascontiguousarray(piece))
        return found

    first, second, delta = (
        reduce(Pooling.merge, parts).raster() for parts in zip(*each(pooled, shares(rows)), strict=True)
    )
    return first, second, delta


def pooled_difference(a: Tensor, b: Tensor, check: Check) -> Raster:
    """The raster of B − A of two tensors of one shape in their usual layout, which is the stored one.

    Both are read once, side by side; the difference is never there as a whole.
    """
    shape = a.structure.matrix.shape
    return gather([a, b], lambda start: _Difference(Pooling(shape, start)), COUNT, check).pooling.raster()


class _Difference:
    def __init__(self, pooling: Pooling) -> None:
        self.pooling = pooling

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        self.pooling.add(difference(a, b))

    def merge(self, other: _Difference) -> _Difference:
        self.pooling.merge(other.pooling)
        return self
