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
    3.9) is smallest. As in the authors' own program the empirical distribution is the share of values below x, and the
    largest value is no candidate.
    """
    x = np.sort(np.asarray(values, np.float64).ravel())
    starts = np.flatnonzero(np.diff(x, prepend=-np.inf))[:-1]
    if not starts.size:
        return None
    logs = np.log(x)
    # Sums of the logarithms from each start on, less those of the start itself.
    counts = x.size - starts
    sums = np.cumsum(logs[::-1])[::-1][starts] - counts * logs[starts]
    slopes = counts / sums
    distances = np.array([_distance(logs[start:], slope) for start, slope in zip(starts, slopes, strict=True)])
    best = int(np.argmin(distances))
    slope, tail = float(slopes[best]), int(counts[best])
    return PowerLaw(1 + slope, slope / tail**0.5, float(x[starts[best]]), tail, float(distances[best]))


def _distance(logs: np.ndarray, slope: float) -> float:
    expected = -np.expm1(-slope * (logs - logs[0]))
    return float(np.abs(expected - np.arange(logs.size) / logs.size).max())
