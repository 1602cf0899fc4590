"""The numbers that the overview can show of a tensor, or of a tensor and the reference's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...analysis.digests import Digests
from ...analysis.pairs import PairMoments

__all__ = ["MEASURES", "Measure"]


@dataclass(frozen=True)
class Measure:
    """A number of a tensor, or of a tensor and the reference's.

    Parameters
    ----------
    key, label, hint : str
    of : callable, optional
        From numbers of n tensors to this one, shape (n,).
    between : callable, optional
        From a pair of tensors to this number.
    own : float
        Of the reference beside itself, where it is of a pair.
    limits : tuple of float, optional
        Of the colours; by default what the kernels have, from 0 on.
    most : float
        Their end, where the kernels have more.
    signed : bool
        Colours are centred at 0.
    percent : bool
    rare : bool
        0 nearly everywhere, so that the largest counts.
    """

    key: str
    label: str
    hint: str
    of: Callable[[Digests], np.ndarray] | None = None
    between: Callable[[PairMoments], float] | None = None
    own: float = 0.0
    limits: tuple[float, float] | None = None
    most: float = math.inf
    signed: bool = False
    percent: bool = False
    rare: bool = False


def _rms(found: Digests) -> np.ndarray:
    return np.hypot(found.mean, found.std)


def _largest(found: Digests) -> np.ndarray:
    return np.maximum(-found.minimum, found.maximum)


def _sparsity(found: Digests) -> np.ndarray:
    return np.where(found.size > 0, found.zeros / np.maximum(found.size, 1), np.nan)


MEASURES = (
    Measure(
        "relative_change",
        "relative change",
        "‖B − A‖ / ‖A‖ of each model against Model A",
        between=lambda pair: pair.relative_change,
        # Where independent weights of one size are.
        most=math.sqrt(2),
    ),
    Measure(
        "cosine",
        "cosine similarity",
        "⟨A, B⟩ / ‖A‖‖B‖ of each model and Model A",
        between=lambda pair: pair.cosine,
        own=1.0,
        limits=(-1.0, 1.0),
        signed=True,
    ),
    Measure("std", "std", "Standard deviation of the weights", lambda found: found.std),
    Measure("mean", "mean", "Mean of the weights", lambda found: found.mean, signed=True),
    Measure("rms", "root mean square", "L2 norm per weight: √(Σw² / n)", _rms),
    Measure("max_abs", "max |w|", "Largest magnitude", _largest),
    Measure("sparsity", "sparsity", "Share of exact zeros", _sparsity, percent=True, rare=True),
    Measure(
        "non_finite",
        "NaN and Inf",
        "Elements that are NaN or infinite",
        lambda found: (found.nan + found.inf).astype(np.float64),
        rare=True,
    ),
)
