"""Many small tensors at once: for each of them to open its file would take longer than to read it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .fetching import Stretch, stretch_of
from .files import StoredFile, read_into
from .tensors import Tensor

__all__ = ["read_rows"]


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
    data, row = rows.view(np.uint8).reshape(-1).data, rows.shape[1] * rows.itemsize
    for source, places in stored.items():
        with source.open() as file:
            for offset, place in sorted(places):
                read_into(file, offset, data[place * row : (place + 1) * row], source.path)
    return rows


def _as_in_memory(stretch: Stretch, rows: np.ndarray) -> bool:
    # A byte that is neither 0 nor 1 is no valid bool to numpy.
    return stretch.dtype == rows.dtype and rows.dtype.kind != "b"
