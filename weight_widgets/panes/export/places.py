"""From the values of a bqplot figure to places in its plot, in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import bqplot
import numpy as np

__all__ = ["Along", "Area"]

Along = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Area:
    """Where the marks are: a figure without its margins, in pixels; y runs down."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def within(cls, width: float, height: float, margin: Mapping[str, float]) -> Area:
        return cls(margin["left"], margin["top"], width - margin["right"], height - margin["bottom"])

    @property
    def rectangle(self) -> dict[str, float]:
        """As the attributes of SVG's."""
        return {
            "x": self.left,
            "y": self.top,
            "width": self.right - self.left,
            "height": self.bottom - self.top,
        }

    def across(self, scale: bqplot.Scale) -> Along:
        return _along(scale, self.left, self.right)

    def upwards(self, scale: bqplot.Scale) -> Along:
        return _along(scale, self.bottom, self.top)

    def down_to_its_bottom(self, points: np.ndarray) -> np.ndarray:
        """The outline of what lies under a line; shape (points, 2)."""
        ends = [[points[-1, 0], self.bottom], [points[0, 0], self.bottom]]
        return np.concatenate([points, ends])


def _along(scale: bqplot.Scale, start: float, end: float) -> Along:
    low, high = float(scale.min), float(scale.max)
    if isinstance(scale, bqplot.LogScale):
        return lambda values: start + (end - start) * np.log(values / low) / np.log(high / low)
    # The distance of the largest numbers that there are would be none.
    reach = max(abs(low), abs(high)) or 1.0
    low, high = low / reach, high / reach
    return lambda values: start + (end - start) * (values / reach - low) / ((high - low) or 1.0)
