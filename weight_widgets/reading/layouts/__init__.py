"""One module a layout; `read_listing` tells by its content which one a file has."""

from __future__ import annotations

from pathlib import Path

from ...errors import MissingFileError, NotKerasError
from ..hdf5 import Hdf5File, identity
from . import archive, legacy, v3
from .base import LayerWeights, Listing

__all__ = ["LayerWeights", "Listing", "read_listing"]

ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
# HDF5 may start behind a block of the user's own, of 512 bytes or a doubling of it.
HDF5_STARTS = (0, 512, 1024, 2048, 4096, 8192)


def read_listing(path: Path) -> tuple[Listing, Hdf5File]:
    """What the file at `path` holds, and the HDF5 to read its values from.

    Raises
    ------
    MissingFileError, NotKerasError, UnsupportedFileError, DamagedFileError
    """
    identity(path)
    if not path.is_file():
        raise NotKerasError(f"{path} is not a file. Give the path of a .h5, .weights.h5 or .keras file.")
    try:
        with path.open("rb") as file:
            head = file.read(HDF5_STARTS[-1] + len(HDF5))
    except OSError as error:
        raise MissingFileError(f"{path} cannot be opened: {error.strerror}.") from error
    if head.startswith(ZIP):
        return archive.read(path)
    if not any(head[start:].startswith(HDF5) for start in HDF5_STARTS):
        raise NotKerasError(
            f"{path} is not an HDF5 file or a .keras archive: {_looks_like(head)}. "
            "Keras writes weights with model.save or model.save_weights."
        )
    hdf5 = Hdf5File(path)
    tree = hdf5.tree()
    if legacy.matches(tree):
        return legacy.read(tree, str(path)), hdf5
    if v3.matches(tree):
        return v3.read(tree), hdf5
    raise NotKerasError(
        f"{path} is HDF5, but holds no Keras weights: {_names([*tree.groups, *tree.datasets])}. "
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
