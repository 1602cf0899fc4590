"""The child process that lists HDF5 files: the only module that imports h5py, and it never runs in the notebook.

A file can make the HDF5 library crash, or hang while it holds the interpreter's lock. Here it takes only this process
with it. The parent asks with a line of JSON and is answered in frames: four bytes that give the length, then JSON,
which is data whatever happens here. Only structure goes through the pipe: names, shapes, types, attributes and byte
offsets; the parent reads the values from the file itself.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5i, h5l, h5o, h5s, h5t, h5z

from ...processes.child import answers, limit_process, renew_cpu_time
from ..files import Span, identity_of
from ..storage import DEFLATE, FLETCHER32, SHUFFLE
from ..window import FileWindow
from .wanted import MAX_ATTRIBUTE, MAX_DEPTH, MAX_NAMES, is_wanted

MEMORY, CPU_SECONDS = 384 << 20, 70
MAX_CHUNK = 64 << 20
MAX_CHUNKS = 1_000_000
# Compressed data that claims to be larger than this must not claim to be so many times its stored size.
SUSPICIOUS, MAX_RATIO = 64 << 20, 200
BATCH, BATCH_BYTES = 500, 512 << 10

INTEGERS = {h5t.SGN_NONE: "u", h5t.SGN_2: "i"}
ORDERS = {h5t.ORDER_LE: "<", h5t.ORDER_BE: ">"}
# (sign position, exponent position, exponent size, mantissa position, mantissa size), exponent bias
FLOATS = {
    ((15, 10, 5, 0, 10), 15): "f2",
    ((31, 23, 8, 0, 23), 127): "f4",
    ((63, 52, 11, 0, 52), 1023): "f8",
    ((15, 7, 8, 0, 7), 127): "bfloat16",
    ((7, 3, 4, 0, 3), 7): "float8_e4m3fn",
    ((7, 2, 5, 0, 2), 15): "float8_e5m2",
}
KINDS = {
    h5t.STRING: "text",
    h5t.COMPOUND: "records",
    h5t.REFERENCE: "references",
    h5t.VLEN: "lists of varying length",
    h5t.ARRAY: "arrays",
    h5t.ENUM: "an enumeration",
    h5t.TIME: "times",
    h5t.BITFIELD: "bit fields",
}

Item = list[Any]


class Unreadable(Exception):
    """Why a thing in a file is left out."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_process(MEMORY)
    # Nothing made here lives on in cycles, and the collector would walk all of it again and again.
    gc.disable()
    send = answers()
    send({"ready": True})
    for line in sys.stdin.buffer:
        renew_cpu_time(CPU_SECONDS)
        try:
            _answer(json.loads(line), send)
            send({"done": True})
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
            send({"error": _first_line(error)})


def _answer(request: dict[str, Any], send: Callable[[Any], None]) -> None:
    with _opened(Path(request["path"]), request["span"], request["identity"]) as file:
        if "dataset" in request:
            send(_stored(file, request["dataset"].encode("utf-8", "surrogateescape")))
        else:
            walk = _Walk(send)
            walk.group(h5g.open(file, b"/"), "", 0)
            walk.send()


@contextlib.contextmanager
def _opened(path: Path, span: list[int] | None, identity: list[int]) -> Iterator[h5f.FileID]:
    if list(identity_of(path.stat())) != identity:
        raise OSError("it was rewritten meanwhile")
    if span is None:
        with h5py.File(path, "r", locking=False) as file:
            yield file.id
    else:
        with path.open("rb", buffering=0) as whole, h5py.File(FileWindow(whole, Span(*span)), "r") as file:
            yield file.id


