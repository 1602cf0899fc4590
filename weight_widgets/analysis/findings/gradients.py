"""What an optimizer's first and second moments tell of the gradients that a layer has seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Gradients", "gradients_of", "silent_steps", "untouched_rows", "update_ratio"]


@dataclass(frozen=True, eq=False)
class Gradients:
    """Of each unit, over the inputs that are not always 0 and the bias.

    Attributes
    ----------
    second : numpy.ndarray
        Shape (units,): mean second moment by the median of the units that have one. All 0 where none has.
    first : numpy.ndarray
        Shape (units,): largest first moment by the root of the largest second; NaN without first moments.
    typical : float
        The median itself; 0 where no unit has any.
    always_zero : int
        Inputs without any gradient: those that are always 0.
    """

    second: np.ndarray
    first: np.ndarray
    typical: float
    always_zero: int


def gradients_of(
    velocity: np.ndarray,
    momentum: np.ndarray | None = None,
    bias_velocity: np.ndarray | None = None,
    bias_momentum: np.ndarray | None = None,
) -> Gradients:
    """How much gradient each unit has seen.

    Parameters
    ----------
    velocity, momentum : numpy.ndarray
        Shape (inputs, units): the mean square, and the mean, of the gradients of a kernel.
    bias_velocity, bias_momentum : numpy.ndarray, optional
        Shape (units,).

    Notes
    -----
    A ReLU that gives 0 passes no gradient on. Neither does an input that is 0, so that a row which is empty in all
    units tells of its input, and nothing of the units.
    """
    live = (velocity != 0).any(axis=1)
    second = _with_bias(velocity[live], bias_velocity)
    share = second.mean(axis=0) if len(second) else np.zeros(velocity.shape[1])
    seen = share[share > 0]
    typical = float(np.median(seen)) if seen.size else 0.0
    first = np.full(share.shape, math.nan)
    if momentum is not None and len(second):
        largest = np.abs(_with_bias(momentum[live], bias_momentum)).max(axis=0)
        root = np.sqrt(second.max(axis=0))
        first = np.divide(largest, root, out=np.where(largest > 0, math.inf, 0.0), where=root > 0)
    relative = share / typical if typical else share
    return Gradients(relative, first, typical, int(np.count_nonzero(~live)))


def _with_bias(kernel: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    rows = kernel.astype(np.float64)
    return rows if bias is None else np.concatenate([rows, bias.astype(np.float64)[np.newaxis]])


def silent_steps(first: float, decay: float) -> float:
    """After how many steps without a gradient a first moment has faded to this share of the second's root."""
    return math.inf if first <= 0 or not 0 < decay < 1 else math.log(first) / math.log(decay)


def untouched_rows(velocity: np.ndarray, momentum: np.ndarray | None) -> np.ndarray:
    """The rows of a table whose moments are exactly 0, while others are not; shape (rows,), positions."""
    touched = (velocity != 0).any(axis=1)
    if momentum is not None:
        touched |= (momentum != 0).any(axis=1)
    return np.flatnonzero(~touched) if touched.any() else np.empty(0, np.intp)


def update_ratio(
    weights: np.ndarray,
    momentum: np.ndarray,
    velocity: np.ndarray,
    rate: float,
    *,
    iteration: int,
    decays: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-7,
) -> float:
    """The relative size of Adam's last step: lr · ‖m̂ / (√v̂ + ε)‖ / ‖w‖; NaN where all weights are 0.

    Notes
    -----
    m̂ and v̂ are corrected for their start at 0, as Kingma and Ba, "Adam" (2015) do; Keras adds ε before.
    """
    m, v = momentum.astype(np.float64), velocity.astype(np.float64)
    scale = math.sqrt(1 - decays[1] ** iteration) / (1 - decays[0] ** iteration)
    with np.errstate(all="ignore"):
        step = rate * scale * float(np.linalg.norm(m / (np.sqrt(v) + epsilon)))
        norm = float(np.linalg.norm(weights.astype(np.float64)))
    return step / norm if norm else math.nan
