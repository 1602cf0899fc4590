"""All that one pass over two tensors of one shape tells: how alike they are, their difference, and A against B."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..reading.tensors import Tensor
from .cells import Cells
from .counting import Counted
from .pairs import PairMoments, merge_pairs, pair_moments
from .passes import COUNT, Check, gather
from .rasters import Pooling, Raster
from .rows import difference
from .tally import Tally

__all__ = ["JOINT_BINS", "Joint", "PairSummary", "Scattered", "summarise_pair"]

JOINT_BINS = 128

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Joint:
    """How many pairs of elements have a value of A and a value of B between evenly spaced edges.

    Attributes
    ----------
    counts : numpy.ndarray
        Int64, shape (128, 128): by A, and by B. Pairs that are not finite or outside are in none.
    span_a, span_b : tuple of float
        The first and the last edge.
    """

    counts: np.ndarray
    span_a: Span
    span_b: Span


@dataclass(frozen=True, eq=False)
class Scattered:
    """A against B, and how alike they are."""

    moments: PairMoments
    joint: Joint

    @property
    def nbytes(self) -> int:
        return self.joint.counts.nbytes


@dataclass(frozen=True, eq=False)
class PairSummary:
    """What one pass over two tensors of one shape tells.

    Attributes
    ----------
    moments : PairMoments
        Relative change, cosine, Pearson's correlation, largest difference, share of equal elements.
    delta : Cells
        How the finite values of B − A are distributed.
    raster : Raster or None
        B − A in the usual layout; None where its rows do not follow on each other in the file.
    joint : Joint
    """

    moments: PairMoments
    delta: Cells
    raster: Raster | None
    joint: Joint

    @property
    def scattered(self) -> Scattered:
        return Scattered(self.moments, self.joint)


def summarise_pair(a: Tensor, b: Tensor, span_a: Span, span_b: Span, check: Check) -> PairSummary:
    """The summary of two tensors, read side by side; the difference is never there as a whole.

    Parameters
    ----------
    a, b : Tensor
        Of one shape.
    span_a, span_b : tuple of float
        The ranges of the joint density, lower end first.
    check : callable
        Called between pieces with the share that is done.

    Raises
    ------
    WeightWidgetsError
        A file cannot be read.
    """
    matrix = a.structure.matrix
    pooled = matrix.as_stored and b.structure.matrix.as_stored

    def make(start: int) -> _Pair:
        return _Pair(Pooling(matrix.shape, start) if pooled else None, span_a, span_b)

    return gather([a, b], make, COUNT, check).summary()


class _Pair:
    def __init__(self, pooling: Pooling | None, span_a: Span, span_b: Span) -> None:
        self._pooling = pooling
        self._spans = span_a, span_b
        self._moments = PairMoments()
        self._delta = Counted(COUNT)
        # One more for what is not in the picture.
        self._joint = Tally(JOINT_BINS**2 + 1, COUNT)

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        self._moments = merge_pairs(self._moments, pair_moments(a, b))
        delta = difference(a, b)
        if self._pooling:
            low, high, total = self._pooling.add(delta)
        else:
            low, high, total = float(delta.min()), float(delta.max()), float(delta.sum(dtype=np.float64))
        self._delta.add(delta, low, high, total)
        places = [_places(values, span) for values, span in zip((a, b), self._spans, strict=True)]
        inside = (places[0] >= 0) & (places[1] >= 0)
        self._joint.indices[: a.size] = np.where(inside, JOINT_BINS * places[0] + places[1], JOINT_BINS**2)
        self._joint.add(a.size)

    def merge(self, other: _Pair) -> _Pair:
        self._moments = merge_pairs(self._moments, other._moments)
        if self._pooling and other._pooling:
            self._pooling.merge(other._pooling)
        self._delta.merge(other._delta)
        self._joint.counts += other._joint.counts
        return self

    def summary(self) -> PairSummary:
        counts = self._joint.counts[:-1].reshape(JOINT_BINS, JOINT_BINS)
        raster = self._pooling.raster() if self._pooling else None
        return PairSummary(self._moments, self._delta.cells, raster, Joint(counts, *self._spans))


def _places(values: np.ndarray, span: Span) -> np.ndarray:
    """The bin of each value, int32; negative outside of the span. The last bin holds its upper edge."""
    low, high = span
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        places = (values.astype(np.float64) - low) * (JOINT_BINS / (high - low) if high > low else 0.0)
    inside = (values >= low) & (values <= high)
    return np.where(inside, np.minimum(places, JOINT_BINS - 1), -1).astype(np.int32)
