"""Keras 3 weights in several files: ``x.weights.json`` says which ``x_00000.weights.h5`` holds which group.

A layer may lie in several shards, and its name in another one than its values. So the shards' trees are united, and
what comes out is the tree of one ``.weights.h5``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...display import visible
from ...errors import DamagedFileError, NotKerasError, UnsafeFileError, UnsupportedFileError
from ..files import StoredFile, stored_file
from ..hdf5 import read_tree
from ..tensors import Skipped
from ..trees import Group, Growing
from . import v3
from .base import MAX_JSON, Listing, natural, parse_json

__all__ = ["matches", "read"]

MAP = "weight_map"
MAX_SHARDS = 10_000
# What separates folders on any system, and the drives and streams of Windows.
SEPARATORS = re.compile(r"[/\\:\0]")


def matches(head: bytes) -> bool:
    """Whether a file that begins so is JSON, as the map of the shards is."""
    return head.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{")


def read(source: StoredFile) -> Listing:
    """The listing of all shards together.

    Raises
    ------
    NotKerasError
        JSON that is no map of shards.
    UnsafeFileError
        A shard that is no file beside the map, or values that two shards hold.
    MissingFileError
        A shard is not there.
    DamagedFileError, UnsupportedFileError
    """
    where = str(source.path)
    if source.identity.size > MAX_JSON:
        raise UnsafeFileError(f"{where} is larger than any map of shards; it is not read.")
    text = bytes(source.read(*source.whole)).removeprefix(b"\xef\xbb\xbf")
    data = parse_json(text, where)
    if not isinstance(data, dict) or not isinstance(data.get(MAP), dict):
        raise NotKerasError(
            f"{where} is JSON, but no map of shards: it has no {MAP}. Give the weights, not the config."
        )
    places = {path: _shards(path, shards, where) for path, shards in data[MAP].items()}
    shards = natural({shard for found in places.values() for shard in found})
    if len(shards) > MAX_SHARDS:
        raise UnsafeFileError(f"{where} names {len(shards)} shards; no model has so many.")
    root = Growing()
    unmapped: list[Skipped] = []
    for shard in shards:
        _unite(root, read_tree(_open(source.path, shard)), places, shard, where, unmapped)
    tree = root.grown()
    notes = _notes(tree, places, data.get("metadata"), unmapped)
    listing = v3.read(tree, name="Keras 3 sharded weights (.weights.json)")
    strays = [Skipped(name, "a shard that the map does not mention") for name in _strays(source.path, shards)]
    return replace(listing, skipped=[*listing.skipped, *unmapped, *strays], notes=[*listing.notes, *notes])


def _shards(path: str, shards: Any, where: str) -> list[str]:
    found = shards if isinstance(shards, list) else [shards]
    for shard in found:
        if not isinstance(shard, str) or not shard:
            raise DamagedFileError(
                f"{where} says of {path[:200]!r} in no words which shard has it. Save the model again."
            )
        if SEPARATORS.search(shard) or shard in (".", "..") or shard == Path(where).name:
            raise UnsafeFileError(f"{where} names {shard[:200]!r} as a shard, which is no file beside it. Not opened.")
    return found


def _open(path: Path, shard: str) -> StoredFile:
    if shard.endswith(".safetensors"):
        raise UnsupportedFileError(f"{path} is a map of safetensors files; open each of them, such as {shard[:200]!r}.")
    source = stored_file(path.with_name(shard))
    # The HDF5 library's own message would not say that this is a shard.
    if not bytes(source.read(0, min(8, source.identity.size))).startswith(b"\x89HDF"):
        raise DamagedFileError(f"{source.path}, a shard of {path.name}, is no HDF5 file. Copy or save the model again.")
    return source


def _unite(
    home: Growing,
    group: Group,
    places: Mapping[str, Sequence[str]],
    shard: str,
    where: str,
    unmapped: list[Skipped],
) -> None:
    """Add what one shard holds, without the groups with values that the map says nothing of."""
    # The group without values may have come first, and so may the one without attributes.
    home.attributes.update(group.attributes)
    home.skipped.extend(group.skipped)
    if group.path in places or not group.datasets:
        for name, array in group.datasets.items():
            if name in home.datasets:
                raise UnsafeFileError(f"{where}: {shard} holds {array.path}, and so does an earlier shard.")
            home.datasets[name] = array
    else:
        reason = f"in {shard}, and the map does not mention its group"
        unmapped.extend(Skipped(array.path, reason) for array in group.datasets.values())
    for name, inner in group.groups.items():
        _unite(home.group([name]), inner, places, shard, where, unmapped)


def _notes(tree: Group, places: Mapping[str, Sequence[str]], metadata: Any, unmapped: Sequence[Skipped]) -> list[str]:
    """What the map says and the shards do not bear out."""
    notes = []
    lacking = [
        path for path in places if not isinstance(group := tree.find(path.lstrip("/")), Group) or not group.datasets
    ]
    if lacking:
        notes.append(f"The map mentions {len(lacking)} groups that no shard holds, such as {visible(lacking[0])}.")
    said = metadata.get("total_size") if isinstance(metadata, dict) else None
    found = sum(array.size * array.dtype.itemsize for array in tree.all_datasets())
    if isinstance(said, int | float) and said != found and not unmapped:
        notes.append(f"The map says that the weights take {said:.0f} bytes, and the shards hold {found}.")
    return notes


def _strays(path: Path, shards: Sequence[str]) -> list[str]:
    """Files that look like shards of the same weights."""
    base = re.escape(path.name.removesuffix(".json").removesuffix(".weights"))
    like = re.compile(rf"{base}_\d{{5,}}\.weights\.h5")
    known = {*shards}
    return natural(
        entry.name for entry in path.parent.iterdir() if like.fullmatch(entry.name) and entry.name not in known
    )
