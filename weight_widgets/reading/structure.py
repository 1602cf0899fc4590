"""What the axes of a stored array mean, along which of them it falls into parts, and how it is laid out as a matrix."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

__all__ = ["SHARED", "Axis", "Cut", "Index", "Matrix", "Structure", "generic"]

Index = tuple["slice | int", ...]

# How the label of an axis begins which inputs and outputs share, so that there is a matrix for each position on it.
SHARED = "shared "


@dataclass(frozen=True)
class Axis:
    """One logical axis.

    Parameters
    ----------
    label : str
        What one step along it is, in the singular: ``"unit"``, ``"input channel"``.
    size : int
    names : tuple of str
        A name for each position where they have names (the gates); empty otherwise.
    first : int
        The number of the first position: that of a group's first filter.
    stride : int
        By how much the number grows with a step; more than 1 where the axis is one of two that share a label, such as
        the rows of a grid of filters.
    numbers : tuple of int
        The numbers in the order in which they were put; empty where they rise. Of two axes that share a label each has
        those of the whole, and its own positions count ranks.
    """

    label: str
    size: int
    names: tuple[str, ...] = ()
    first: int = 0
    stride: int = 1
    numbers: tuple[int, ...] = ()

    def name(self, position: int) -> str:
        """What the position is called: ``"forget"``, ``"filter 12"``."""
        return self.names[position] if self.names else f"{self.label} {self.number(position)}"

    @property
    def counts_ranks(self) -> bool:
        return bool(self.numbers) and len(self.numbers) != self.size

    def number(self, position: int) -> int:
        in_order = bool(self.numbers) and not self.counts_ranks
        return self.numbers[position] if in_order else self.first + position * self.stride

    def between(self, start: int, stop: int) -> Axis:
        """The positions from `start` up to `stop`."""
        return replace(
            self,
            size=stop - start,
            names=self.names[start:stop],
            first=self.first + start * self.stride,
            numbers=self.numbers[start:stop],
        )


@dataclass(frozen=True)
class Cut:
    """One way in which an array falls into parts.

    Parameters
    ----------
    axes : tuple of str
        Labels of the axes along which it is cut; there is a part for each position on all of them. Each leads what is
        left of its stored dimension, so that a part is a plain slice of the file.
    label : str
        Parts are called by this word and numbered through; where it is empty, by the names on the axes.
    run : int
        How many positions of the one axis make a part: the filters of a group.
    """

    axes: tuple[str, ...]
    label: str = ""
    run: int = 1


@dataclass(frozen=True)
class Matrix:
    """How a tensor of any rank is laid out in two dimensions.

    Parameters
    ----------
    axes : tuple of Axis
        In the order in which they are stored.
    down, across : tuple of int
        Positions in `axes` of those that run down and of those that run across, outermost first.
    separations : tuple of int
        Rows, and columns, between two separators, such as the units of a gate; 0 where nothing is to be separated.
    """

    axes: tuple[Axis, ...]
    down: tuple[int, ...]
    across: tuple[int, ...]
    separations: tuple[int, int] = (0, 0)

    @property
    def rows(self) -> tuple[Axis, ...]:
        return tuple(self.axes[place] for place in self.down)

    @property
    def columns(self) -> tuple[Axis, ...]:
        return tuple(self.axes[place] for place in self.across)

    @property
    def shape(self) -> tuple[int, int]:
        return _size(self.rows), _size(self.columns)

    @property
    def sentence(self) -> str:
        rows, columns = self.shape
        return f"{rows} × {columns}: {_product(self.rows)} (rows) × {_product(self.columns)} (columns)"

    @property
    def as_stored(self) -> bool:
        """Whether its rows follow on each other as the elements do in the file."""
        return (*self.down, *self.across) == (*range(len(self.axes)),)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Lay out an array of these axes (a view where numpy can give one)."""
        return values.reshape([axis.size for axis in self.axes]).transpose(self.down + self.across).reshape(self.shape)


