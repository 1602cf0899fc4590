"""How far a weight moves from one checkpoint of a run to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

__all__ = ["MIN_STEPS", "jumps", "relative_step"]

# A median of fewer steps is none.
MIN_STEPS = 4
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


def jumps(steps: Sequence[float], factor: float) -> list[tuple[int, float]]:
    """The steps that are more than `factor` times the run's median, and more than twice the step before.

    Returns
    -------
    list of (int, float)
        Position, and the line that it is beyond. Empty for fewer than `MIN_STEPS` finite steps.
    """
    known = [step for step in steps if math.isfinite(step)]
    if len(known) < MIN_STEPS:
        return []
    line = factor * float(np.median(known))
    return [
        (place, line)
        for place, (before, step) in enumerate(itertools.pairwise(steps), 1)
        if step > line and not step <= RISE * before
    ]
