"""The simplest numbers of many tensors at once, a row of values each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from .moments import Moments, moments

__all__ = ["Digests", "blank", "digest_of", "digest_rows", "joined", "merged", "put"]

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


def joined(found: Iterable[Digests]) -> Digests:
    """Those of all tensors, one after the other."""
    each = [one.columns for one in found]
    return Digests(**{name: np.concatenate([columns[name] for columns in each]) for name in each[0]})


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


def merged(pieces: Digests) -> Digests:
    """That of one tensor from those of its pieces.

    Notes
    -----
    Of the deviations as Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979).
    """
    finite = pieces.finite
    known = finite > 0
    low, high, mean, std = (np.array([np.nan]) for _ in range(4))
    if known.any():
        low, high = np.array([pieces.minimum[known].min()]), np.array([pieces.maximum[known].max()])
        shares = finite[known] / finite.sum()
        # In the largest magnitude, for squares may be beyond float64.
        unit = max(float(-low[0]), float(high[0])) or 1.0
        means, spreads = pieces.mean[known] / unit, pieces.std[known] / unit
        center = np.dot(shares, means)
        std = np.sqrt([np.dot(shares, spreads**2 + (means - center) ** 2)]) * unit
        mean = np.clip([center * unit], low, high)
    size, nan, inf, zeros = (
        column.sum(keepdims=True) for column in (pieces.size, pieces.nan, pieces.inf, pieces.zeros)
    )
    return Digests(size, nan, inf, zeros, low, high, mean, std)


def digest_rows(rows: np.ndarray) -> Digests:
    """The digest of each row.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (n, size), C-contiguous, float32 or float64. Sums are taken in that type, of a few thousand values each.
    """
    count, size = rows.shape
    if not size:
        return blank(count)
    smallest, largest = BOUNDS[rows.dtype]
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        low, high = rows.min(axis=1), rows.max(axis=1)
        mean, square = _sums(rows) / size
        std = np.sqrt(np.maximum(square - mean**2, 0.0))
        # NaN and infinity are within no bounds.
        fits = (square >= smallest**2) & (square <= largest**2) | (low == 0) & (high == 0)
        well = fits & (mean**2 <= MAX_MEAN_SHARE * square)
    nan, inf = np.zeros((2, count), np.int64)
    found = Digests(
        np.full(count, size), nan, inf, _zeros(rows), low.astype(np.float64), high.astype(np.float64), mean, std
    )
    if not well.all():
        off = np.flatnonzero(fits & ~well)
        if off.size:
            put(found, off, _centred(rows[off], found.of(off)))
        for place in np.flatnonzero(~fits).tolist():
            put(found, [place], digest_of(moments(rows[place])))
    return found


def _centred(rows: np.ndarray, found: Digests) -> Digests:
    """The same with mean and spread from the deviations, where the squares themselves would leave no digits."""
    center = found.mean.astype(rows.dtype)
    first, second = _sums(rows - center[:, np.newaxis]) / rows.shape[1]
    mean = np.clip(center + first, found.minimum, found.maximum)
    std = np.where(found.minimum == found.maximum, 0.0, np.sqrt(np.maximum(second - first**2, 0.0)))
    return replace(found, mean=mean, std=std)


def _zeros(rows: np.ndarray) -> np.ndarray:
    """How many zeros each row has, looked for in no new memory: of all bits, those of 0 and −0 are the smallest."""
    plain, signed = (rows.view(f"{kind}{rows.itemsize}").min(initial=1) for kind in "ui")
    if plain and signed > np.iinfo(signed.dtype).min:
        return np.zeros(len(rows), np.int64)
    return np.asarray((rows == 0).sum(axis=1))


def _sums(rows: np.ndarray) -> np.ndarray:
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