class _Walk:
    """One walk over a file, each object once: items in the order in which the parent builds its tree, sent in batches.

    An item is ``["group", parent, name, attributes]``, ``["dataset", parent, name, shape, type, storage, attributes]``
    or ``["skipped", parent, name, reason, {}]``; `parent` counts the groups, the root being 0.
    """

    def __init__(self, send: Callable[[Any], None]) -> None:
        self._send = send
        self._batch: list[Item] = []
        self._size = 0
        self._groups = 0
        self._seen: dict[int, str] = {}

    def send(self) -> None:
        self._send({"items": self._batch})
        self._batch, self._size = [], 0

    def take(self, *item: Any) -> None:
        self._batch.append([*item])
        self._size += 100 + sum(map(len, _texts(item[-1])))
        if len(self._batch) >= BATCH or self._size > BATCH_BYTES:
            self.send()

    def group(self, group: h5g.GroupID, path: str, depth: int) -> None:
        number = self._groups
        self._groups += 1
        if number == 0:
            self._seen[h5o.get_info(group).addr] = "/"
            self.take("group", None, "", _attributes(group))
        links: list[tuple[bytes, int, int]] = []
        # The link that comes is one and the same each time, with other values.
        group.links.iterate(lambda name, link: links.append((name, link.type, link.u)), info=True)
        for raw, kind, address in links:
            name = raw.decode("utf-8", "surrogateescape")
            try:
                if kind != h5l.TYPE_HARD:
                    raise Unreadable("a link; links are not followed")
                if first := self._seen.get(address):
                    # Without this a few dozen groups that hold each other would take for ever to list.
                    raise Unreadable(f"the same as {first}, under another name")
                self.item(h5o.open(group, raw), address, number, name, f"{path}/{name}", depth)
            except Unreadable as reason:
                self.take("skipped", number, name, str(reason), {})
            except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
                self.take("skipped", number, name, f"cannot be read ({_first_line(error)})", {})

    def item(self, found: Any, address: int, parent: int, name: str, path: str, depth: int) -> None:
        if isinstance(found, h5g.GroupID):
            if depth >= MAX_DEPTH:
                raise Unreadable(f"groups nested deeper than {MAX_DEPTH} levels; Keras writes none")
            attributes = _attributes(found)
            self._seen[address] = path
            self.take("group", parent, name, attributes)
            self.group(found, path, depth + 1)
        elif isinstance(found, h5d.DatasetID):
            described = _described(found)
            attributes = _attributes(found)
            self._seen[address] = path
            self.take("dataset", parent, name, *described, attributes)
        else:
            raise Unreadable("neither a group nor a dataset")


def _described(dataset: h5d.DatasetID) -> tuple[list[int], str, list[Any]]:
    """Shape, type and place of a dataset, or why its values are not read."""
    offset = dataset.get_offset()
    # Only contiguous values in this very file have a place; the rest is asked for in a way that opens no other file,
    # for even the shape of a virtual dataset would open those that it names.
    plist = dataset.get_create_plist() if offset is None else None
    if plist is not None and (plist.get_layout() == h5d.VIRTUAL or plist.get_external_count()):
        raise Unreadable("its values lie in another file, which is not opened")
    space = dataset.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        raise Unreadable("an empty dataset")
    shape = [*space.get_simple_extent_dims()]
    kind = dataset.get_type()
    name = _type_name(kind)
    size = math.prod(shape) * kind.get_size()
    stored = dataset.get_storage_size()
    if plist is not None and plist.get_layout() == h5d.COMPACT:
        return shape, name, ["compact"]
    if plist is not None and plist.get_layout() == h5d.CHUNKED:
        if h5i.get_file_id(dataset).get_create_plist().get_userblock():
            # Versions of the library differ in whether they count the offsets of chunks from the file's start.
            raise Unreadable("stored in chunks behind a block of the user's own")
        return shape, name, ["chunked", *_chunked(plist, kind.get_size(), size, stored)]
    if size and (offset is None or not stored):
        raise Unreadable("it was declared but never written")
    if stored < size:
        raise Unreadable(f"it declares {size} bytes and stores {stored}")
    return shape, name, ["contiguous", offset or 0]


def _chunked(plist: Any, item_size: int, size: int, stored: int) -> tuple[list[int], list[int]]:
    filters = [plist.get_filter(number) for number in range(plist.get_nfilters())]
    unknown = [code for code, *_ in filters if code not in (DEFLATE, SHUFFLE, FLETCHER32)]
    chunk = list(plist.get_chunk())
    chunk_bytes = math.prod(chunk) * item_size
    if unknown:
        raise Unreadable(f"compressed with {_filter_name(unknown[0])}, which is not read; gzip is")
    if size and not stored:
        raise Unreadable("it was declared but never written")
    if chunk_bytes > MAX_CHUNK:
        raise Unreadable(f"its chunks of {chunk_bytes} bytes are larger than {MAX_CHUNK >> 20} MiB")
    if size > SUSPICIOUS and size > MAX_RATIO * stored:
        raise Unreadable(f"it declares {size} bytes and stores {stored}, as a bomb would")
    return chunk, [code for code, *_ in filters]


