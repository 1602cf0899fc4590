"""Order statistics without sorting everything: values are counted in cells, and only some cells are put in order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .cells import CELLS, RISING, cell_of, count_cells
from .moments import PIECE

__all__ = ["quantiles"]


def quantiles(finite: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Quantiles, interpolated linearly between neighbours as numpy does by default.

    Parameters
    ----------
    finite : numpy.ndarray
        Shape (n,), any real dtype, without NaN and Inf. It is only read.
    percents : sequence of float
        From 0 to 100.

    Returns
    -------
    numpy.ndarray
        Float64, one for each percentage; NaN where n is 0.
    """
    if not finite.size:
        return np.full(len(percents), math.nan)
    places = np.array(percents) / 100 * (finite.size - 1)
    lower = np.floor(places).astype(np.int64)
    upper = np.minimum(lower + 1, finite.size - 1)
    ranks, back = np.unique([lower, upper], return_inverse=True)
    low, high = _ranked(finite, ranks)[back.reshape(2, -1)]
    # Halves, because the distance of two numbers may be beyond float64; from the nearer end, as numpy does.
    share = places - lower
    step = 2 * np.minimum(share, 1 - share) * (high / 2 - low / 2)
    return np.where(share < 0.5, low + step, high - step)


def _ranked(finite: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The values at these places of the sorted array, as float64."""
    if finite.size <= CELLS:
        return np.partition(finite, ranks)[ranks].astype(np.float64)
    rising = count_cells(finite)
    cells = np.searchsorted(np.cumsum(rising), ranks, side="right")
    wanted = np.zeros(CELLS, bool)
    wanted[cells] = True
    # How many below each rank are not among those that are kept.
    left_out = np.cumsum(np.where(wanted, 0, rising))[cells]
    chosen = np.empty(CELLS, bool)
    chosen[RISING] = wanted
    starts = range(0, finite.size, PIECE)
    pieces = (finite[start : start + PIECE] for start in starts)
    kept = np.concatenate([piece[chosen[cell_of(piece)]] for piece in pieces])
    kept.partition(ranks - left_out)
    return kept[ranks - left_out].astype(np.float64)
