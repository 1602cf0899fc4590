"""Sums over two float32 arrays in one pass at the speed of memory: the processor's cache holds a piece of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..reading.fetching import Memory, lent

__all__ = ["PairSums", "fast_sums"]

# Elements of a piece: with fewer, two threads would wait for the interpreter's lock more than for memory.
PIECE = 1 << 19
# Elements that a dot adds up in float32, the rest is added in float64; and more would be given to BLAS' own threads,
# which work for one caller at a time.
RUN = 1 << 13
# So many elements tell almost always that two pieces differ.
PROBE = 64


@dataclass(frozen=True)
class PairSums:
    """Sums over pairs of elements; not finite, or zero, where float32 does not hold the squares.

    Attributes
    ----------
    equal : int
        Pairs of equal value.
    sum_a, sum_b, square_a, square_b, square_delta : float
        ΣA, ΣB, ΣA², ΣB², Σ(B − A)².
    max_delta : float
        Largest |B − A|.
    """

    equal: int
    sum_a: float
    sum_b: float
    square_a: float
    square_b: float
    square_delta: float
    max_delta: float


def fast_sums(a: np.ndarray, b: np.ndarray) -> PairSums:
    """The sums over two flat, contiguous, aligned float32 arrays of one size."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"), lent() as memory:
        cut = a.size // RUN * RUN
        found = _sums(a[:cut].reshape(-1, RUN), b[:cut].reshape(-1, RUN), memory)
        rest = _sums(a[cut:].reshape(1, -1), b[cut:].reshape(1, -1), memory)
    return PairSums(
        found.equal + rest.equal,
        found.sum_a + rest.sum_a,
        found.sum_b + rest.sum_b,
        found.square_a + rest.square_a,
        found.square_b + rest.square_b,
        found.square_delta + rest.square_delta,
        max(found.max_delta, rest.max_delta),
    )


def _sums(a: np.ndarray, b: np.ndarray, memory: Memory) -> PairSums:
    """As `fast_sums`, of arrays of two dimensions; each row is added up in float32."""
    runs, length = a.shape
    step = max(1, min(PIECE // RUN, runs))
    scratch = memory.array((5, step, length), np.dtype(np.uint8))
    delta, same = scratch[:4].reshape(-1).view(np.float32).reshape(step, length), scratch[4].view(bool)
    # ΣA, ΣB, ΣA², ΣB², Σ(B − A)² of each run.
    sums = np.zeros((5, runs, 1, 1), np.float32)
    equal, largest = 0, 0.0
    for start in range(0, runs, step):
        place = slice(start, start + step)
        one, other = a[place], b[place]
        np.einsum("ij->i", one, out=sums[0, place, 0, 0])
        _dots(one, one, sums[2, place])
        if _same_bits(one, other):
            equal += one.size
            sums[1, place], sums[3, place] = sums[0, place], sums[2, place]
            continue
        difference = delta[: len(one)]
        np.subtract(other, one, out=difference)
        np.einsum("ij->i", other, out=sums[1, place, 0, 0])
        _dots(other, other, sums[3, place])
        _dots(difference, difference, sums[4, place])
        largest = max(largest, float(difference.max()), -float(difference.min()))
        equal += int(np.count_nonzero(np.equal(one, other, out=same[: len(one)])))
    sum_a, sum_b, square_a, square_b, square_delta = sums.sum(axis=(1, 2, 3), dtype=np.float64).tolist()
    return PairSums(equal, sum_a, sum_b, square_a, square_b, square_delta, largest)


def _dots(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """The dot of each row of A with that of B, into an array of shape (rows, 1, 1)."""
    np.matmul(a[:, np.newaxis, :], b[:, :, np.newaxis], out=out)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    one, other = a.view(np.uint32), b.view(np.uint32)
    return bool(np.array_equal(one[0, :PROBE], other[0, :PROBE]) and np.array_equal(one, other))
