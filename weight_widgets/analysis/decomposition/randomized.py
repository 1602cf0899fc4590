"""The largest singular values of a matrix that is too large for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .exact import exact

__all__ = ["OVERSAMPLING", "randomized"]

OVERSAMPLING, POWERS, PROBES, PROBE_POWERS = 20, 2, 10, 4
SEED = 0


def randomized(matrix: np.ndarray, rank: int, done: Callable[[float], None]) -> tuple[np.ndarray, float]:
    """Approximations of the `rank` largest singular values, from below.

    Parameters
    ----------
    matrix : numpy.ndarray
        Shape (rows, columns), float32 or float64, the largest magnitude from ½ to 1: the error is found by way of high
        powers, which have to stay in the range of the type.
    rank : int
    done : callable
        Told the share of the work that is done.

    Returns
    -------
    values : numpy.ndarray
        Shape (rank,), falling.
    error : float
        Every true singular value lies between its approximation s and √(s² + error²), with a probability of at least
        1 − 10⁻¹⁰.

    Notes
    -----
    Halko, Martinsson and Tropp, "Finding structure with randomness" (2011): algorithm 4.4 with two power iterations,
    and for the part R of the matrix outside of the range that was found their bound of its norm by random probes
    (lemma 4.1 with α = 10), taken of (R Rᵀ)⁴ R, whose norm is the ninth power of that of R. The two parts are
    orthogonal, so that their squares add up (Weyl's inequality).
    """
    generator = np.random.default_rng(SEED)
    size = min(rank + OVERSAMPLING, *matrix.shape)
    steps = 2 * POWERS + 3
    basis = _orthonormal(matrix @ _gaussian(generator, (matrix.shape[1], size), matrix.dtype))
    done(1 / steps)
    for power in range(POWERS):
        basis = _orthonormal(matrix.T @ basis)
        done((2 + 2 * power) / steps)
        basis = _orthonormal(matrix @ basis)
        done((3 + 2 * power) / steps)
    values = exact((basis.T @ matrix).astype(np.float64))
    done((steps - 1) / steps)
    return values[:rank], _norm_outside(matrix, basis, generator)


def _norm_outside(matrix: np.ndarray, basis: np.ndarray, generator: np.random.Generator) -> float:
    """A bound of the norm of the part of the matrix that is orthogonal to the basis."""

    def outside(vectors: np.ndarray) -> np.ndarray:
        return vectors - basis @ (basis.T @ vectors)

    probes = outside(matrix @ _gaussian(generator, (matrix.shape[1], PROBES), matrix.dtype))
    logarithm = 0.0
    for _ in range(PROBE_POWERS):
        # All by the same number, lest powers overflow.
        scale = float(np.abs(probes).max())
        if not scale:
            return 0.0
        logarithm += math.log(scale)
        probes = outside(matrix @ (matrix.T @ (probes / scale)))
    largest = float(np.sqrt(np.square(probes, dtype=np.float64).sum(axis=0)).max())
    if not largest:
        return 0.0
    return math.exp((math.log(10 * math.sqrt(2 / math.pi) * largest) + logarithm) / (2 * PROBE_POWERS + 1))


def _gaussian(generator: np.random.Generator, shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    return generator.standard_normal(shape).astype(dtype)


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    return np.linalg.qr(columns)[0]
