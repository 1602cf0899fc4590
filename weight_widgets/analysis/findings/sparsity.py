"""Zeros of a weight, and how they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..moments import in_pieces

__all__ = ["Zeros", "near_share", "small_units", "zeros_of"]

# Elements that are taken to float64 at a time.
PIECE = 1 << 17


@dataclass(frozen=True, eq=False)
class Zeros:
    """Exact zeros of a matrix, units across.

    Attributes
    ----------
    share : float
        Of all elements.
    rows, units : numpy.ndarray
        Positions of the rows, and of the columns, that are zero as a whole.
    within : float
        Share of all elements that are zeros in whole rows or columns; the others are scattered.
    """

    share: float
    rows: np.ndarray
    units: np.ndarray
    within: float


def zeros_of(matrix: np.ndarray) -> Zeros:
    """The zeros of a matrix of shape (inputs, units)."""
    zero = matrix == 0
    rows, units = zero.all(axis=1), zero.all(axis=0)
    whole = matrix.size - np.count_nonzero(~rows) * np.count_nonzero(~units)
    size = max(matrix.size, 1)
    return Zeros(float(np.count_nonzero(zero)) / size, np.flatnonzero(rows), np.flatnonzero(units), whole / size)


def near_share(values: np.ndarray, factor: float = 1e-3) -> float:
    """Share of the elements that are not 0 and below `factor` times the root mean square of all."""
    flat = values.reshape(-1)
    total = sum(float(np.dot(piece, piece)) for piece in _pieces(flat))
    limit = factor * (total / max(flat.size, 1)) ** 0.5
    near = sum(int(np.count_nonzero((np.abs(piece) < limit) & (piece != 0))) for piece in _pieces(flat))
    return near / max(flat.size, 1)


def _pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    return (piece.astype(np.float64) for piece in in_pieces(flat, PIECE))


def small_units(norms: np.ndarray, limit: float) -> np.ndarray:
    """The units, not zero as a whole, whose norm is below `limit` times the median; positions."""
    return np.flatnonzero((norms < limit * np.median(norms)) & (norms > 0))
