"""The power law that the upper end of some values follows best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["PowerLaw", "fit_power_law"]


@dataclass(frozen=True)
class PowerLaw:
    """p(x) ∝ x^−alpha for x ≥ xmin.

    Attributes
    ----------
    alpha : float
    se : float
        Standard error (alpha − 1) / √tail.
    xmin : float
        Where the power law begins.
    tail : int
        Values from xmin on.
    distance : float
        Kolmogorov–Smirnov distance between these values and the law: 0 for a perfect fit.
    """

    alpha: float
    se: float
    xmin: float
    tail: int
    distance: float


def fit_power_law(values: np.ndarray) -> PowerLaw | None:
    """Fit a continuous power law to positive values.

    Parameters
    ----------
    values : numpy.ndarray
        Positive and finite, of any shape.

    Returns
    -------
    PowerLaw or None
        None where there are fewer than two different values.

    Notes
    -----
    Clauset, Shalizi and Newman, "Power-law distributions in empirical data" (2009): for each value as xmin the maximum
    likelihood estimate alpha = 1 + n / Σ ln(x / xmin) (equation 3.1); of all these the one whose distance (equation
    3.9) is smallest. As in the authors' own program the empirical distribution counts the values that stand before x.
    """
    x = np.sort(np.asarray(values, np.float64).ravel())
    starts = np.flatnonzero(np.diff(x, prepend=-np.inf))
    fits = [fit for start in starts if (fit := _fit(x[start:])) is not None]
    return min(fits, key=lambda fit: fit.distance, default=None)


def _fit(tail: np.ndarray) -> PowerLaw | None:
    """The power law from the first of some rising values on; None where they are too near to be told apart."""
    # Of the ratios, since differences of logarithms lose the digits that values close to each other differ in.
    logs = np.log(tail / tail[0])
    total = float(logs.sum())
    if not total > 0:
        return None
    slope = tail.size / total
    expected = -np.expm1(-slope * logs)
    distance = float(np.abs(expected - np.arange(tail.size) / tail.size).max())
    return PowerLaw(1 + slope, slope / tail.size**0.5, float(tail[0]), tail.size, distance)