def _filter_name(code: int) -> str:
    return {h5z.FILTER_SZIP: "szip", h5z.FILTER_NBIT: "nbit", h5z.FILTER_SCALEOFFSET: "scaleoffset", 32000: "lzf"}.get(
        code, f"the filter number {code}"
    )


def _type_name(kind: Any) -> str:
    """A numpy type string, or the name of a type that numpy does not have."""
    if kind.equal(h5t.IEEE_F32LE):
        return "<f4"
    family, size = kind.get_class(), kind.get_size()
    if family == h5t.INTEGER and size in (1, 2, 4, 8) and kind.get_precision() == 8 * size:
        return f"{ORDERS[kind.get_order()]}{INTEGERS[kind.get_sign()]}{size}"
    if family == h5t.FLOAT and (name := FLOATS.get((kind.get_fields(), kind.get_ebias()))):
        order = ORDERS[kind.get_order()]
        if name.startswith("f") and name[1:] == str(size):
            return order + name
        if (order, size) in (("<", 2), ("<", 1), (">", 1)):
            return name
    if family == h5t.ENUM and size == 1 and kind.dtype == np.bool_:
        return "|b1"
    if family == h5t.OPAQUE and size in (1, 2):
        return f"|V{size}"
    raise Unreadable(f"holds {KINDS.get(family, f'numbers of {size} bytes that numpy does not know')}, not weights")


def _stored(file: h5f.FileID, path: bytes) -> Any:
    """The chunks of a dataset, or the bytes of one so small that they stand in its header."""
    dataset = h5d.open(file, path)
    if dataset.get_create_plist().get_layout() == h5d.COMPACT:
        values = np.empty(dataset.shape, dataset.dtype)
        dataset.read(h5s.ALL, h5s.ALL, values, dataset.get_type())
        return {"bytes": base64.b64encode(values.tobytes()).decode("ascii")}
    count = dataset.get_num_chunks()
    if count > MAX_CHUNKS:
        raise ValueError(f"{count} chunks")
    chunks: list[Item] = []

    def take(chunk: Any) -> None:
        chunks.append([chunk.chunk_offset, chunk.byte_offset, chunk.size, chunk.filter_mask])

    if hasattr(dataset, "chunk_iter"):
        dataset.chunk_iter(take)
    else:
        for number in range(count):
            take(dataset.get_chunk_info(number))
    return {"chunks": chunks}


def _attributes(item: Any) -> dict[str, Any]:
    if not h5a.get_num_attrs(item):
        return {}
    names: list[bytes] = []
    h5a.iterate(item, lambda name, *_: names.append(name) if is_wanted(name) else None)
    values = {name.decode("ascii"): _attribute(item, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _attribute(item: Any, name: bytes) -> Any:
    """A text, a number or a list of texts; None for anything else."""
    attribute = h5a.open(item, name)
    kind = attribute.get_type()
    if (
        kind.get_class() not in (h5t.STRING, h5t.INTEGER, h5t.FLOAT)
        or attribute.get_space().get_simple_extent_type() == h5s.NULL
    ):
        return None
    count = math.prod(attribute.shape)
    if count > MAX_NAMES or count * kind.get_size() > MAX_ATTRIBUTE:
        raise Unreadable(f"its attribute {name.decode()} is larger than that of any Keras file")
    values = np.empty(attribute.shape, attribute.dtype)
    attribute.read(values)
    if values.ndim:
        return [_text(each) for each in values.reshape(-1).tolist()]
    return int(values) if values.dtype.kind in "iu" else _text(values.item())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _texts(attributes: dict[str, Any]) -> Iterator[str]:
    for value in attributes.values():
        yield from value if isinstance(value, list) else [str(value)]


def _first_line(error: BaseException) -> str:
    return str(error).strip("'\"").partition("\n")[0][:300] or type(error).__name__


if __name__ == "__main__":
    main()
