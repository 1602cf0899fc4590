"""Pictures of several arrays on common ground: overlaid histograms, and A, B and B − A on one colour scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .distribution import Distribution
from .rows import Difference, Rows
from .sketches import Histogram, Raster, joint_range, raster, round_up, shared_edges

__all__ = ["Contrast", "contrast", "overlay"]


def overlay(values: Mapping[str, Distribution], bins: int, clip: float = 0.0) -> dict[str, Histogram]:
    """Histograms of several tensors on shared edges.

    Parameters
    ----------
    values : mapping of str to Distribution
    bins : int
    clip : float
        Percent of each tensor left out at either end when the range is chosen; the range holds all that is left of
        every tensor. Values outside are counted in `Histogram.outside`.
    """
    ranges = [found for each in values.values() if (found := each.span(clip))]
    edges = shared_edges(*joint_range(ranges), bins)
    return {name: each.histogram(edges) for name, each in values.items()}


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


def contrast(a: Rows | None, b: Rows | None, difference: bool = True) -> Contrast:
    """Rasters of two matrices and, if wanted, of B − A; none where one is missing or the shapes differ."""
    delta = None
    if difference and a is not None and b is not None and a.shape == b.shape:
        delta = Difference(a, b)
    rasters = _raster(a), _raster(b), _raster(delta)
    return Contrast(rasters, round_up(max((found.reach for found in rasters if found), default=0.0)))


def _raster(matrix: Rows | None) -> Raster | None:
    return None if matrix is None else raster(matrix)
