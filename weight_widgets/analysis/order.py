"""Order statistics without sorting everything: values are counted in cells, and only some cells are put in order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .moments import PIECE

__all__ = ["quantiles"]

CELLS = 1 << 16
# The upper half of a float32's bits as a number, from the most negative value up: with a sign it falls as they rise.
RISING = np.concatenate([np.arange(CELLS - 1, CELLS // 2 - 1, -1), np.arange(CELLS // 2)])


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
    counts = np.zeros(CELLS, np.int64)
    for keys in _keys(finite):
        counts += np.bincount(keys, minlength=CELLS)
    rising = counts[RISING]
    ends = np.cumsum(rising)
    wanted = np.zeros(CELLS, bool)
    wanted[np.searchsorted(ends, ranks, side="right")] = True
    # How many below each rank are not among those that are kept.
    left_out = np.cumsum(np.where(wanted, 0, rising))[np.searchsorted(ends, ranks, side="right")]
    chosen = np.empty(CELLS, bool)
    chosen[RISING] = wanted
    kept = np.concatenate([piece[chosen[keys]] for piece, keys in zip(_pieces(finite), _keys(finite), strict=True)])
    kept.partition(ranks - left_out)
    return kept[ranks - left_out].astype(np.float64)


def _pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    return (flat[start : start + PIECE] for start in range(0, flat.size, PIECE))


def _keys(flat: np.ndarray) -> Iterator[np.ndarray]:
    """The cell of each value, piece by piece.

    Rounding to float32 never turns two values round, so that it does for cells of every dtype.
    """
    for piece in _pieces(flat):
        with np.errstate(over="ignore"):
            single = np.ascontiguousarray(piece, np.float32)
        yield (single.view(np.uint32) >> 16).astype(np.uint16)
