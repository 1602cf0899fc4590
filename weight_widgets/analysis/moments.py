"""What one pass over a tensor tells; gathered piece by piece, and mergeable."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

__all__ = [
    "EXPONENTS",
    "RUN",
    "Moments",
    "extremes",
    "finite_moments",
    "in_pieces",
    "merge",
    "moments",
    "order_dtype",
    "piece_moments",
    "power_of_two",
    "sorted_run",
    "typical",
    "zeros_in",
]

# Elements that are put in order at a time, and that are copied to float64: few enough for the processor's cache.
RUN = 1 << 17
PIECE = 1 << 16
LINE = 1 << 13
# Of a piece about so many values tell what most are near.
SAMPLE = 1 << 10
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
    pieces = in_pieces(values.reshape(-1), RUN)
    return reduce(merge, (piece_moments(piece, *extremes(piece), zeros_in(piece)) for piece in pieces), Moments())


def zeros_in(piece: np.ndarray) -> int:
    return piece.size - int(np.count_nonzero(piece))


def extremes(piece: np.ndarray) -> tuple[float, float, float]:
    """The smallest and the largest value of an array that is not empty, and the sum of all."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.fmin.reduce(piece)), float(np.fmax.reduce(piece)), float(piece.sum(dtype=np.float64))


def piece_moments(piece: np.ndarray, low: float, high: float, total: float, zeros: int = 0) -> Moments:
    """The moments of an array of one dimension that is not empty, whose `extremes` and number of zeros are known."""
    if math.isfinite(total) and math.isfinite(low) and math.isfinite(high):
        return finite_moments(Moments(piece.size, zeros=zeros), piece, low, high, total / piece.size)
    finite = piece[np.isfinite(piece)]
    nan = int(np.count_nonzero(np.isnan(piece)))
    counts = Moments(piece.size, nan, piece.size - finite.size - nan, zeros)
    if not finite.size:
        return counts
    return finite_moments(counts, finite, float(finite.min()), float(finite.max()), typical(finite))


def typical(finite: np.ndarray) -> float:
    """A value that most are near: the median of some of them, where their sum may be beyond float64."""
    some = np.sort(finite[:: max(1, finite.size // SAMPLE)])
    return float(some[some.size // 2])


def order_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Float32 or float64, whichever holds the values: these are put in order fast, and compare with float64."""
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def sorted_run(values: np.ndarray) -> np.ndarray:
    """The finite values of an array of one dimension in rising order, in its own memory."""
    values.sort()
    if not values.size or (math.isfinite(values[0]) and math.isfinite(values[-1])):
        return values
    start = np.searchsorted(values, values.dtype.type(-math.inf), "right")
    return values[start : np.searchsorted(values, values.dtype.type(math.inf))]


def finite_moments(counts: Moments, finite: np.ndarray, low: float, high: float, about: float) -> Moments:
    """Moments with the counts of others, and the rest of finite values in any order.

    Parameters
    ----------
    counts : Moments
    finite : numpy.ndarray
        Shape (n,), n > 0.
    low, high : float
        The smallest and the largest of them.
    about : float
        A number that most of them are near, such as the median. What it differs from the mean is set right.
    """
    # Of float32 even fourth powers stay within float64.
    unit = 1.0 if finite.dtype == np.float32 else power_of_two(max(-low, high))
    about /= unit
    total = first = second = third = fourth = 0.0
    # The same memory for all pieces: new one would have to be cleared each time.
    memory = np.empty((2, min(PIECE, finite.size)))
    for piece in in_pieces(finite, PIECE):
        apart, square = memory[:, : piece.size]
        np.copyto(apart, piece)
        if unit != 1:
            apart *= 1 / unit
        total += float(np.abs(apart, out=square).sum())
        apart -= about
        np.multiply(apart, apart, out=square)
        first += float(apart.sum())
        second += _dot(apart, apart)
        third += _dot(square, apart)
        fourth += _dot(square, square)
    step = first / finite.size
    return replace(
        counts,
        minimum=low,
        maximum=high,
        unit=unit,
        # Rounding must not carry the mean past the values: of equal elements it is their very value.
        center=min(max(about + step, low / unit), high / unit),
        total=total,
        second=max(0.0, second - first * step),
        third=third - 3 * step * second + 2 * step**2 * first,
        fourth=max(0.0, fourth - 4 * step * third + 6 * step**2 * second - 3 * step**3 * first),
    )


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


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """The scalar product, in lines: of longer ones numpy's library starts threads of its own."""
    whole = a.size // LINE * LINE
    lines = np.matmul(a[:whole].reshape(-1, 1, LINE), b[:whole].reshape(-1, LINE, 1))
    rest = np.dot(a[whole:], b[whole:]) if whole < a.size else 0.0
    return float(lines.sum() + rest)


def power_of_two(largest: float) -> float:
    """A power of two near `largest`; the smallest for 0, which is then no obstacle to any other when merged."""
    lowest, highest = EXPONENTS
    return 2.0 ** (min(max(math.frexp(largest)[1], lowest), highest) if largest else lowest)


def in_pieces(flat: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (flat[start : start + size] for start in range(0, flat.size, size))
