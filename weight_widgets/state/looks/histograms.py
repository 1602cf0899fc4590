"""The ticked checkpoints as histograms on shared edges, and what the initializer gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.comparison import overlay
from ...analysis.distribution import Distribution, Exact
from ...analysis.initial import Initial, initial_state
from ...analysis.moments import Moments
from ...analysis.sketches import Histogram
from ...reading.meanings import owner_of
from ..selection import Pick
from .kept import distributions_of
from .values import Check, Opened, values_of

__all__ = ["Curve", "Overlay", "look_at_histograms"]


@dataclass(frozen=True)
class Curve:
    """One checkpoint in the histogram; `initial` is what its weights were drawn from, where its file tells."""

    label: str
    histogram: Histogram
    moments: Moments
    initial: Initial | None


@dataclass(frozen=True)
class Expected:
    """The histogram that as many values as one checkpoint has would give if they came from its initializer."""

    label: str
    histogram: Histogram


@dataclass(frozen=True)
class Overlay:
    pick: Pick
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]
    expected: Expected | None = None


def look_at_histograms(
    opened: Opened, pick: Pick, check: Check, bins: int, clip: float, exact: bool = False
) -> Overlay:
    """The ticked checkpoints on shared edges; `check` raises when the result is no longer wanted.

    A large tensor is counted in one pass, so that some of its values may stand in a neighbouring bin, unless `exact`.
    """
    values: Mapping[str, Distribution]
    if exact:
        arrays, notes = values_of(opened, pick, pick.checkpoints, check)
        values = {label: Exact(array) for label, array in arrays.items()}
    else:
        values, notes = distributions_of(opened, pick, pick.checkpoints, check)
    histograms = overlay(values, bins, clip)
    curves = []
    for label, found in values.items():
        check()
        curves.append(Curve(label, histograms[label], found.moments, _initial(opened, label, pick)))
    return Overlay(pick, tuple(curves), notes, _expected({curve.label: curve for curve in curves}, pick))


def _initial(opened: Opened, label: str, pick: Pick) -> Initial | None:
    layer = opened[label][pick.layer]
    class_name, config = owner_of(layer.class_name, layer.config, pick.tensor.rpartition("/")[0])
    if not layer.config:
        # An assumed class says nothing of the initializer that was chosen.
        return None
    return initial_state(class_name, config, pick.tensor, layer[pick.tensor].shape, pick.part)


def _expected(curves: Mapping[str, Curve], pick: Pick) -> Expected | None:
    """Of Model A where it has one, else of the first that has."""
    known = [curve for curve in curves.values() if curve.initial is not None]
    first = next((curve for curve in known if curve.label == pick.reference), known[0] if known else None)
    if first is None or first.initial is None:
        return None
    edges = first.histogram.edges
    counts = first.initial.expected_counts(edges, first.moments.finite)
    return Expected(first.label, Histogram(edges, counts, int(first.moments.finite - np.sum(counts))))
