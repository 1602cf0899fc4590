"""How values come: those at one index as a new array, or those at many in turn, out of one piece of memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .files import StoredFile
from .structure import Index

__all__ = ["Each", "Fetch", "InMemory", "Memory", "Passed", "Stretch", "each_of", "pieces", "stretch_of"]

# Takes a basic numpy index (one forward slice or int per dimension, or nothing for all) and returns a new array. It may
# have a method `each` for many indices.
Fetch = Callable[[Index], np.ndarray]
# Yields the values at each index of `pieces`, or at what a part of an array makes of it: ints and slices in steps of 1,
# none of them empty. An array is C-contiguous, and valid until the next step, which may write over it.
Each = Callable[[Iterable[Index]], Iterator[np.ndarray]]


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
    """Room for one array after another."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._values = np.empty(0, dtype)

    def array(self, shape: Sequence[int]) -> np.ndarray:
        """An array of this shape, its values those of whatever was there before."""
        size = math.prod(shape)
        if size > self._values.size:
            self._values = np.empty(size, self._values.dtype)
        return self._values[:size].reshape(shape)


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
        return None if each is None else lambda indices: map(self.values, each(map(self.index, indices)))

    @property
    def stretch(self) -> Stretch | None:
        return stretch_of(self.fetch) if self.values is _same and self.index(()) == () else None


@dataclass(frozen=True, slots=True)
class InMemory:
    """Values that are there already, copied as they are asked for."""

    array: np.ndarray

    def __call__(self, index: Index) -> np.ndarray:
        return np.array(self.array[index], dtype=self._dtype)

    def each(self, indices: Iterable[Index]) -> Iterator[np.ndarray]:
        memory = Memory(self._dtype)
        for index in indices:
            found = self.array[index]
            out = memory.array(found.shape)
            out[...] = found
            yield out

    @property
    def _dtype(self) -> np.dtype[Any]:
        return self.array.dtype.newbyteorder("=")
