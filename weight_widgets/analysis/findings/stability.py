"""How far a weight moves from one checkpoint of a run to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

__all__ = ["MIN_STEPS", "are_one_run", "jumps", "relative_step"]

# A median of fewer steps is none.
MIN_STEPS = 4
# Weights of two starts are √2 of their norm apart, for they are at right angles.
UNRELATED = 0.7
# A jump rises above the step before it as well: the first steps of any run are its largest.
RISE = 2.0


def relative_step(before: np.ndarray, after: np.ndarray) -> float:
    """‖after − before‖ / ‖before‖; Inf where `after` is not finite, NaN where `before` is 0 or not finite."""
    old = before.astype(np.float64)
    norm = float(np.linalg.norm(old))
    if not norm or not math.isfinite(norm):
        return math.nan
    with np.errstate(invalid="ignore", over="ignore"):
        moved = float(np.linalg.norm(after.astype(np.float64) - old))
    return moved / norm if math.isfinite(moved) else math.inf


def are_one_run(steps: Sequence[float]) -> bool:
    """Whether a weight moves so little as a rule that its checkpoints can be those of one run."""
    moved = _moves(steps)
    return not moved or float(np.median(moved)) < UNRELATED


def jumps(steps: Sequence[float], factor: float) -> list[tuple[int, float]]:
    """The steps that are more than `factor` times the run's median, and more than twice the step before.

    Returns
    -------
    list of (int, float)
        Position, and the line that it is beyond. Empty for fewer than `MIN_STEPS` finite steps above 0.
    """
    moved = _moves(steps)
    if len(moved) < MIN_STEPS:
        return []
    line = factor * float(np.median(moved))
    return [
        (place, line)
        for place, (before, step) in enumerate(itertools.pairwise(steps), 1)
        if step > line and not step <= RISE * before
    ]


def _moves(steps: Sequence[float]) -> list[float]:
    return [step for step in steps if 0 < step < math.inf]
