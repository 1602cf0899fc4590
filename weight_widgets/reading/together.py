"""Many small tensors at once: for each of them to open its file would take longer than to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .fetching import Stretch, stretch_of
from .files import StoredFile, read_into
from .tensors import Tensor

__all__ = ["read_rows"]

# Bytes that are read and thrown away sooner than skipped, and that are read at a time.
GAP, LONGEST = 1 << 15, 1 << 20


def read_rows(tensors: Sequence[Tensor]) -> np.ndarray:
    """The values of tensors of one size and dtype, each in C order as a row of a new array.

    What lies in a file as it is, is read with one opening of that file.

    Returns
    -------
    numpy.ndarray
        Shape (tensors, size), in native byte order.

    Raises
    ------
    ChangedFileError
        A file was rewritten since it was opened.
    DamagedFileError
        A file cannot be read at some place.
    """
    rows = np.empty((len(tensors), tensors[0].size), tensors[0].dtype)
    stored: dict[StoredFile, list[tuple[int, int]]] = {}
    for place, tensor in enumerate(tensors):
        stretch = stretch_of(tensor._fetch)
        if stretch is None or not _as_in_memory(stretch, rows):
            rows[place] = tensor.read().reshape(-1)
        else:
            stored.setdefault(stretch.source, []).append((stretch.offset, place))
    row = rows.shape[1] * rows.itemsize
    data = rows.view(np.uint8).reshape(len(rows), row)
    for source, places in stored.items():
        with source.open() as file:
            for near in _runs(sorted(places), row):
                first, last = near[0][0], near[-1][0]
                found = np.empty(last + row - first, np.uint8)
                read_into(file, first, found.data, source.path)
                for offset, place in near:
                    data[place] = found[offset - first : offset - first + row]
    return rows


def _runs(places: Sequence[tuple[int, int]], row: int) -> Iterator[list[tuple[int, int]]]:
    """Neighbours that are read at one go, with what lies between them."""
    run = [places[0]]
    for offset, place in places[1:]:
        if offset - run[-1][0] - row > GAP or offset + row - run[0][0] > LONGEST:
            yield run
            run = []
        run.append((offset, place))
    yield run


def _as_in_memory(stretch: Stretch, rows: np.ndarray) -> bool:
    # A byte that is neither 0 nor 1 is no valid bool to numpy.
    return stretch.dtype == rows.dtype and rows.dtype.kind != "b"