@dataclass(frozen=True)
class Structure:
    """The meaning of a stored array.

    Parameters
    ----------
    dims : tuple of tuple of Axis
        For each stored dimension the logical axes that it holds, outermost first: the second dimension of an LSTM
        kernel holds ``gate`` and ``unit``. Labels differ.
    columns : tuple of str
        Labels of the axes that run across when the array is laid out as a matrix; all others run down.
    cuts : tuple of Cut
        The ways in which it falls into parts.
    unit : str
        Label of the axis that counts what the layer has many of: units, filters, heads, tokens; ``""`` for none.
    tile : tuple of str
        Labels of the axes of the small pictures that a kernel is made of: rows and columns of a filter.
    part_columns : tuple of str
        The `columns` of a part whose own column axes were all selected away.
    assumed : bool
        True where the meaning was inferred from names and shapes, and nothing in the file says it.
    doubt : str
        Why the meaning is not known, as a sentence; ``""`` where it is.
    """

    dims: tuple[tuple[Axis, ...], ...]
    columns: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()
    unit: str = ""
    tile: tuple[str, ...] = ()
    part_columns: tuple[str, ...] = ()
    assumed: bool = False
    doubt: str = ""

    @property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(itertools.chain.from_iterable(self.dims))

    # Asked for again and again, of thousands of tensors.
    @cached_property
    def shape(self) -> tuple[int, ...]:
        return tuple(_size(dim) for dim in self.dims)

    @property
    def matrix(self) -> Matrix:
        """The usual layout: what a unit sees runs down, the units run across."""
        axes = self.axes
        across = tuple(self.place(label) for label in self.columns)
        down = tuple(place for place in range(len(axes)) if place not in across)
        return Matrix(axes, down, across, (self._separation(down), self._separation(across)))

    def place(self, label: str) -> int:
        """Where in `axes` the axis of this label is."""
        return next(place for place, axis in enumerate(self.axes) if axis.label == label)

    def part_names(self) -> list[str]:
        """Names of the parts in order; of a cut that would give a single one none."""
        return [name for cut in self._cuts for name in self._names(cut)]

    def part_indices(self) -> Iterator[Index]:
        """What cuts the parts out, in the order of `part_names`."""
        return (self._cut_out(cut, position)[1] for cut in self._cuts for position in range(self._count(cut)))

    def part(self, position: int) -> tuple[Structure, Index]:
        """The structure of the part at `position` of `part_names`, and the basic index that cuts it out."""
        for cut in self._cuts:
            count = self._count(cut)
            if position < count:
                return self._cut_out(cut, position)
            position -= count
        raise IndexError("there is no such part")

    def to_matrix(self, values: np.ndarray) -> np.ndarray:
        """Lay out an array of this structure as a matrix (a view where numpy can give one)."""
        return self.matrix.of(values)

    @property
    def _cuts(self) -> list[Cut]:
        return [cut for cut in self.cuts if self._count(cut) > 1]

    def _along(self, cut: Cut) -> list[Axis]:
        return [self.axes[self.place(label)] for label in cut.axes]

    def _count(self, cut: Cut) -> int:
        return _size(self._along(cut)) // cut.run

    def _names(self, cut: Cut) -> list[str]:
        if cut.label:
            return [f"{cut.label} {number}" for number in range(self._count(cut))]
        axes = self._along(cut)
        return ["/".join(names) for names in itertools.product(*([a.name(i) for i in range(a.size)] for a in axes))]

    def _cut_out(self, cut: Cut, position: int) -> tuple[Structure, Index]:
        axes = self._along(cut)
        starts = np.unravel_index(position * cut.run, [axis.size for axis in axes])
        chosen = {axis.label: int(start) for axis, start in zip(axes, starts, strict=True)}
        dims: list[tuple[Axis, ...]] = []
        index: list[slice | int] = []
        for dim in self.dims:
            left: list[Axis] = []
            start, length = 0, _size(dim)
            for axis in dim:
                if axis.label not in chosen or left:
                    left.append(axis)
                    continue
                length //= axis.size
                start += chosen[axis.label] * length
                if cut.run > 1:
                    left.append(axis.between(chosen[axis.label], chosen[axis.label] + cut.run))
                    length *= cut.run
            if left or not dim:
                dims.append(tuple(left))
                index.append(slice(start, start + length))
            else:
                index.append(start)
        kept = {axis.label for dim in dims for axis in dim}
        columns = tuple(label for label in self.columns if label in kept)
        structure = replace(
            self,
            dims=tuple(dims),
            columns=columns or tuple(label for label in self.part_columns if label in kept),
            cuts=(),
            unit=self.unit if self.unit in kept else "",
            tile=self.tile if {*self.tile} <= kept else (),
            part_columns=(),
        )
        return structure, tuple(index)

    def _separation(self, side: tuple[int, ...]) -> int:
        """How many rows or columns belong to one position of the outermost axis that parts are cut along."""
        if not side:
            return 0
        outer, *inner = (self.axes[place] for place in side)
        cuts = [cut for cut in self.cuts if outer.label in cut.axes]
        if inner and cuts:
            return _size(inner) if _size(inner) > 1 else 0
        return next((cut.run for cut in cuts if 1 < cut.run < outer.size), 0)


@lru_cache(maxsize=4096)
def generic(shape: tuple[int, ...], doubt: str = "") -> Structure:
    """The structure of an array of unknown meaning: its last axis runs across."""
    dims = tuple((Axis(f"axis {number}", size),) for number, size in enumerate(shape))
    return Structure(dims, columns=(f"axis {len(shape) - 1}",) if shape else (), doubt=doubt)


def _size(axes: Sequence[Axis]) -> int:
    return math.prod(axis.size for axis in axes)


def _product(axes: Sequence[Axis]) -> str:
    if not axes:
        return "1"
    labels = dict.fromkeys(
        f"{axis.label} ({', '.join(axis.names)})".strip() if axis.names else axis.label for axis in axes
    )
    return " · ".join(labels)
