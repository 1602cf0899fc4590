"""Zip archives written field by field, so that every field can lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
DEFLATED = 8
U16, U32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True)
class Member:
    """A member as it is stored; `local` and `central` override the fields of either header.

    Fields: ``name flags method crc packed size offset extra comment external``.
    """

    name: bytes
    data: bytes
    method: int = 0
    flags: int = 0
    size: int = -1
    external: int = 0
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)

    def lying(self, **central: object) -> Member:
        return replace(self, central={**self.central, **central})


def deflated(name: bytes, data: bytes, **more: object) -> Member:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return Member(name, packer.compress(data) + packer.flush(), DEFLATED, size=len(data), **more)  # type: ignore[arg-type]


def _fields(member: Member, offset: int) -> dict[str, object]:
    plain = (
        member.data if member.method == 0 else zlib.decompress(member.data, -15) if len(member.data) < 1 << 16 else b""
    )
    return {
        "name": member.name,
        "flags": member.flags,
        "method": member.method,
        "crc": zlib.crc32(plain),
        "packed": len(member.data),
        "size": len(member.data) if member.size < 0 else member.size,
        "offset": offset,
        "extra": b"",
        "comment": b"",
        "external": member.external,
    }


def _local(f: dict[str, object]) -> bytes:
    name, extra = bytes(f["name"]), bytes(f["extra"])  # type: ignore[call-overload]
    numbers = (20, f["flags"], f["method"], 0, 33, f["crc"], f["packed"], f["size"], len(name), len(extra))
    return LOCAL + struct.pack("<HHHHHIIIHH", *numbers) + name + extra


def _central(f: dict[str, object]) -> bytes:
    name, extra, comment = bytes(f["name"]), bytes(f["extra"]), bytes(f["comment"])  # type: ignore[call-overload]
    numbers = (0x0314, 20, f["flags"], f["method"], 0, 33, f["crc"], f["packed"], f["size"])
    lengths = (len(name), len(extra), len(comment), 0, 0, f["external"], f["offset"])
    return CENTRAL + struct.pack("<HHHHHHIIIHHHHHII", *numbers, *lengths) + name + extra + comment


def archive(
    members: Sequence[Member], prefix: bytes = b"", comment: bytes = b"", end: dict[str, int] | None = None
) -> bytes:
    """The members with their headers, the central directory and its end, the fields of which `end` overrides."""
    parts, directory, at = [prefix], [], len(prefix)
    for member in members:
        fields = _fields(member, at)
        header = _local({**fields, **member.local})
        directory.append(_central({**fields, **member.central}))
        parts += [header, member.data]
        at += len(header) + len(member.data)
    central = b"".join(directory)
    said = {"disk": 0, "here": len(members), "total": len(members), "size": len(central), "offset": at} | (end or {})
    counts = (said["disk"], said["disk"], min(said["here"], U16), min(said["total"], U16))
    tail = END + struct.pack("<HHHHIIH", *counts, said["size"], said["offset"], len(comment)) + comment
    if len(members) > U16:
        tail = zip64_end(len(members), len(central), at, at + len(central)) + tail
    return b"".join([*parts, central, tail])


def zip64_end(count: int, size: int, offset: int, position: int) -> bytes:
    """The end of a large central directory, and its locator that says where it lies itself."""
    record = END64 + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + LOCATOR64 + struct.pack("<IQI", 0, position, 1)


def zip64_extra(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
