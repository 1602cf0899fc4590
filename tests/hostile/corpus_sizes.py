"""HDF5 that declares more than it holds: sizes, chunks, filters, and masses of names and attributes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from cases import HARMLESS, KERNEL, MIB, OMITTED, STATED, WHOLE, Expectation, Place, case, register
from corpus_hdf5 import VARS, ZERO
from h5py import h5a, h5d, h5g, h5p, h5s, h5t
from patches import layout_message, message, patch, put

FILE = "a.weights.h5"


def declared(place: Place, shape: tuple[int, ...], chunks: tuple[int, ...] | None = None) -> Path:
    with place.hdf5() as file:
        file.create_dataset(ZERO, shape, "f4", chunks=chunks)
    return place.folder / FILE


DECLARED: dict[str, tuple[tuple[int, ...], tuple[int, ...] | None]] = {
    "4 TB declared": ((1 << 20, 1 << 20), None),
    "2^62 elements declared": ((1 << 31, 1 << 29), None),
    "4 TB declared in chunks": ((1 << 20, 1 << 20), (1024, 1024)),
    "a row of 2^62 declared in chunks": ((1 << 62,), (1024,)),
    "2^60 elements declared in one-element chunks": ((1 << 30, 1 << 30), (1, 1)),
}
for _name, (_shape, _chunks) in DECLARED.items():
    register(_name, partial(declared, shape=_shape, chunks=_chunks), OMITTED)


@case(STATED)
def a_shape_whose_size_overflows(place: Place) -> Path:
    """2^32 x 2^32 elements: 0 of them, to whoever multiplies in 64 bits."""
    with place.hdf5() as file:
        address = h5py.h5o.get_info(file.create_dataset(ZERO, data=KERNEL).id).addr
    path = place.folder / FILE
    patch(path, lambda data: put(data, message(data, address, 0x01) + 8, 1 << 32, 1 << 32))
    return path


@case(STATED)
def a_shape_larger_than_what_is_stored(place: Place) -> Path:
    with place.hdf5() as file:
        address = h5py.h5o.get_info(file.create_dataset(ZERO, data=KERNEL).id).addr
    path = place.folder / FILE
    patch(path, lambda data: put(data, message(data, address, 0x01) + 8, 1 << 16, 1 << 16))
    return path


def moved(place: Place, target: str, size: int | None = None) -> Path:
    """A contiguous dataset whose values are said to lie somewhere else in the file."""
    with place.hdf5() as file:
        dataset = file.create_dataset(ZERO, data=KERNEL)
        address = h5py.h5o.get_info(dataset.id).addr
        places = {"honest": file["layers/dense/vars/0"].id.get_offset(), "header": 0, "last": 1 << 63}
    path = place.folder / FILE
    places |= {"end": path.stat().st_size - 8, "beyond": path.stat().st_size + 4096}
    patch(path, lambda data: put(data, layout_message(data, address) + 2, places[target], *([size] if size else [])))
    return path


MOVED: dict[str, tuple[str, Expectation]] = {
    "values that begin near the end": ("end", STATED),
    "values behind the end": ("beyond", STATED),
    "values at an address of 2^63": ("last", STATED),
    "values over those of another layer": ("honest", HARMLESS),
    "values over the header": ("header", HARMLESS),
}
for _name, (_target, _expected) in MOVED.items():
    register(_name, partial(moved, target=_target), _expected)
register("a stored size of 2^62", partial(moved, target="honest", size=1 << 62), HARMLESS)


def chunk(
    place: Place, data: bytes, shape: tuple[int, ...] = (256, 256), filters: Sequence[str] = ("deflate",), mask: int = 0
) -> Path:
    """A dataset of one chunk, the bytes of which are given."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk(shape)
    for name in filters:
        {
            "deflate": lambda: plist.set_deflate(4),
            "shuffle": plist.set_shuffle,
            "fletcher32": plist.set_fletcher32,
            "unknown": lambda: plist.set_filter(32768, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3)),
            "registered": lambda: plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (2, 2, 4, 1)),
        }[name]()
    with place.hdf5() as file:
        dataset = h5d.create(file[VARS].id, b"0", h5t.IEEE_F32LE, h5s.create_simple(shape), plist)
        dataset.write_direct_chunk((0,) * len(shape), data, filter_mask=mask)
    return place.folder / FILE


