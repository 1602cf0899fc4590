"""Numbers of one tensor: moments, which are gathered block by block and merge; order statistics; norms along axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

__all__ = [
    "NEAR_ZERO",
    "QUANTILES",
    "Measures",
    "Moments",
    "axis_norms",
    "measure",
    "measure_blocks",
    "merge",
    "moments",
]

# In percent.
QUANTILES = (0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)
NEAR_ZERO = 1e-3

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


@dataclass(frozen=True)
class Measures(Moments):
    """What two looks at a tensor tell: its `Moments`, and what depends on all values at once.

    Attributes
    ----------
    quantiles : tuple of float
        At `QUANTILES` percent, interpolated linearly between neighbours, numpy's default.
    near_zeros : int
        Finite elements whose magnitude is below `near_zero_threshold`. Exact zeros always count.
    near_zero_threshold : float
        A share of the root mean square.
    """

    quantiles: tuple[float, ...] = (math.nan,) * len(QUANTILES)
    near_zeros: int = 0
    near_zero_threshold: float = math.nan


def measure(values: np.ndarray, near_zero: float = NEAR_ZERO) -> Measures:
    """The measures of an array of any shape and real dtype, as in float64.

    Parameters
    ----------
    values : numpy.ndarray
    near_zero : float
        Elements with a magnitude below this share of the root mean square are near zero.
    """
    return measure_blocks([values], near_zero)


def measure_blocks(blocks: Iterable[np.ndarray], near_zero: float = NEAR_ZERO) -> Measures:
    """The measures of an array that comes in pieces. All are kept until the end, for the quantiles."""
    found, kept = Moments(), []
    for block in blocks:
        flat = block.reshape(-1)
        for piece in _pieces(flat):
            found = merge(found, moments(piece))
        finite = np.isfinite(flat)
        kept.append(flat if finite.all() else flat[finite])
    # A copy even of a single block, because finding order statistics moves the values about.
    pool = np.concatenate(kept) if kept else np.empty(0)
    del kept
    threshold = near_zero * found.rms
    below = sum(int(np.count_nonzero(np.abs(piece) < threshold)) for piece in _pieces(pool))
    return Measures(
        **vars(found),
        quantiles=_quantiles(pool),
        near_zeros=max(below, found.zeros),
        near_zero_threshold=threshold,
    )


def moments(values: np.ndarray) -> Moments:
    """The moments of an array of any shape and real dtype; it is copied to float64 as a whole."""
    flat = values.reshape(-1).astype(np.float64, copy=False)
    # A copy, so it may be worked on in place.
    finite = flat[np.isfinite(flat)]
    nan = int(np.count_nonzero(np.isnan(flat)))
    counts = Moments(flat.size, nan, flat.size - finite.size - nan, flat.size - int(np.count_nonzero(flat)))
    if not finite.size:
        return counts
    low, high = float(finite.min()), float(finite.max())
    unit = _unit(max(-low, high))
    finite /= unit
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


def axis_norms(values: np.ndarray, keep: tuple[int, ...]) -> np.ndarray:
    """Euclidean norms √Σw² over all axes but those of `keep`: of every unit, filter or head.

    Parameters
    ----------
    values : numpy.ndarray
        Any shape and real dtype. NaN and Inf are left out.
    keep : tuple of int
        Distinct axes of `values`.

    Returns
    -------
    numpy.ndarray
        Float64; its axes are those of `keep`, in that order. NaN where there is no finite element.
    """
    kept = tuple(range(values.ndim)[axis] for axis in keep)
    shape = tuple(values.shape[axis] for axis in kept)
    count = math.prod(shape)
    rows = np.moveaxis(values, kept, range(len(kept))).reshape(count, values.size // count if count else 0)
    norms, known = np.zeros(count), np.zeros(count, bool)
    across = max(1, min(PIECE, rows.shape[1]))
    down = max(1, PIECE // across)
    for top in range(0, count, down):
        band = slice(top, top + down)
        for left in range(0, rows.shape[1], across):
            piece = rows[band, left : left + across].astype(np.float64)
            finite = np.isfinite(piece)
            known[band] |= finite.any(axis=1)
            with np.errstate(over="ignore"):
                norms[band] = np.hypot(norms[band], _row_norms(np.where(finite, piece, 0.0)))
    return np.where(known, norms, math.nan).reshape(shape)


def _row_norms(rows: np.ndarray) -> np.ndarray:
    # A unit for each row, lest the squares of a small one vanish beside those of a large one.
    exponents = np.frexp(np.abs(rows).max(axis=1))[1]
    units = np.ldexp(1.0, np.clip(exponents, *EXPONENTS))
    scaled = rows / units[:, np.newaxis]
    return np.sqrt(np.einsum("ij,ij->i", scaled, scaled)) * units


def _unit(largest: float) -> float:
    """A power of two near `largest`; the smallest for 0, which is then no obstacle to any other when merged."""
    lowest, highest = EXPONENTS
    return 2.0 ** (min(max(math.frexp(largest)[1], lowest), highest) if largest else lowest)


def _pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, flat.size, PIECE):
        yield flat[start : start + PIECE].astype(np.float64, copy=False)


def _quantiles(finite: np.ndarray) -> tuple[float, ...]:
    """Of an array without NaN and Inf, which is left in another order."""
    if not finite.size:
        return (math.nan,) * len(QUANTILES)
    places = np.array(QUANTILES) / 100 * (finite.size - 1)
    lower = np.floor(places).astype(np.intp)
    upper = np.minimum(lower + 1, finite.size - 1)
    finite.partition(np.unique([lower, upper]))
    low, high = finite[lower].astype(np.float64), finite[upper].astype(np.float64)
    # Halves, because the distance of two numbers may be beyond float64; from the nearer end, as numpy does.
    share = places - lower
    step = 2 * np.minimum(share, 1 - share) * (high / 2 - low / 2)
    found = np.where(share < 0.5, low + step, high - step)
    return tuple(found.tolist())
