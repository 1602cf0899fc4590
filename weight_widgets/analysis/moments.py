"""What one pass over a tensor tells; gathered piece by piece, and mergeable."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

__all__ = ["EXPONENTS", "PIECE", "Moments", "merge", "moments", "pieces", "power_of_two"]

# Elements that are copied to float64 at a time: few enough for the processor's cache.
PIECE = 1 << 17
# Exponents whose powers of two have an inverse in float64, with room left for sums of fourth powers.
EXPONENTS = -1000, 1000
# A spread this small beside the mean is rounding; scipy.stats draws the line at the same place.
RESOLUTION = 1e-15


@dataclass(frozen=True)
class Moments:
    """What one pass over a tensor tells; two of them merge.

    All but the four counts is of the finite elements, and NaN where there is none.

    Attributes
    ----------
    size : int
        Elements, those that are not finite included.
    nan, inf, zeros : int
        Elements that are NaN, infinite, exactly zero.
    minimum, maximum : float
    unit : float
        A power of two near the largest magnitude. What follows is measured in it, so that fourth powers stay within
        float64 whatever the tensor holds.
    center, total : float
        Mean, and sum of the magnitudes, in `unit`.
    second, third, fourth : float
        Sums of the powers of the deviations from the mean, in powers of `unit`.
    """

    size: int = 0
    nan: int = 0
    inf: int = 0
    zeros: int = 0
    minimum: float = math.nan
    maximum: float = math.nan
    unit: float = 2.0 ** EXPONENTS[0]
    center: float = math.nan
    total: float = math.nan
    second: float = math.nan
    third: float = math.nan
    fourth: float = math.nan

    @property
    def finite(self) -> int:
        return self.size - self.nan - self.inf

    @property
    def sparsity(self) -> float:
        """Share of all elements that are exactly zero, 0 to 1."""
        return self.zeros / self.size if self.size else math.nan

    @property
    def mean(self) -> float:
        return self.center * self.unit

    @property
    def std(self) -> float:
        """Population standard deviation (division by n, as ``numpy.std``)."""
        return self._spread * self.unit

    @property
    def l1(self) -> float:
        """Sum of magnitudes Σ|w|; infinite where that is beyond float64."""
        return self.total * self.unit

    @property
    def l2(self) -> float:
        """Euclidean norm √Σw²; infinite where that is beyond float64."""
        return math.sqrt(self.second + self.finite * self.center**2) * self.unit

    @property
    def rms(self) -> float:
        """Root of the mean square √(Σw²/n)."""
        return math.hypot(self._spread, self.center) * self.unit

    @property
    def skew(self) -> float:
        """Third standardised moment of the population; NaN where all elements are equal."""
        return self.third / self.finite / self._spread**3 if self._varies else math.nan

    @property
    def kurtosis(self) -> float:
        """Fourth standardised moment of the population less 3, which is 0 for a normal distribution.

        NaN where all elements are equal.
        """
        return self.fourth / self.finite / self._spread**4 - 3 if self._varies else math.nan

    @property
    def _spread(self) -> float:
        return math.sqrt(self.second / self.finite) if self.finite else math.nan

    @property
    def _varies(self) -> bool:
        return self._spread > RESOLUTION * abs(self.center)

    def within(self, unit: float) -> Moments:
        """The same in a larger `unit`."""
        step = self.unit / unit
        return replace(
            self,
            unit=unit,
            center=self.center * step,
            total=self.total * step,
            second=self.second * step**2,
            third=self.third * step**3,
            fourth=self.fourth * step**4,
        )


def moments(values: np.ndarray) -> Moments:
    """The moments of an array of any shape and real dtype."""
    return reduce(merge, map(_piece_moments, pieces(values.reshape(-1))), Moments())


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of two pieces together.

    Notes
    -----
    Formulae 2.1, 3.1 and those for the fourth order of Pébay, "Formulas for robust, one-pass parallel computation of
    covariances and arbitrary-order statistical moments" (2008), after Chan, Golub and LeVeque (1979).
    """
    size, nan, inf, zeros = a.size + b.size, a.nan + b.nan, a.inf + b.inf, a.zeros + b.zeros
    if not a.finite or not b.finite:
        return replace(b if b.finite else a, size=size, nan=nan, inf=inf, zeros=zeros)
    unit = max(a.unit, b.unit)
    a, b = a.within(unit), b.within(unit)
    count = a.finite + b.finite
    # Shares instead of counts, whose third powers would grow beyond what a float holds exactly.
    p, q = a.finite / count, b.finite / count
    step = b.center - a.center
    between = count * p * q * step**2
    return Moments(
        size=size,
        nan=nan,
        inf=inf,
        zeros=zeros,
        minimum=min(a.minimum, b.minimum),
        maximum=max(a.maximum, b.maximum),
        unit=unit,
        center=a.center + step * q,
        total=a.total + b.total,
        second=a.second + b.second + between,
        third=a.third + b.third + between * step * (p - q) + 3 * step * (p * b.second - q * a.second),
        fourth=a.fourth
        + b.fourth
        + between * step**2 * (p * p - p * q + q * q)
        + 6 * step**2 * (p * p * b.second + q * q * a.second)
        + 4 * step * (p * b.third - q * a.third),
    )


def _piece_moments(piece: np.ndarray) -> Moments:
    known = np.isfinite(piece)
    whole = bool(known.all())
    finite = piece if whole else piece[known]
    nan = 0 if whole else int(np.count_nonzero(np.isnan(piece)))
    counts = Moments(piece.size, nan, piece.size - finite.size - nan, piece.size - int(np.count_nonzero(piece)))
    if not finite.size:
        return counts
    low, high = float(finite.min()), float(finite.max())
    unit = power_of_two(max(-low, high))
    # A copy, which may be worked on in place.
    finite = finite / unit
    # Rounding must not carry the mean past the values: of equal elements it is their very value.
    center = min(max(float(finite.mean()), low / unit), high / unit)
    total = float(np.abs(finite).sum())
    finite -= center
    square = finite * finite
    return replace(
        counts,
        minimum=low,
        maximum=high,
        unit=unit,
        center=center,
        total=total,
        second=float(square.sum()),
        third=float(np.dot(square, finite)),
        fourth=float(np.dot(square, square)),
    )


def power_of_two(largest: float) -> float:
    """A power of two near `largest`; the smallest for 0, which is then no obstacle to any other when merged."""
    lowest, highest = EXPONENTS
    return 2.0 ** (min(max(math.frexp(largest)[1], lowest), highest) if largest else lowest)


def pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, flat.size, PIECE):
        yield flat[start : start + PIECE].astype(np.float64, copy=False)
