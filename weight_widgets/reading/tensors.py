"""The vocabulary of the reader: `Tensor` and `Layer`. Values are read from the file when they are asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import EllipsisType
from typing import Any

import numpy as np

from .fetching import Fetch, Held, Memory, Passed, each_of, pieces
from .origins import Origin, in_memory
from .structure import Index, Structure

__all__ = ["Layer", "Skipped", "Tensor"]

# About what a processor core keeps close to itself.
BLOCK_BYTES = 1 << 20
# Beside all that a notebook holds already.
MAX_HELD = 1 << 29


@dataclass(frozen=True)
class Skipped:
    """Something in the file that is no weight of the network, or could not be read as one, and why."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Tensor:
    """One weight array, or a part of one.

    Attributes
    ----------
    name : str
        The same for every file format, without the layer: ``"kernel"``, ``"forward/recurrent_kernel"``.
    dtype : numpy.dtype
        Of the values that are read, in native byte order.
    structure : Structure
        What its axes mean.
    stored : str
        What the file holds where it is not `dtype`: ``"bfloat16"``, ``"int8"``, ``"int4"``, ``"GPTQ codes"``; ``""``
        otherwise.
    codes : Tensor or None
        The integers in the file that a quantised weight is computed from.
    origin : Origin
        Where the values come from.
    path : str
        Its place in the file; of a part, that of the whole.
    """

    name: str
    dtype: np.dtype[Any]
    structure: Structure
    _fetch: Fetch = field(repr=False)
    stored: str = ""
    codes: Tensor | None = field(default=None, repr=False)
    origin: Origin = field(default_factory=in_memory, repr=False)
    path: str = field(default="", repr=False)

    @property
    def role(self) -> str:
        """``"kernel"``, ``"bias"``, ``"moving_mean"``, …: the tensor's name without its place in the layer."""
        return self.name.rpartition("/")[2]

    @property
    def shape(self) -> tuple[int, ...]:
        """As stored; of a part, what is left of it."""
        return self.structure.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements in memory."""
        return self.size * self.dtype.itemsize

    @cached_property
    def parts(self) -> Mapping[str, Tensor]:
        """The meaningful slices by name: gates, filters, heads; empty for a tensor that has none."""
        return _Parts(self)

    @property
    def assumed(self) -> bool:
        """Whether what its role and its axes mean was inferred from names and shapes; nothing in the file says it."""
        return self.structure.assumed

    def held(self) -> Tensor:
        """The same tensor for one who looks at many parts of it: its values are read once and stay in memory.

        A part that lies in one stretch is still read by itself, and so is every part of what memory may not hold.
        """
        return self if self.nbytes > MAX_HELD else replace(self, _fetch=Held(self._fetch, self.shape))

    def _part(self, position: int) -> Tensor:
        structure, cut = self.structure.part(position)
        fetch = Passed(self._fetch, partial(_compose, cut))
        origin = self.origin.part(cut)
        return Tensor(self.name, self.dtype, structure, fetch, self.stored, origin=origin, path=self.path)

    def read(self, index: Index | slice | int | EllipsisType = ...) -> np.ndarray:
        """Read the values from the file.

        Parameters
        ----------
        index : slice, int, Ellipsis or tuple of them, optional
            A basic numpy index; everything by default.

        Returns
        -------
        numpy.ndarray
            Of this tensor's dtype, in native byte order; a copy that the caller owns.

        Raises
        ------
        IndexError
            The index reaches beyond the tensor.
        ChangedFileError
            The file was rewritten since it was opened.
        DamagedFileError
            The file cannot be read at this place.
        """
        steps = index if isinstance(index, tuple) else (index,)
        forwards = tuple(step for step in steps if not isinstance(step, EllipsisType) and not _backwards(step))
        if len(forwards) < len(steps):
            # What HDF5 does not know, numpy takes from the whole.
            return self._fetch(())[steps]
        return self._fetch(_compose(tuple(slice(0, size) for size in self.shape), forwards))

    def blocks(
        self, rows: range | None = None, nbytes: int = BLOCK_BYTES, memory: Memory | None = None
    ) -> Iterator[np.ndarray]:
        """The values in pieces that follow on each other in C order.

        The file is opened once, and the pieces come in one piece of memory. What is computed from more than itself (a
        transposed, a dequantised tensor) is read as a whole and then handed out in pieces. Threads may each have blocks
        of one tensor at the same time.

        Parameters
        ----------
        rows : range, optional
            Positions on the first axis, in steps of 1; all by default.
        nbytes : int, optional
            The largest size of a piece, 1 MiB by default. One element is never cut.
        memory : Memory, optional
            Where the pieces come to lie: for who goes through many tensors, one after the other.

        Yields
        ------
        numpy.ndarray
            C-contiguous, of this tensor's dtype, in native byte order. **Valid until the next step**, which writes over
            it; until then it may be written to. A piece is a run of rows, of the shape ``(n, *shape[1:])``; where a
            single row is larger than `nbytes`, a run along the second axis within one row, ``(n, *shape[2:])``, and so
            on. Of a tensor without axes it is the tensor, of an empty one there is none.

        Raises
        ------
        IndexError
            The rows reach beyond the tensor.
        ChangedFileError
            The file was rewritten since it was opened; what came before is certain once the last step is done.
        DamagedFileError
            The file cannot be read at this place.
        """
        if not self.shape:
            yield self.read()
            return
        everything = range(self.shape[0])
        rows = everything if rows is None else rows
        if rows.step != 1 or everything[rows.start : rows.stop] != rows:
            raise IndexError(f"{rows} are not rows of a tensor of shape {self.shape}")
        each = each_of(self._fetch)
        if each is not None:
            yield from each(pieces(self.shape, self.dtype.itemsize, rows, nbytes), memory or Memory())
        elif rows:
            taken = self.read((slice(rows.start, rows.stop),))
            for index in pieces(taken.shape, taken.itemsize, range(len(rows)), nbytes):
                yield taken[index]


class _Parts(Mapping[str, Tensor]):
    """The parts of a tensor, made when they are asked for: an embedding has one for each of its tokens."""

    def __init__(self, whole: Tensor) -> None:
        self._whole = whole
        self._positions = {name: position for position, name in enumerate(whole.structure.part_names())}

    def __getitem__(self, name: str) -> Tensor:
        return self._whole._part(self._positions[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)

    def __repr__(self) -> str:
        shown = [*itertools.islice(self, 8)]
        return f"<{len(self)} parts: {', '.join(shown)}{', …' if len(self) > len(shown) else ''}>"


@dataclass(frozen=True, eq=False)
class Layer(Mapping[str, Tensor]):
    """A named group of weights; a mapping from tensor names to tensors.

    Attributes
    ----------
    name : str
        The user's layer path, nested models joined: ``"encoder/dense_1"``.
    class_name : str
        The Keras class, ``""`` when the file does not say and nothing could be inferred.
    config : mapping
        The layer's Keras configuration as JSON data; empty when the file holds none.
    assumed : bool
        True when `class_name` was inferred from names and shapes, or stands beside settings that Keras' own class does
        not have.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    assumed: bool
    tensors: Mapping[str, Tensor] = field(repr=False)

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    @property
    def title(self) -> str:
        """The class for people to read, marked where it is assumed."""
        if not self.class_name:
            return "unknown class"
        return f"{self.class_name} (assumed)" if self.assumed else self.class_name


def _backwards(step: slice | int) -> bool:
    return isinstance(step, slice) and (step.step or 1) < 0


def _compose(cut: Index, index: Index) -> Index:
    """The index into the whole that takes `index` of the part that `cut` takes."""
    left = list(index)
    composed: list[slice | int] = []
    for step in cut:
        if isinstance(step, int):
            composed.append(step)
            continue
        taken = range(step.start, step.stop)[left.pop(0) if left else slice(None)]
        composed.append(taken if isinstance(taken, int) else slice(taken.start, taken.stop, taken.step))
    if left:
        raise IndexError(f"{len(index)} indices for an array of {len(index) - len(left)} dimensions")
    return tuple(composed)
