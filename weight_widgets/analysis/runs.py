"""All finite values of an array in sorted runs: any quantile and histogram of them is exact, and quick to find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .histograms import Histogram

__all__ = ["Runs", "interpolated"]

# Of each run every so-manieth value is looked at to find where a rank is.
SAMPLE = 64


@dataclass(frozen=True, eq=False)
class Runs:
    """The finite values of an array, each run of them rising. Two of them add up.

    Attributes
    ----------
    runs : tuple of numpy.ndarray
        Shape (n,), float32 or float64, none of them empty.
    """

    runs: tuple[np.ndarray, ...]

    def __add__(self, other: Runs) -> Runs:
        return Runs(self.runs + other.runs)

    @property
    def exact(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return sum(run.size for run in self.runs)

    @property
    def nbytes(self) -> int:
        return sum(run.nbytes for run in self.runs)

    @property
    def zeros(self) -> int:
        """How many are exactly zero."""
        low, high = self.below(np.array([0.0, np.nextafter(0.0, 1.0)]))
        return int(high - low)

    def below(self, ends: np.ndarray) -> np.ndarray:
        """How many values are smaller than each of some numbers: int64, shape of `ends`."""
        counts = np.zeros(ends.shape, np.int64)
        keys: dict[np.dtype, np.ndarray] = {}
        for run in self.runs:
            if run.dtype not in keys:
                keys[run.dtype] = _not_below(ends, run.dtype)
            counts += np.searchsorted(run, keys[run.dtype])
        return counts

    def span(self, clip: float) -> tuple[float, float] | None:
        """The range of the values without `clip` percent at either end; None when there are none."""
        if not self.runs:
            return None
        if not clip:
            return min(float(run[0]) for run in self.runs), max(float(run[-1]) for run in self.runs)
        low, high = self.quantiles((clip, 100 - clip)).tolist()
        return low, high

    def histogram(self, edges: np.ndarray) -> Histogram:
        """Counts between rising `edges`; the last bin holds its upper edge, as in ``numpy.histogram``."""
        below = self.below(np.append(edges[:-1], np.nextafter(edges[-1], math.inf)))
        counts = np.diff(below)
        return Histogram(edges, counts, self.size - int(counts.sum()))

    def within(self, threshold: float) -> int:
        """How many values have a magnitude below `threshold`."""
        low, high = self.below(np.array([np.nextafter(-threshold, math.inf), threshold]))
        return max(0, int(high - low))

    def quantiles(self, percents: Sequence[float] | np.ndarray) -> np.ndarray:
        """Quantiles, interpolated linearly between neighbours as numpy does by default; NaN where there is no value."""
        return interpolated(self._ranked, self.size, percents)

    def _ranked(self, ranks: np.ndarray) -> np.ndarray:
        """The values at these places of all values in order, as float64."""
        if len(self.runs) == 1:
            return self.runs[0][ranks].astype(np.float64)
        low, high = self._brackets(ranks)
        count = len(ranks)
        ends = np.concatenate([low, np.nextafter(low, math.inf), high])
        places = [np.searchsorted(run, _not_below(ends, run.dtype)) for run in self.runs]
        upto, short = np.sum(places, axis=0)[count:].reshape(2, count)
        found = np.where(ranks < upto, low, high)
        for number in np.flatnonzero((ranks >= upto) & (ranks < short)).tolist():
            between = [
                run[at[count + number] : at[2 * count + number]] for run, at in zip(self.runs, places, strict=True)
            ]
            place = int(ranks[number] - upto[number])
            found[number] = np.partition(np.concatenate(between), place)[place]
        return found

    def _brackets(self, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each rank a value that is not above the wanted one, and one that is not below it.

        Of a run that holds m sampled values below some number, at least (m - 1) * SAMPLE + 1 values and at most
        m * SAMPLE are below it.
        """
        sample = np.sort(np.concatenate([run[::SAMPLE] for run in self.runs]).astype(np.float64))
        places = ranks // SAMPLE
        low = sample[np.minimum(places, len(sample) - 1)]
        top = max(float(run[-1]) for run in self.runs)
        return low, np.append(sample, top)[np.minimum(places + len(self.runs) + 1, len(sample))]


def interpolated(
    ranked: Callable[[np.ndarray], np.ndarray], size: int, percents: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Quantiles from a function that gives the values at some places of all `size` values in order."""
    if not size:
        return np.full(len(percents), math.nan)
    places = np.array(percents) / 100 * (size - 1)
    lower = np.floor(places).astype(np.int64)
    upper = np.minimum(lower + 1, size - 1)
    ranks, back = np.unique([lower, upper], return_inverse=True)
    low, high = ranked(ranks)[back.reshape(2, -1)]
    # Halves, because the distance of two numbers may be beyond float64; from the nearer end, as numpy does.
    share = places - lower
    step = 2 * np.minimum(share, 1 - share) * (high / 2 - low / 2)
    return np.where(share < 0.5, low + step, high - step)


def _not_below(ends: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The smallest value of a type that is not below each of some float64 numbers."""
    with np.errstate(over="ignore"):
        rounded = ends.astype(dtype)
        return np.where(rounded.astype(np.float64) < ends, np.nextafter(rounded, dtype.type(math.inf)), rounded)
