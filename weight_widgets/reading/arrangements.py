"""The ways in which a tensor of any rank can be drawn in two dimensions: as a matrix, as pictures of its filters, in
slices; and its units in another order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .structure import Axis, Matrix, Structure

__all__ = ["MATRIX", "TILES", "Arrangement", "arrangement", "sliced_axis", "ways"]

MATRIX = "matrix"
TILES = "filter grid"
SLICE = "one "


@dataclass(frozen=True)
class Arrangement:
    """How the values of a tensor get to their places.

    Parameters
    ----------
    structure : Structure
        Of the whole tensor.
    matrix : Matrix
        Where things are in the picture.
    taken : tuple of (int or slice)
        The index into the values by logical axes, for a slice.
    order : tuple of (int, tuple of int), optional
        The place of the axis that is put in another order, and that order.
    """

    structure: Structure
    matrix: Matrix
    taken: tuple[int | slice, ...]
    order: tuple[int, tuple[int, ...]] | None = None

    def of(self, values: np.ndarray) -> np.ndarray:
        """Lay out an array of this structure (a view where numpy can give one)."""
        logical = values.reshape([axis.size for axis in self.structure.axes])
        if self.order is not None:
            place, positions = self.order
            logical = logical.take(positions, axis=place)
        return self.matrix.of(logical[self.taken])


def ways(structure: Structure) -> tuple[str, ...]:
    """What a tensor can be drawn as: ``"matrix"``, ``"filter grid"``, ``"one input channel"``, …"""
    axes = [axis for axis in structure.axes if axis.size > 1]
    slices = [SLICE + axis.label for axis in axes if axis.label] if len(axes) > 2 else []
    return (MATRIX, *((TILES,) if _has_tiles(structure) else ()), *slices)


def sliced_axis(structure: Structure, way: str) -> Axis | None:
    """The axis of which a slice shows one position; None for another way of drawing."""
    return next((axis for axis in structure.axes if way == SLICE + axis.label), None)


def arrangement(
    structure: Structure, way: str = MATRIX, position: int = 0, order: Sequence[int] | None = None
) -> Arrangement:
    """How a tensor is drawn.

    Parameters
    ----------
    structure : Structure
    way : str
        One of `ways`.
    position : int
        Of a slice: its number along the axis, whatever the order is.
    order : sequence of int, optional
        The positions of the unit axis in the order in which they are to stand.
    """
    everything: tuple[int | slice, ...] = tuple(slice(None) for _ in structure.axes)
    moved = None
    shown = structure
    if order is not None and structure.unit:
        place = structure.place(structure.unit)
        moved = place, tuple(order)
        sorted_axis = structure.axes[place]
        numbers = tuple(sorted_axis.number(position) for position in moved[1])
        shown = _with_axis(structure, place, replace(sorted_axis, numbers=numbers))
    axis = sliced_axis(structure, way)
    if axis is not None:
        place = structure.place(axis.label)
        # The order of a single position is none: it is the one that was asked for.
        moved = None if moved and moved[0] == place else moved
        return Arrangement(structure, _slice(shown, place).matrix, _at(everything, place, position - axis.first), moved)
    if way == TILES and _has_tiles(structure):
        return Arrangement(structure, _tiles(shown), everything, moved)
    return Arrangement(structure, shown.matrix, everything, moved)


def _has_tiles(structure: Structure) -> bool:
    return bool(structure.tile and {*structure.columns} - {*structure.tile})


def _at(index: tuple[int | slice, ...], place: int, position: int) -> tuple[int | slice, ...]:
    return (*index[:place], position, *index[place + 1 :])


def _with_axis(structure: Structure, place: int, axis: Axis) -> Structure:
    axes = (*structure.axes[:place], axis, *structure.axes[place + 1 :])
    return replace(structure, dims=tuple((each,) for each in axes))


def _slice(structure: Structure, place: int) -> Structure:
    """What is left of a structure without one of its axes."""
    left = (*structure.axes[:place], *structure.axes[place + 1 :])
    labels = {axis.label for axis in left}
    columns = tuple(label for label in structure.columns if label in labels)
    other = tuple(label for label in structure.part_columns if label in labels)
    return replace(
        structure,
        dims=tuple((axis,) for axis in left),
        columns=columns or other or (left[-1].label,),
        cuts=tuple(cut for cut in structure.cuts if {*cut.axes} <= labels),
    )


def _tiles(structure: Structure) -> Matrix:
    """A small picture for each unit and, above each other, for each of its input channels.

    Where that would be a long strip the units are laid out in rows of equal length.
    """
    axes = structure.axes
    row, column = (structure.place(label) for label in structure.tile)
    across = [place for place in map(structure.place, structure.columns) if place not in (row, column)]
    down = [place for place in range(len(axes)) if place not in (row, column, *across)]
    tile = (axes[row].size, axes[column].size)
    lead = axes[across[0]]
    wide = math.prod(axes[place].size for place in across[1:]) * tile[1]
    rows = _rows_of_units(lead.size, math.prod(axes[place].size for place in down) * tile[0], wide)
    if rows == 1 or lead.names:
        return Matrix(axes, (*down, row), (*across, column), tile)
    split = (*axes[: across[0]], *_split(lead, rows), *axes[across[0] + 1 :])

    def moved(*places: int) -> tuple[int, ...]:
        return tuple(place + (place > across[0]) for place in places)

    return Matrix(
        split,
        (across[0], *moved(*down, row)),
        (across[0] + 1, *moved(*across[1:], column)),
        tile,
    )


def _rows_of_units(count: int, high: int, wide: int) -> int:
    """The number of equal rows of tiles that makes the picture most nearly square."""
    divisors = [rows for rows in range(1, count + 1) if count % rows == 0] or [1]
    return min(divisors, key=lambda rows: abs(math.log(max(rows * high, 1) / max(count // rows * wide, 1))))


def _split(axis: Axis, rows: int) -> tuple[Axis, Axis]:
    """An axis as two that share its label and count it in rows."""
    length = axis.size // rows
    first = 0 if axis.numbers else axis.first
    return replace(axis, size=rows, first=0, stride=length), replace(axis, size=length, first=first)
