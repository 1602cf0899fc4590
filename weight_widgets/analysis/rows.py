"""Matrices that are looked at some rows at a time: read from a file as they are needed, or the difference of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..reading.tensors import Tensor

__all__ = ["Difference", "Rows", "StoredRows"]


class Rows(Protocol):
    """What numpy's arrays of two dimensions are among others."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class StoredRows:
    """A tensor of two dimensions that is not read as a whole; `check` is called before each piece."""

    tensor: Tensor
    check: Callable[[], None]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensor.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.tensor.dtype

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        self.check()
        return self.tensor.read((rows,))


@dataclass(frozen=True, eq=False)
class Difference:
    """B − A of two matrices of one shape."""

    a: Rows
    b: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        return self.a.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(self.a.dtype, self.b.dtype, np.float32)

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        # Inf − Inf is NaN and what is too large is Inf, and both are shown as such.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.subtract(self.b[rows], self.a[rows], dtype=self.dtype)
