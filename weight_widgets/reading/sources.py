"""From what the user passes — paths, globs, models, mappings, opened checkpoints — to sources under distinct labels."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingFileError, NotKerasError, WeightWidgetsError
from .checkpoint import Checkpoint, file_label, file_path, open_checkpoint
from .layouts import live
from .layouts.base import natural

__all__ = ["File", "Found", "Source", "labelled", "open_all"]

File = str | os.PathLike[str]
# A mapping is labels to sources; what stands under a label may itself be a mapping, which is one of arrays.
Source = File | Checkpoint | live.LiveModel | Mapping[str, Any]
Found = Path | Checkpoint | live.LiveModel | Mapping[str, Any]


def labelled(sources: Iterable[Source]) -> dict[str, Found]:
    """The sources by label, in the order given.

    Files without a label are called after themselves, with as many of their folders as tell them apart; models by their
    own name.

    Raises
    ------
    InputError
        A label given twice, or a file given twice without labels.
    MissingFileError
        A glob that matches no file.
    """
    entries = [entry for source in sources for entry in _entries(source)]
    called = iter(_file_labels([source for label, source in entries if label is None and isinstance(source, Path)]))
    found: dict[str, Found] = {}
    for label, source in entries:
        name = next(called) if label is None else label
        if name in found:
            raise InputError(
                f"two checkpoints are called {name!r}: {_place(found[name])} and {_place(source)}. "
                "Give each a label of its own: ww.compare({'first': path, 'second': path})."
            )
        found[name] = source
    return found


def open_all(sources: Mapping[str, Found]) -> dict[str, Checkpoint | WeightWidgetsError]:
    """The checkpoints by label, with the error of each that cannot be opened, in the order given."""
    files = {label: source for label, source in sources.items() if isinstance(source, Path)}
    # Two at a time: while the HDF5 of one is listed by another process, the layers of the other are put together.
    with ThreadPoolExecutor(2, "weight-widgets opening") as pool:
        opening = {label: pool.submit(_opened, source, label) for label, source in files.items()}
        # A model's methods are the user's own code, and stay on the user's thread.
        found = {label: _opened(source, label) for label, source in sources.items() if label not in files}
        found |= {label: future.result() for label, future in opening.items()}
    return {label: found[label] for label in sources}


def _opened(source: Found, label: str) -> Checkpoint | WeightWidgetsError:
    try:
        checkpoint = source if isinstance(source, Checkpoint) else open_checkpoint(source, label)
        if checkpoint.num_tensors:
            return checkpoint
        why = f": {checkpoint.skipped[0].reason}" if checkpoint.skipped else ""
        return NotKerasError(f"{checkpoint.path or checkpoint.name} holds no weights that can be read{why}.")
    except WeightWidgetsError as error:
        return error


def _entries(source: Source) -> Iterator[tuple[str | None, Found]]:
    if isinstance(source, Checkpoint):
        yield source.name, source
    elif live.matches(source):
        yield str(source.name), source
    elif isinstance(source, Mapping):
        for label, inner in source.items():
            found = _found(label, inner)
            if not str(label):
                raise InputError(f"{_place(found)} has an empty label. Give it a name.")
            yield str(label), found
    else:
        path = file_path(source)
        # A file whose name holds brackets or stars is meant literally when it exists.
        if not glob.has_magic(str(path)) or os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a long name
            yield None, path
            return
        matches = natural(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            raise MissingFileError(f"no file matches {str(path)!r} (looked from {Path.cwd()}).")
        for match in matches:
            yield None, Path(match)


def _found(label: object, source: Any) -> Found:
    """What stands under a label."""
    if isinstance(source, Mapping) or live.matches(source):
        return source
    if hasattr(source, "__array__"):
        raise InputError(
            f"{label!r} is an array, and labels stand for whole checkpoints. "
            "Give the arrays a label together: ww.compare({'first': {'layer/tensor': array}})."
        )
    return file_path(source)


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


def _place(source: Found) -> str:
    if isinstance(source, Checkpoint):
        return str(source.path or source.format)
    return str(source) if isinstance(source, Path) else "arrays" if isinstance(source, Mapping) else "a live model"
