"""How tall the bars of a histogram are."""

from __future__ import annotations

import numpy as np

from ..analysis.histograms import Histogram

__all__ = ["EMPTY_BIN", "bar_heights"]

# On a logarithmic axis an empty bin has no place; half a count lies just below the smallest that can occur.
EMPTY_BIN = 0.5


def bar_heights(histogram: Histogram, log: bool, density: bool) -> np.ndarray:
    """How tall the bars are; on a logarithmic axis none is as low as zero."""
    heights = histogram.density if density else histogram.counts.astype(np.float64)
    if not log:
        return heights
    per_count = 1.0
    if density and (total := histogram.counts.sum()):
        per_count = 1.0 / float(total * np.diff(histogram.edges).max())
    return np.maximum(heights, EMPTY_BIN * per_count)
