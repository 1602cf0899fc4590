"""What was found out of tensors before, in memory and on disk, as long as it is certain that the files are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Generic, Protocol, TypeVar

from ...reading.tensors import Tensor
from .disk import Store, store
from .entries import Arrays
from .memory import Memory

__all__ = ["Kind", "cached", "cached_each", "clear_cache", "found_before"]


class Sized(Protocol):
    """A value that is never changed; threads share it."""

    @property
    def nbytes(self) -> int: ...


Found = TypeVar("Found", bound=Sized)

MAX_BYTES = 128 << 20

_memory = Memory(MAX_BYTES)


@dataclass(frozen=True)
class Kind(Generic[Found]):
    """Something that is computed from tensors.

    Attributes
    ----------
    name : str
        What it is, with every setting that it depends on: ``"raster 144 × 144"``.
    version : int
        Another one as soon as the same values give other arrays, or the arrays mean something else.
    pack : callable
        Its arrays by name, of numbers, of any shape; None where finding it again is as fast as reading it.
    unpack : callable
        What `pack` took apart. Any exception means that the arrays are no such thing.
    """

    name: str
    version: int
    pack: Callable[[Found], Arrays | None]
    unpack: Callable[[Arrays], Found]


def cached(kind: Kind[Found], compute: Callable[[], Found], *tensors: Tensor) -> Found:
    """What `compute` finds out of the tensors, found before or now; the rest as `cached_each`."""
    return cached_each(kind, lambda _: [compute()], [tensors])[0]


def cached_each(
    kind: Kind[Found], compute: Callable[[Sequence[int]], Sequence[Found]], groups: Sequence[Sequence[Tensor]]
) -> list[Found]:
    """What is found out of each group of tensors, before or now.

    What is found out of a file that was changed within the last two seconds is not kept, as the next change might not
    show in the file's times; nor is what `compute` does not return because it raises.

    Parameters
    ----------
    kind : Kind
    compute : callable
        Takes the numbers of groups, in rising order, and returns what it finds out of each.
    groups : sequence of sequence of Tensor

    Raises
    ------
    ChangedFileError
        A file was rewritten since it was opened.
    """
    # Before anything is read: a change while it is read must show as well.
    keys = [_key(kind, tensors) if _settled(tensors) else None for tensors in groups]
    known = [_known(kind, key, tensors) if key else None for key, tensors in zip(keys, groups, strict=True)]
    new = [number for number, found in enumerate(known) if found is None]
    computed = dict(zip(new, compute(new) if new else (), strict=True))
    for number, found in computed.items():
        tensors, key = groups[number], keys[number]
        if key:
            _settled(tensors)
            disk = _disk(tensors)
            if disk and (arrays := kind.pack(found)) is not None:
                disk.save(key, arrays)
            _memory.put(key, found, found.nbytes)
    return [computed[number] if found is None else found for number, found in enumerate(known)]


def found_before(kind: Kind[Found], *tensors: Tensor) -> Found | None:
    """What `cached` would not have to compute; None where it would.

    Raises
    ------
    ChangedFileError
        A file was rewritten since it was opened.
    """
    return _known(kind, _key(kind, tensors), tensors) if _settled(tensors) else None


def _known(kind: Kind[Found], key: str, tensors: Sequence[Tensor]) -> Found | None:
    found: Found | None = _memory.get(key)
    if found is None and (disk := _disk(tensors)):
        found = _loaded(disk, key, kind)
        if found is not None:
            _memory.put(key, found, found.nbytes)
    return found


def _settled(tensors: Sequence[Tensor]) -> bool:
    """Whether the files have not changed lately; a `ChangedFileError` if they have since they were opened."""
    files = {file for tensor in tensors for file in tensor.origin.files}
    for file in files:
        # A network file system asks its server what the file is like now when it is opened, and not for a stat.
        with file.open():
            pass
    return all(file.settled for file in files)


def _key(kind: Kind[Found], tensors: Sequence[Tensor]) -> str:
    return repr((kind.name, kind.version, _release(), [tensor.origin.text for tensor in tensors]))


def _disk(tensors: Sequence[Tensor]) -> Store | None:
    """None where values are in memory only, which no other process meets again."""
    return store() if tensors and all(tensor.origin.files for tensor in tensors) else None


def clear_cache() -> None:
    """Forget what was found out of tensors before, in memory and on disk.

    Other files in the cache folder stay. Where ``WEIGHT_WIDGETS_CACHE`` turns the folder off, it is left alone.
    """
    _memory.clear()
    if disk := store():
        disk.clear()


def _loaded(disk: Store, key: str, kind: Kind[Found]) -> Found | None:
    arrays = disk.load(key)
    if arrays is None:
        return None
    try:
        return kind.unpack(arrays)
    # Whatever is wrong with an entry, computing anew is right.
    except Exception:
        return None


@cache
def _release() -> str:
    """Another release may read the same bytes in another way."""
    return version("weight-widgets")
