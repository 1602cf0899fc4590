"""safetensors files: a JSON header of names, types, shapes and places, and the bytes behind it.

Their names are flat. What stands before the last ``/``, or else before the last ``.``, is the layer:
``encoder.layer.0.attention.query.weight`` is the tensor ``weight`` of the layer ``encoder.layer.0.attention.query``. A
name of one word is a weight of the model itself. The order in the file is one of sizes, not of the model, so layers
come in the natural order of their names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ...errors import DamagedFileError, UnsafeFileError
from ..arrays import Array
from ..files import StoredFile
from ..origins import Origin
from ..storage import Contiguous
from ..tensors import Skipped
from .base import MAX_JSON, Listing, natural, parse_json
from .mapping import layers_of, split_name

__all__ = ["matches", "read"]

LENGTH = 8
METADATA = "__metadata__"
TYPES = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (64, 32, 16)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (64, 32, 16, 8)},
    **{f"U{bits}": f"<u{bits // 8}" for bits in (64, 32, 16, 8)},
    "BOOL": "|b1",
    # Types that numpy does not have come as the bytes that they are, under their name.
    "BF16": "|V2",
    "F8_E4M3": "|V1",
    "F8_E5M2": "|V1",
}
NAMED = {"BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
MAX_DIMENSIONS = 32


def matches(head: bytes) -> bool:
    """Whether a file that begins so is one; no header takes a terabyte, and text here would claim more."""
    return head[LENGTH : LENGTH + 1] == b"{" and int.from_bytes(head[:LENGTH], "little") < 1 << 40


def read(source: StoredFile) -> Listing:
    """The listing of a safetensors file.

    Raises
    ------
    UnsafeFileError
        Two tensors of the same name or the same bytes, or a header larger than any model's.
    DamagedFileError
    """
    where = str(source.path)
    length = int.from_bytes(source.read(0, LENGTH), "little")
    start = LENGTH + length
    if length > MAX_JSON:
        raise UnsafeFileError(f"{where} claims a header of {length} bytes; no model needs so many.")
    if start > source.identity.size:
        raise DamagedFileError(f"{where} ends in the middle of its header. Copy or download it again.")
    text = bytes(source.read(LENGTH, length))
    header = parse_json(text, f"{where}: its header")
    json.loads(text, object_pairs_hook=partial(_refuse_twice, where))
    arrays: list[Array] = []
    skipped: list[Skipped] = []
    ends = [(0, 0, "")]
    for name, entry in header.items():
        if name == METADATA:
            continue
        first, last, shape = _checked(entry, f"{where}: {name[:200]!r}", source.identity.size - start)
        ends.append((first, last, name))
        if entry["dtype"] in TYPES:
            arrays.append(_array(source, start + first, last - first, name, entry["dtype"], shape))
        else:
            skipped.append(Skipped(name, f"of the type {entry['dtype'][:40]}, which is not read"))
    free = _free_bytes(ends, where, source.identity.size - start)
    found = {array.path: array for array in arrays}
    layers = layers_of((*split_name(name), found[name]) for name in natural(found))
    notes = [f"{free} bytes of the file belong to no tensor."] if free else []
    return Listing("safetensors", "", layers, skipped=skipped, notes=notes)


def _refuse_twice(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnsafeFileError(f"{where}: its header has a name twice. Save or download it again.")
    return found


def _checked(entry: Any, where: str, size: int) -> tuple[int, int, tuple[int, ...]]:
    """The first byte, the byte behind the last and the shape of a tensor."""
    if not isinstance(entry, Mapping):
        raise DamagedFileError(f"{where} is not described. Copy or save the file again.")
    kind, shape, offsets = (entry.get(key, ()) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise DamagedFileError(f"{where} has no type, shape or place. Copy or save the file again.")
    if len(shape) > MAX_DIMENSIONS:
        raise UnsafeFileError(f"{where} has {len(shape)} dimensions; no weight has.")
    first, last = offsets
    if not first <= last <= size:
        raise DamagedFileError(f"{where} lies beyond the end of the file. Copy or download it again.")
    needed = math.prod(shape) * np.dtype(TYPES[kind]).itemsize if kind in TYPES else last - first
    if last - first != needed:
        raise DamagedFileError(
            f"{where} has {last - first} bytes, and its shape {tuple(shape)} of {kind} needs {needed}. Save it again."
        )
    return first, last, tuple(shape)


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 63 for size in value)


def _free_bytes(ends: list[tuple[int, int, str]], where: str, size: int) -> int:
    """How many bytes belong to no tensor; an error where some belong to two."""
    ends.sort()
    free, taken, owner = 0, 0, ""
    for first, last, name in ends:
        if first < taken and first < last:
            raise UnsafeFileError(f"{where}: {name[:200]!r} shares its bytes with {owner[:200]!r}. Save it again.")
        free += max(0, first - taken)
        taken, owner = max((taken, owner), (last, name))
    return free + size - taken


def _array(source: StoredFile, offset: int, length: int, name: str, kind: str, shape: tuple[int, ...]) -> Array:
    dtype = np.dtype(TYPES[kind])
    fetch = Contiguous(source, offset, shape, dtype)
    origin = Origin("stored", (offset, shape, kind), (source,))
    return Array(name, shape, dtype.newbyteorder("="), fetch, NAMED.get(kind, ""), origin=origin)
