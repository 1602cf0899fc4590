"""Arrays as the bytes of one entry on disk, and back: refused unless every byte is as it was written.

    magic (8) · format version (4) · length of the table (4) · length of the entry (8) · key (20)
    table: JSON, [name, type, shape] for each array
    the arrays' bytes in C order, each from a multiple of 16 on
    BLAKE2b of all of that (16)

Integers are little-endian, array values in the machine's own order, which the type says.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["MAX_ENTRY", "Arrays", "decoded", "digest", "encoded"]

Arrays = Mapping[str, np.ndarray]

MAX_ENTRY = 16 << 20
MAX_TABLE = 1 << 20
MAX_DIMENSIONS = 32
MAGIC, VERSION = b"\x93WWFOUND", 1
HEAD = struct.Struct("<8sIIQ20s")
CHECKSUM = 16
ALIGNMENT = 16
# No bool, of which most bytes are none.
TYPES = {np.dtype(code).str: np.dtype(code) for code in "bBhHiIlLqQefd"}


def digest(key: str) -> bytes:
    """What an entry is called after: 20 bytes that tell nothing of the key."""
    return hashlib.blake2b(key.encode(), digest_size=20).digest()


def encoded(arrays: Arrays, name: bytes) -> bytes:
    """The entry `name` with these arrays.

    Raises
    ------
    TypeError
        An array holds no numbers of up to 64 bits in the machine's own byte order.
    """
    if bad := [key for key, values in arrays.items() if values.dtype.str not in TYPES]:
        raise TypeError(f"{bad[0]!r} has the type {arrays[bad[0]].dtype}, which is not kept")
    table = json.dumps([[key, values.dtype.str, values.shape] for key, values in arrays.items()]).encode()
    position = HEAD.size + len(table)
    pieces = [table]
    for values in arrays.values():
        pieces.extend((b"\0" * (-position % ALIGNMENT), values.tobytes()))
        position += len(pieces[-2]) + len(pieces[-1])
    body = HEAD.pack(MAGIC, VERSION, len(table), position + CHECKSUM, name) + b"".join(pieces)
    return body + _checksum(body)


def decoded(data: bytes, name: bytes) -> dict[str, np.ndarray]:
    """The arrays of the entry `name`, which cannot be written to.

    Raises
    ------
    ValueError
        The bytes are no such entry, another one's, of another format, cut off or damaged.
    """
    if len(data) < HEAD.size + CHECKSUM:
        raise ValueError("cut off")
    magic, version, length, total, owner = HEAD.unpack_from(data)
    if (magic, version, total, owner) != (MAGIC, VERSION, len(data), name):
        raise ValueError("not this entry")
    body = memoryview(data)[:-CHECKSUM]
    if _checksum(body) != data[-CHECKSUM:]:
        raise ValueError("damaged")
    position = HEAD.size + length
    if length > MAX_TABLE or position > len(body):
        raise ValueError("a table too long")
    arrays = {}
    for key, dtype, shape in _rows(data[HEAD.size : position]):
        start = position + -position % ALIGNMENT
        position = start + math.prod(shape) * dtype.itemsize
        if position > len(body):
            raise ValueError("values beyond the end")
        arrays[key] = np.ndarray(shape, dtype, data, start)
    if position != len(body):
        raise ValueError("bytes left over")
    return arrays


def _rows(table: bytes) -> list[tuple[str, np.dtype[Any], tuple[int, ...]]]:
    try:
        rows = [(str(key), TYPES[kind], tuple(shape)) for key, kind, shape in json.loads(table)]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("no table") from error
    sizes = [size for *_, shape in rows for size in shape]
    # Where one size is 0 the others are not bounded by the entry's length.
    if any(type(size) is not int or not 0 <= size <= MAX_ENTRY for size in sizes):
        raise ValueError("no shape")
    if any(len(shape) > MAX_DIMENSIONS for *_, shape in rows):
        raise ValueError("too many dimensions")
    return rows


def _checksum(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=CHECKSUM).digest()
