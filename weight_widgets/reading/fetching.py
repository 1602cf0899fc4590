"""How values come: those at one index as a new array, or those at many in turn, out of one piece of memory."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .files import StoredFile
from .structure import Index

__all__ = [
    "Each",
    "Fetch",
    "Held",
    "InMemory",
    "Memory",
    "Passed",
    "Stretch",
    "each_of",
    "lent",
    "pieces",
    "stretch_of",
]

# What nobody uses now: so many memories are kept, each of so many bytes at most.
SPARE, KEPT_BYTES = 8, 8 << 20

# Takes a basic numpy index (one forward slice or int per dimension, or nothing for all) and returns a new array. It may
# have a method `each` for many indices.
Fetch = Callable[[Index], np.ndarray]
# Yields the values at each index of `pieces`, or at what a part of an array makes of it: ints and slices in steps of 1,
# none of them empty. An array is C-contiguous, and valid until the next step, which may write over it: they come to lie
# in the same memory.
Each = Callable[[Iterable[Index], "Memory"], Iterator[np.ndarray]]


def each_of(fetch: Fetch) -> Each | None:
    """How to get the values at many indices for not much more than those at one; None where there is no such way."""
    each: Each | None = getattr(fetch, "each", None)
    return each


class Stretch(NamedTuple):
    """Where all values of an array lie one behind the other in a file, in C order and of this dtype."""

    source: StoredFile
    offset: int
    dtype: np.dtype[Any]


def stretch_of(fetch: Fetch) -> Stretch | None:
    """Where the values lie as they are; None where they do not."""
    stretch: Stretch | None = getattr(fetch, "stretch", None)
    return stretch


def pieces(shape: Sequence[int], itemsize: int, rows: range, nbytes: int) -> Iterator[Index]:
    """Indices of pieces of at most `nbytes` that follow on each other in C order, through some rows of the first axis.

    A piece is a run of rows; where a single row is larger, a run along the second axis within one, and so on.
    """
    if 0 in shape:
        return
    depth = 1
    while depth < len(shape) and math.prod(shape[depth:]) * itemsize > nbytes:
        depth += 1
    step = max(1, nbytes // (math.prod(shape[depth:]) * itemsize))
    *outer, inner = rows, *map(range, shape[1:depth])
    for place in itertools.product(*outer):
        for start in range(inner.start, inner.stop, step):
            yield (*place, slice(start, min(start + step, inner.stop)))


class Memory:
    """Room for one array after another: new memory would have to be cleared by the system each time."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def array(self, shape: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray:
        """An array of this shape and type, its values those of whatever was there before."""
        size = math.prod(shape) * dtype.itemsize
        if size > self._bytes.size:
            self._bytes = np.empty(size, np.uint8)
        return self._bytes[:size].view(dtype).reshape(shape)

    @property
    def nbytes(self) -> int:
        return self._bytes.nbytes


_spare: deque[Memory] = deque(maxlen=SPARE)


@contextlib.contextmanager
def lent() -> Iterator[Memory]:
    """A memory, if there is one that others have used before; no array in it may be used afterwards."""
    try:
        memory = _spare.pop()
    except IndexError:
        memory = Memory()
    yield memory
    # After an error somebody may still hold an array of it.
    if memory.nbytes <= KEPT_BYTES:
        _spare.append(memory)


def _same(given: Any) -> Any:
    return given


@dataclass(frozen=True, slots=True)
class Passed:
    """What another one fetches, with the indices, or the values element by element, changed on the way."""

    fetch: Fetch
    index: Callable[[Index], Index] = _same
    values: Callable[[np.ndarray], np.ndarray] = _same

    def __call__(self, index: Index) -> np.ndarray:
        return self.values(self.fetch(self.index(index)))

    @property
    def each(self) -> Each | None:
        each = each_of(self.fetch)
        if each is None:
            return None
        return lambda indices, memory: map(self.values, each(map(self.index, indices), memory))

    @property
    def stretch(self) -> Stretch | None:
        return stretch_of(self.fetch) if self.values is _same and self.index(()) == () else None


@dataclass(frozen=True, slots=True)
class InMemory:
    """Values that are there already, copied as they are asked for."""

    array: np.ndarray

    def __call__(self, index: Index) -> np.ndarray:
        return np.array(self.array[index], dtype=self._dtype)

    def each(self, indices: Iterable[Index], memory: Memory) -> Iterator[np.ndarray]:
        for index in indices:
            found = self.array[index]
            out = memory.array(found.shape, self._dtype)
            out[...] = found
            yield out

    @property
    def _dtype(self) -> np.dtype[Any]:
        return self.array.dtype.newbyteorder("=")


class Held:
    """What another one fetches of an array of this shape, read once as soon as a part of it is not a run of rows."""

    def __init__(self, fetch: Fetch, shape: Sequence[int]) -> None:
        self._fetch = fetch
        self._shape = shape

    def __call__(self, index: Index) -> np.ndarray:
        return self._of(index)(index)

    def each(self, indices: Iterable[Index], memory: Memory) -> Iterator[np.ndarray]:
        return self._values.each(indices, memory)

    def _of(self, index: Index) -> Fetch:
        inner = zip(index[1:], self._shape[1:], strict=False)
        rows = index and all(isinstance(step, slice) and range(size)[step] == range(size) for step, size in inner)
        return self._fetch if rows and "_values" not in vars(self) else self._values

    @cached_property
    def _values(self) -> InMemory:
        return InMemory(self._fetch(()))
