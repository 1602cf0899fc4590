"""Matrices that are looked at some rows at a time, such as the difference of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Difference", "Rows", "difference"]


class Rows(Protocol):
    """What numpy's arrays of two dimensions are among others."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Difference:
    """B − A of two matrices of one shape."""

    a: Rows
    b: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        return self.a.shape

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        return difference(self.a[rows], self.b[rows])


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """B − A in at least float32."""
    # Inf − Inf is NaN and what is too large is Inf, and both are shown as such.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(b, a, dtype=np.result_type(a.dtype, b.dtype, np.float32))
