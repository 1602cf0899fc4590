"""The ``.keras`` archive, zipped or as a folder: ``config.json``, ``metadata.json`` and ``model.weights.h5``.

An archive that was saved with ``weights_format="npz"`` holds ``model.weights.npz`` instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from ...errors import NotKerasError, UnsafeFileError, UnsupportedFileError
from ..files import Span, StoredFile, stored_file
from ..hdf5 import read_tree
from ..tensors import Skipped
from ..trees import Group
from ..zipped import open_archive
from . import npz, v3
from .base import MAX_JSON, Listing, parse_config, parse_json, serialised

__all__ = ["is_folder", "read", "read_folder"]

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS: dict[str, Callable[[StoredFile, Span | None], Group]] = {
    "model.weights.h5": read_tree,
    "model.weights.npz": npz.read_tree,
}


class Members(Protocol):
    """Named members, whether they lie in a zip archive or in a folder."""

    @property
    def names(self) -> Collection[str]: ...

    def read(self, name: str, bound: int) -> bytes:
        """All bytes of a small member."""

    def place(self, name: str) -> tuple[StoredFile, Span | None]:
        """Where the bytes of a large one lie."""


@dataclass(frozen=True)
class Folder:
    """An archive that was saved unzipped, or unzipped later."""

    path: Path

    @cached_property
    def names(self) -> Collection[str]:
        return sorted(path.name for path in self.path.iterdir())

    def read(self, name: str, bound: int) -> bytes:
        source = stored_file(self.path / name)
        if source.identity.size > bound:
            raise UnsafeFileError(f"{source.path} is larger than {bound >> 20} MiB; Keras writes none so large.")
        return bytes(source.read(*source.whole))

    def place(self, name: str) -> tuple[StoredFile, Span | None]:
        return stored_file(self.path / name), None


def read(source: StoredFile) -> Listing:
    """The listing of a zipped archive, read in place."""
    archive = open_archive(source)
    if CONFIG not in archive.names:
        raise NotKerasError(f"{source.path} is a zip archive without {CONFIG}: not a .keras file.")
    return _read(archive, source.path, "Keras 3 archive (.keras)")


def is_folder(path: Path) -> bool:
    """Whether a folder holds what an archive does."""
    # Not Path.is_dir, which raises for a path that is too long or holds a null.
    return os.path.isdir(path) and os.path.isfile(path / CONFIG)  # noqa: PTH112, PTH113


def read_folder(path: Path) -> Listing:
    """The listing of an unzipped archive."""
    return _read(Folder(path), path, "Keras 3 archive, unzipped")


def _read(members: Members, path: Path, name: str) -> Listing:
    weights = next((member for member in WEIGHTS if member in members.names), None)
    if weights is None:
        raise UnsupportedFileError(
            f"{path} holds no {' or '.join(WEIGHTS)}; it holds: {', '.join(list(members.names)[:8])}."
        )
    config = parse_json(members.read(CONFIG, MAX_JSON), f"{path}: {CONFIG}")
    metadata = parse_json(members.read(METADATA, MAX_JSON), f"{path}: {METADATA}") if METADATA in members.names else {}
    version = str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""
    model = parse_config(config)
    listing = v3.read(WEIGHTS[weights](*members.place(weights)), model, version, name)
    others = [member for member in members.names if member not in (CONFIG, METADATA, weights)]
    skipped = [*listing.skipped, *(Skipped(other, _reason(other)) for other in others)]
    compiled = config.get("compile_config") if isinstance(config, dict) else None
    return replace(listing, skipped=skipped, model=model, optimizer=serialised(compiled, "optimizer"))


def _reason(member: str) -> str:
    return "a layer's vocabulary or other asset" if member.startswith("assets") else "no part of a Keras archive"
