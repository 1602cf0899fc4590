"""What the axes of a stored array mean, along which of them it falls into parts, and how it is laid out as a matrix."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

__all__ = ["Axis", "Matrix", "Structure", "generic"]

Index = tuple["slice | int", ...]


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
    """

    label: str
    size: int
    names: tuple[str, ...] = ()

    def name(self, position: int) -> str:
        return self.names[position] if self.names else f"{self.label} {position}"


@dataclass(frozen=True)
class Matrix:
    """How a tensor of any rank is laid out in two dimensions.

    Parameters
    ----------
    rows, columns : tuple of Axis
        The axes that run down and those that run across, outermost first.
    separation : int
        Columns between two separators, such as the units of a gate; 0 where nothing is to be separated.
    """

    rows: tuple[Axis, ...]
    columns: tuple[Axis, ...]
    separation: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return math.prod(axis.size for axis in self.rows), math.prod(axis.size for axis in self.columns)

    @property
    def sentence(self) -> str:
        rows, columns = self.shape
        return f"{rows} × {columns}: {_product(self.rows)} (rows) × {_product(self.columns)} (columns)"


@dataclass(frozen=True)
class Structure:
    """The meaning of a stored array.

    Parameters
    ----------
    dims : tuple of tuple of Axis
        For each stored dimension the logical axes that it holds, outermost first: the second dimension of an LSTM
        kernel holds ``gate`` and ``unit``.
    columns : tuple of str
        Labels of the axes that run across when the array is laid out as a matrix; all others run down.
    parts : tuple of str
        Labels of the axes along which the array falls into parts; each leads its stored dimension, so that a part
        is a plain slice of the file.
    part_columns : tuple of str
        The `columns` of a part whose own column axes were all selected away.
    """

    dims: tuple[tuple[Axis, ...], ...]
    columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part_columns: tuple[str, ...] = field(default=())

    @property
    def axes(self) -> tuple[Axis, ...]:
        return tuple(itertools.chain.from_iterable(self.dims))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(math.prod(axis.size for axis in dim) for dim in self.dims)

    @property
    def matrix(self) -> Matrix:
        by_label = {axis.label: axis for axis in self.axes}
        columns = tuple(by_label[label] for label in self.columns)
        # Where several axes run across the outer one is set apart, and so are parts of one column each.
        apart = len(columns) > 1 or any(label in self.parts for label in self.columns)
        return Matrix(
            rows=tuple(axis for axis in self.axes if axis.label not in self.columns),
            columns=columns,
            separation=math.prod(axis.size for axis in columns[1:]) if apart else 0,
        )

    def part_names(self) -> list[str]:
        """Names of the parts in order; none when there would be a single one."""
        axes = [axis for axis in self.axes if axis.label in self.parts]
        if math.prod(axis.size for axis in axes) < 2:
            return []
        return ["/".join(names) for names in itertools.product(*([a.name(i) for i in range(a.size)] for a in axes))]

    def part(self, position: int) -> tuple[Structure, Index]:
        """The structure of the part at `position` of `part_names`, and the basic index that cuts it out."""
        axes = [axis for axis in self.axes if axis.label in self.parts]
        chosen = {
            axis.label: int(step)
            for axis, step in zip(axes, np.unravel_index(position, [a.size for a in axes]), strict=True)
        }
        dims: list[tuple[Axis, ...]] = []
        index: list[slice | int] = []
        for dim in self.dims:
            left: list[Axis] = []
            start, length = 0, math.prod(axis.size for axis in dim)
            for axis in dim:
                if axis.label in chosen and not left:
                    length //= axis.size
                    start += chosen[axis.label] * length
                else:
                    left.append(axis)
            if left or not dim:
                dims.append(tuple(left))
                index.append(slice(start, start + length))
            else:
                index.append(start)
        columns = tuple(label for label in self.columns if label not in chosen)
        structure = replace(self, dims=tuple(dims), columns=columns or self.part_columns, parts=(), part_columns=())
        return structure, tuple(index)

    def to_matrix(self, values: np.ndarray) -> np.ndarray:
        """Lay out an array of this structure as a matrix (a view where numpy can give one)."""
        labels = [axis.label for axis in self.axes]
        matrix = self.matrix
        order = [labels.index(axis.label) for axis in (*matrix.rows, *matrix.columns)]
        return values.reshape([axis.size for axis in self.axes]).transpose(order).reshape(matrix.shape)


@lru_cache(maxsize=4096)
def generic(shape: tuple[int, ...]) -> Structure:
    """The structure of an array of unknown meaning: its last axis runs across."""
    dims = tuple((Axis(f"axis {number}", size),) for number, size in enumerate(shape))
    return Structure(dims, columns=(f"axis {len(shape) - 1}",) if shape else ())


def _product(axes: tuple[Axis, ...]) -> str:
    if not axes:
        return "1"
    return " · ".join(f"{axis.label} ({', '.join(axis.names)})".strip() if axis.names else axis.label for axis in axes)
