"""All singular values of a matrix, or an error: never numbers that are none of its."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["exact"]


def exact(matrix: np.ndarray) -> np.ndarray:
    """All singular values, falling.

    numpy's function, for scipy's holds Python's lock: the thread that looks for the parent could not end the process.

    Raises
    ------
    MemoryError
    """
    values = np.linalg.svd(matrix, compute_uv=False)
    # Up to numpy 2.0 it says nothing when it gets no memory, and what it gives back is whatever was there.
    norm = float(np.linalg.norm(matrix))
    if math.isfinite(norm) and not math.isclose(float(np.linalg.norm(values)), norm, rel_tol=1e-6):
        raise MemoryError
    return values
