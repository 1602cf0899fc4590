"""Counting small whole numbers, three times as fast as numpy does."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Tally"]


class Tally:
    """Counts of small whole numbers, in memory that is used again for each piece.

    scipy's conversion from coordinates to a dense array adds up what falls into one place, three times as fast as
    ``numpy.bincount``, and lets other threads run meanwhile.
    """

    def __init__(self, count: int, size: int) -> None:
        from scipy.sparse import coo_array

        self.counts = np.zeros(count, np.int64)
        self.indices = np.zeros(size, np.int32)
        self._last = np.zeros((count, 1), np.int32)
        self._make = coo_array
        self._array = self._of(size)

    def _of(self, size: int) -> Any:
        ones, column = np.ones(size, np.int32), np.zeros(size, np.int32)
        return self._make((ones, (self.indices[:size], column)), shape=self._last.shape)

    def add(self, size: int) -> np.ndarray:
        """Count the first `size` of `indices`, each from 0 to below `count`; what they alone give, valid until next."""
        if self._array.nnz != size:
            self._array = self._of(size)
        self._array.toarray(out=self._last)
        self.counts += self._last[:, 0]
        return self._last[:, 0]
