"""Values straight from the file's bytes: contiguous stretches, and the chunks of HDF5 with their filters.

The HDF5 library is not asked for values: it would keep the interpreter's lock, inflate whatever a chunk claims, and
leave stale memory where a chunk holds less than it says.
"""

from __future__ import annotations

import io
import itertools
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DamagedFileError
from .fetching import Memory, Stretch
from .files import StoredFile, read_into
from .structure import Index

__all__ = ["DEFLATE", "FLETCHER32", "SHUFFLE", "Chunk", "Contiguous", "read_chunks"]

BLOCK = 4 << 20
# What filters may add to a chunk that does not become smaller.
OVERHEAD = 4096
# The HDF5 library's own numbers of the filters.
DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3


@dataclass(frozen=True)
class Chunk:
    """A stored chunk: where its first element belongs, where its bytes lie, and which filters were left out."""

    start: tuple[int, ...]
    offset: int
    length: int
    mask: int


@dataclass(frozen=True, slots=True)
class Contiguous:
    """A C-ordered array whose bytes start at `offset`; a `fetching.Fetch` that returns them in native byte order."""

    source: StoredFile
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, index: Index) -> np.ndarray:
        with self.source.open() as file:
            return self._read(file, index, Memory())

    def each(self, indices: Iterable[Index], memory: Memory) -> Iterator[np.ndarray]:
        """The values at each index, for which the file is opened once and by nobody else."""
        with self.source.open() as file:
            for number, index in enumerate(indices):
                # For the first one it was opened just now.
                if number:
                    self.source.check()
                places, rows = [step for step in index if isinstance(step, int)], index[-1]
                if len(places) == len(index) - 1 and isinstance(rows, slice):
                    yield self._run(file, places, rows, memory)
                else:
                    yield self._read(file, index, memory)

    def _run(self, file: io.FileIO, places: Sequence[int], rows: slice, memory: Memory) -> np.ndarray:
        """Rows within one place on the axes before theirs, which lie in one stretch of the file."""
        first, inner = 0, self.shape[len(places) + 1 :]
        for place, size in zip([*places, rows.start], self.shape, strict=False):
            first = first * size + place
        out = memory.array((rows.stop - rows.start, *inner), self.dtype)
        read_into(file, self.offset + first * math.prod(inner) * self.dtype.itemsize, _bytes(out), self.source.path)
        return _finish(out, ())

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.source, self.offset, self.dtype)

    def _read(self, file: io.FileIO, index: Index, memory: Memory) -> np.ndarray:
        steps = _ranges(self.shape, index)
        out = memory.array([len(step) for step in steps], self.dtype)
        if out.size:
            _gather(file, self.source.path, self.offset, self.shape, steps, out)
        return _finish(out, index)


