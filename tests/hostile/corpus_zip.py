"""`.keras` archives that lie: bombs, doubled members, sizes, offsets, names, and pickles for whoever unpickles."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
from cases import BIAS, HARMLESS, KERNEL, MIB, REFUSED, WHOLE, Expectation, Place, case, register
from corpus_sizes import zeros
from zipmaker import DEFLATED, U32, Member, archive, deflated, zip64_end, zip64_extra

LAYERS = [
    {"class_name": "Dense", "config": {"name": "dense", "units": 3}},
    {"class_name": "Hostile", "config": {"name": "hostile"}},
]
CONFIG = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": LAYERS}}).encode()
METADATA = json.dumps({"keras_version": "3.5.0"}).encode()


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = KERNEL, BIAS
    return stream.getvalue()


WEIGHTS = hdf5()
METADATA_MEMBER = Member(b"metadata.json", METADATA)
CONFIG_MEMBER = Member(b"config.json", CONFIG)
WEIGHTS_MEMBER = Member(b"model.weights.h5", WEIGHTS)


def members(
    config: Member = CONFIG_MEMBER, weights: Member = WEIGHTS_MEMBER, metadata: Member = METADATA_MEMBER
) -> list[Member]:
    return [metadata, config, weights]


def add(name: str, expected: Expectation, make: Callable[[], bytes]) -> None:
    register(name, lambda place: place.write("a.keras", make()), expected)


def bomb(name: bytes, size: int = 1024 * MIB) -> Member:
    return Member(name, zeros(size)[2:-4], DEFLATED, size=size & U32)


add("an honest archive", WHOLE, lambda: archive(members()))
add("an archive with a comment", WHOLE, lambda: archive(members(), comment=b"made by hand"))
add("a comment full of ends", HARMLESS, lambda: archive(members(), comment=b"PK\x05\x06" * 5000))
add("a bomb for a configuration", REFUSED, lambda: archive(members(config=bomb(b"config.json"))))
add(
    "a bomb for a configuration that claims to be small",
    REFUSED,
    lambda: archive(members(config=bomb(b"config.json").lying(size=100))),
)
add("a bomb for metadata", HARMLESS, lambda: archive(members(metadata=bomb(b"metadata.json"))))
add("a bomb for weights", REFUSED, lambda: archive(members(weights=bomb(b"model.weights.h5"))))
add("compressed weights", HARMLESS, lambda: archive(members(weights=deflated(b"model.weights.h5", WEIGHTS))))
add(
    "compressed weights that inflate to more than they claim",
    REFUSED,
    lambda: archive(members(weights=replace(bomb(b"model.weights.h5"), size=len(WEIGHTS)))),
)
add("a bomb beside the members", HARMLESS, lambda: archive([*members(), bomb(b"assets/words.txt")]))
add(
    "an archive as weights",
    REFUSED,
    lambda: archive(members(weights=Member(b"model.weights.h5", archive(members())))),
)
add("an archive as configuration", REFUSED, lambda: archive(members(config=Member(b"config.json", archive(members())))))
add(
    "an lzma bomb for a configuration",
    REFUSED,
    lambda: archive(
        members(
            config=Member(
                b"config.json",
                b"\x09\x04\x05\x00]\x00\x00\x80\x00" + lzma.compress(bytes(96 * MIB), lzma.FORMAT_ALONE, preset=1)[13:],
                size=0,
                local={"method": 14},
                central={"method": 14, "size": 96 * MIB},
            )
        )
    ),
)
add(
    "a bzip2 bomb for a configuration",
    REFUSED,
    lambda: archive(
        members(
            config=Member(
                b"config.json",
                bz2.compress(bytes(96 * MIB)),
                size=0,
                local={"method": 12},
                central={"method": 12, "size": 96 * MIB},
            )
        )
    ),
)
for _method in (1, 6, 9, 93, 95, 99):
    add(
        f"weights compressed by method {_method}",
        REFUSED,
        partial(
            lambda method: archive(
                members(weights=replace(WEIGHTS_MEMBER, local={"method": method}, central={"method": method}))
            ),
            _method,
        ),
    )
# Bit 13 says that the headers are masked, of which nothing else in the archive need be true.
for _flags, _expected in {1: REFUSED, 1 | 64: REFUSED, 8192: HARMLESS}.items():
    for _name, _altered in {"weights": WEIGHTS_MEMBER, "configuration": CONFIG_MEMBER}.items():
        _altered = replace(_altered, flags=_flags)
        _all = members(weights=_altered) if _name == "weights" else members(config=_altered)
        add(f"encrypted {_name}, flags {_flags}", _expected, partial(archive, _all))
add("two configurations", REFUSED, lambda: archive([*members(), Member(b"config.json", b"{}")]))
add("two weights", REFUSED, lambda: archive([*members(), Member(b"model.weights.h5", WEIGHTS)]))
add("two metadata", REFUSED, lambda: archive([*members(), Member(b"metadata.json", b"{}")]))
add("names that end at a NUL", REFUSED, lambda: archive([*members(), Member(b"config.json\0.txt", b"{}")]))
add("names in capitals", HARMLESS, lambda: archive([*members(), Member(b"CONFIG.JSON", b"{}")]))


def lying_weights(**central: object) -> bytes:
    return archive(members(weights=WEIGHTS_MEMBER.lying(**central)))


LIES: dict[str, dict[str, object]] = {
    "larger than the archive": {"size": 1 << 30, "packed": 1 << 30},
    "larger than they are": {"size": len(WEIGHTS) + 50, "packed": len(WEIGHTS) + 50},
    "smaller than they are": {"size": 2048, "packed": 2048},
    "of two sizes": {"size": len(WEIGHTS) - 8},
    "of size 0": {"size": 0, "packed": 0},
    "behind the end": {"offset": 1 << 30},
    "at the end": {"offset": U32},
    "of a large archive's size": {
        "size": U32,
        "packed": U32,
        "extra": zip64_extra(1 << 62, 1 << 62),
    },
    "of a size of 2^64 - 1": {"size": U32, "packed": U32, "extra": zip64_extra((1 << 64) - 1, (1 << 64) - 1)},
    "at 2^63": {"offset": U32, "extra": zip64_extra(1 << 63)},
    "of a large archive without its field": {"size": U32, "packed": U32, "offset": U32},
    "of a large archive with half a field": {"size": U32, "extra": b"\x01\x00\x04\x00\xff\xff"},
}
for _name, _central in LIES.items():
    add(f"weights that claim to be {_name}", REFUSED, partial(lying_weights, **_central))
add("weights over the configuration", REFUSED, lambda: lying_weights(offset=0))
add(
    "weights under another name in their own header",
    REFUSED,
    lambda: archive(members(weights=replace(WEIGHTS_MEMBER, local={"name": b"other.weights.h5"}))),
)
add(
    "weights with another method in their own header",
    REFUSED,
    lambda: archive(members(weights=replace(WEIGHTS_MEMBER, local={"method": DEFLATED}))),
)
add(
    "weights with another size in their own header",
    REFUSED,
    lambda: archive(members(weights=replace(WEIGHTS_MEMBER, local={"size": 1, "packed": 1}))),
)
add(
    "weights whose own header has a field that reaches beyond the end",
    REFUSED,
    lambda: archive(members()).replace(
        struct.pack("<HH", 16, 0) + b"model.weights.h5", struct.pack("<HH", 16, 65535) + b"model.weights.h5", 1
    ),
)
add("a wrong checksum of the configuration", REFUSED, lambda: archive(members(config=CONFIG_MEMBER.lying(crc=1))))
add("a wrong checksum of the weights", HARMLESS, lambda: lying_weights(crc=1))
add("a member over itself", HARMLESS, lambda: archive([*members(), Member(b"a", b"").lying(offset=0, size=100)]))


@case(HARMLESS)
def a_hundred_thousand_members_of_one_name(place: Place) -> Path:
    return place.write("a.keras", archive([*members(), *[Member(b"assets/a", b"")] * 100_000]))


@case(HARMLESS)
def a_hundred_thousand_members(place: Place) -> Path:
    extra = [Member(b"assets/%d" % number, b"") for number in range(100_000)]
    return place.write("a.keras", archive([*members(), *extra]))


for _unsafe in (
    b"../../escaped",
    b"/etc/escaped",
    b"..\\escaped",
    b"C:\\escaped",
    b"\xff\xfe",
    b"\x1b[2J\n",
    b"n" * 65000,
):
    _member = Member(_unsafe, b"x")
    add(
        f"a member called {_unsafe[:20]!r}",
        HARMLESS,
        partial(lambda member: archive([*members(), member]), _member),
    )
for _kind, _mode in {"link": 0o120777, "fifo": 0o010777, "device": 0o020777, "folder": 0o040777}.items():
    add(
        f"weights that are a {_kind}",
        HARMLESS,
        partial(
            lambda mode: archive(members(weights=Member(b"model.weights.h5", b"/etc/passwd", external=mode << 16))),
            _mode,
        ),
    )
add("junk before the archive", REFUSED, lambda: archive(members(), prefix=b"#!/bin/sh\nexit\n" + bytes(1000)))
add("half an archive before the archive", HARMLESS, lambda: archive(members())[:500] + archive(members()))
add(
    "an archive behind an archive", HARMLESS, lambda: archive(members()) + archive(members(config=bomb(b"config.json")))
)
add("an archive behind HDF5", HARMLESS, lambda: archive(members(), prefix=WEIGHTS))
add("a directory cut off", REFUSED, lambda: archive(members())[:-60])
add("a directory of no size", REFUSED, lambda: archive(members(), end={"size": 0}))
add("a directory of 4 GB", REFUSED, lambda: archive(members(), end={"size": U32 - 1}))
add("a directory behind the end", REFUSED, lambda: archive(members(), end={"offset": 1 << 31}))
add("a directory with fewer members than it says", HARMLESS, lambda: archive(members(), end={"here": 9, "total": 9}))
add("an archive on the fifth disk", HARMLESS, lambda: archive(members(), end={"disk": 5}))
add("an archive of no members", REFUSED, lambda: archive([]))
add("an archive that is its first four bytes", REFUSED, lambda: b"PK\x03\x04")
add(
    "the directory of a large archive at 2^63",
    REFUSED,
    lambda: archive(members())[:-22] + zip64_end(3, 1 << 62, 1 << 63, 1 << 62) + archive([], end={"offset": U32}),
)
