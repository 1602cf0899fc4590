"""One module a layout; `read_listing` tells by its content which one a file has."""

from __future__ import annotations

from pathlib import Path

from ...errors import NotKerasError
from ..files import StoredFile, stored_file
from ..hdf5 import read_tree
from ..trees import Group
from . import archive, keras1, legacy, safetensors, sharded, v3
from .base import LayerWeights, Listing

__all__ = ["LayerWeights", "Listing", "read_listing"]

ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
# HDF5 may start behind a block of the user's own, of 512 bytes or a doubling of it.
HDF5_STARTS = (0, 512, 1024, 2048, 4096, 8192)


def read_listing(path: Path) -> Listing:
    """What the file or folder at `path` holds.

    Raises
    ------
    MissingFileError, NotKerasError, UnsafeFileError, UnsupportedFileError, DamagedFileError
    """
    if archive.is_folder(path):
        return archive.read_folder(path)
    source = stored_file(path)
    head = bytes(source.read(0, min(source.identity.size, HDF5_STARTS[-1] + len(HDF5))))
    if head.startswith(ZIP):
        return archive.read(source)
    if any(head[start:].startswith(HDF5) for start in HDF5_STARTS):
        return _read_hdf5(read_tree(source), source)
    if safetensors.matches(head):
        return safetensors.read(source)
    if sharded.matches(head):
        return sharded.read(source)
    raise NotKerasError(
        f"{path} is not an HDF5 file, a .keras archive, a map of shards or safetensors: {_looks_like(head)}. "
        "Keras writes weights with model.save or model.save_weights."
    )


def _read_hdf5(tree: Group, source: StoredFile) -> Listing:
    if keras1.matches(tree):
        return keras1.read(tree, str(source.path))
    if legacy.matches(tree):
        return legacy.read(tree, str(source.path))
    if v3.matches(tree):
        return v3.read(tree)
    raise NotKerasError(
        f"{source.path} is HDF5, but holds no Keras weights: {_names([*tree.groups, *tree.datasets])}. "
        "Keras files have the attribute layer_names, or groups called vars."
    )


def _looks_like(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, run git lfs pull"
    return f"it starts with {head[:8]!r}"


def _names(names: list[str]) -> str:
    return f"it holds {', '.join(map(repr, names[:6]))}{', …' if len(names) > 6 else ''}" if names else "it is empty"
