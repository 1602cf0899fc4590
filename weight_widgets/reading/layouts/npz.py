"""``model.weights.npz``: the weights of a ``.keras`` archive that was saved with ``weights_format="npz"``.

An archive in the archive. Its members are called after the groups of a ``.weights.h5`` (``layers/dense.npy``), and each
holds a pickled dict of that group's arrays. A member may also be a plain array.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections import Counter

from ...errors import DamagedFileError, UnsafeFileError
from ..arrays import Array
from ..derived import transposed
from ..files import Span, StoredFile
from ..origins import Origin
from ..storage import Contiguous
from ..tensors import Skipped
from ..trees import Group, Growing
from ..window import FileWindow
from ..zipped import open_archive
from .pickled import FOREIGN, Budget, PickledArray, read_pickled

__all__ = ["read_tree"]

ROOT, SUFFIX = "__root__", ".npy"
MAGIC = b"\x93NUMPY"
HEADER = re.compile(
    r"\{'descr': '([<>|=]?)([a-zA-Z]\d*)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,15},? ?)*)\), \} *\n"
)
NUMERIC = re.compile(r"b1|[iu][1248]|f[248]")
MAX_HEADER = 4096
MAX_DIMENSIONS = 32
# Levels of models in models.
MAX_DEPTH = 64
# An array takes about 50 instructions, and a second is enough for a million.
MAX_STEPS = 2_000_000


def read_tree(source: StoredFile, span: Span | None = None) -> Group:
    """The groups and arrays of an npz file as those of a ``.weights.h5``; values are read when they are asked for.

    Raises
    ------
    UnsafeFileError
        A pickle that asks for more than arrays, bytes used twice, groups without end.
    DamagedFileError, UnsupportedFileError
    """
    root, budget = Growing(), Budget(MAX_STEPS)
    archive = open_archive(source, span)
    with source.open() as file:
        data = io.BufferedReader(FileWindow(file, source.whole), 1 << 16)
        for name in archive.names:
            where = f"{source.path}: {name}"
            if not name.endswith(SUFFIX):
                root.skipped.append(Skipped(name, "no array of numpy's"))
                continue
            steps = [step for step in name.removesuffix(SUFFIX).split("/") if step and step != ROOT]
            if len(steps) > MAX_DEPTH:
                raise UnsafeFileError(f"{where[:200]}… lies {len(steps)} levels deep; it is not read.")
            _, place = archive.place(name)
            _plant(root, steps, _member(data, place or source.whole, where, budget), source, where)
        data.detach()
    return root.grown()


def _plant(
    root: Growing, steps: list[str], found: PickledArray | dict[str, PickledArray], source: StoredFile, where: str
) -> None:
    """Put what a member holds where a ``.weights.h5`` has it."""
    if isinstance(found, PickledArray):
        *steps, name = steps or ["value"]
        home, found = root.group(steps), {name: found}
    else:
        home = root.group([*steps, "vars"])
    for name, array in found.items():
        if name in home.datasets:
            raise UnsafeFileError(f"{where}: another member holds {home.path}/{name} too. Save the model again.")
        home.datasets[name] = _array(f"{home.path}/{name}", array, source)


def _member(data: io.BufferedIOBase, span: Span, where: str, budget: Budget) -> PickledArray | dict[str, PickledArray]:
    """The pickled dict of arrays, or the plain array, of a ``.npy`` member."""
    data.seek(span.offset)
    header = _header(data, span, where)
    if header.code == "O":
        if header.shape:
            raise UnsafeFileError(f"{where} is an array of Python objects; it is not read.")
        arrays = read_pickled(data, sum(span), where, budget)
        _check_bytes(arrays, where)
        return arrays
    start = data.tell()
    header.content = Span(start, math.prod(header.shape) * header.dtype.itemsize)
    if sum(header.content) != sum(span):
        raise DamagedFileError(f"{where} has not the bytes that its shape needs. Copy or save it again.")
    return header


def _header(data: io.BufferedIOBase, span: Span, where: str) -> PickledArray:
    start = data.read(min(12, span.length))
    form = {1: "<H", 2: "<I", 3: "<I"}.get(start[6] if len(start) == 12 else 0)
    if not start.startswith(MAGIC) or form is None:
        raise DamagedFileError(f"{where} is no array of numpy's. Copy or save it again.")
    (length,) = struct.unpack_from(form, start, 8)
    begin = 8 + struct.calcsize(form)
    if length > MAX_HEADER or begin + length > span.length:
        raise DamagedFileError(f"{where} has a header of {length} bytes. Copy or save it again.")
    data.seek(span.offset + begin)
    found = HEADER.fullmatch(data.read(length).decode("latin-1"))
    sizes = [int(size) for size in re.findall(r"\d+", found[4])] if found else []
    if not found or len(sizes) > MAX_DIMENSIONS or not (found[2] == "O" or NUMERIC.fullmatch(found[2])):
        raise DamagedFileError(f"{where} has a header that numpy does not write for weights. Save the model again.")
    return PickledArray(tuple(sizes), found[2], found[1] or "|", found[3] == "True")


def _check_bytes(arrays: dict[str, PickledArray], where: str) -> None:
    # Python keeps one object for each single byte, so pickles of one-byte arrays share it.
    used = Counter(
        array.content for array in arrays.values() if isinstance(array.content, Span) and array.content.length > 1
    )
    if any(count > 1 for count in used.values()):
        raise UnsafeFileError(f"{where} has several arrays of the same bytes; it is not read.")


def _array(path: str, found: PickledArray, source: StoredFile) -> Array:
    if found.fortran and len(found.shape) > 1:
        # Its first axis varies fastest, as the last one of the transposed array does.
        return transposed(_in_c_order(path, found, found.shape[::-1], source), range(len(found.shape))[::-1])
    return _in_c_order(path, found, found.shape, source)


def _in_c_order(path: str, found: PickledArray, shape: tuple[int, ...], source: StoredFile) -> Array:
    assert isinstance(found.content, Span)
    dtype, offset = found.dtype, found.content.offset
    return Array(
        path,
        shape,
        dtype.newbyteorder("="),
        Contiguous(source, offset, shape, dtype),
        found.code if found.code in FOREIGN else "",
        origin=Origin("stored", (offset, shape, dtype.str), (source,)),
    )
