"""The values of what is picked, by label; and a sentence for each checkpoint that has or gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import numpy as np

from ...analysis.passes import Check
from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.checkpoint import Checkpoint
from ...reading.tensors import Tensor
from ..selection import Pick, find

__all__ = ["Check", "Opened", "found_in", "lack", "values_of"]

Found = TypeVar("Found")

Opened = Mapping[str, Checkpoint]


def values_of(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The picked tensor's values by label, and a sentence for each checkpoint that has or gives none."""
    return found_in(opened, pick, labels, check, Tensor.read)


def found_in(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check, find_out: Callable[[Tensor], Found]
) -> tuple[dict[str, Found], tuple[str, ...]]:
    """What is found out of the picked tensor by label, and a sentence for each checkpoint that has or gives none."""
    found: dict[str, Found] = {}
    notes = []
    for label in labels:
        check()
        tensor = find(opened[label], pick)
        if tensor is None:
            notes.append(lack(opened[label], label, pick))
            continue
        try:
            found[label] = find_out(tensor)
        except WeightWidgetsError as error:
            notes.append(str(error))
    return found, tuple(notes)


def lack(checkpoint: Checkpoint, label: str, pick: Pick) -> str:
    """Why there is no such tensor: the file has none, or has one that cannot be read."""
    steps = {*pick.layer.split("/"), *pick.tensor.split("/")}
    unread = (entry for entry in checkpoint.skipped if steps <= {*entry.path.split("/")})
    entry = next(unread, None)
    who = visible(label)
    return f"{who} has no {pick.address}" if entry is None else f"{who}: {pick.address} is not read: {entry.reason}"