def _gather(
    file: io.FileIO, path: Path, offset: int, shape: tuple[int, ...], steps: Sequence[range], out: np.ndarray
) -> None:
    """Fill `out` with the steps of each dimension, reading whole rows where they are small."""
    if all(step == range(size) for step, size in zip(steps, shape, strict=True)):
        read_into(file, offset, _bytes(out), path)
        return
    row = math.prod(shape[1:]) * out.itemsize
    rows = steps[0]
    whole = all(step == range(size) for step, size in zip(steps[1:], shape[1:], strict=True))
    if whole and rows.step == 1:
        read_into(file, offset + rows.start * row, _bytes(out), path)
    elif len(rows) == 1 and len(shape) > 1:
        _gather(file, path, offset + rows[0] * row, shape[1:], steps[1:], out[0])
    elif row <= BLOCK:
        inner = tuple(slice(step.start, step.stop, step.step) for step in steps[1:])
        taken = max(1, BLOCK // max(1, row * rows.step))
        for first in range(0, len(rows), taken):
            part = rows[first : first + taken]
            block = np.empty((part[-1] - part[0] + 1, *shape[1:]), out.dtype)
            read_into(file, offset + part[0] * row, _bytes(block), path)
            out[first : first + len(part)] = block[(slice(None, None, rows.step), *inner)]
    else:
        for number, position in enumerate(rows):
            _gather(file, path, offset + position * row, shape[1:], steps[1:], out[number])


def _bytes(values: np.ndarray) -> memoryview:
    # As bytes, for a memoryview knows no half precision and no foreign byte order.
    return values.reshape(-1).view(np.uint8).data


def read_chunks(
    source: StoredFile,
    chunks: Sequence[Chunk],
    chunk_shape: tuple[int, ...],
    filters: Sequence[int],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    index: Index,
) -> np.ndarray:
    """What a basic `index` takes of an array stored in chunks; those that were never written are zeros.

    Raises
    ------
    DamagedFileError
        A chunk does not inflate to the size that the file declares, or its checksum is wrong.
    """
    steps = _ranges(shape, index)
    box = [range(min(step[0], step[-1]), max(step[0], step[-1]) + 1) if len(step) else range(0) for step in steps]
    values = np.zeros([len(side) for side in box], dtype)
    if values.size:
        with source.open() as file:
            for chunk in chunks:
                spans = [
                    range(max(side.start, start), min(side.stop, start + size))
                    for side, start, size in zip(box, chunk.start, chunk_shape, strict=True)
                ]
                if all(spans):
                    if chunk.length > 2 * math.prod(chunk_shape) * dtype.itemsize + OVERHEAD:
                        raise _damaged(source.path, chunk, f"claims {chunk.length} bytes")
                    data = bytearray(chunk.length)
                    read_into(file, chunk.offset, memoryview(data), source.path)
                    block = _unfiltered(data, chunk, filters, math.prod(chunk_shape), dtype, source.path)
                    values[_window(spans, [side.start for side in box])] = block.reshape(chunk_shape)[
                        _window(spans, chunk.start)
                    ]
    inner = tuple(slice(None, None, step.step) for step in steps)
    return _finish(np.ascontiguousarray(values[inner]), index)


def _window(spans: Sequence[range], origin: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(span.start - start, span.stop - start) for span, start in zip(spans, origin, strict=True))


def _unfiltered(
    data: bytearray, chunk: Chunk, filters: Sequence[int], count: int, dtype: np.dtype[Any], path: Path
) -> np.ndarray:
    expected = count * dtype.itemsize
    applied = [code for number, code in enumerate(filters) if not chunk.mask >> number & 1]
    for position in range(len(applied) - 1, -1, -1):
        code = applied[position]
        if code == FLETCHER32:
            if len(data) < 4 or not _checks(memoryview(data)[:-4], bytes(data[-4:])):
                raise _damaged(path, chunk, "has a wrong checksum")
            del data[-4:]
        elif code == DEFLATE:
            # A checksum that was taken before the compression is compressed along.
            data = _inflated(data, expected + 4 * applied[:position].count(FLETCHER32))
        else:
            data = _unshuffled(data, dtype.itemsize)
    if len(data) != expected:
        raise _damaged(path, chunk, f"does not hold the {expected} bytes that it should")
    return np.frombuffer(data, dtype)


def _damaged(path: Path, chunk: Chunk, what: str) -> DamagedFileError:
    return DamagedFileError(
        f"{path}: the chunk at byte {chunk.offset} {what}. The file is damaged; copy or save it again."
    )


def _inflated(data: bytearray, size: int) -> bytearray:
    """The inflated bytes, at most one more than `size`; none where they are no zlib stream."""
    try:
        return bytearray(zlib.decompressobj().decompress(data, size + 1))
    except zlib.error:
        return bytearray()


def _unshuffled(data: bytearray, itemsize: int) -> bytearray:
    whole = len(data) // itemsize * itemsize
    planes = np.frombuffer(data, np.uint8, whole).reshape(itemsize, -1)
    return bytearray(planes.T.tobytes()) + data[whole:]


def _checks(data: memoryview, stored: bytes) -> bool:
    """Whether the Fletcher checksum over 16-bit big-endian words is the stored one, as HDF5 takes it."""
    words = np.frombuffer(data, ">u2", len(data) // 2).astype(np.uint64)
    if len(data) % 2:
        words = np.append(words, np.uint64(data[-1] << 8))
    total, weighted, modulus = 0, 0, 65535
    for first in range(0, len(words), 1 << 16):
        block = words[first : first + (1 << 16)]
        weighted += total * len(block) + int((block * np.arange(len(block), 0, -1, dtype=np.uint64)).sum())
        total += int(block.sum())
    found = int.from_bytes(stored, "little")
    return (weighted - (found >> 16)) % modulus == 0 and (total - (found & 0xFFFF)) % modulus == 0


def _ranges(shape: tuple[int, ...], index: Index) -> list[range]:
    """The positions that an index takes along each dimension; an int takes one."""
    steps = itertools.chain(index, itertools.repeat(slice(None)))
    taken = []
    for size, step in zip(shape, steps, strict=False):
        taken.append(range(size)[step] if isinstance(step, slice) else range(step, step + 1))
    return taken


def _finish(values: np.ndarray, index: Index) -> np.ndarray:
    """Without the dimensions that an int selected, in native byte order."""
    dropped = tuple(number for number, step in enumerate(index) if not isinstance(step, slice))
    values = values.squeeze(dropped) if dropped else values
    if values.dtype == np.bool_:
        # A byte that is neither 0 nor 1 is no valid bool to numpy.
        return values.view(np.uint8) != 0
    return values.astype(values.dtype.newbyteorder("="), copy=False)
