"""Lazy arithmetic over arrays, for quantised weights: unpacking, reshaping, scaling."""

from __future__ import annotations

import math

import numpy as np

from ...errors import DamagedFileError
from ..arrays import Array, made_of
from ..structure import Index

__all__ = ["reshaped", "scaled", "scaled_by_group", "unpacked"]


def unpacked(array: Array, axis: int, length: int) -> Array:
    """Signed 4-bit codes that are packed in pairs along an axis, the first in the low half, as int8.

    `length` is how many there are along that axis, an odd last one having a byte for itself.
    """
    shape = (*array.shape[:axis], length, *array.shape[axis + 1 :])

    def fetch(index: Index) -> np.ndarray:
        steps = _steps(shape, index)
        wanted = steps[axis]
        taken = range(length)[wanted] if isinstance(wanted, slice) else range(wanted, wanted + 1)
        first, last = (taken[0] // 2, taken[-1] // 2 + 1) if taken else (0, 0)
        packed = np.asarray(array.fetch((*steps[:axis], slice(first, last), *steps[axis + 1 :]))).view(np.int8)
        # Integers before it took their axes away.
        here = sum(isinstance(step, slice) for step in steps[:axis])
        # Shifted up and down again, so that the sign is kept.
        halves = np.stack([packed << 4 >> 4, packed >> 4], axis=here + 1)
        flat = halves.reshape(*packed.shape[:here], 2 * (last - first), *packed.shape[here + 1 :])
        start = taken.start - 2 * first
        cut = slice(start, taken.stop - 2 * first, taken.step) if isinstance(wanted, slice) else start
        return np.array(flat[(slice(None),) * here + (cut,)])

    return made_of([array], "unpacked", axis, length, shape=shape, dtype=np.dtype(np.int8), fetch=fetch)


def reshaped(array: Array, shape: tuple[int, ...]) -> Array:
    """The same elements in C order under another shape; an index takes no more rows than its first step needs."""
    if shape == array.shape:
        return array

    def fetch(index: Index) -> np.ndarray:
        steps = _steps(shape, index)
        if not shape or not array.shape or not array.size:
            return np.array(np.asarray(array.fetch(())).reshape(shape)[steps])
        first = steps[0]
        rows = range(shape[0])[first] if isinstance(first, slice) else range(first, first + 1)
        inner, source = math.prod(shape[1:]), math.prod(array.shape[1:])
        low, high = (rows[0] * inner, (rows[-1] + 1) * inner) if rows else (0, 0)
        block = np.asarray(array.fetch((slice(low // source, -(-high // source)),))).reshape(-1)
        low_row = low // source * source
        values = block[low - low_row : high - low_row].reshape(-1 if rows else 0, *shape[1:])
        return np.array(values[(slice(None, None, rows.step) if isinstance(first, slice) else 0, *steps[1:])])

    return made_of([array], "reshaped", *shape, shape=shape, fetch=fetch)


def scaled(codes: Array, scale: Array) -> Array:
    """The weights ``codes / scale``; the scale has as many axes, those of size 1 being shared."""

    def fetch(index: Index) -> np.ndarray:
        steps = _steps(codes.shape, index)
        shared = tuple(
            step if size > 1 else (slice(None) if isinstance(step, slice) else 0)
            for step, size in zip(steps, scale.shape, strict=True)
        )
        with np.errstate(all="ignore"):
            return np.asarray(_float32(codes.fetch(index)) / _float32(scale.fetch(shared)))

    return made_of([codes, scale], "scaled", dtype=np.dtype(np.float32), fetch=fetch)


def scaled_by_group(codes: Array, scale: Array, zero: Array, groups: Array, axis: int) -> Array:
    """The weights ``(codes - zero) * scale`` of a matrix; `groups` tell which zero and scale holds along `axis`."""

    def fetch(index: Index) -> np.ndarray:
        steps = _steps(codes.shape, index)
        found = np.asarray(groups.fetch((steps[axis],)))
        if not np.all((found >= 0) & (found < scale.shape[axis])):
            raise DamagedFileError(f"{groups.path} names groups that the file does not have. Save the model again.")
        positions = found.astype(np.int64)
        every = tuple(slice(None) if number == axis else step for number, step in enumerate(steps))
        # The other axis, which an integer may have taken away, comes before or after this one.
        where = 0 if axis == 0 else -1
        zeros = np.take(_float32(zero.fetch(every)), positions, axis=where)
        scales = np.take(_float32(scale.fetch(every)), positions, axis=where)
        with np.errstate(all="ignore"):
            return np.asarray((_float32(codes.fetch(index)) - zeros) * scales)

    return made_of([codes, scale, zero, groups], "scaled by group", axis, dtype=np.dtype(np.float32), fetch=fetch)


def _float32(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def _steps(shape: tuple[int, ...], index: Index) -> Index:
    """The index with a step for every axis."""
    return (*index, *(slice(None) for _ in shape[len(index) :]))
