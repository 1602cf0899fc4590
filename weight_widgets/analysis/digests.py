"""The simplest numbers of many tensors at once, a row of values each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ..reading.fetching import Memory
from .moments import Moments, moments

__all__ = ["BOUNDS", "Digests", "added_up", "blank", "digest_of", "digest_rows", "digests_of", "put", "sums_of"]

# Elements that are multiplied at a time: of more numpy's library would start threads of its own.
LINE = 1 << 13
# Of the squares: a larger share of the mean would leave the spread too few digits.
MAX_MEAN_SHARE = 0.5
# Root mean squares whose squares each type holds.
BOUNDS = {np.dtype(np.float32): (1e-15, 1e15), np.dtype(np.float64): (1e-140, 1e140)}


@dataclass(frozen=True, eq=False)
class Digests:
    """Numbers of n tensors: an array of shape (n,) for each number.

    All but the counts is of the finite elements, and NaN where there is none.

    Attributes
    ----------
    size, nan, inf, zeros : numpy.ndarray
        Int64: elements, those that are NaN, infinite, exactly zero.
    minimum, maximum, mean, std : numpy.ndarray
        Float64. The standard deviation is the population's (division by n).
    """

    size: np.ndarray
    nan: np.ndarray
    inf: np.ndarray
    zeros: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def __len__(self) -> int:
        return len(self.size)

    @property
    def finite(self) -> np.ndarray:
        return self.size - self.nan - self.inf

    @property
    def l2(self) -> np.ndarray:
        """Euclidean norms √Σw²; infinite where that is beyond float64."""
        with np.errstate(over="ignore"):
            return np.sqrt(self.finite) * np.hypot(self.mean, self.std)

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in NAMES}

    def of(self, places: np.ndarray) -> Digests:
        """Those of some tensors."""
        return Digests(**{name: column[places] for name, column in self.columns.items()})

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns.values())


NAMES = tuple(field.name for field in fields(Digests))


def blank(count: int) -> Digests:
    """Of so many tensors without any value, to be filled by `put`."""
    counts = [np.zeros(count, np.int64) for _ in range(4)]
    low, high, mean, std = (np.full(count, np.nan) for _ in range(4))
    return Digests(counts[0], counts[1], counts[2], counts[3], low, high, mean, std)


def put(digests: Digests, places: Sequence[int] | np.ndarray, found: Digests) -> None:
    """Write what was found of some tensors to their places; threads may do so at the same time."""
    for name, column in found.columns.items():
        getattr(digests, name)[places] = column


def digest_of(found: Moments) -> Digests:
    """That of one tensor of which more is known."""
    return Digests(**{name: np.array([getattr(found, name)]) for name in NAMES})


def digest_rows(rows: np.ndarray, memory: Memory) -> Digests:
    """The digest of each row.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (n, size), C-contiguous, float32 or float64. Sums are taken in that type, of a few thousand values each.
    memory : Memory
        Room to work in.
    """
    count, size = rows.shape
    if not size:
        return blank(count)
    found, fits, well = digests_of(sums_of(rows, memory), np.full(count, size), BOUNDS[rows.dtype])
    if not well.all():
        off = np.flatnonzero(fits & ~well)
        if off.size:
            put(found, off, _centred(rows[off], found.of(off)))
        for place in np.flatnonzero(~fits).tolist():
            put(found, [place], digest_of(moments(rows[place])))
    return found


def sums_of(rows: np.ndarray, memory: Memory) -> np.ndarray:
    """Of each row the smallest and the largest value, the sum of all and of their squares, and how many are zero.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (n, size), size > 0, as for `digest_rows`.
    memory : Memory

    Returns
    -------
    numpy.ndarray
        Float64, shape (5, n).
    """
    found = np.empty((5, len(rows)))
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        found[0], found[1], found[2:4] = rows.min(axis=1), rows.max(axis=1), _powers(rows)
    found[4] = _zeros(rows, memory)
    return found


def added_up(sums: np.ndarray, starts: Sequence[int] | np.ndarray) -> np.ndarray:
    """What `sums_of` tells of tensors, from what it tells of their pieces.

    Parameters
    ----------
    sums : numpy.ndarray
        Shape (5, pieces), those of one tensor together.
    starts : sequence of int or numpy.ndarray
        The first piece of each tensor.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.minimum.reduceat(sums[0], starts), np.maximum.reduceat(sums[1], starts)
        return np.vstack([low, high, np.add.reduceat(sums[2:], starts, axis=1)])


def digests_of(
    sums: np.ndarray, size: np.ndarray, bounds: tuple[float | np.ndarray, float | np.ndarray]
) -> tuple[Digests, np.ndarray, np.ndarray]:
    """The digests of n tensors, and which of them the sums tell enough for.

    Parameters
    ----------
    sums : numpy.ndarray
        Shape (5, n), as from `sums_of`.
    size : numpy.ndarray
        Int64, shape (n,): elements, more than 0.
    bounds : tuple of float or numpy.ndarray
        Those in `BOUNDS` of the type that the sums were taken in.

    Returns
    -------
    digests : Digests
    fits : numpy.ndarray
        Bool, shape (n,). False where values are not finite, or so large or small that their squares are not: the digest
        tells nothing but the size.
    well : numpy.ndarray
        Bool, shape (n,). False where the values are so far from 0, too, that their squares leave too few digits for the
        spread.
    """
    smallest, largest = bounds
    low, high, mean, square, zeros = sums[0], sums[1], sums[2] / size, sums[3] / size, sums[4].astype(np.int64)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        std = np.sqrt(np.maximum(square - mean**2, 0.0))
        # NaN and infinity are within no bounds.
        fits = (square >= smallest**2) & (square <= largest**2) | (low == 0) & (high == 0)
        well = fits & (mean**2 <= MAX_MEAN_SHARE * square)
    nan, inf = np.zeros((2, len(size)), np.int64)
    return Digests(size, nan, inf, zeros, low, high, mean, std), fits, well


def _centred(rows: np.ndarray, found: Digests) -> Digests:
    """The same with mean and spread from the deviations, where the squares themselves would leave no digits."""
    center = found.mean.astype(rows.dtype)
    first, second = _powers(rows - center[:, np.newaxis]) / rows.shape[1]
    mean = np.clip(center + first, found.minimum, found.maximum)
    std = np.where(found.minimum == found.maximum, 0.0, np.sqrt(np.maximum(second - first**2, 0.0)))
    return replace(found, mean=mean, std=std)


def _zeros(rows: np.ndarray, memory: Memory) -> np.ndarray:
    """How many zeros each row has."""
    found = memory.array(rows.shape, np.dtype(bool))
    np.equal(rows, 0, out=found)
    # Without an axis it is fast, and mostly there is none.
    count = np.count_nonzero(found)
    return found.sum(axis=1, dtype=np.int64) if count and len(rows) > 1 else np.full(len(rows), count, np.int64)


def _powers(rows: np.ndarray) -> np.ndarray:
    """The sum of each row and of its squares, float64, shape (2, n)."""
    count = rows.shape[1] // LINE
    lines, rest = rows[:, : count * LINE].reshape(len(rows), count, LINE), rows[:, count * LINE :]
    sums = np.zeros((2, len(rows)))
    for part in (lines, rest[:, np.newaxis]):
        if part.size:
            sums[0] += np.einsum("rli->rl", part).sum(axis=1, dtype=np.float64)
            squares = np.matmul(part[..., np.newaxis, :], part[..., np.newaxis])[..., 0, 0]
            sums[1] += squares.sum(axis=1, dtype=np.float64)
    return sums
