"""One number of every tensor of every model, for each of several measures, and how it compares with the reference's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.histograms import joint_range, shared_edges
from ...analysis.overview import BINS, Overview
from .badges import Badge
from .measures import MEASURES, Measure
from .outlines import KERNEL, Outline
from .relations import Relation

__all__ = ["ABSENT", "EQUAL", "UNKNOWN", "Changes", "Glance", "Sketch", "changes_of"]

# States of a number.
UNKNOWN, NUMBER, ABSENT, UNDEFINED, EQUAL, CHANGED, CHANGED_UNDEFINED = range(7)
# Share of the kernels whose number is within the colours: a few extremes would leave one colour to all others.
WITHIN = 98.0


@dataclass(frozen=True, eq=False)
class Changes:
    """What a relation says of the rows of an outline.

    Attributes
    ----------
    rows : numpy.ndarray
        Int64, shape (n,).
    states : numpy.ndarray
        Uint8, shape (n,): `EQUAL` bit for bit, `CHANGED`, or `NUMBER` for what is equal in value or never compared.
    numbers : mapping of str to numpy.ndarray
        By measure, float64, shape (n,).
    """

    rows: np.ndarray
    states: np.ndarray
    numbers: Mapping[str, np.ndarray]


def changes_of(outline: Outline, label: str, relation: Relation) -> Changes:
    """Of a model's relation to the reference, by rows."""
    view = outline.views[label]
    pairs = [measure for measure in MEASURES if measure.between]
    rows, states = [], []
    numbers: dict[str, list[float]] = {measure.key: [] for measure in pairs}
    for row in relation.rows:
        place = row.row.a or view.place_of(row.row.b or ("", ""))
        number = outline.row_of(*place)
        if row.row.b is None or number < 0:
            continue
        moments = row.twin.moments if row.twin else None
        same = EQUAL if moments and moments.identical else NUMBER
        rows.append(number)
        states.append(CHANGED if row.status in ("changed", "reshaped") and not row.error else same)
        for measure in pairs:
            assert measure.between is not None
            numbers[measure.key].append(measure.between(moments) if moments else math.nan)
    return Changes(
        np.array(rows, np.int64),
        np.array(states, np.uint8),
        {key: np.array(values, np.float64) for key, values in numbers.items()},
    )


@dataclass(frozen=True, eq=False)
class Sketch:
    """Histograms of one tensor of every model.

    Attributes
    ----------
    low, high : float
        First and last edge, which all of them share.
    counts : numpy.ndarray
        Float64, shape (models, bins): shares of the largest bin; NaN for a model that has none, or none yet.
    numbers : mapping of str to mapping of str to float
        By label and measure, those of the tensor alone.
    """

    low: float
    high: float
    counts: np.ndarray
    numbers: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Glance:
    """What is known so far.

    Attributes
    ----------
    outline : Outline
    reference : str
    seen : mapping of str to Overview
        By label.
    changes : mapping of str to Changes
        By label of the models that are compared.
    failed : frozenset of str
        Labels of those whose weights cannot be read.
    apart : frozenset of str
        Labels of those that cannot be compared.
    badges : tuple of Badge
    """

    outline: Outline
    reference: str
    seen: Mapping[str, Overview]
    changes: Mapping[str, Changes]
    failed: frozenset[str]
    apart: frozenset[str]
    badges: tuple[Badge, ...]

    def numbers(self, measure: Measure) -> tuple[np.ndarray, np.ndarray]:
        """Of every row and model.

        Returns
        -------
        numbers, states : numpy.ndarray
            Float64 and uint8, both of shape (rows, models). NaN where there is no number.
        """
        shape = len(self.outline), len(self.outline.views)
        numbers = np.full(shape, np.nan)
        states = np.full(shape, ABSENT, np.uint8)
        for column, (label, rows) in enumerate(self.outline.placed.items()):
            found = self._pairs(measure, label) if measure.between else self._own(measure, label)
            if found is not None:
                numbers[rows, column] = found
            states[rows, column] = UNKNOWN if found is None else NUMBER
            if label in self.changes:
                changes = self.changes[label]
                states[changes.rows, column] = np.where(
                    states[changes.rows, column] == UNKNOWN, UNKNOWN, changes.states
                )
        undefined = np.isnan(numbers) & (states != UNKNOWN) & (states != ABSENT)
        states[undefined] = np.where(states[undefined] == CHANGED, CHANGED_UNDEFINED, UNDEFINED)
        return numbers, states

    def _own(self, measure: Measure, label: str) -> np.ndarray | None:
        assert measure.of is not None
        if label in self.seen:
            return measure.of(self.seen[label].digests)
        return np.full(len(self.outline.placed[label]), np.nan) if label in self.failed else None

    def _pairs(self, measure: Measure, label: str) -> np.ndarray | None:
        rows = self.outline.placed[label]
        if label == self.reference:
            return np.full(len(rows), measure.own)
        if label in self.changes:
            found = np.full(len(self.outline), np.nan)
            found[self.changes[label].rows] = self.changes[label].numbers[measure.key]
            return found[rows]
        return np.full(len(rows), np.nan) if label in self.apart else None

    def limits(self, measure: Measure, numbers: np.ndarray) -> tuple[float, float]:
        """The lowest and the highest number that has a colour of its own.

        They are the kernels', so that biases and moving statistics, which are of another size, do not take the
        differences between kernels away.
        """
        if measure.limits is not None:
            return measure.limits
        if measure.rare:
            high = _highest(numbers, 100.0)
        else:
            high = _highest(numbers[self.outline.kinds & KERNEL != 0], WITHIN) or _highest(numbers, WITHIN)
        high = min(high, measure.most) or 1.0
        return (-high if measure.signed else 0.0), high

    def sketch(self, row: int) -> Sketch:
        """Histograms of the tensor in a row on shared edges, as far as they are known."""
        places = {
            label: int(np.flatnonzero(rows == row)[0])
            for label, rows in self.outline.placed.items()
            if label in self.seen and (rows == row).any()
        }
        drawn = {label: self.seen[label].histogram(place) for label, place in places.items()}
        ends = [(float(one.edges[0]), float(one.edges[-1])) for one in drawn.values() if one is not None]
        low, high = joint_range(ends)
        counts = np.full((len(self.outline.views), BINS), np.nan)
        if ends and math.isfinite(high - low):
            edges = shared_edges(low, high, BINS)
            for column, label in enumerate(self.outline.views):
                if (one := drawn.get(label)) is not None:
                    # As if values were spread evenly over their bin.
                    below = np.interp(edges, one.edges, np.concatenate([[0], np.cumsum(one.counts)]))
                    counts[column] = np.diff(below) / max(one.counts.sum(), 1)
            counts /= np.nanmax(counts) or 1.0
        return Sketch(low, high, counts, {label: self._numbers_of(label, place) for label, place in places.items()})

    def _numbers_of(self, label: str, place: int) -> dict[str, float]:
        digest = self.seen[label].digests.of(np.array([place]))
        return {measure.key: float(measure.of(digest)[0]) for measure in MEASURES if measure.of}


def _highest(numbers: np.ndarray, percent: float) -> float:
    """The magnitude that so many do not exceed; 0 where there is none."""
    finite = np.abs(numbers[np.isfinite(numbers)])
    return float(np.percentile(finite, percent)) if finite.size else 0.0
