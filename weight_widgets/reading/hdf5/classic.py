"""The HDF5 that Keras writes, listed here: names, shapes, types, attributes and places, in a sixth of libhdf5's time.

It is the format of 1998, which h5py still writes by default: superblock 0, groups as B-trees, object headers of
version 1, contiguous values. Whatever is different in a file, be it unusual or damaged, is `Unusual`, and libhdf5 in
its own process says what it is. Bytes are looked at and nothing else: all places are compared with the file's length,
each object is met once, and a budget bounds what is read.

Source: "HDF5 File Format Specification Version 3.0", sections II.A, III.A to III.E and IV.A.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct
from struct import error as StructError
from typing import Any

import numpy as np

from ..arrays import Array
from ..files import Span, StoredFile, read_into
from ..origins import Origin
from ..storage import Contiguous
from ..trees import Growing
from .wanted import MAX_ATTRIBUTE, MAX_DEPTH, MAX_NAMES, is_wanted

__all__ = ["Unusual", "list_file"]

# Small structures are read in pages, with so much of the next one that they rarely lie in two.
PAGE_BITS, OVERLAP, MAX_PAGES = 14, 1 << 10, 1 << 10
# Bytes that may be looked at, each as often as something points at it.
BUDGET = 256 << 20
UNDEFINED = 0xFFFFFFFFFFFFFFFF

SUPERBLOCK = Struct("<8sBBBxBBBx8xQQQQQQ")
START = (b"\x89HDF\r\n\x1a\n", 0, 0, 0, 0, 8, 8)
HEADER, MESSAGE = Struct("<BxHII4x"), Struct("<HHB3x")
PLACE = Struct("<QQ")
HEAP, NODE, LEAF, ENTRY = Struct("<4sB3xQQQ"), Struct("<4sBBH16x"), Struct("<4sBxH"), Struct("<QQI20x")
COLLECTION, OBJECT = Struct("<4sB3xQ"), Struct("<HH4xQ")
SHAPE, TYPE, LAYOUT = Struct("<BBB5x"), Struct("<BBBBI"), Struct("<BBQQ")
ATTRIBUTE, REFERENCE = Struct("<BBHHH"), Struct("<IQI")

SPACE, KIND, PLACED, VALUE, CONTINUED, TABLE = 1, 3, 8, 12, 16, 17
# Nothing, two kinds of fill value, which a contiguous array with all its values does not need, and a time.
IGNORED = (0, 4, 5, 18)
CONTIGUOUS = (3, 1)
OPAQUE, TEXT, VARYING_TEXT = 5, 3, 9
ZERO_TERMINATED, ZERO_PADDED = 0, 1


def _numbers() -> Iterator[tuple[bytes, str]]:
    """The descriptions of the types that numpy has."""
    for big, order in enumerate("<>"):
        for size in (1, 2, 4, 8):
            for signed, letter in enumerate("ui"):
                description = Struct("<BBHIHH").pack(0x10, big | signed << 3, 0, size, 0, 8 * size)
                yield description, f"{order}{letter}{size}"
        for size, exponent, bias in ((2, 5, 15), (4, 8, 127), (8, 11, 1023)):
            mantissa = 8 * size - exponent - 1
            description = Struct("<BBHIHHBBBBI").pack(
                0x11, big | 0x20, 8 * size - 1, size, 0, 8 * size, mantissa, exponent, 0, mantissa, bias
            )
            yield description, f"{order}f{size}"


NUMBERS = dict(_numbers())


class Unusual(Exception):
    """Something that is not listed here."""


def list_file(source: StoredFile, span: Span | None = None) -> Growing:
    """The root of a file's tree, or of that in a stretch of the file.

    Raises
    ------
    Unusual
        For libhdf5 to look at.
    ChangedFileError, DamagedFileError
        The file is not what it was.
    """
    with source.open() as file:
        try:
            return _Listing(source, span, _Bytes(file, source.path, span or source.whole)).root()
        except (StructError, ValueError, IndexError, KeyError) as error:
            raise Unusual(str(error)) from None


class _Bytes:
    """The bytes of the stretch of a file, those that lie close together read at once."""

    def __init__(self, file: io.FileIO, path: Path, span: Span) -> None:
        self._file, self._path, self._span = file, path, span
        self._pages: dict[int, bytes] = {}
        self._left = BUDGET

    def at(self, offset: int, length: int) -> tuple[bytes, int]:
        """Bytes among which so many from `offset` on are, and where."""
        self._left -= length
        number, start = offset >> PAGE_BITS, offset & (1 << PAGE_BITS) - 1
        page = self._pages.get(number) or self._page(number)
        if self._left < 0:
            raise Unusual("more than any model needs")
        return (page, start) if start + length <= len(page) else (self._read(offset, length), 0)

    def exactly(self, offset: int, length: int) -> bytes:
        data, start = self.at(offset, length)
        return data[start : start + length]

    def spend(self, length: int) -> None:
        self._left -= length
        if self._left < 0:
            raise Unusual("more than any model needs")

    def _page(self, number: int) -> bytes:
        if len(self._pages) >= MAX_PAGES:
            self._pages.clear()
        start = number << PAGE_BITS
        page = self._read(start, min((1 << PAGE_BITS) + OVERLAP, max(0, self._span.length - start)))
        self._pages[number] = page
        return page

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length > self._span.length:
            raise Unusual("a place beyond the end of the file")
        data = bytearray(length)
        read_into(self._file, self._span.offset + offset, memoryview(data), self._path)
        return bytes(data)


class _Listing:
    """One walk over a file, each object once."""

    def __init__(self, source: StoredFile, span: Span | None, file: _Bytes) -> None:
        self._source, self._span, self._bytes = source, span, file
        # One for all datasets.
        self._sources = (source,)
        self._base, self._length = span or source.whole
        self._seen: set[int] = set()
        self._shapes: dict[bytes, tuple[int, ...]] = {}
        self._types: dict[bytes, np.dtype[Any]] = {}
        self._native: dict[np.dtype[Any], np.dtype[Any]] = {}
        self._heaps: dict[int, dict[int, bytes]] = {}
        # However often a text is referred to, it is there once.
        self._texts: dict[tuple[int, int], tuple[int, str]] = {}

    def root(self) -> Growing:
        *start, base, _, end, driver, _, address = SUPERBLOCK.unpack_from(*self._bytes.at(0, SUPERBLOCK.size))
        if tuple(start) != START or base or end > self._length or driver != UNDEFINED:
            raise Unusual("another superblock")
        messages, attributes = self._messages(address)
        root = Growing("", attributes)
        self._fill(root, messages, 0)
        return root

    def _fill(self, home: Growing, messages: dict[int, bytes], depth: int) -> None:
        """Add everything below a group."""
        table = PLACE.unpack_from(messages.pop(TABLE))
        if messages or depth > MAX_DEPTH:
            raise Unusual("a group with more than links and attributes, or deeper than any model's")
        for name, address in self._links(*table):
            path = f"{home.path}/{name}"
            messages, attributes = self._messages(address)
            if TABLE in messages:
                home.groups[name] = group = Growing(path, attributes)
                self._fill(group, messages, depth + 1)
            else:
                home.datasets[name] = self._dataset(path, messages, attributes)

    def _dataset(self, path: str, messages: dict[int, bytes], attributes: dict[str, Any]) -> Array:
        shape, dtype = self._shape(messages.pop(SPACE)), self._type(messages.pop(KIND))
        version, way, offset, size = LAYOUT.unpack_from(messages.pop(PLACED))
        complete = 0 < size == math.prod(shape) * dtype.itemsize and offset + size <= self._length
        if messages or (version, way) != CONTIGUOUS or not complete:
            raise Unusual("values that are not contiguous and complete")
        values = Contiguous(self._source, self._base + offset, shape, dtype)
        origin = Origin("stored", (self._span, path, shape, dtype.str, "contiguous", offset), self._sources)
        return Array(path, shape, self._native[dtype], values, "", attributes, origin)

    def _messages(self, address: int) -> tuple[dict[int, bytes], dict[str, Any]]:
        """What an object's header says, by kind, and its attributes."""
        if address in self._seen:
            raise Unusual("an object under two names")
        self._seen.add(address)
        version, count, _, length = HEADER.unpack_from(*self._bytes.at(address, HEADER.size))
        if version != 1:
            raise Unusual("another object header")
        found: dict[int, bytes] = {}
        attributes: list[bytes] = []
        blocks = [(address + HEADER.size, length)]
        for start, size in blocks:
            data, place = self._bytes.at(start, size)
            stop = place + size
            while place < stop:
                kind, length, flags = MESSAGE.unpack_from(data, place)
                place += MESSAGE.size + length
                count -= 1
                if place > stop or flags > 1 or count < 0:
                    raise Unusual("a message that is shared, or cut off")
                if kind == CONTINUED:
                    blocks.append(PLACE.unpack_from(data, place - length))
                elif kind == VALUE:
                    attributes.append(data[place - length : place])
                elif kind not in IGNORED:
                    if kind in found:
                        raise Unusual("a message that stands twice")
                    found[kind] = data[place - length : place]
        if count:
            raise Unusual("another number of messages")
        return found, self._attributes(attributes) if attributes else {}

    def _links(self, tree: int, heap: int) -> Iterator[tuple[str, int]]:
        """The names in a group and what they stand for."""
        mark, version, size, _, start = HEAP.unpack_from(*self._bytes.at(heap, HEAP.size))
        if mark != b"HEAP" or version:
            raise Unusual("another heap")
        names, last = self._bytes.exactly(start, size), b""
        for leaf in self._leaves(tree):
            mark, version, count = LEAF.unpack_from(*self._bytes.at(leaf, LEAF.size))
            if mark != b"SNOD" or version != 1:
                raise Unusual("another table of symbols")
            for place, address, kind in ENTRY.iter_unpack(self._bytes.exactly(leaf + LEAF.size, count * ENTRY.size)):
                name = names[place : names.index(0, place)]
                # In this order libhdf5 finds them.
                if kind > 1 or name <= last or b"/" in name:
                    raise Unusual("a link, or names out of order")
                self._bytes.spend(len(name))
                last = name
                yield name.decode("utf-8"), address

    def _leaves(self, node: int, above: int | None = None) -> Iterator[int]:
        mark, group, level, count = NODE.unpack_from(*self._bytes.at(node, NODE.size))
        if mark != b"TREE" or group or level != (level if above is None else above - 1):
            raise Unusual("another tree")
        # Keys stand before, between and behind the children.
        for _, child in PLACE.iter_unpack(self._bytes.exactly(node + NODE.size, count * PLACE.size)):
            if level:
                yield from self._leaves(child, level)
            else:
                yield child

    def _shape(self, space: bytes) -> tuple[int, ...]:
        found = self._shapes.get(space)
        if found is None:
            version, rank, flags = SHAPE.unpack_from(space)
            if version != 1 or rank > 32 or flags > 1:
                raise Unusual("another shape")
            found = self._shapes[space] = Struct(f"<{rank}Q").unpack_from(space, SHAPE.size)
        return found

    def _type(self, kind: bytes) -> np.dtype[Any]:
        found = self._types.get(kind)
        if found is None:
            size = TYPE.unpack_from(kind)[4]
            if kind[0] & 15 == OPAQUE and size in (1, 2):
                found = np.dtype(f"|V{size}")
            else:
                found = np.dtype(NUMBERS.get(kind[:20]) or NUMBERS[kind[:12]])
            self._types[kind] = found
            self._native[found] = found.newbyteorder("=")
        return found

    def _attributes(self, messages: Sequence[bytes]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for message in messages:
            version, flags, length, kind, space = ATTRIBUTE.unpack_from(message)
            place = ATTRIBUTE.size
            name, end = message[place : place + length - 1], message[place + length - 1]
            if version != 1 or flags or end or 0 in name:
                raise Unusual("another attribute")
            if is_wanted(name):
                place += _padded(length)
                behind = place + _padded(kind)
                shape = self._shape(message[behind : behind + space])
                values = self._values(message[place : place + kind], shape, message[behind + _padded(space) :])
                found[name.decode("ascii")] = values if shape else values[0]
        return found

    def _values(self, kind: bytes, shape: tuple[int, ...], data: bytes) -> list[str] | list[int]:
        family, padding, _, _, size = TYPE.unpack_from(kind)
        count = math.prod(shape)
        if count > MAX_NAMES or count * size > len(data):
            raise Unusual("an attribute larger than any model's")
        if family & 15 == VARYING_TEXT and padding & 15 == 1 and size == REFERENCE.size:
            return [self._text(*reference) for reference in REFERENCE.iter_unpack(data[: count * size])]
        if number := NUMBERS.get(kind[:12]):
            if shape and count:
                raise Unusual("numbers where names should be")
            return np.frombuffer(data, number, count).tolist()
        if not count and kind[:20] in NUMBERS:
            # What numpy makes of an empty list.
            return []
        if family & 15 != TEXT or padding & 15 not in (ZERO_TERMINATED, ZERO_PADDED):
            raise Unusual("an attribute that is no text")
        return [_plain(data[first : first + size].rstrip(b"\0")) for first in range(0, count * size, size)]

    def _text(self, length: int, address: int, number: int) -> str:
        """A text of any length from the file's own heap."""
        self._bytes.spend(length)
        found = self._texts.get((address, number))
        if found is None:
            heap = self._heaps.get(address)
            if heap is None:
                heap = self._heaps[address] = self._collection(address)
            found = self._texts[address, number] = len(heap[number]), _plain(heap[number])
        size, text = found
        if size != length:
            raise Unusual("a text of another length")
        return text

    def _collection(self, address: int) -> dict[int, bytes]:
        mark, version, size = COLLECTION.unpack_from(*self._bytes.at(address, COLLECTION.size))
        if mark != b"GCOL" or version != 1 or size > MAX_ATTRIBUTE:
            raise Unusual("another heap")
        data, place = self._bytes.exactly(address, size), COLLECTION.size
        found: dict[int, bytes] = {}
        while place + OBJECT.size <= size:
            number, _, length = OBJECT.unpack_from(data, place)
            if not number:
                break
            place += OBJECT.size
            if number in found or place + length > size:
                raise Unusual("another heap")
            found[number] = data[place : place + length]
            place += _padded(length)
        return found


def _padded(length: int) -> int:
    return -(-length // 8) * 8


def _plain(text: bytes) -> str:
    if 0 in text:
        raise Unusual("a text that ends twice")
    return text.decode("utf-8")
