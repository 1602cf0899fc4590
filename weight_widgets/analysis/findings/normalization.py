"""What a batch normalisation's scale and shift tell of the channels behind it."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["firing_rates", "small_gammas"]


def firing_rates(gamma: np.ndarray | None, beta: np.ndarray | None) -> np.ndarray:
    """How often each channel is expected to be above 0: Φ(β / |γ|).

    Parameters
    ----------
    gamma, beta : numpy.ndarray, optional
        Shape (channels,); None where the layer has none, which is 1 and 0. One of them is given.

    Returns
    -------
    numpy.ndarray
        Shape (channels,), float64; NaN where both are 0.

    Notes
    -----
    A normalised channel has mean β and standard deviation |γ|. That it is normal is assumed; of any other distribution
    it is above 0 at most with 1 / (1 + (β/γ)²), for β < 0 (Cantelli).
    """
    known = beta if gamma is None else gamma
    if known is None:
        raise ValueError("neither gamma nor beta is given")
    scale = np.abs(gamma.astype(np.float64)) if gamma is not None else np.ones(known.shape)
    shift = beta.astype(np.float64) if beta is not None else np.zeros(known.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = shift / scale
    return np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in ratio])


def small_gammas(gamma: np.ndarray, limit: float) -> np.ndarray:
    """The channels whose γ is near zero: below `limit` times the median, or 0; shape (found,), positions."""
    size = np.abs(gamma.astype(np.float64))
    return np.flatnonzero((size < limit * np.median(size)) | (size == 0))
