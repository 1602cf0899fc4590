"""How the values of one tensor are distributed: exactly while it is small, else by one pass over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ..reading.tensors import Tensor
from .cells import CELLS, Cells, count_cells
from .moments import Moments, merge, moments
from .sketches import Histogram, finite_range, histogram

__all__ = ["Counted", "Distribution", "Exact", "distribution"]

# Up to so many elements the values themselves are kept.
EXACT_SIZE = 1 << 22


class Distribution(Protocol):
    """What histograms are made of, without another look at the file."""

    @property
    def moments(self) -> Moments: ...
    @property
    def nbytes(self) -> int: ...

    def span(self, clip: float) -> tuple[float, float] | None:
        """The range of the finite values without `clip` percent at either end; None when there are none."""

    def histogram(self, edges: np.ndarray) -> Histogram:
        """Counts of the finite values between evenly spaced edges."""


@dataclass(frozen=True, eq=False)
class Exact:
    """All values of an array of any shape."""

    values: np.ndarray

    @cached_property
    def moments(self) -> Moments:
        return moments(self.values)

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    def span(self, clip: float) -> tuple[float, float] | None:
        return finite_range(self.values, clip)

    def histogram(self, edges: np.ndarray) -> Histogram:
        return histogram(self.values, edges)


@dataclass(frozen=True, eq=False)
class Counted:
    """Values by their cells. Moments and ends of the range are exact, counts between other edges nearly so."""

    cells: Cells
    moments: Moments

    @property
    def nbytes(self) -> int:
        return self.cells.counts.nbytes

    def span(self, clip: float) -> tuple[float, float] | None:
        if not clip:
            return self.cells.low, self.cells.high
        low, high = self.cells.quantiles(np.array([clip, 100 - clip])).tolist()
        return low, high

    def histogram(self, edges: np.ndarray) -> Histogram:
        counts = np.diff(np.rint(self.cells.below(edges))).astype(np.int64)
        size = self.moments.finite
        return Histogram(edges, counts, int(size - counts.sum()), self.cells.uncertain(edges) / size)


def distribution(tensor: Tensor, check: Callable[[], None]) -> Distribution:
    """The distribution of a tensor's values; `check` is called between blocks and raises when nobody wants it any more.

    Where cells would tell too little (values of almost the same size, or beyond float32) the values are kept after all.
    """
    if tensor.size <= EXACT_SIZE:
        return Exact(tensor.read())
    found = Moments()
    counts = np.zeros(CELLS, np.int64)
    for block in tensor.blocks():
        check()
        flat = block.reshape(-1)
        own = moments(flat)
        found = merge(found, own)
        counts += count_cells(flat if own.finite == flat.size else flat[np.isfinite(flat)])
    cells = Cells(counts, found.minimum, found.maximum)
    return Counted(cells, found) if found.finite and cells.fine else Exact(tensor.read())
