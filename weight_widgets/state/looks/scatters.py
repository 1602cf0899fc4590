"""A's weights against B's, counted in cells."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.pair_summary import Scattered
from ...errors import WeightWidgetsError
from ...reading.arrangements import MATRIX
from ..selection import Pick, find
from .kept import scattered_of
from .pictures import same_axes
from .values import Check, Opened, lack

__all__ = ["Scatter", "look_at_scatter"]


@dataclass(frozen=True)
class Scatter:
    """What is picked in Model A against the same in Model B; `why` says why there is nothing to show."""

    pick: Pick
    found: Scattered | None
    why: str
    notes: tuple[str, ...] = ()


def look_at_scatter(opened: Opened, pick: Pick, check: Check) -> Scatter:
    """Every weight of Model A against the one in the same place of Model B."""
    a, b = (find(opened[label], pick) for label in (pick.reference, pick.other))
    if a is None or b is None:
        lacking = pick.reference if a is None else pick.other
        return Scatter(pick, None, lack(opened[lacking], lacking, pick))
    if a.shape != b.shape:
        sizes = " and ".join(" × ".join(map(str, tensor.shape)) or "a single number" for tensor in (a, b))
        return Scatter(pick, None, f"The shapes differ: {sizes}")
    if not same_axes(a.structure, b.structure, MATRIX):
        return Scatter(pick, None, "The axes mean other things")
    if not a.size:
        return Scatter(pick, None, "The tensor is empty")
    try:
        return Scatter(pick, scattered_of(a, b, check), "")
    except WeightWidgetsError as error:
        return Scatter(pick, None, str(error), (f"{pick.address}: {error}",))
