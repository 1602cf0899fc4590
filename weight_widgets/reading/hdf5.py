"""The one door to HDF5: nothing else in the package imports h5py.

A file is opened for each operation and closed again, without locking it, so that a training run can rewrite its
checkpoint meanwhile; a rewritten file is noticed by its identity. Only hard links are followed, and only data that lies
in the file itself is read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from ..errors import ChangedFileError, DamagedFileError, MissingFileError, NotKerasError
from .structure import Index
from .tensors import Skipped
from .window import FileWindow

__all__ = ["Dataset", "Group", "Hdf5File", "Identity", "Span", "identity"]

MAX_DEPTH = 64


class Identity(NamedTuple):
    """What tells that a path still names the same bytes."""

    device: int
    inode: int
    size: int
    modified: int


class Span(NamedTuple):
    """A stretch of a file in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class Dataset:
    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Group:
    """A group with all that is below it."""

    path: str
    attributes: Mapping[str, Any]
    groups: Mapping[str, Group]
    datasets: Mapping[str, Dataset]
    skipped: tuple[Skipped, ...]

    def find(self, path: str) -> Group | Dataset | None:
        """The group or dataset at a path relative to this group; None when there is none."""
        here: Group | Dataset | None = self
        for name in path.split("/"):
            if not isinstance(here, Group):
                return None
            here = here.groups.get(name) or here.datasets.get(name)
        return here

    def walk(self) -> Iterator[Group]:
        yield self
        for group in self.groups.values():
            yield from group.walk()

    def all_datasets(self) -> Iterator[Dataset]:
        for group in self.walk():
            yield from group.datasets.values()


def identity(path: Path) -> Identity:
    """The identity of the file at `path`; a `MissingFileError` when there is none."""
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        raise MissingFileError(
            f"{path}: {getattr(error, 'strerror', None) or error}. Check the path; it was looked for from {Path.cwd()}."
        ) from None
    return Identity(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


class Hdf5File:
    """An HDF5 file, or an HDF5 file inside a larger one.

    Parameters
    ----------
    path : pathlib.Path
    span : Span, optional
        Where in the file the HDF5 lies; all of it by default.
    """

    def __init__(self, path: Path, span: Span | None = None) -> None:
        self.path = path
        self._span = span
        self._identity = identity(path)

    def tree(self) -> Group:
        """Names, shapes, dtypes and attributes of everything in the file; no values."""
        with self._open() as file:
            return _group(file, "", {}, self.path)

    def read(self, path: str, index: Index = ()) -> np.ndarray:
        """The values of a dataset, or of a basic index into it, in native byte order."""
        with self._open() as file:
            values = np.asarray(file[path][index])
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    @contextlib.contextmanager
    def _open(self) -> Iterator[h5py.File]:
        self._check()
        source = FileWindow(self.path, *self._span) if self._span else contextlib.nullcontext(self.path)
        try:
            with source as opened, h5py.File(opened, "r", **({} if self._span else {"locking": False})) as file:
                yield file
        except (OSError, RuntimeError, KeyError, ValueError, UnicodeDecodeError) as error:
            self._check()
            raise DamagedFileError(
                f"{self.path}: the HDF5 data cannot be read ({_first_line(error)}). "
                "The file may be cut off; copy or save it again."
            ) from error
        # What was read stands only if the file was the same before and after.
        self._check()

    def _check(self) -> None:
        if identity(self.path) != self._identity:
            raise ChangedFileError(
                f"{self.path} was rewritten after it was opened. Open it again to see its new weights."
            )


def _group(group: h5py.Group, path: str, seen: dict[int, str], where: Path) -> Group:
    """Everything below a group; `seen` holds the groups met so far by their place in the file."""
    if path.count("/") > MAX_DEPTH:
        raise NotKerasError(f"{where}: groups are nested deeper than {MAX_DEPTH} levels; Keras writes no such file.")
    seen[_address(group)] = path or "/"
    groups, datasets, skipped = {}, {}, []
    for name in group:
        below = f"{path}/{name}"
        if type(group.get(name, getlink=True)) is not h5py.HardLink:
            skipped.append(Skipped(below, "a link; links are not followed"))
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            if first := seen.get(_address(item)):
                # Without this a few dozen groups that hold each other would take for ever to list.
                skipped.append(Skipped(below, f"the same group as {first}"))
            else:
                groups[name] = _group(item, below, seen, where)
        elif reason := _unreadable(item):
            skipped.append(Skipped(below, reason))
        else:
            datasets[name] = Dataset(below, item.shape, item.dtype.newbyteorder("="), dict(item.attrs))
    return Group(path, dict(group.attrs), groups, datasets, tuple(skipped))


def _address(group: h5py.Group) -> int:
    return int(h5py.h5o.get_info(group.id).addr)


def _unreadable(item: object) -> str:
    if not isinstance(item, h5py.Dataset):
        return "neither a group nor a dataset"
    if item.external or item.is_virtual:
        return "its values lie in another file, which is not opened"
    if item.shape is None:
        return "an empty dataset"
    if item.dtype.kind not in "fiub":
        return f"values of type {item.dtype} are not read"
    if not item.chunks and math.prod(item.shape) and item.id.get_storage_size() == 0:
        return "it was declared but never written"
    return ""


def _first_line(error: Exception) -> str:
    return str(error).strip("'\"").partition("\n")[0] or type(error).__name__
