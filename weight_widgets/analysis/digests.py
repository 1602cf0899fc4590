"""The simplest numbers of many tensors at once, a row of values each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from .moments import Moments, moments

__all__ = ["Digests", "blank", "digest_of", "digest_rows", "joined", "merged", "put"]

# Elements that are multiplied at a time: of more numpy's library would start threads of its own.
LINE = 1 << 13
# Magnitudes whose squares each type holds.
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
        return {field.name: getattr(self, field.name) for field in fields(Digests)}

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self.columns.values())


def joined(found: Iterable[Digests]) -> Digests:
    """Those of all tensors, one after the other."""
    each = [one.columns for one in found]
    return Digests(**{name: np.concatenate([columns[name] for columns in each]) for name in each[0]})


def blank(count: int) -> Digests:
    """Of so many tensors without any value, to be filled by `put`."""
    counts = [np.zeros(count, np.int64) for _ in range(4)]
    low, high, mean, std = (np.full(count, np.nan) for _ in range(4))
    return Digests(counts[0], counts[1], counts[2], counts[3], low, high, mean, std)


def put(digests: Digests, places: Sequence[int], found: Digests) -> None:
    """Write what was found of some tensors to their places; threads may do so at the same time."""
    for name, column in found.columns.items():
        getattr(digests, name)[places] = column


def digest_of(found: Moments) -> Digests:
    """That of one tensor of which more is known."""
    return Digests(**{field.name: np.array([getattr(found, field.name)]) for field in fields(Digests)})


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
        Shape (n, size), C-contiguous, float32 or float64. Deviations are taken and added up in that type.
    """
    count, size = rows.shape
    if not size:
        return blank(count)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        low, high = rows.min(axis=1), rows.max(axis=1)
        center = rows.mean(axis=1)
        # From the mean as that type has it, so that no digits are lost to it; what it lacks is added below.
        apart = rows - center[:, np.newaxis]
        first = apart.sum(axis=1).astype(np.float64) / size
        second = _squares(apart) / size
        reach = np.maximum(-low, high)
        smallest, largest = BOUNDS[rows.dtype]
        well = (reach == 0) | ((reach >= smallest) & (reach <= largest))
    # Not so where there is NaN or infinity, which both spread to the extremes.
    well &= np.isfinite(low) & np.isfinite(high)
    low, high = low.astype(np.float64), high.astype(np.float64)
    mean = np.clip(center + first, low, high)
    std = np.where(low == high, 0.0, np.sqrt(np.maximum(second - first**2, 0.0)))
    zeros = np.bincount(np.flatnonzero(rows == 0) // size, minlength=count)
    nan, inf = np.zeros((2, count), np.int64)
    found = Digests(np.full(count, size), nan, inf, zeros, low, high, mean, std)
    for place in np.flatnonzero(~well).tolist():
        put(found, [place], digest_of(moments(rows[place])))
    return found


def _squares(rows: np.ndarray) -> np.ndarray:
    """The sum of the squares of each row, float64, shape (n,)."""
    whole = rows.shape[1] // LINE * LINE
    lines, rest = rows[:, :whole].reshape(len(rows), -1, LINE), rows[:, whole:]
    return np.asarray(_dots(lines).sum(axis=1, dtype=np.float64) + _dots(rest))


def _dots(lines: np.ndarray) -> np.ndarray:
    return np.matmul(lines[..., np.newaxis, :], lines[..., :, np.newaxis])[..., 0, 0]
