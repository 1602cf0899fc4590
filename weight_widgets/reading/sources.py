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
        return Path(source).expanduser()  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{source!r} is neither a path nor a checkpoint. Give the path of a Keras file.") from None


def _file_labels(paths: list[Path]) -> list[str]:
    """Each file's own name where it is unique, else with the folders that tell it from its namesakes."""
    depths = dict.fromkeys(range(len(paths)), 0)
    longest = max((len(path.parts) for path in paths), default=0)
    for _ in range(longest):
        labels = [_label(path, depths[number]) for number, path in enumerate(paths)]
        counts = Counter(labels)
        for number, label in enumerate(labels):
            depths[number] += counts[label] > 1
        if len(counts) == len(paths):
            break
    return [_label(path, depths[number]) for number, path in enumerate(paths)]


def _label(path: Path, depth: int) -> str:
    return Path(*path.parent.parts[-depth:], file_label(path)).as_posix() if depth else file_label(path)


def _place(source: Path | Checkpoint) -> str:
    return str(source.path if isinstance(source, Checkpoint) else source)
