"""All singular values of a matrix, or an error: never numbers that are none of its."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

__all__ = ["LONG", "exact"]

# Of a matrix this many times longer than it is wide only the triangle is decomposed.
LONG = 8


def exact(matrix: np.ndarray) -> np.ndarray:
    """All singular values, falling.

    numpy's function, for scipy's holds Python's lock: the thread that looks for the parent could not end the process.

    Raises
    ------
    MemoryError
    """
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    values = np.linalg.svd(_triangle(matrix) if len(matrix) >= LONG * matrix.shape[1] else matrix, compute_uv=False)
    # Up to numpy 2.0 it says nothing when it gets no memory, and what it gives back is whatever was there.
    norm = math.sqrt(sum(float(np.square(piece, dtype=np.float64).sum()) for piece in _pieces(matrix)))
    if math.isfinite(norm) and not math.isclose(float(np.linalg.norm(values)), norm, rel_tol=1e-6):
        raise MemoryError
    return values


def _triangle(matrix: np.ndarray) -> np.ndarray:
    """R of the matrix's QR decomposition, which has its singular values, from a few rows at a time.

    Demmel, Grigori, Hoemmen and Langou, "Communication-optimal parallel and sequential QR and LU factorizations"
    (2012), section 3: as stable as the decomposition in one piece.
    """
    triangle = np.empty((0, matrix.shape[1]))
    for piece in _pieces(matrix):
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, piece]), mode="r"))
    return triangle


def _pieces(matrix: np.ndarray) -> Iterator[np.ndarray]:
    step = LONG * matrix.shape[1]
    return (matrix[top : top + step] for top in range(0, len(matrix), step))
