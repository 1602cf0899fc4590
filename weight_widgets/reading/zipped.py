"""Zip archives read in place: where the bytes of a stored member lie, and small members inflated with a bound.

Two readers of one archive must not see two different files. So whatever could be read in two ways is refused: names
that occur twice, local headers that contradict the directory, members that share bytes, and sizes that are not true.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..errors import DamagedFileError, UnsafeFileError, UnsupportedFileError
from .files import Span, StoredFile
from .window import FileWindow

__all__ = ["Archive", "open_archive"]

# A .keras file has three members, and one for each vocabulary.
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 4 << 20
END, LOCAL = b"PK\x05\x06", b"PK\x03\x04"
END_SIZE, MAX_COMMENT = 22, 65_535
ENCRYPTED, SIZES_FOLLOW = 0x1, 0x8
UNSAID = 0xFFFFFFFF


@dataclass(frozen=True)
class _Member:
    name: str
    span: Span
    size: int
    method: int
    crc: int


@dataclass(frozen=True)
class Archive:
    """The members of a zip archive by name; folders are left out."""

    source: StoredFile
    members: Mapping[str, _Member]

    @property
    def names(self) -> Collection[str]:
        return self.members.keys()

    def place(self, name: str) -> tuple[StoredFile, Span]:
        """Where the bytes of an uncompressed member lie."""
        member = self.members[name]
        if member.method != zipfile.ZIP_STORED:
            raise UnsupportedFileError(
                f"{self.source.path}: {name} is compressed, and Keras stores it plain. Save the model again with Keras."
            )
        return self.source, member.span

    def read(self, name: str, bound: int) -> bytes:
        """The bytes of a small member, of which there may be `bound`."""
        member, where = self.members[name], self.source.path
        if member.size > bound or member.span.length > bound:
            raise UnsafeFileError(f"{where}: {name} is larger than {bound >> 20} MiB; Keras writes none so large.")
        data = bytes(self.source.read(*member.span))
        if member.method == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
            except zlib.error as error:
                raise DamagedFileError(
                    f"{where}: {name} cannot be inflated ({error}). Copy or save it again."
                ) from error
        elif member.method != zipfile.ZIP_STORED:
            raise UnsupportedFileError(f"{where}: {name} is compressed in a way that Keras does not use.")
        if len(data) != member.size:
            raise UnsafeFileError(f"{where}: {name} has not the {member.size} bytes that the archive's directory says.")
        if zlib.crc32(data) != member.crc:
            raise DamagedFileError(f"{where}: {name} has a wrong checksum. Copy or save it again.")
        return data


def open_archive(source: StoredFile, span: Span | None = None) -> Archive:
    """The directory of a zip archive, or of one that lies in a stretch of the file.

    Raises
    ------
    UnsafeFileError, DamagedFileError
    """
    start, length = span or source.whole
    with source.open() as file:
        window = FileWindow(file, Span(start, length))
        try:
            _check_directory(window, length, source)
            with zipfile.ZipFile(window) as archive:
                infos = archive.infolist()
                limit = archive.start_dir
            names = Counter(info.filename for info in infos)
            if twice := [name for name, count in names.items() if count > 1]:
                raise UnsafeFileError(
                    f"{source.path} holds {twice[0]!r} {names[twice[0]]} times. Save the model again."
                )
            members = [_member(window, info, limit, source) for info in infos if not info.is_dir()]
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, struct.error, ValueError) as error:
            raise DamagedFileError(
                f"{source.path} is a damaged zip archive ({error}). Copy or save it again."
            ) from error
    end = 0
    for member in sorted(members, key=lambda member: member.span):
        if member.span.offset < end:
            raise UnsafeFileError(f"{source.path}: {member.name} shares its bytes with another member.")
        end = sum(member.span)
    inside = {
        member.name: _Member(
            member.name, Span(start + member.span.offset, member.span.length), member.size, member.method, member.crc
        )
        for member in members
    }
    return Archive(source, inside)


def _check_directory(window: FileWindow, length: int, source: StoredFile) -> None:
    """Refuse a directory so large that reading it alone would take all memory."""
    window.seek(max(0, length - END_SIZE - MAX_COMMENT))
    tail = window.readall()
    found = tail.rfind(END)
    if found < 0 or len(tail) - found < END_SIZE:
        raise zipfile.BadZipFile("its directory is missing; the file may be cut off")
    count, size = struct.unpack_from("<10xHI", tail, found)
    if count > MAX_MEMBERS or size > MAX_DIRECTORY:
        raise UnsafeFileError(f"{source.path} claims {count} members; Keras writes a handful.")


def _member(window: FileWindow, info: zipfile.ZipInfo, limit: int, source: StoredFile) -> _Member:
    """A member whose own header says the same as the archive's directory."""
    where = f"{source.path}: {info.filename}"
    if info.flag_bits & ENCRYPTED:
        raise UnsafeFileError(f"{where} is encrypted, and Keras encrypts nothing. Save the model again.")
    window.seek(info.header_offset)
    header = window.read(30)
    signature, flags, method, packed, size, name_length, extra = struct.unpack("<4s2xHH8xIIHH", header)
    name = window.read(name_length)
    span = Span(info.header_offset + 30 + name_length + extra, info.compress_size)
    said = (packed, size) if not flags & SIZES_FOLLOW and UNSAID not in (packed, size) else None
    if signature != LOCAL or method != info.compress_type or _name(name, flags) != info.orig_filename:
        raise UnsafeFileError(f"{where} is described in two ways. Save the model again.")
    if said not in (None, (info.compress_size, info.file_size)) or (
        method == zipfile.ZIP_STORED and info.compress_size != info.file_size
    ):
        raise UnsafeFileError(f"{where} is given two sizes. Save the model again.")
    if sum(span) > limit:
        raise UnsafeFileError(f"{where} reaches beyond the members' part of the archive.")
    return _Member(info.filename, span, info.file_size, method, info.CRC)


def _name(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
