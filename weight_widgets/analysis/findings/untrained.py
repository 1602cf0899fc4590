"""Weights that are exactly what an initializer makes, so that no step of training can have changed them."""

from __future__ import annotations

import numpy as np

__all__ = ["is_forgetful_start", "is_fresh_normalization", "orthogonality"]


def is_forgetful_start(bias: np.ndarray) -> bool:
    """Whether the bias of an LSTM is 0 in all gates but exactly 1 in the second one, the forget gate."""
    if bias.ndim != 1 or not bias.size or bias.size % 4:
        return False
    gates = bias.reshape(4, -1)
    return bool((gates[1] == 1).all() and not gates[[0, 2, 3]].any())


def is_fresh_normalization(
    gamma: np.ndarray | None, beta: np.ndarray | None, mean: np.ndarray, variance: np.ndarray
) -> bool:
    """Whether a batch normalisation is exactly (1, 0, 0, 1): it has seen no data, not even without training."""
    scaled = gamma is None or bool((gamma == 1).all())
    return scaled and (beta is None or not beta.any()) and not mean.any() and bool((variance == 1).all())


def orthogonality(matrix: np.ndarray, gain: float = 1.0) -> float:
    """The largest element of |QᵀQ − I| with Q = `matrix` / `gain`, over the smaller of its two sides."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    rows = wide.astype(np.float64) / gain
    product = rows @ rows.T
    product[np.diag_indices_from(product)] -= 1
    return float(np.abs(product).max())
