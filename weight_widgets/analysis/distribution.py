"""How the finite values of a tensor are distributed, to be asked without another look at the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .histograms import Histogram

__all__ = ["Distribution"]


class Distribution(Protocol):
    """All values in order (`Runs`), or counted in cells (`Cells`)."""

    @property
    def exact(self) -> bool: ...

    @property
    def size(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    def span(self, clip: float, /) -> tuple[float, float] | None: ...

    def histogram(self, edges: np.ndarray, /) -> Histogram: ...

    def quantiles(self, percents: Sequence[float] | np.ndarray, /) -> np.ndarray: ...

    def within(self, threshold: float, /) -> int: ...
