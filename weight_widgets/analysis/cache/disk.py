"""A folder of entries that several processes share: what cannot be read or written is simply not there."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import stat
import threading
import time
from functools import cache
from pathlib import Path

from .entries import MAX_ENTRY, Arrays, decoded, digest, encoded

__all__ = ["MAX_BYTES", "VARIABLE", "Store", "store"]

VARIABLE = "WEIGHT_WIDGETS_CACHE"
OFF = {"0", "false", "no", "off"}

MAX_BYTES = 256 << 20
# Bytes that a process may write before it looks again how many there are: this share of all.
BETWEEN_LOOKS = 1 / 16
# An entry takes a block at least.
BLOCK = 4096
# Of seconds: a younger one may still be written to.
MAX_AGE_OF_PARTS = 600
# Precise enough to tell what was not used for long, and spares most of the writing.
MIN_AGE_OF_USE = 60

ENTRY = re.compile(r"[0-9a-f]{40}\.found")
PART = re.compile(r"[0-9a-f]{40}\.[0-9a-f]{12}\.part")

_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _PLAIN
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN


def store() -> Store | None:
    """The user's own; None when the environment says that there shall be none."""
    said = os.environ.get(VARIABLE, "").strip()
    if said.lower() in OFF:
        return None
    return _store(said) or _store(str(_users_folder()))


@cache
def _users_folder() -> Path:
    # Not at the top: it is not needed before the first tensor is looked at.
    import platformdirs

    return Path(platformdirs.user_cache_dir("weight-widgets", appauthor=False), "found")


@cache
def _store(folder: str) -> Store | None:
    """None where the folder is not absolute, as the user's own is not without a home."""
    return Store(Path(folder), MAX_BYTES) if Path(folder).is_absolute() else None


class Store:
    """Arrays by key in a folder that belongs to this user alone.

    Several processes may use it at once, each of which may end at any moment: an entry is written beside its place and
    moved there. All together take `limit` bytes at most, and a 16th of that more for each further process. Those that
    were not used longest go first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        # How much was written since the last look; there was none yet.
        self._written: float = limit
        self._lock = threading.Lock()

    def load(self, key: str) -> Arrays | None:
        """The arrays, which cannot be written to; None when there are none. What is damaged is removed."""
        name = digest(key)
        path = self._path(name)
        if not self._private():
            return None
        try:
            return decoded(_read(path), name)
        except ValueError:
            _remove(path)
        except OSError:
            pass
        return None

    def save(self, key: str, arrays: Arrays) -> None:
        """Keep the arrays, if that is possible and they are not too large."""
        name = digest(key)
        data = encoded(arrays, name)
        if len(data) > MAX_ENTRY:
            return
        with contextlib.suppress(OSError):
            if not self._private():
                self.folder.mkdir(0o700, parents=True, exist_ok=True)
                if not self._private():
                    return
            self._make_room(len(data))
            _write(self._path(name), data)

    def clear(self) -> None:
        """Remove all entries, and nothing else."""
        with contextlib.suppress(OSError):
            if not self._private():
                return
            for entry in self._entries():
                _remove(entry.path)

    def _path(self, name: bytes) -> Path:
        return self.folder / f"{name.hex()}.found"

    def _private(self) -> bool:
        """Whether the folder is there, is no link, and only this user may write to it."""
        try:
            found = self.folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and _ours_alone(found)

    def _make_room(self, coming: int) -> None:
        """Remove entries until there is room for all that may be written before the next look."""
        step = self.limit * BETWEEN_LOOKS
        with self._lock:
            self._written += _taken(coming)
            if self._written < step:
                return
            self._written = _taken(coming)
        found = []
        for entry in self._entries():
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                if PART.fullmatch(entry.name) and time.time() - state.st_mtime > MAX_AGE_OF_PARTS:
                    _remove(entry.path)
                else:
                    found.append((state.st_mtime_ns, _taken(state.st_size), entry.path))
        total = sum(size for _, size, _ in found)
        if total <= self.limit - max(step, _taken(coming)):
            return
        # More than needed, so that it need not be done again at once.
        for _, size, path in sorted(found):
            if total <= self.limit * 3 / 4:
                break
            _remove(path)
            total -= size

    def _entries(self) -> list[os.DirEntry[str]]:
        """Entries, those that are being written included, and no other file."""
        with os.scandir(self.folder) as found:
            return [entry for entry in found if ENTRY.fullmatch(entry.name) or PART.fullmatch(entry.name)]


def _ours_alone(found: os.stat_result) -> bool:
    # Windows has no such numbers, and gives each user a folder that others may not write to.
    return not hasattr(os, "geteuid") or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def _taken(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _read(path: Path) -> bytes:
    """All bytes of an entry; a `ValueError` when it cannot be one."""
    with io.FileIO(path, opener=lambda path, _: os.open(path, READ)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _ours_alone(found) or found.st_size > MAX_ENTRY:
            raise ValueError("no entry")
        data = file.read(found.st_size)
    if time.time() - found.st_mtime > MIN_AGE_OF_USE:
        with contextlib.suppress(OSError):
            os.utime(path)
    return data


def _write(path: Path, data: bytes) -> None:
    beside = path.with_suffix(f".{secrets.token_hex(6)}.part")
    try:
        with os.fdopen(os.open(beside, WRITE, 0o600), "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        _remove(beside)
        raise


def _remove(path: str | Path) -> None:
    with contextlib.suppress(OSError):
        Path(path).unlink()
