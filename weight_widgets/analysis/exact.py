"""The measures of a tensor of any size as if all of its values were in order, in a second pass with little memory."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from ..reading.tensors import Tensor
from .cells import Cells
from .histograms import Histogram, histogram
from .measures import QUANTILES, Measures
from .moments import Moments, merge, moments
from .passes import COUNT, Check, gather
from .runs import interpolated
from .summary import Summary, summarise

__all__ = ["histogram_exactly", "measure_exactly"]


def measure_exactly(tensor: Tensor, near_zero: float, check: Check, found: Summary | None = None) -> Measures:
    """The measures of a tensor as in float64, all of them exact, from a second pass over a large one.

    Parameters
    ----------
    tensor : Tensor
    near_zero : float
        Elements with a magnitude below this share of the root mean square are near zero.
    check : callable
        Called between pieces with the share of the present pass.
    found : Summary, optional
        What the first pass told, if there was one.

    Raises
    ------
    WeightWidgetsError
        The file cannot be read.
    """
    found = found or summarise(tensor, check)
    nearly = found.measures(near_zero)
    if not isinstance(found.values, Cells) or not nearly.finite:
        return nearly
    ranks: list[int] = []
    interpolated(partial(_noted, ranks), nearly.finite, QUANTILES)
    threshold = nearly.near_zero_threshold
    # Where a value is looked for, and the ends of what is near zero, which follow from a norm of this pass.
    ends = found.values.around(np.array(ranks), np.array([-threshold, threshold]))
    second = gather([tensor], lambda _: _Between(ends), COUNT, check)
    exact = Measures(**vars(second.moments), near_zero_threshold=near_zero * second.moments.rms)
    quantiles = interpolated(second.ranked, exact.finite, QUANTILES)
    return replace(
        exact,
        quantiles=tuple(quantiles.tolist()),
        near_zeros=max(second.within(exact.near_zero_threshold), exact.zeros),
    )


def histogram_exactly(tensor: Tensor, edges: np.ndarray, check: Check) -> Histogram:
    """Every finite value of a tensor of any size, counted between evenly spaced edges."""
    return gather([tensor], lambda _: _Counting(edges), COUNT, check).histogram


def _noted(notes: list[int], ranks: np.ndarray) -> np.ndarray:
    notes += ranks.tolist()
    return np.zeros(len(ranks))


class _Counting:
    def __init__(self, edges: np.ndarray) -> None:
        self.histogram = Histogram(edges, np.zeros(len(edges) - 1, np.int64))

    def add(self, piece: np.ndarray) -> None:
        self.histogram += histogram(piece, self.histogram.edges)

    def merge(self, other: _Counting) -> _Counting:
        self.histogram += other.histogram
        return self


class _Between:
    """Moments, the values in some stretches, and how many lie below, between and above those.

    Parameters
    ----------
    ends : numpy.ndarray
        Shape (2n,), float64: where each stretch begins, and what is the first beyond it.
    """

    def __init__(self, ends: np.ndarray) -> None:
        self._ends = ends
        self._counts = np.zeros(len(ends) + 1, np.int64)
        self._kept: list[np.ndarray] = []
        self.moments = Moments()

    def add(self, piece: np.ndarray) -> None:
        self.moments = merge(self.moments, moments(piece))
        finite = piece[np.isfinite(piece)].astype(np.float64, copy=False)
        places = np.searchsorted(self._ends, finite, "right")
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._kept.append(finite[places % 2 == 1])

    def merge(self, other: _Between) -> _Between:
        self.moments = merge(self.moments, other.moments)
        self._counts += other._counts
        self._kept += other._kept
        return self

    def ranked(self, ranks: np.ndarray) -> np.ndarray:
        """The values at these places of all values in order."""
        kept = self._rising
        places = np.searchsorted(np.cumsum(self._counts), ranks, "right")
        left_out = np.append(0, np.cumsum(np.where(np.arange(len(self._counts)) % 2, 0, self._counts)))[places]
        return kept[ranks - left_out]

    def within(self, threshold: float) -> int:
        """How many values have a magnitude below a number that is in one of the stretches."""
        low, high = (self._below(end) for end in (np.nextafter(-threshold, math.inf), threshold))
        return max(0, high - low) if threshold > 0 else 0

    def _below(self, end: float) -> int:
        place = int(np.searchsorted(self._ends, end, "right"))
        left_out = int(self._counts[:place:2].sum())
        return left_out + int(np.searchsorted(self._rising, end))

    @property
    def _rising(self) -> np.ndarray:
        return np.sort(np.concatenate(self._kept))
