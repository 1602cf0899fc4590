"""HDF5 files: their tree as frozen values, listed here or by a process of ours, and arrays that read themselves."""

from __future__ import annotations

import base64
import math
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..arrays import Array
from ..fetching import Fetch, Memory
from ..files import Span, StoredFile
from ..origins import Origin
from ..storage import Chunk, Contiguous, read_chunks
from ..structure import Index
from ..tensors import Skipped
from ..trees import Group, Growing
from .classic import Unusual, list_file
from .service import ask

__all__ = ["read_tree"]


def read_tree(source: StoredFile, span: Span | None = None) -> Group:
    """Names, shapes, types and attributes of everything in an HDF5 file; values are read when they are asked for.

    Parameters
    ----------
    source : StoredFile
    span : Span, optional
        Where in the file the HDF5 lies; all of it by default.

    Raises
    ------
    DamagedFileError, ChangedFileError
    """
    try:
        root = list_file(source, span)
    except Unusual:
        root = _listed(source, span)
    _leave_out_lies(root, span or source.whole)
    return root.grown()


def _listed(source: StoredFile, span: Span | None) -> Growing:
    """The root of a file's tree as libhdf5 sees it, in a process of its own."""
    growing: list[Growing] = []

    def take(answer: Any) -> None:
        for kind, parent, name, *what, attributes in answer["items"]:
            if parent is None:
                growing.append(Growing("", attributes))
                continue
            home = growing[parent]
            path = f"{home.path}/{name}"
            if kind == "group":
                home.groups[name] = Growing(path, attributes)
                growing.append(home.groups[name])
            elif kind == "dataset":
                shape, type_name, storage = what
                home.datasets[name] = _array(source, span, path, tuple(shape), type_name, storage, attributes)
            else:
                home.skipped.append(Skipped(path, what[0]))

    _ask(source, span, {}, take)
    return growing[0]


def _leave_out_lies(root: Growing, place: Span) -> None:
    """Drop the datasets whose bytes are not in the file, or are those of another one."""
    extents = [
        (array.fetch.offset, array.size * array.fetch.dtype.itemsize, home, name, array.path)
        for home in root.walk()
        for name, array in home.datasets.items()
        if isinstance(array.fetch, Contiguous) and array.size
    ]
    taken, owner = 0, ""
    for start, size, home, name, path in sorted(extents, key=operator.itemgetter(0)):
        if start + size > sum(place):
            reason = "its values lie beyond the end of the file"
        elif start < taken:
            reason = f"its values overlap those of {owner}"
        else:
            taken, owner = start + size, path
            continue
        del home.datasets[name]
        home.skipped.append(Skipped(path, reason))


def _array(
    source: StoredFile,
    span: Span | None,
    path: str,
    shape: tuple[int, ...],
    type_name: str,
    storage: list[Any],
    attributes: Mapping[str, Any],
) -> Array:
    # Types that numpy does not have come as the bytes that they are, under their name.
    named = type_name.isidentifier()
    dtype = np.dtype(("|V2" if type_name == "bfloat16" else "|V1") if named else type_name)
    layout, *place = storage
    base = span.offset if span else 0
    if layout == "contiguous":
        fetch: Fetch = Contiguous(source, base + place[0], shape, dtype)
    elif layout == "chunked":
        fetch = _Chunked(source, span, path, shape, dtype, *place)
    else:
        fetch = partial(_fetch_compact, source, span, path, shape, dtype)
    origin = Origin("stored", (span, path, shape, type_name if named else dtype.str, *storage), (source,))
    return Array(path, shape, dtype.newbyteorder("="), fetch, type_name if named else "", attributes, origin)


@dataclass(frozen=True, slots=True)
class _Chunked:
    """An array stored in chunks, whose places are asked for when it is read."""

    source: StoredFile
    span: Span | None
    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunk_shape: list[int]
    filters: list[int]

    def __call__(self, index: Index) -> np.ndarray:
        return self._read(self._chunks(), index)

    def each(self, indices: Iterable[Index], _: Memory) -> Iterator[np.ndarray]:
        """The values at each index, from bands of rows that are as high as a chunk, one after another."""
        high = self.chunk_shape[0]
        bands: defaultdict[int, list[Chunk]] = defaultdict(list)
        for chunk in self._chunks():
            bands[chunk.start[0] // high].append(chunk)
        number, band = -1, np.empty(0)
        for first, *inner in indices:
            start, stop = (first.start, first.stop) if isinstance(first, slice) else (first, first + 1)
            found = []
            for wanted in range(start // high, (stop - 1) // high + 1):
                begin = wanted * high
                if wanted != number:
                    number, band = wanted, self._read(bands[wanted], (slice(begin, begin + high),))
                found.append(band[(slice(max(start - begin, 0), stop - begin), *inner)])
            values = np.ascontiguousarray(found[0]) if len(found) == 1 else np.concatenate(found)
            yield values if isinstance(first, slice) else values[0]

    def _chunks(self) -> list[Chunk]:
        stored = _stored(self.source, self.span, self.path)["chunks"]
        base = self.span.offset if self.span else 0
        return [Chunk(tuple(start), base + offset, length, mask) for start, offset, length, mask in stored]

    def _read(self, chunks: list[Chunk], index: Index) -> np.ndarray:
        return read_chunks(self.source, chunks, tuple(self.chunk_shape), self.filters, self.shape, self.dtype, index)


def _fetch_compact(
    source: StoredFile, span: Span | None, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], index: Index
) -> np.ndarray:
    data = base64.b64decode(_stored(source, span, path)["bytes"])
    values = np.frombuffer(data, dtype, math.prod(shape)).reshape(shape)[index]
    return values.astype(dtype.newbyteorder("="))


def _stored(source: StoredFile, span: Span | None, path: str) -> Any:
    answers: list[Any] = []
    _ask(source, span, {"dataset": path}, answers.append)
    return answers[0]


def _ask(source: StoredFile, span: Span | None, request: dict[str, Any], take: Callable[[Any], None]) -> None:
    """Ask our process about the file; what it says stands only if the file was the same before and after."""
    source.check()
    place = {"path": str(source.path.absolute()), "span": span, "identity": source.identity}
    try:
        ask(place | request, take)
    finally:
        source.check()
