"""Numbers of one tensor, gathered block by block and mergeable."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

__all__ = ["Measures", "measure", "measure_blocks", "merge"]


@dataclass(frozen=True)
class Measures:
    """What one pass over a tensor tells.

    Attributes
    ----------
    size : int
        Elements, those that are not finite included.
    nan, inf, zeros : int
        Elements that are NaN, infinite, exactly zero.
    minimum, maximum, mean : float
        Of the finite elements; NaN when there are none.
    deviations : float
        Sum of squared deviations from the mean over the finite elements.
    """

    size: int = 0
    nan: int = 0
    inf: int = 0
    zeros: int = 0
    minimum: float = math.nan
    maximum: float = math.nan
    mean: float = math.nan
    deviations: float = 0.0

    @property
    def finite(self) -> int:
        return self.size - self.nan - self.inf

    @property
    def std(self) -> float:
        """Population standard deviation (division by n, as ``numpy.std``) of the finite elements."""
        return math.sqrt(self.deviations / self.finite) if self.finite else math.nan

    @property
    def l2(self) -> float:
        """Euclidean norm √Σw² of the finite elements."""
        return math.sqrt(self.deviations + self.finite * self.mean**2) if self.finite else math.nan

    @property
    def sparsity(self) -> float:
        """Share of elements that are exactly zero, 0 to 1; NaN for an empty tensor."""
        return self.zeros / self.size if self.size else math.nan


def measure(values: np.ndarray) -> Measures:
    """The measures of an array of any shape and numeric dtype, in float64."""
    flat = values.ravel().astype(np.float64)
    finite = flat[np.isfinite(flat)]
    nan = int(np.count_nonzero(np.isnan(flat)))
    inf = flat.size - finite.size - nan
    if not finite.size:
        return Measures(flat.size, nan, inf)
    mean = float(finite.mean())
    from_mean = finite - mean
    return Measures(
        size=flat.size,
        nan=nan,
        inf=inf,
        zeros=flat.size - int(np.count_nonzero(flat)),
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=mean,
        deviations=float(np.dot(from_mean, from_mean)),
    )


def merge(a: Measures, b: Measures) -> Measures:
    """The measures of two pieces together.

    Notes
    -----
    Mean and deviations as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979).
    """
    if not a.finite or not b.finite:
        known = b if b.finite else a
        minimum, maximum, mean, deviations = known.minimum, known.maximum, known.mean, known.deviations
    else:
        finite, step = a.finite + b.finite, b.mean - a.mean
        minimum, maximum = min(a.minimum, b.minimum), max(a.maximum, b.maximum)
        mean = a.mean + step * b.finite / finite
        deviations = a.deviations + b.deviations + step**2 * a.finite * b.finite / finite
    return Measures(
        a.size + b.size, a.nan + b.nan, a.inf + b.inf, a.zeros + b.zeros, minimum, maximum, mean, deviations
    )


def measure_blocks(blocks: Iterable[np.ndarray]) -> Measures:
    """The measures of a tensor that comes in pieces."""
    return reduce(merge, map(measure, blocks), Measures())
