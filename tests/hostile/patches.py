"""Where the parts of an HDF5 file lie that the library's own interface cannot spoil (superblock 0, object header 1)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

CONTINUATION = 0x10


class Message(NamedTuple):
    kind: int
    offset: int
    size: int


def patch(path: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def put(data: bytearray, offset: int, *numbers: int) -> None:
    """Overwrite the 64-bit numbers from `offset` on."""
    struct.pack_into(f"<{len(numbers)}Q", data, offset, *(number % (1 << 64) for number in numbers))


def number(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def messages(data: bytes, address: int) -> Iterator[Message]:
    """The messages of the object header at `address`, with the places of their bodies."""
    version, _, _, _, size = struct.unpack_from("<BBHII", data, address)
    if version != 1:
        raise ValueError(f"an object header of version {version} at {address:#x}")
    blocks = [(address + 16, size)]
    for start, length in blocks:
        at = start
        while at + 8 <= start + length:
            kind, body = struct.unpack_from("<HH", data, at)
            yield Message(kind, at + 8, body)
            if kind == CONTINUATION:
                blocks.append((number(data, at + 8), number(data, at + 16)))
            at += 8 + body


def message(data: bytes, address: int, kind: int) -> int:
    """Where the body of the first message of this kind begins."""
    return next(found.offset for found in messages(data, address) if found.kind == kind)


def layout_message(data: bytes, address: int) -> int:
    """The data layout: version, class, then for contiguous data its address and size."""
    return message(data, address, 0x08)


class SymbolTable(NamedTuple):
    """A group of the old kind: its B-tree and its local heap."""

    tree: int
    heap: int


def symbol_table(data: bytes, address: int) -> SymbolTable:
    at = message(data, address, 0x11)
    return SymbolTable(number(data, at), number(data, at + 8))
