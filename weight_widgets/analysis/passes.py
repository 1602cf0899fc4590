"""One pass over one or several tensors, in pieces that fit the cache and on every core."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np

from ..reading.fetching import lent
from ..reading.tensors import Tensor
from .parallel import THREADS, each, shares

__all__ = ["COUNT", "Check", "Gathering", "gather", "side_by_side"]

# With fewer elements another thread would only cost: the two would wait for the interpreter's lock in turn.
THREAD_SIZE = 1 << 22
# Elements that are counted at a time.
COUNT = 1 << 18


class Check(Protocol):
    """What is called between steps: raises when nobody waits any more; `share`, from 0 to 1, says how far it is."""

    def __call__(self, share: float | None = None) -> None: ...


class Gathering(Protocol):
    """What takes pieces, and what others have gathered elsewhere in the tensor."""

    def add(self, *pieces: Any) -> None: ...

    def merge(self, other: Any, /) -> Any: ...


Gathered = TypeVar("Gathered", bound=Gathering)


def gather(tensors: Sequence[Tensor], make: Callable[[int], Gathered], size: int, check: Check) -> Gathered:
    """What is gathered of tensors of one shape from their pieces, side by side.

    Parameters
    ----------
    tensors : sequence of Tensor
    make : callable
        Makes what gathers, from the place of the first element that comes. Each core has one of its own.
    size : int
        The most elements of a piece. Pieces have one dimension, and are valid until the next.
    check : callable

    Raises
    ------
    WeightWidgetsError
        A file cannot be read.
    """
    shape = tensors[0].shape or (1,)
    row = math.prod(shape[1:])
    failed = threading.Event()

    def share(rows: range) -> Gathered:
        found, done = make(rows.start * row), 0
        try:
            for pieces in side_by_side(tensors, rows, size):
                if failed.is_set():
                    # Nobody will hear of it: another one raises.
                    break
                check(done / (len(rows) * row))
                found.add(*(piece.reshape(-1) for piece in pieces))
                done += pieces[0].size
        except BaseException:
            failed.set()
            raise
        return found

    threads = THREADS if row * shape[0] >= THREAD_SIZE else 1
    return reduce(lambda one, other: one.merge(other), each(share, shares(shape[0], threads)))


def side_by_side(tensors: Sequence[Tensor], rows: range, size: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Pieces of at most `size` elements of tensors of one shape, as `Tensor.blocks` gives them; valid until the next.

    Raises
    ------
    WeightWidgetsError
        A file cannot be read.
    """
    with contextlib.ExitStack() as lending:
        memories = [lending.enter_context(lent()) for _ in tensors]
        blocks = (
            tensor.blocks(rows, size * tensor.dtype.itemsize, memory)
            for tensor, memory in zip(tensors, memories, strict=True)
        )
        yield from zip(*blocks, strict=True)
