"""Numbers of one tensor: its moments, order statistics, and norms along its axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .distribution import Distribution
from .moments import (
    EXPONENTS,
    RUN,
    Moments,
    extremes,
    in_pieces,
    merge,
    order_dtype,
    piece_moments,
    sorted_run,
    zeros_in,
)
from .runs import Runs

__all__ = [
    "NEAR_ZERO",
    "QUANTILES",
    "Measures",
    "axis_norms",
    "kept",
    "measure",
    "measures_of",
]

# Elements that are copied to float64 at a time.
PIECE = 1 << 17

# In percent.
QUANTILES = (0.1, 1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)
NEAR_ZERO = 1e-3


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
    exact : bool
        Whether quantiles, near zeros, `total`, `third` and `fourth` are those of all values, and not only near.
    """

    quantiles: tuple[float, ...] = (math.nan,) * len(QUANTILES)
    near_zeros: int = 0
    near_zero_threshold: float = math.nan
    exact: bool = True


def measure(values: np.ndarray, near_zero: float = NEAR_ZERO) -> Measures:
    """The measures of an array of any shape and real dtype, as in float64.

    Parameters
    ----------
    values : numpy.ndarray
    near_zero : float
        Elements with a magnitude below this share of the root mean square are near zero.
    """
    moments, runs = kept(in_pieces(values.reshape(-1), RUN))
    return measures_of(moments, runs, near_zero)


def kept(pieces: Iterable[np.ndarray]) -> tuple[Moments, Runs]:
    """The moments of an array and its finite values in order, from pieces of one dimension and at most `RUN`."""
    moments, runs = Moments(), []
    for piece in pieces:
        moments = merge(moments, piece_moments(piece, *extremes(piece), zeros_in(piece)))
        run = sorted_run(piece.astype(order_dtype(piece.dtype)))
        if run.size:
            runs.append(run)
    return moments, Runs(tuple(runs))


def measures_of(moments: Moments, values: Distribution, near_zero: float) -> Measures:
    """Measures of what was looked at before, as exact as that was."""
    threshold = near_zero * moments.rms
    return Measures(
        **vars(moments),
        quantiles=tuple(values.quantiles(QUANTILES).tolist()),
        near_zeros=max(values.within(threshold) if threshold > 0 else 0, moments.zeros),
        near_zero_threshold=threshold,
        exact=values.exact,
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
