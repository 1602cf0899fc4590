"""Values that stand out of a weight, and weights that stand out of their initializer's scale."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["NORMAL", "farthest"]

# Median distance from the median of a normal distribution, in standard deviations.
NORMAL = 0.6744897501960817


def farthest(values: np.ndarray) -> tuple[float, int]:
    """How many robust standard deviations the farthest value is from the median, and where it is.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (n,), finite.

    Returns
    -------
    float, int
        The modified z-score |w − median| · 0.6745 / MAD of Iglewicz and Hoaglin, "How to detect and handle outliers"
        (1993); NaN where half of the values or more are equal, so that there is no spread to measure by.
    """
    if not values.size:
        return math.nan, 0
    distance = np.abs(values - np.median(values.astype(np.float64)))
    spread = float(np.median(distance))
    place = int(distance.argmax())
    return (float(distance[place] * NORMAL / spread), place) if spread else (math.nan, place)
