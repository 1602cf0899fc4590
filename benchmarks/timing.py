"""Actions timed in turn, so that what else the machine does meanwhile strikes all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Action", "Times", "interleaved", "ratio"]

Action = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """Seconds that each repeat took."""

    each: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.each)

    @property
    def least(self) -> float:
        return min(self.each)


def interleaved(actions: Mapping[str, Action], repeats: int) -> dict[str, Times]:
    """The times of some actions by name, one round after the other; each ran once before."""
    for action in actions.values():
        action()
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            taken[name].append(time.perf_counter() - start)
    return {name: Times(tuple(times)) for name, times in taken.items()}


def ratio(ours: Times, other: Times) -> tuple[float, float]:
    """The median of the ratios of the rounds, and the ratio of the two shortest times."""
    pairs = zip(ours.each, other.each, strict=True)
    return statistics.median(one / two for one, two in pairs), ours.least / other.least
