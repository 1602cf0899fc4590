"""Damage by chance, the same for the same seed: bits that flip, and ends that are missing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLIPS, CUTS = 500, 90
METADATA = 4096


def damages(folder: Path, seed: str) -> list[dict[str, Any]]:
    """500 flipped bits, half of them in the first 4 KiB of a file, and 90 truncations of the files in the folder."""
    chance = random.Random(seed)
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.as_posix())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    found: list[dict[str, Any]] = []
    for number in range(FLIPS):
        name = chance.choice(list(sizes))
        reach = min(sizes[name], METADATA) if number % 2 else sizes[name]
        found.append({"file": name, "byte": chance.randrange(reach), "bit": chance.randrange(8)})
    for number in range(CUTS):
        name = list(sizes)[number % len(sizes)]
        # Short beginnings, places where structures end, and everything between.
        length = number if number < 10 else chance.randrange(sizes[name])
        found.append({"file": name, "length": length - length % (1 if number % 2 else 8)})
    return found


def apply(data: bytes, damage: dict[str, Any]) -> bytes:
    if "length" in damage:
        return data[: damage["length"]]
    changed = bytearray(data)
    changed[damage["byte"]] ^= 1 << damage["bit"]
    return bytes(changed)


@contextmanager
def damaged(folder: Path, damage: dict[str, Any]) -> Iterator[None]:
    """The file is damaged within, and whole again after."""
    path = folder / damage["file"]
    data = path.read_bytes()
    path.write_bytes(apply(data, damage))
    try:
        yield
    finally:
        path.write_bytes(data)
