"""Which files of a folder may hold models, by their names alone."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .layouts.base import natural

__all__ = ["FoundFile", "FoundFiles", "model_files"]

SUFFIXES = (".h5", ".hdf5", ".keras", ".weights.json", ".safetensors")
# Nobody keeps models there, and there is much to go through.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
# A home folder, or a drive behind a network, has no end: enough is seen after so many entries or seconds.
MAX_ENTRIES, MAX_SECONDS = 20_000, 2.0


@dataclass(frozen=True)
class FoundFile:
    """A file that may hold a model.

    Attributes
    ----------
    path : pathlib.Path
    name : str
        Its place in the folder that was searched, with ``/`` between folders.
    nbytes : int
    """

    path: Path
    name: str
    nbytes: int


@dataclass(frozen=True)
class FoundFiles:
    """What was found in a folder.

    Attributes
    ----------
    folder : pathlib.Path
    files : tuple of FoundFile
        Those in the folder itself, then those in the folders of its folders; numbers in names in their order.
    complete : bool
        Whether all of the folder was looked through.
    """

    folder: Path
    files: tuple[FoundFile, ...]
    complete: bool


def model_files(folder: Path) -> FoundFiles:
    """The files of a folder, and of the folders in it, that are called as models are. None of them is opened.

    Hidden folders, links to folders, and what may not be looked into are left out.

    Parameters
    ----------
    folder : pathlib.Path
    """
    end = time.monotonic() + MAX_SECONDS
    files: list[FoundFile] = []
    waiting, seen = [folder], 0
    while waiting:
        inner: list[Path] = []
        for place in waiting:
            for entry in _entries(place):
                seen += 1
                if seen > MAX_ENTRIES or time.monotonic() > end:
                    return FoundFiles(folder, tuple(files), False)
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name not in SKIPPED:
                        inner.append(Path(entry.path))
                elif entry.name.lower().endswith(SUFFIXES):
                    files += _found(entry, folder)
        waiting = inner
    return FoundFiles(folder, tuple(files), True)


def _found(entry: os.DirEntry[str], folder: Path) -> Iterator[FoundFile]:
    path = Path(entry.path)
    # It may be a broken link, or be deleted by now.
    with contextlib.suppress(OSError):
        if entry.is_file():
            yield FoundFile(path, path.relative_to(folder).as_posix(), entry.stat().st_size)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            by_name = {entry.name: entry for entry in found}
    except OSError:
        return
    yield from (by_name[name] for name in natural(by_name))
