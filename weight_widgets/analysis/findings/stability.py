"""How far a weight moves from one checkpoint of a run to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ..pairs import PairMoments

__all__ = ["MIN_STEPS", "are_one_run", "jumps", "relative_step"]

# A median of fewer steps is none.
MIN_STEPS = 4
# Weights of two starts are √2 of their norm apart, for they are at right angles.
UNRELATED = 0.7
# A jump rises above the step before it as well: the first steps of any run are its largest.
RISE = 2.0


def relative_step(pair: PairMoments) -> float:
    """‖after − before‖ / ‖before‖; NaN where something is not finite, or `before` is 0."""
    change = pair.relative_change if pair.finite == pair.size else math.nan
    return change if math.isfinite(change) else math.nan


def are_one_run(steps: Sequence[float]) -> bool:
    """Whether a weight moves so little as a rule that its checkpoints can be those of one run."""
    moved = _moves(steps)
    return not moved or float(np.median(moved)) < UNRELATED


def jumps(steps: Sequence[float], factor: float) -> list[tuple[int, float]]:
    """The steps that are more than `factor` times the run's median, and more than twice the step before.

    Returns
    -------
    list of (int, float)
        Position, and the line that it is beyond. Empty for fewer than `MIN_STEPS` steps above 0; NaN is left out.
    """
    moved = _moves(steps)
    if len(moved) < MIN_STEPS:
        return []
    line = factor * float(np.median(moved))
    return [
        (place, line)
        for place, (before, step) in enumerate(itertools.pairwise(steps), 1)
        if step > line and step > RISE * before
    ]


def _moves(steps: Sequence[float]) -> list[float]:
    return [step for step in steps if step > 0]
