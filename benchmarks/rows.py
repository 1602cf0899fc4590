"""What a row of the goals is: an action of ours against others, or a quantity with a bound; and how it is printed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from timing import Action, interleaved, ratio

__all__ = ["HEAD", "NOISE", "Line", "Quantity", "Race", "lines_of_race"]

# Two medians of one run may differ by so much without a reason.
NOISE = 1.3
HEAD = "| action | ours | against | took | ratio (of the shortest) | goal | |\n|---|---:|---|---:|---:|---:|---|"


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    action: str
    ours: str
    against: str = ""
    took: str = ""
    ratio: str = ""
    goal: str = ""
    mark: str = ""

    def __str__(self) -> str:
        cells = (self.action, self.ours, self.against, self.took, self.ratio, self.goal, self.mark)
        return "| " + " | ".join(cells) + " |"


@dataclass(frozen=True)
class Race:
    """One action of ours, and others that it is held against.

    Attributes
    ----------
    ours : callable
    against : mapping of str to callable
    goals : mapping of str to float
        The largest ratio of ours to the other that is good enough; those without one are told alone.
    repeats : int
        How often at most, for what takes seconds.
    """

    action: str
    ours: Action
    against: Mapping[str, Action]
    goals: Mapping[str, float] = field(default_factory=dict)
    repeats: int = 100


@dataclass(frozen=True)
class Quantity:
    """Something that is measured by itself, and what it may be at most."""

    action: str
    value: float
    unit: str
    goal: float | None = None

    @classmethod
    def of_times(cls, action: str, seconds: Sequence[float], goal: float | None = None) -> Quantity:
        """The median of some times, in milliseconds."""
        return cls(action, 1000 * statistics.median(seconds), "ms", goal)

    @classmethod
    def of_action(cls, action: str, do: Action, goal: float | None = None) -> Quantity:
        """The median of twenty rounds, in milliseconds."""
        return cls.of_times(action, interleaved({"": do}, 20)[""].each, goal)

    @property
    def line(self) -> Line:
        goal = "" if self.goal is None else f"≤ {self.goal:g} {self.unit}"
        return Line(self.action, f"{self.value:.3g} {self.unit}", goal=goal, mark=_mark(self.value, self.goal))


def lines_of_race(race: Race, repeats: int) -> list[Line]:
    times = interleaved({"": race.ours, **race.against}, min(repeats, race.repeats))
    ours = times.pop("")
    lines = []
    for name, other in times.items():
        middle, least = ratio(ours, other)
        goal = race.goals.get(name)
        lines.append(
            Line(
                race.action,
                _ms(ours.median),
                name,
                _ms(other.median),
                f"{_digits(middle)} ({_digits(least)})",
                "" if goal is None else f"≤ {_digits(goal)}",
                _mark(middle, goal),
            )
        )
    return lines


def _mark(value: float, goal: float | None) -> str:
    if goal is None:
        return ""
    if value <= goal:
        return "✓"
    return f"✓ within {NOISE} ×" if value <= NOISE * goal else "✗"


def _ms(seconds: float) -> str:
    return f"{_digits(1000 * seconds)} ms"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
