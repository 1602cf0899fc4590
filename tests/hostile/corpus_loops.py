"""HDF5 whose own structure is spoilt: loops and lies in headers, trees and heaps, made by patching bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from cases import HARMLESS, KERNEL, REFUSED, Expectation, Place, case, register
from corpus_hdf5 import VARS, ZERO
from h5py import h5o
from patches import CONTINUATION, message, messages, number, patch, put, symbol_table

FILE = "a.weights.h5"


class Addresses(NamedTuple):
    root: int
    layers: int
    vars: int
    dataset: int
    chunked: int
    many: int


def spoilt(place: Place, change: Callable[[bytearray, Addresses], None], **options: object) -> Path:
    """A file with chunks, attributes and enough groups for a tree of two levels, and one change to its bytes."""
    with place.hdf5(**options) as file:
        file[ZERO] = KERNEL
        for name in range(30):
            file[VARS].attrs[f"attribute {name}"] = np.arange(10)
        file.create_dataset(f"{VARS}/1", data=np.zeros((400, 40)), chunks=(1, 40), compression="gzip")
        for name in range(600):
            file.create_group(f"layers/many/group_{name}")
        file["layers/hostile"].attrs["words"] = ["several", "words", "in the heap of the whole file"]
        paths = ("/", "layers", VARS, ZERO, f"{VARS}/1", "layers/many")
        addresses = Addresses(*(h5o.get_info(file[path].id).addr for path in paths))
    return patch(place.folder / FILE, lambda data: change(data, addresses))


def continuation_of_itself(data: bytearray, at: Addresses) -> None:
    found = next(m for m in messages(data, at.vars) if m.kind == CONTINUATION)
    put(data, found.offset, found.offset - 8)


def continuation_back_to_the_header(data: bytearray, at: Addresses) -> None:
    put(data, message(data, at.vars, CONTINUATION), at.vars + 16)


def continuation_loop_of_one_block(data: bytearray, at: Addresses) -> None:
    """The second block of the header is made to say that the third is itself."""
    first = message(data, at.vars, CONTINUATION)
    block, length = number(data, first), number(data, first + 8)
    data[block : block + 8] = struct.pack("<HHI", CONTINUATION, 16, 0)
    put(data, block + 8, block, length)
    data[block + 24 : block + 32] = struct.pack("<HHI", 0, length - 32, 0)


def header_of_65535_messages(data: bytearray, at: Addresses) -> None:
    data[at.vars + 2 : at.vars + 4] = b"\xff\xff"


def header_of_4_GB(data: bytearray, at: Addresses) -> None:
    data[at.vars + 8 : at.vars + 12] = b"\xf0\xff\xff\xff"


def header_of_no_links(data: bytearray, at: Addresses) -> None:
    data[at.dataset + 4 : at.dataset + 8] = bytes(4)


def tree_whose_right_neighbour_is_itself(data: bytearray, at: Addresses) -> None:
    tree = symbol_table(data, at.many).tree
    leaf = number(data, tree + 32)
    for node in (tree, leaf):
        put(data, node + 16, node)


def tree_whose_leaves_are_a_ring(data: bytearray, at: Addresses) -> None:
    tree = symbol_table(data, at.many).tree
    first = number(data, tree + 32)
    last, node = first, first
    while node != (1 << 64) - 1 and data[node : node + 4] == b"TREE":
        last, node = node, number(data, node + 16)
    put(data, last + 16, first)
    put(data, first + 8, last)


def tree_whose_child_is_itself(data: bytearray, at: Addresses) -> None:
    tree = symbol_table(data, at.many).tree
    put(data, tree + 32, tree)


def tree_of_level_255(data: bytearray, at: Addresses) -> None:
    """With a child that is the tree itself: 255 levels of 32 ways each."""
    tree = symbol_table(data, at.many).tree
    data[tree + 5] = 255
    for child in range(16):
        put(data, tree + 32 + 16 * child, tree)


def tree_of_65535_children(data: bytearray, at: Addresses) -> None:
    data[symbol_table(data, at.many).tree + 6 :][:2] = b"\xff\xff"
    tree = symbol_table(data, at.many).tree
    data[tree + 6 : tree + 8] = b"\xff\xff"


def chunk_tree_whose_child_is_itself(data: bytearray, at: Addresses) -> None:
    layout = message(data, at.chunked, 0x08)
    tree = number(data, layout + 3)
    keys = 8 + 8 * 3
    for child in range(data[tree + 6]):
        put(data, tree + 24 + keys + child * (keys + 8), tree)
    data[tree + 5] = 3


def chunk_tree_that_is_a_group(data: bytearray, at: Addresses) -> None:
    put(data, message(data, at.chunked, 0x08) + 3, symbol_table(data, at.many).tree)


def chunk_sizes_of_4_GB(data: bytearray, at: Addresses) -> None:
    tree = number(data, message(data, at.chunked, 0x08) + 3)
    leaf = number(data, tree + 24 + 32) if data[tree + 5] else tree
    data[leaf + 24 : leaf + 28] = b"\xff\xff\xff\xff"


def heap_whose_free_list_is_a_ring(data: bytearray, at: Addresses) -> None:
    heap = symbol_table(data, at.layers).heap
    size, segment = number(data, heap + 8), number(data, heap + 24)
    put(data, heap + 16, size - 16)
    put(data, segment + size - 16, size - 16, 16)


def heap_of_2_62_bytes(data: bytearray, at: Addresses) -> None:
    put(data, symbol_table(data, at.layers).heap + 8, 1 << 62)


def heap_that_lies_behind_the_end(data: bytearray, at: Addresses) -> None:
    put(data, symbol_table(data, at.layers).heap + 24, len(data) - 4)


def names_without_an_end(data: bytearray, at: Addresses) -> None:
    heap = symbol_table(data, at.layers).heap
    size, segment = number(data, heap + 8), number(data, heap + 24)
    data[segment : segment + size] = b"n" * size


def heap_objects_of_no_size(data: bytearray) -> None:
    heap = data.index(b"GCOL")
    for offset in range(heap + 16, heap + 16 + 64, 16):
        data[offset : offset + 16] = struct.pack("<HHIQ", 1, 1, 0, 0)


def words_of_no_size(data: bytearray, _: Addresses) -> None:
    """Objects of size 0 in the heap of the whole file: whoever steps over them stays where he is."""
    heap_objects_of_no_size(data)


def words_of_2_64_bytes(data: bytearray, _: Addresses) -> None:
    heap = data.index(b"GCOL")
    put(data, heap + 16 + 8, (1 << 64) - 1)


def words_in_a_heap_of_2_62_bytes(data: bytearray, _: Addresses) -> None:
    put(data, data.index(b"GCOL") + 8, 1 << 62)


def root_that_is_a_dataset(data: bytearray, at: Addresses) -> None:
    put(data, data.index(struct.pack("<Q", at.root)), at.dataset)


def root_behind_the_end(data: bytearray, at: Addresses) -> None:
    put(data, data.index(struct.pack("<Q", at.root)), len(data) + 512)


def root_whose_child_is_the_root(data: bytearray, at: Addresses) -> None:
    symbols = symbol_table(data, at.root)
    node = number(data, symbols.tree + 32)
    put(data, node + 8 + 8, at.root)


def dataset_of_255_dimensions(data: bytearray, at: Addresses) -> None:
    data[message(data, at.dataset, 0x01) + 1] = 255


def elements_of_no_size(data: bytearray, at: Addresses) -> None:
    kind = message(data, at.dataset, 0x03)
    data[kind + 4 : kind + 8] = bytes(4)


def elements_of_4_GB(data: bytearray, at: Addresses) -> None:
    kind = message(data, at.dataset, 0x03)
    data[kind + 4 : kind + 8] = b"\xff\xff\xff\xff"


def chunks_of_no_size(data: bytearray, at: Addresses) -> None:
    layout = message(data, at.chunked, 0x08)
    data[layout + 11 : layout + 15] = bytes(4)


def chunks_of_2_64_elements(data: bytearray, at: Addresses) -> None:
    layout = message(data, at.chunked, 0x08)
    data[layout + 11 : layout + 19] = b"\xff" * 8


def filters_without_number(data: bytearray, at: Addresses) -> None:
    data[message(data, at.chunked, 0x0B) + 1] = 255


def file_of_no_width(data: bytearray, _: Addresses) -> None:
    data[13] = data[14] = 0


def addresses_of_255_bytes(data: bytearray, _: Addresses) -> None:
    data[13] = 255


def trees_of_no_width(data: bytearray, _: Addresses) -> None:
    data[16:20] = bytes(4)


def file_of_many_drivers(data: bytearray, _: Addresses) -> None:
    """A driver block that says that the values lie in other files, for drivers that open those."""
    end = len(data)
    put(data, 48, end)
    data += struct.pack("<B3xI8s", 0, 64, b"NCSAmult") + bytes([1, 2, 3, 4, 5, 6, 0, 0]) + bytes(40) + b"%s-m.h5\0\0"
    put(data, 40, len(data))


def file_shorter_than_its_end(data: bytearray, _: Addresses) -> None:
    put(data, 40, 1 << 40)


def file_that_begins_elsewhere(data: bytearray, _: Addresses) -> None:
    put(data, 24, 1 << 20)


CHANGES: list[Callable[[bytearray, Addresses], None]] = [
    continuation_of_itself,
    continuation_back_to_the_header,
    continuation_loop_of_one_block,
    header_of_65535_messages,
    header_of_4_GB,
    header_of_no_links,
    tree_whose_right_neighbour_is_itself,
    tree_whose_leaves_are_a_ring,
    tree_whose_child_is_itself,
    tree_of_level_255,
    tree_of_65535_children,
    chunk_tree_whose_child_is_itself,
    chunk_tree_that_is_a_group,
    chunk_sizes_of_4_GB,
    heap_whose_free_list_is_a_ring,
    heap_of_2_62_bytes,
    heap_that_lies_behind_the_end,
    names_without_an_end,
    words_of_no_size,
    words_of_2_64_bytes,
    words_in_a_heap_of_2_62_bytes,
    root_that_is_a_dataset,
    root_behind_the_end,
    root_whose_child_is_the_root,
    dataset_of_255_dimensions,
    elements_of_no_size,
    elements_of_4_GB,
    chunks_of_no_size,
    chunks_of_2_64_elements,
    filters_without_number,
    file_of_no_width,
    addresses_of_255_bytes,
    trees_of_no_width,
    file_of_many_drivers,
    file_shorter_than_its_end,
    file_that_begins_elsewhere,
]
FATAL = {root_that_is_a_dataset, root_behind_the_end, file_of_no_width, addresses_of_255_bytes}
for _change in CHANGES:
    _expected: Expectation = REFUSED if _change in FATAL else HARMLESS
    register(f"spoilt: {_change.__name__.replace('_', ' ')}", partial(spoilt, change=_change), _expected)


@case(HARMLESS)
def layer_names_of_no_size_in_the_heap(place: Place) -> Path:
    """Texts of any length lie in a heap of the whole file, and one of size 0 in it keeps the library there for ever."""
    with place.legacy() as file:
        file.attrs["layer_names"] = ["dense", "hostile"]
    return patch(place.folder / "a.h5", heap_objects_of_no_size)
