"""A histogram of each row of a table, all of them counted at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .digests import Digests
from .histograms import histogram, shared_edges

__all__ = ["histogram_rows"]

# Where the range is this much smaller than the values, rounding of the edges counts.
NARROW = 1e-6
# Ranges of which a float32 holds what is computed.
SMALLEST, LARGEST = 1e-30, 1e30
# Of a bin, and more than rounding in float32 makes of it: nearer to an edge it is the edge itself that tells.
NEAR = 1e-4


def histogram_rows(rows: np.ndarray, digests: Digests, bins: int) -> np.ndarray:
    """Counts of the finite values of each row between `shared_edges` from its smallest to its largest.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (n, size), C-contiguous, float32 or float64.
    digests : Digests
        Those of the rows.
    bins : int
        At most 500.

    Returns
    -------
    numpy.ndarray
        Int64, shape (n, bins). Zeros where there is no finite value, or float64 does not hold the range.
    """
    low, high = digests.minimum, digests.maximum
    with np.errstate(over="ignore", invalid="ignore"):
        width = high - low
        plain = (width > NARROW * np.maximum(-low, high)) & (width > SMALLEST) & (width < LARGEST)
    plain &= digests.finite == digests.size
    if plain.all():
        return _counted(rows, low, high, bins)
    counts = np.zeros((len(rows), bins), np.int64)
    counts[plain] = _counted(rows[plain], low[plain], high[plain], bins)
    for place in np.flatnonzero(~plain & np.isfinite(width)).tolist():
        lowest, highest = float(low[place]), float(high[place])
        if lowest == highest:
            counts[place, _bin_of_constant(lowest, bins)] = digests.finite[place]
        else:
            counts[place] = histogram(rows[place], shared_edges(lowest, highest, bins)).counts
    return counts


def _counted(rows: np.ndarray, low: np.ndarray, high: np.ndarray, bins: int) -> np.ndarray:
    count, size = rows.shape
    places = rows - low.astype(rows.dtype)[:, np.newaxis]
    places *= (bins / (high - low)).astype(rows.dtype)[:, np.newaxis]
    indices = places.astype(np.int32)
    nearest = np.rint(places)
    places -= nearest
    near = np.flatnonzero(np.abs(places, out=places) < NEAR)
    if near.size:
        edges = np.linspace(low, high, bins + 1, axis=1)
        row, edge = near // size, nearest.reshape(-1)[near].astype(np.int64)
        below = rows.reshape(-1)[near] < edges[row, edge]
        # The last bin holds its upper edge.
        indices.reshape(-1)[near] = np.clip(edge - below, 0, bins - 1)
    indices += np.arange(0, count * bins, bins, dtype=np.int32)[:, np.newaxis]
    return np.bincount(indices.reshape(-1), minlength=count * bins).reshape(count, bins)


@lru_cache(maxsize=256)
def _bin_of_constant(value: float, bins: int) -> int:
    return int(np.argmax(histogram(np.array([value]), shared_edges(value, value, bins)).counts))
