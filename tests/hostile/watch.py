"""What Linux tells of processes and folders; elsewhere these say nothing, and what needs them is not checked."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LINUX = sys.platform == "linux"
OPENED, ACCESSED = 0x20, 0x01
WRITTEN = 0x02 | 0x04 | 0x40 | 0x80 | 0x100 | 0x200  # modified, attributes, moved, created, deleted
_EVENT = struct.Struct("iIII")


class FolderWatch:
    """Everything that any process does in some folders, by inotify."""

    def __init__(self) -> None:
        self._file = -1
        self._names: dict[int, str] = {}
        if LINUX:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def add(self, folder: Path, mask: int) -> None:
        if self._file >= 0:
            number = self._libc.inotify_add_watch(self._file, os.fsencode(folder), mask)
            self._names[number] = folder.name

    def events(self) -> list[str]:
        """What happened since this was asked before."""
        found: list[str] = []
        with suppress(BlockingIOError):
            while self._file >= 0:
                data = os.read(self._file, 1 << 16)
                at = 0
                while at < len(data):
                    number, mask, _, length = _EVENT.unpack_from(data, at)
                    name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
                    found.append(f"{self._names.get(number, '?')}/{os.fsdecode(name)} ({mask:#x})")
                    at += _EVENT.size + length
        return found

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def status(process: int, field: str) -> int:
    """A number from ``/proc/<process>/status``, such as ``VmHWM`` in KiB; 0 where there is none."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
    return 0


def forget_peak(process: int) -> None:
    """Let ``VmHWM`` begin anew."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def children(process: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, tasks.read_text().split())


def ended(process: int) -> bool:
    """Whether a process is gone, or waits for its parent to hear of its end."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def descriptors(process: int | str = "self") -> set[str]:
    """Where the open descriptors lead."""
    found = set()
    for link in Path(f"/proc/{process}/fd").glob("*"):
        with suppress(OSError):
            found.add(f"{link.name} {link.readlink()}")
    return found
