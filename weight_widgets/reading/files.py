"""Regular files, opened briefly and never locked, with the certainty that they are still the same.

A training run may rewrite its checkpoint while we look at it. So nothing is kept open and nothing is mapped into
memory: a file cut off underneath a map would kill the notebook, and a short read is an error that can be told.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import ChangedFileError, DamagedFileError, MissingFileError, NotKerasError

__all__ = ["SETTLING", "Identity", "Span", "StoredFile", "identity_of", "read_into", "stored_file"]


# Nanoseconds. No file system in use counts time in longer ticks; FAT does in two seconds.
SETTLING = 2_000_000_000


class Identity(NamedTuple):
    """What tells that a path still names the same bytes."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Span(NamedTuple):
    """A stretch of a file in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class StoredFile:
    """A regular file as it was when it was first looked at."""

    path: Path
    identity: Identity

    @property
    def whole(self) -> Span:
        return Span(0, self.identity.size)

    @property
    def settled(self) -> bool:
        """Whether every change from now on will show in the identity, as the last one is more than two seconds old.

        Two changes within one tick of a file system's clock have the same time.
        """
        return time.time_ns() - max(self.identity.modified, self.identity.changed) > SETTLING

    @contextlib.contextmanager
    def open(self) -> Iterator[io.FileIO]:
        """The file for unbuffered reading; a `ChangedFileError` when it is not the same before and after."""
        file, found = _opened(self.path)
        with file:
            self._check(found)
            try:
                yield file
            except DamagedFileError:
                # Perhaps it was a whole one before it was rewritten.
                self._check(os.fstat(file.fileno()))
                raise
            self._check(os.fstat(file.fileno()))

    def read(self, offset: int, length: int) -> bytearray:
        """Exactly `length` bytes."""
        data = bytearray(length)
        with self.open() as file:
            read_into(file, offset, memoryview(data), self.path)
        return data

    def check(self) -> None:
        """A `ChangedFileError` when the path no longer names the same bytes."""
        self._check(_stat(self.path))

    def _check(self, now: os.stat_result) -> None:
        if identity_of(now) != self.identity:
            raise ChangedFileError(
                f"{self.path} was rewritten after it was opened. Open it again to see its new weights."
            )


def stored_file(path: Path) -> StoredFile:
    """The regular file at `path`.

    Raises
    ------
    MissingFileError
        There is none, or it may not be opened.
    NotKerasError
        It is a directory, a pipe, a socket or a device; these are not opened at all.
    """
    found = _stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise NotKerasError(f"{path} is {_kind(found.st_mode)}. Give the path of a .h5, .weights.h5 or .keras file.")
    file, found = _opened(path)
    with file:
        return StoredFile(path, identity_of(found))


def identity_of(found: os.stat_result) -> Identity:
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def read_into(file: io.FileIO, offset: int, view: memoryview, path: Path) -> None:
    """Fill `view` with the bytes from `offset` on; a `DamagedFileError` when there are not so many."""
    try:
        file.seek(offset)
    except (OSError, OverflowError) as error:
        # No file reaches so far.
        raise _ended(path, offset + len(view)) from error
    count = 0
    # One call gives at most 2 GiB.
    while count < len(view):
        read = file.readinto(view[count:])
        if not read:
            if offset + len(view) > os.fstat(file.fileno()).st_size:
                raise _ended(path, offset + len(view))
            raise DamagedFileError(f"{path} was cut off at byte {offset + count} while it was read. Open it again.")
        count += read


def _ended(path: Path, end: int) -> DamagedFileError:
    return DamagedFileError(f"{path} ends before byte {end}, where its data should. Copy it again.")


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise _missing(path, error) from None


def _opened(path: Path) -> tuple[io.FileIO, os.stat_result]:
    # Without O_NONBLOCK a pipe put in the file's place meanwhile would block us for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        file = io.FileIO(os.open(path, flags), "r")
    except (OSError, ValueError) as error:
        raise _missing(path, error) from None
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise NotKerasError(f"{path} is no regular file any more.")
    return file, found


def _missing(path: Path, error: Exception) -> MissingFileError:
    reason = getattr(error, "strerror", None) or str(error)
    return MissingFileError(f"{path}: {reason}. Check the path; it was looked for from {Path.cwd()}.")


def _kind(mode: int) -> str:
    kinds: dict[str, Callable[[int], bool]] = {
        "a directory": stat.S_ISDIR,
        "a named pipe": stat.S_ISFIFO,
        "a socket": stat.S_ISSOCK,
        "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
    }
    return next((name for name, fits in kinds.items() if fits(mode)), "not a regular file")
