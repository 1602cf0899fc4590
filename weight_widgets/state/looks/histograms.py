"""The ticked checkpoints as histograms on shared edges, and what the initializer gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.comparison import overlay, overlay_edges
from ...analysis.exact import histogram_exactly
from ...analysis.histograms import Histogram
from ...analysis.initial import Initial, initial_state
from ...analysis.moments import Moments
from ...reading.meanings import owner_of
from ..selection import Pick
from .kept import summaries_of
from .values import Check, Opened, found_in

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
    """The histograms of what is picked; `sampled` is the smallest share of a tensor that was looked at."""

    pick: Pick
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]
    expected: Expected | None = None
    sampled: float = 1.0


def look_at_histograms(
    opened: Opened, pick: Pick, check: Check, bins: int, clip: float, exact: bool = False
) -> Iterator[Overlay]:
    """The ticked checkpoints on shared edges: of large tensors a sample first.

    A large tensor is counted in one pass, so that some of its values may stand in a neighbouring bin, unless `exact`.
    """
    for summaries, notes in summaries_of(opened, pick, pick.checkpoints, check):
        values = {label: summary.values for label, summary in summaries.items()}
        sampled = min((summary.share for summary in summaries.values()), default=1.0)
        if exact and sampled == 1:
            histograms, notes = _counted(opened, pick, overlay_edges(values, bins, clip), check)
        else:
            histograms = overlay(values, bins, clip)
        curves = [
            Curve(label, histogram, summaries[label].moments, _initial(opened, label, pick))
            for label, histogram in histograms.items()
        ]
        expected = _expected({curve.label: curve for curve in curves}, pick)
        yield Overlay(pick, tuple(curves), notes, expected, sampled)


def _counted(
    opened: Opened, pick: Pick, edges: np.ndarray, check: Check
) -> tuple[dict[str, Histogram], tuple[str, ...]]:
    """Every value between the edges, from the files."""
    return found_in(opened, pick, pick.checkpoints, check, lambda tensor: histogram_exactly(tensor, edges, check))


def _initial(opened: Opened, label: str, pick: Pick) -> Initial | None:
    layer = opened[label][pick.layer]
    class_name, config = owner_of(layer.class_name, layer.config, pick.tensor.rpartition("/")[0])
    tensor = layer[pick.tensor]
    if not layer.config or tensor.assumed or tensor.structure.doubt:
        # An assumed class says nothing of the initializer that was chosen.
        return None
    return initial_state(class_name, config, pick.tensor, tensor.shape, pick.part)


def _expected(curves: Mapping[str, Curve], pick: Pick) -> Expected | None:
    """Of Model A where it has one, else of the first that has."""
    known = [curve for curve in curves.values() if curve.initial is not None]
    first = next((curve for curve in known if curve.label == pick.reference), known[0] if known else None)
    if first is None or first.initial is None:
        return None
    edges = first.histogram.edges
    counts = first.initial.expected_counts(edges, first.moments.finite)
    return Expected(first.label, Histogram(edges, counts, int(first.moments.finite - np.sum(counts))))
