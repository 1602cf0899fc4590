"""A, B and B − A as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.comparison import Contrast
from ...analysis.rasters import Raster, raster
from ...analysis.rows import Difference, difference
from ...analysis.summary import Summary, preview
from ...analysis.units import norms_along_units
from ...display import visible
from ...reading.arrangements import MATRIX, Arrangement, arrangement, sliced_axis, ways
from ...reading.structure import Axis, Matrix, Structure
from ...reading.tensors import Tensor
from ..selection import Pick, find
from .kept import difference_of, quick_summary, summary_of
from .values import Check, Opened, found_in

__all__ = ["Pictures", "look_at_pictures", "same_axes"]

# What is known of a tensor that is drawn as it is stored, or its values; None for nothing yet.
Found = Summary | np.ndarray | None
Side = tuple[Tensor, Arrangement, Summary | np.ndarray]


@dataclass(frozen=True)
class Pictures:
    """A, B and B − A, each with how it is laid out; None for what is not there.

    `way` is how they are drawn, one of `ways`; of a slice `position` is the number, and `positions` the first and the
    last that there are. `doubt` says why the meaning of the axes is not known, and `alike` that B's are those of A.
    `drawn` is how the values of A and of B got to their places, and `sampled` the smallest share that was looked at.
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
    drawn: tuple[Arrangement | None, Arrangement | None] = (None, None)
    sampled: float = 1.0

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
) -> Iterator[Pictures]:
    """Model A, Model B and their difference, of a large matrix a sample first.

    A way to draw that this tensor does not have gives the matrix.
    """
    labels = dict.fromkeys((pick.reference, pick.other))

    def usual(tensor: Tensor) -> bool:
        """Whether it is drawn as it is stored, so that one pass over the file tells all."""
        as_matrix = not by_norm and (way == MATRIX or way not in ways(tensor.structure))
        return as_matrix and tensor.structure.matrix.as_stored

    def quick(tensor: Tensor) -> Found:
        return quick_summary(tensor, check) if usual(tensor) else None

    def whole(tensor: Tensor) -> Found:
        return summary_of(tensor, check) if usual(tensor) else tensor.read()

    early, notes = found_in(opened, pick, labels, check, quick)
    if any(isinstance(found, Summary) and found.share < 1 for found in early.values()):
        # Of all rows of the one and some of the other the difference would be noise.
        known = [label for label, found in early.items() if isinstance(found, Summary) and found.share == 1]
        samples, _ = found_in(opened, pick, known, check, lambda tensor: preview(tensor, check))
        early |= {label: sample for label, sample in samples.items() if sample is not None}
        yield _pictures(opened, pick, check, early, notes, way, position, by_norm)
    found, notes = found_in(opened, pick, labels, check, whole)
    yield _pictures(opened, pick, check, found, notes, way, position, by_norm)


def _pictures(
    opened: Opened,
    pick: Pick,
    check: Check,
    found: Mapping[str, Found],
    notes: tuple[str, ...],
    way: str,
    position: int,
    by_norm: bool,
) -> Pictures:
    """The pictures of what was found: a summary of what is drawn as it is stored, or the values."""
    pair = (pick.reference, pick.other)
    tensors = {label: tensor for label in found if (tensor := find(opened[label], pick)) is not None}
    structures = {label: tensor.structure for label, tensor in tensors.items()}
    first = next((structures[label] for label in pair if label in structures), None)
    offered = ways(first) if first else (MATRIX,)
    way = way if way in offered else MATRIX
    axis = sliced_axis(first, way) if first else None
    positions = (axis.first, axis.first + axis.size - 1) if axis else (0, 0)
    position = _within(position, axis) if axis else 0
    values = {label: each for label, each in found.items() if isinstance(each, np.ndarray)}
    drawn: dict[str, Arrangement] = {}
    for label in found:
        check()
        order = _order(label, values, structures, pick) if by_norm else None
        drawn[label] = _drawn(structures[label], way, position, order)
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = [f"{visible(label)} is {' × '.join(map(str, tensor.shape))}" for label, tensor in tensors.items()]
        notes += (f"{pick.address}: {' and '.join(shapes)}, so there is no difference to show",)
    a, b = ((tensors[label], drawn[label], each) if (each := found.get(label)) is not None else None for label in pair)
    rasters = _raster(a), _raster(b)
    alike = len(structures) < 2 or same_axes(structures[pair[0]], structures[pair[1]], way)
    check()
    delta = _difference(a, b, rasters, check) if alike and a and b else None
    left, right = (drawn[label].matrix if label in drawn else None for label in pair)
    return Pictures(
        pick,
        Contrast.of(*rasters, delta),
        (left, right, left if delta else None),
        any(structure.assumed for structure in structures.values()),
        notes,
        next((structure.doubt for structure in structures.values() if structure.doubt), ""),
        way,
        offered,
        position,
        positions,
        first.unit if first else "",
        alike,
        (drawn.get(pick.reference), drawn.get(pick.other)),
        min((each.share for each in found.values() if isinstance(each, Summary)), default=1.0),
    )


def _raster(side: Side | None) -> Raster | None:
    if side is None:
        return None
    _, arranged, found = side
    return raster(arranged.of(found)) if isinstance(found, np.ndarray) else found.raster


def _difference(a: Side, b: Side, rasters: tuple[Raster | None, Raster | None], check: Check) -> Raster | None:
    """The raster of B − A; None where the shapes differ."""
    if a[1].matrix.shape != b[1].matrix.shape:
        return None
    if all(isinstance(side[2], Summary) for side in (a, b)):
        one, other = rasters
        sampled = any(isinstance(side[2], Summary) and side[2].share < 1 for side in (a, b))
        if one and other and (sampled or (one.exact and other.exact)):
            # Of the same sampled rows the difference of the means is the mean of the difference.
            mean = difference(one.mean, other.mean)
            return Raster(mean, None, None, one.shape) if one.exact else Raster(mean, mean, mean, one.shape)
        return difference_of(a[0], b[0], check)
    left, right = (
        arranged.of(found if isinstance(found, np.ndarray) else tensor.read()) for tensor, arranged, found in (a, b)
    )
    return raster(Difference(left, right))


def same_axes(a: Structure, b: Structure, way: str) -> bool:
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
