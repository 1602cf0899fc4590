"""A, B and B − A as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...analysis.comparison import Contrast, contrast
from ...analysis.rows import Rows, StoredRows
from ...analysis.units import norms_along_units
from ...display import visible
from ...reading.arrangements import MATRIX, Arrangement, arrangement, sliced_axis, ways
from ...reading.structure import Axis, Matrix, Structure
from ...reading.tensors import Tensor
from ..selection import Pick, find
from .values import Check, Opened, found_in

__all__ = ["Pictures", "look_at_pictures"]

# Elements beyond which a matrix is not read as a whole.
LARGE = 1 << 22


@dataclass(frozen=True)
class Pictures:
    """A, B and B − A, each with how it is laid out; None for what is not there.

    `way` is how they are drawn, one of `ways`; of a slice `position` is the number, and `positions` the first and the
    last that there are. `doubt` says why the meaning of the axes is not known, and `alike` that B's are those of A.
    """

    pick: Pick
    contrast: Contrast
    matrices: tuple[Matrix | None, Matrix | None, Matrix | None]
    assumed: bool
    notes: tuple[str, ...]
    doubt: str = ""
    way: str = MATRIX
    ways: tuple[str, ...] = (MATRIX,)
    position: int = 0
    positions: tuple[int, int] = (0, 0)
    unit: str = ""
    alike: bool = True

    @property
    def matrix(self) -> Matrix | None:
        """The layout of A, or of B where A has none."""
        return self.matrices[0] or self.matrices[1]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that hold every picture."""
        shapes = [matrix.shape for matrix in self.matrices if matrix is not None] or [(1, 1)]
        return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


def look_at_pictures(
    opened: Opened, pick: Pick, check: Check, way: str = MATRIX, position: int = 0, by_norm: bool = False
) -> Pictures:
    """Model A, Model B and their difference; a way to draw that this tensor does not have gives the matrix."""
    pictured = partial(_pictured, way=way, by_norm=by_norm, check=check)
    values, notes = found_in(opened, pick, dict.fromkeys((pick.reference, pick.other)), check, pictured)
    structures = {label: find(opened[label], pick).structure for label in values}  # type: ignore[union-attr]
    pair = (pick.reference, pick.other)
    first = next((structures[label] for label in pair if label in structures), None)
    offered = ways(first) if first else (MATRIX,)
    way = way if way in offered else MATRIX
    axis = sliced_axis(first, way) if first else None
    positions = (axis.first, axis.first + axis.size - 1) if axis else (0, 0)
    position = _within(position, axis) if axis else 0
    arrays = {label: found for label, found in values.items() if isinstance(found, np.ndarray)}
    drawn: dict[str, Arrangement] = {}
    for label in values:
        check()
        order = _order(label, arrays, structures, pick) if by_norm else None
        drawn[label] = _drawn(structures[label], way, position, order)
    a, b = (_laid_out(drawn[label], values[label]) if label in values else None for label in pair)
    if len({array.shape for array in values.values()}) > 1:
        shapes = [f"{visible(label)} is {' × '.join(map(str, array.shape))}" for label, array in values.items()]
        notes += (f"{pick.address}: {' and '.join(shapes)}, so there is no difference to show",)
    check()
    alike = len(structures) < 2 or _alike(structures[pair[0]], structures[pair[1]], way)
    found = contrast(a, b, difference=alike)
    left, right = (drawn[label].matrix if label in values else None for label in pair)
    return Pictures(
        pick,
        found,
        (left, right, left if found.rasters[2] else None),
        any(structure.assumed for structure in structures.values()),
        notes,
        next((structure.doubt for structure in structures.values() if structure.doubt), ""),
        way,
        offered,
        position,
        positions,
        first.unit if first else "",
        alike,
    )


def _alike(a: Structure, b: Structure, way: str) -> bool:
    """Whether a place in the one picture stands for the same as in the other: as far as is known, if it is a matrix."""
    if a.shape != b.shape and [label for label, *_ in _meanings(a)] == [label for label, *_ in _meanings(b)]:
        return True
    if _meanings(a) == _meanings(b):
        return True
    return bool(a.doubt or b.doubt) and way == MATRIX and _stored_order(a) == _stored_order(b)


def _meanings(structure: Structure) -> list[tuple[str, int, int]]:
    return [(axis.label, axis.size, axis.first) for axis in structure.axes]


def _stored_order(structure: Structure) -> tuple[list[int], list[int]]:
    """The stored dimensions that run down and across in the matrix."""
    dims = [number for number, dim in enumerate(structure.dims) for _ in dim]
    matrix = structure.matrix
    down, across = ([*dict.fromkeys(dims[place] for place in side)] for side in (matrix.down, matrix.across))
    return down, across


def _within(position: int, axis: Axis) -> int:
    return min(max(position, axis.first), axis.first + axis.size - 1)


def _pictured(tensor: Tensor, way: str, by_norm: bool, check: Check) -> np.ndarray | StoredRows:
    """The values; of a large matrix that is drawn as it is stored, nothing yet."""
    structure = tensor.structure
    matrix = structure.matrix
    as_stored = (*matrix.down, *matrix.across) == (*range(len(structure.axes)),)
    two = len(structure.dims) == 2 and len(structure.dims[0]) == len(matrix.down)
    as_matrix = not by_norm and (way == MATRIX or way not in ways(structure))
    large = tensor.size > LARGE
    return StoredRows(tensor, check) if large and two and as_stored and as_matrix else tensor.read()


def _laid_out(arranged: Arrangement, values: np.ndarray | StoredRows) -> Rows:
    return values if isinstance(values, StoredRows) else arranged.of(values)


def _drawn(structure: Structure, way: str, position: int, order: tuple[int, ...] | None) -> Arrangement:
    """How one of the tensors is drawn; B may have fewer positions than A, or other axes."""
    axis = sliced_axis(structure, way)
    return arrangement(structure, way, _within(position, axis) if axis else 0, order)


def _order(
    label: str, values: Mapping[str, np.ndarray], structures: Mapping[str, Structure], pick: Pick
) -> tuple[int, ...] | None:
    """The units from the largest norm to the smallest: those of A for both, so that like stands beside like."""
    own, leading = structures[label], structures.get(pick.reference)
    if leading is not None and leading.unit == own.unit and _meanings(leading) == _meanings(own):
        label, own = pick.reference, leading
    if not own.unit:
        return None
    return tuple(np.argsort(-norms_along_units(values[label], own), kind="stable").tolist())
