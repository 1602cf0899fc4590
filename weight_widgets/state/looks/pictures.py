"""What the worker computes: from a pick and the opened checkpoints to one immutable result for each pane."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..analysis.comparison import Contrast, contrast, overlay
from ..analysis.measures import Measures, measure, measure_blocks
from ..analysis.sketches import Histogram
from ..display import visible
from ..errors import WeightWidgetsError
from ..reading.checkpoint import Checkpoint
from ..reading.structure import Matrix
from ..reading.tensors import Tensor
from .selection import Pick, find

__all__ = ["Curve", "Overlay", "Pictures", "Row", "Table", "look_at_histograms", "look_at_pictures", "look_at_table"]

Opened = Mapping[str, Checkpoint]
Check = Callable[[], None]


@dataclass(frozen=True)
class Curve:
    """One checkpoint in the histogram."""

    label: str
    histogram: Histogram
    zeros: int
    nan: int
    inf: int


@dataclass(frozen=True)
class Overlay:
    pick: Pick
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Pictures:
    """A, B and B − A, each with how it is laid out; None for what is not there."""

    pick: Pick
    contrast: Contrast
    matrices: tuple[Matrix | None, Matrix | None, Matrix | None]
    assumed: bool
    notes: tuple[str, ...]

    @property
    def matrix(self) -> Matrix | None:
        """The layout of A, or of B where A has none."""
        return self.matrices[0] or self.matrices[1]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that hold every picture."""
        shapes = [matrix.shape for matrix in self.matrices if matrix is not None] or [(1, 1)]
        return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


@dataclass(frozen=True)
class Row:
    """One checkpoint in the table; `measures` is None where it could not be read."""

    label: str
    shape: tuple[int, ...]
    dtype: str
    measures: Measures | None


@dataclass(frozen=True)
class Table:
    pick: Pick
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def look_at_histograms(opened: Opened, pick: Pick, check: Check, bins: int, clip: float) -> Overlay:
    """The ticked checkpoints on shared edges; `check` raises when the result is no longer wanted."""
    values, notes = _values(opened, pick, pick.checkpoints, check)
    histograms = overlay(values, bins, clip)
    curves = []
    for label, array in values.items():
        check()
        measures = measure(array)
        curves.append(Curve(label, histograms[label], measures.zeros, measures.nan, measures.inf))
    return Overlay(pick, tuple(curves), notes)


def look_at_pictures(opened: Opened, pick: Pick, check: Check) -> Pictures:
    """Model A, Model B and their difference."""
    values, notes = _values(opened, pick, dict.fromkeys((pick.reference, pick.other)), check)
    structures = {label: find(opened[label], pick).structure for label in values}  # type: ignore[union-attr]
    a, b = (
        structures[label].to_matrix(values[label]) if label in values else None
        for label in (pick.reference, pick.other)
    )
    first, second = (structures[label].matrix if label in values else None for label in (pick.reference, pick.other))
    if len({array.shape for array in values.values()}) > 1:
        shapes = [f"{visible(label)} is {' × '.join(map(str, array.shape))}" for label, array in values.items()]
        notes += (f"{pick.address}: {' and '.join(shapes)}, so there is no difference to show",)
    assumed = any(opened[label][pick.layer].assumed for label in values)
    check()
    found = contrast(a, b)
    return Pictures(pick, found, (first, second, first if found.rasters[2] else None), assumed, notes)


def look_at_table(opened: Opened, pick: Pick, check: Check) -> Table:
    """The measures of the ticked checkpoints, gathered block by block."""
    rows, notes = [], []
    for label in pick.checkpoints:
        tensor = find(opened[label], pick)
        if tensor is None:
            continue
        measures = None
        try:
            measures = measure_blocks(_checked(tensor.blocks(), check))
        except WeightWidgetsError as error:
            notes.append(str(error))
        rows.append(Row(label, tensor.shape, _stored_type(opened[label][pick.layer][pick.tensor]), measures))
    return Table(pick, tuple(rows), tuple(notes))


def _values(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The picked tensor's values by label, and a sentence for each checkpoint that has or gives none."""
    values, notes = {}, []
    for label in labels:
        check()
        tensor = find(opened[label], pick)
        if tensor is None:
            notes.append(_lack(opened[label], label, pick))
            continue
        try:
            values[label] = tensor.read()
        except WeightWidgetsError as error:
            notes.append(str(error))
    return values, tuple(notes)


def _checked(blocks: Iterable[np.ndarray], check: Check) -> Iterable[np.ndarray]:
    for block in blocks:
        check()
        yield block


def _lack(checkpoint: Checkpoint, label: str, pick: Pick) -> str:
    """Why there is no such tensor: the file has none, or has one that cannot be read."""
    steps = {*pick.layer.split("/"), *pick.tensor.split("/")}
    unread = (entry for entry in checkpoint.skipped if steps <= {*entry.path.split("/")})
    entry = next(unread, None)
    who = visible(label)
    return f"{who} has no {pick.address}" if entry is None else f"{who}: {pick.address} is not read: {entry.reason}"


def _stored_type(tensor: Tensor) -> str:
    """What the file holds, where that is not what is read from it. A part does not know of its tensor's codes."""
    return (tensor.stored or str(tensor.dtype)) + (", dequantised" if tensor.codes is not None else "")
