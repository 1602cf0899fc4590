"""From what the user passes — paths, globs, mappings, opened checkpoints — to sources under distinct labels."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import InputError, MissingFileError
from .checkpoint import Checkpoint, file_label
from .layouts.base import natural

__all__ = ["File", "Source", "labelled"]

File = str | os.PathLike[str]
Source = File | Checkpoint | Mapping[str, "File | Checkpoint"]


def labelled(sources: Iterable[Source]) -> dict[str, Path | Checkpoint]:
    """The sources by label, in the order given.

    Files without a label are called after themselves, with as many of their folders as tell them apart.

    Raises
    ------
    InputError
        A label given twice, or a file given twice without labels.
    MissingFileError
        A glob that matches no file.
    """
    entries = [entry for source in sources for entry in _entries(source)]
    called = iter(_file_labels([source for label, source in entries if label is None and isinstance(source, Path)]))
    found: dict[str, Path | Checkpoint] = {}
    for label, source in entries:
        name = next(called) if label is None else label
        if name in found:
            raise InputError(
                f"two checkpoints are called {name!r}: {_place(found[name])} and {_place(source)}. "
                "Give each a label of its own: ww.compare({'first': path, 'second': path})."
            )
        found[name] = source
    return found


def _entries(source: Source) -> Iterator[tuple[str | None, Path | Checkpoint]]:
    if isinstance(source, Checkpoint):
        yield source.name, source
    elif isinstance(source, Mapping):
        for label, inner in source.items():
            if not str(label):
                raise InputError(f"{_place(_path(inner))} has an empty label. Give it a name.")
            yield str(label), inner if isinstance(inner, Checkpoint) else _path(inner)
    else:
        path = _path(source)
        # A file whose name holds brackets or stars is meant literally when it exists.
        if not glob.has_magic(str(path)) or path.exists():
            yield None, path
            return
        matches = natural(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            raise MissingFileError(f"no file matches {str(path)!r} (looked from {Path.cwd()}).")
        for match in matches:
            yield None, Path(match)


def _path(source: object) -> Path:
    try:
        # Path.expanduser raises where there is no such user; this leaves the path as it is.
        return Path(os.path.expanduser(source))  # type: ignore[call-overload]  # noqa: PTH111
    except TypeError:
        advice = "Pass them one by one: ww.compare(*paths)." if isinstance(source, list | tuple) else "Give a path."
        raise InputError(f"{source!r} is neither a path nor a checkpoint. {advice}") from None


def _file_labels(paths: list[Path]) -> list[str]:
    """Each file's own name where it is unique, else with its suffix or the folders that tell it from its namesakes."""
    beside = Counter(path.parent / file_label(path) for path in paths)
    names = [path.name if beside[path.parent / file_label(path)] > 1 else file_label(path) for path in paths]
    depths = [0] * len(paths)
    for _ in range(max((len(path.parts) for path in paths), default=0)):
        labels = _with_folders(paths, names, depths)
        counts = Counter(labels)
        depths = [depth + (counts[label] > 1) for depth, label in zip(depths, labels, strict=True)]
    return _with_folders(paths, names, depths)


def _with_folders(paths: list[Path], names: list[str], depths: list[int]) -> list[str]:
    return [
        Path(*path.parent.parts[-depth:], name).as_posix() if depth else name
        for path, name, depth in zip(paths, names, depths, strict=True)
    ]


def _place(source: Path | Checkpoint) -> str:
    return str(source.path if isinstance(source, Checkpoint) else source)
