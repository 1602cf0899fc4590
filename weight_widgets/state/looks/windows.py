"""A part of the pictures that is looked at closely: read anew, and drawn as sharp as there is room for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...analysis.comparison import Contrast, contrast
from ...analysis.rasters import exact
from ...analysis.rows import Rows
from ...reading.arrangements import Arrangement
from ...reading.structure import Structure
from ...reading.tensors import Tensor
from ..selection import find
from .pictures import Pictures
from .values import Check, Opened

__all__ = ["Detail", "Window", "look_closely"]

# Elements of which a tensor is read as a whole where the window is scattered over it.
SCATTERED = 1 << 22
# Up to so many rows and columns are read around what is in sight, so that a small pan needs nothing new.
ROOM = 224


@dataclass(frozen=True)
class Window:
    """Rows and columns of a picture; `bottom` and `right` are the first that are not in it."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def within(self, shape: tuple[int, int]) -> Window:
        """What of it a picture of this shape has."""
        rows, columns = shape
        return Window(min(self.top, rows), min(self.bottom, rows), min(self.left, columns), min(self.right, columns))

    def lies_in(self, shape: tuple[int, int]) -> bool:
        """Whether it is a part of a picture of this shape, and not all of it."""
        rows, columns = shape
        inside = 0 <= self.top < self.bottom <= rows and 0 <= self.left < self.right <= columns
        return inside and self.shape != shape

    def holds(self, other: Window) -> bool:
        return (
            self.top <= other.top
            and self.bottom >= other.bottom
            and self.left <= other.left
            and self.right >= other.right
        )

    def widened(self, shape: tuple[int, int]) -> Window:
        """With as much around it as can still be drawn weight by weight."""
        if max(self.shape) > ROOM:
            return self
        rows, columns = shape
        return Window(*_widened(self.top, self.bottom, rows), *_widened(self.left, self.right, columns))


@dataclass(frozen=True, eq=False)
class Detail:
    """The `window` of `pictures`, on a colour scale of its own."""

    pictures: Pictures
    window: Window
    contrast: Contrast
    notes: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether each cell is one weight."""
        return all(raster.exact for raster in self.contrast.rasters if raster is not None)

    def shows(self, window: Window) -> bool:
        """Whether there is nothing more to be seen in this window."""
        return self.exact and self.window.holds(window)


def look_closely(opened: Opened, pictures: Pictures, window: Window, check: Check) -> Detail | None:
    """Read what is in sight of A and B; None where the pictures themselves are as sharp, or nearly so."""
    if all(raster is None or raster.exact for raster in pictures.contrast.rasters):
        return None
    difference = pictures.contrast.rasters[2] is not None
    widened = window.widened(pictures.shape)
    if not exact(*widened.shape) and 2 * math.prod(widened.shape) > math.prod(pictures.shape):
        return None
    sides: list[Rows | None] = []
    step = _steps(check, 2 * widened.shape[0])
    for label, arranged in zip((pictures.pick.reference, pictures.pick.other), pictures.drawn, strict=True):
        tensor = find(opened[label], pictures.pick)
        if tensor is None or arranged is None:
            sides.append(None)
            continue
        part = widened.within(arranged.matrix.shape)
        rows = _rows(tensor, arranged, part, step)
        if rows is None:
            return None
        sides.append(rows if all(part.shape) else None)
    a, b = sides
    return Detail(pictures, widened, contrast(a, b, difference))


def _steps(check: Check, total: int) -> Callable[[int], None]:
    """What is called before so many rows are read, of so many in all."""
    done = 0

    def step(rows: int) -> None:
        nonlocal done
        check(done / total)
        done += rows

    return step


@dataclass(frozen=True, eq=False)
class StoredWindow:
    """A window of a tensor whose first `depth` dimensions run down and whose others run across."""

    tensor: Tensor
    depth: int
    window: Window
    step: Callable[[int], None]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.window.shape

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        start, stop, _ = rows.indices(self.shape[0])
        self.step(stop - start)
        top, bottom = self.window.top + start, self.window.top + stop
        # Of the outermost dimension as much as holds these rows.
        inner = math.prod(self.tensor.shape[1 : self.depth])
        first, last = top // inner, -(-bottom // inner)
        columns = slice(self.window.left, self.window.right)
        below: list[slice] = [slice(None)] * (self.depth - 1)
        one = len(self.tensor.shape) == self.depth + 1
        values = self.tensor.read((slice(first, last), *below, *([columns] if one else [])))
        matrix = values.reshape((last - first) * inner, -1)[top - first * inner : bottom - first * inner]
        return matrix if one else matrix[:, columns]


def _rows(tensor: Tensor, arranged: Arrangement, window: Window, step: Callable[[int], None]) -> Rows | None:
    """The window's values; None of a large tensor that is not drawn as it is stored."""
    depth = _depth(tensor.structure) if arranged.order is None else 0
    if depth and arranged.matrix == tensor.structure.matrix:
        return StoredWindow(tensor, depth, window, step)
    if tensor.size > SCATTERED:
        return None
    step(0)
    return arranged.of(tensor.read())[window.top : window.bottom, window.left : window.right]


def _depth(structure: Structure) -> int:
    """How many of the stored dimensions run down in the matrix; 0 where its rows are no rows of the file."""
    matrix = structure.matrix
    axes = 0
    for number, dim in enumerate(structure.dims):
        if axes == len(matrix.down):
            return number if matrix.as_stored else 0
        axes += len(dim)
    return 0


def _widened(start: int, stop: int, size: int) -> tuple[int, int]:
    length = min(ROOM, size)
    first = min(max(start - (length - (stop - start)) // 2, 0), size - length)
    return first, first + length