def zeros(size: int) -> bytes:
    """`size` zero bytes as a zlib stream, made without compressing that much: the same block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + block * (size // MIB) + b"\x03\x00" + ((size % 65521) << 16 | 1).to_bytes(4, "big")


FULL = np.ones((256, 256), "f4").tobytes()
CHUNKS = {
    "a chunk that inflates to less": (zlib.compress(FULL[:1000]), {}),
    "a chunk that inflates to nothing": (zlib.compress(b""), {}),
    "a chunk that inflates to more": (zlib.compress(FULL + FULL), {}),
    "a chunk that inflates to 64 MiB": (zeros(64 * MIB), {}),
    "a chunk that is cut off": (zlib.compress(np.arange(65536, dtype="f4").tobytes())[:-1000], {}),
    "a chunk that is no zlib stream": (b"\xff" * 1000, {}),
    "a chunk with a tail of junk": (zlib.compress(FULL) + b"junk" * 100, {}),
    "a plain chunk that is too short": (FULL[:1000], {"filters": ()}),
    "a plain chunk that is too long": (FULL + FULL, {"filters": ()}),
    "a filter mask that leaves it compressed": (zlib.compress(FULL), {"mask": 1}),
    "a filter mask of all bits": (zlib.compress(FULL), {"mask": 0xFFFFFFFF}),
    "an unknown filter": (FULL, {"filters": ("unknown",)}),
    "a filter that is not installed": (FULL[:500], {"filters": ("registered",)}),
    "a wrong checksum": (FULL + b"\0\0\0\0", {"filters": ("fletcher32",)}),
    "a chunk too short for its checksum": (b"\0\0", {"filters": ("fletcher32",)}),
    "compressed twice": (
        zlib.compress(zeros(256 * MIB)),
        {"filters": ("deflate", "deflate"), "shape": (8192, 8192)},
    ),
    "compressed twice to be larger than declared": (zlib.compress(zeros(1024 * MIB)), {"filters": ("deflate",) * 2}),
}
# What follows the end of a stream, or of the bytes that a chunk needs, says nothing of its values.
LENIENT = {"a chunk with a tail of junk", "compressed twice", "a plain chunk that is too long"}
for _name, (_data, _options) in CHUNKS.items():
    register(_name, partial(chunk, data=_data, **_options), HARMLESS if _name in LENIENT else STATED)


@case(HARMLESS)
def a_gigabyte_of_zeros_in_one_chunk(place: Place) -> Path:
    return chunk(place, zeros(1024 * MIB), shape=(1 << 14, 1 << 14))


@case(HARMLESS)
def a_gigabyte_of_zeros_in_16_chunks(place: Place) -> Path:
    with place.hdf5() as file:
        dataset = file.create_dataset(ZERO, (1 << 14, 1 << 14), "f4", chunks=(1 << 10, 1 << 14), compression="gzip")
        for row in range(0, 1 << 14, 1 << 10):
            dataset.id.write_direct_chunk((row, 0), zeros(64 * MIB))
    return place.folder / FILE


@case(HARMLESS)
def one_small_chunk_of_a_terabyte(place: Place) -> Path:
    with place.hdf5() as file:
        dataset = file.create_dataset(ZERO, (1 << 19, 1 << 19), "f4", chunks=(64, 64), compression="gzip")
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(64 * 64 * 4)))
    return place.folder / FILE


@case(HARMLESS)
def a_chunk_of_4_GB(place: Place) -> Path:
    with place.hdf5() as file:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk(((1 << 30) - 1,))
        plist.set_deflate(1)
        space = h5s.create_simple((100,), (h5s.UNLIMITED,))
        dataset = h5d.create(file[VARS].id, b"0", h5t.IEEE_F32LE, space, plist)
        dataset.write_direct_chunk((0,), zlib.compress(bytes(400)))
    return place.folder / FILE


def filtered(place: Place, **options: object) -> Path:
    with place.hdf5() as file:
        file.create_dataset(ZERO, data=np.arange(10000, dtype="f4").reshape(100, 100), chunks=(30, 40), **options)
    return place.folder / FILE


register("gzip and shuffle", partial(filtered, compression="gzip", shuffle=True), WHOLE)
register("fletcher32", partial(filtered, fletcher32=True), WHOLE)
register("chunks without a filter", filtered, WHOLE)
register("lzf", partial(filtered, compression="lzf"), HARMLESS)
register("scale and offset", partial(filtered, scaleoffset=2), HARMLESS)
if h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
    register("szip", partial(filtered, compression="szip"), HARMLESS)


@case(HARMLESS)
def a_checksum_broken_by_one_bit(place: Place) -> Path:
    path = filtered(place, fletcher32=True)
    with h5py.File(path) as file:
        offset = file[ZERO].id.get_chunk_info(2).byte_offset
    patch(path, lambda data: put(data, offset + 100, 0xDEADBEEF))
    return path


@case(HARMLESS)
def a_hundred_thousand_names_for_one_dataset(place: Place) -> Path:
    with place.hdf5(libver="latest") as file:
        target = file.create_dataset(ZERO, data=KERNEL).id
        group = file[VARS].id
        for number in range(1, 100_000):
            h5py.h5o.link(target, group, b"%d" % number)
    return place.folder / FILE


@case(Expectation(HARMLESS.errors, "harmless", seconds=60))
def a_hundred_thousand_layers(place: Place) -> Path:
    with place.hdf5(libver="latest") as file:
        layers, space = file["layers"].id, h5s.create_simple((1,))
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_layout(h5d.COMPACT)
        for number in range(100_000):
            own = h5g.create(h5g.create(layers, b"hostile_%d" % number), b"vars")
            h5d.create(own, b"0", h5t.IEEE_F32LE, space, plist)
    return place.folder / FILE


@case(HARMLESS)
def a_hundred_thousand_attributes(place: Place) -> Path:
    with place.hdf5(libver="latest") as file:
        space, group = h5s.create(h5s.SCALAR), file["layers/hostile"].id
        for number in range(100_000):
            h5a.create(group, b"%d" % number, h5t.STD_I8LE, space)
    return place.folder / FILE


@case(HARMLESS)
def a_thousand_tensors_over_the_same_megabyte(place: Place) -> Path:
    """Every dataset claims the same bytes: together they are a thousand times as large as the file."""
    with place.hdf5() as file:
        home = file.create_dataset(ZERO, data=np.zeros(MIB // 4, "f4"))
        offset, addresses = home.id.get_offset(), []
        for number in range(1, 1000):
            other = file.create_dataset(f"{VARS}/{number}", data=np.zeros(1, "f4"))
            addresses.append(h5py.h5o.get_info(other.id).addr)
    path = place.folder / FILE

    def widen(data: bytearray) -> None:
        for address in addresses:
            put(data, message(data, address, 0x01) + 8, MIB // 4)
            put(data, layout_message(data, address) + 2, offset, MIB)

    patch(path, widen)
    return path
