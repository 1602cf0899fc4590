"""Axes without grid lines and with round ticks, alike in bqplot 0.12 and 0.13."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np

__all__ = ["horizontal_axis", "powers", "short_format", "single", "ticks", "vertical_axis"]

# A logarithmic axis with no more powers of ten than this would have two ticks or none.
FEW_POWERS = 3


def horizontal_axis(scale: bqplot.Scale, **settings: Any) -> bqplot.Axis:
    return bqplot.Axis(scale=scale, grid_lines="none", **settings)


def vertical_axis(scale: bqplot.Scale, side: str = "left", **settings: Any) -> bqplot.Axis:
    axis = bqplot.Axis(scale=scale, side=side, grid_lines="none", **settings)
    # As an argument bqplot 0.13 warns of it; bqplot 0.12 does not derive it from the side.
    axis.orientation = "vertical"
    return axis


def short_format(reach: float) -> str:
    """A d3 format for an axis whose largest value is `reach`: with an exponent where the digits would not fit."""
    return "~g" if reach == 0 or 1e-3 <= reach < 1e4 else ".1~e"


def single(values: np.ndarray) -> np.ndarray:
    """Values as float32, the browser's and bqplot's; what is finite stays finite."""
    most = np.finfo(np.float32).max
    return np.where(np.isfinite(values), np.clip(values, -most, most), values).astype("<f4")


def ticks(low: float, high: float, whole: bool = False, most: int = 5) -> np.ndarray:
    """About `most` round numbers between two ends; with `whole` no fractions: rows and counts have none.

    bqplot's own choice is either crowded or, given a number of ticks, not round.
    """
    rough = max((high - low) / (most - 1), 1.0 if whole else np.finfo(float).tiny)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step


def powers(low: float, high: float) -> np.ndarray:
    """The powers of ten between two ends, for a logarithmic axis; with twice and five times them where they are few.

    Within less than a power of ten other round numbers say more.
    """
    found = 10.0 ** np.arange(np.floor(np.log10(low)), np.floor(np.log10(high)) + 1)
    if len(found) <= FEW_POWERS:
        found = np.multiply.outer(found, (1, 2, 5)).ravel()
    found = found[(found >= low) & (found <= high)]
    return found if len(found) > 2 else ticks(low, high)
