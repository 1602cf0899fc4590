"""The values of what is picked, by label; and a sentence for each checkpoint that has or gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.checkpoint import Checkpoint
from ..selection import Pick, find

__all__ = ["Check", "Opened", "lack", "values_of"]

Opened = Mapping[str, Checkpoint]
# Raises when the result is no longer wanted.
Check = Callable[[], None]


def values_of(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The picked tensor's values by label, and a sentence for each checkpoint that has or gives none."""
    values, notes = {}, []
    for label in labels:
        check()
        tensor = find(opened[label], pick)
        if tensor is None:
            notes.append(lack(opened[label], label, pick))
            continue
        try:
            values[label] = tensor.read()
        except WeightWidgetsError as error:
            notes.append(str(error))
    return values, tuple(notes)


def lack(checkpoint: Checkpoint, label: str, pick: Pick) -> str:
    """Why there is no such tensor: the file has none, or has one that cannot be read."""
    steps = {*pick.layer.split("/"), *pick.tensor.split("/")}
    unread = (entry for entry in checkpoint.skipped if steps <= {*entry.path.split("/")})
    entry = next(unread, None)
    who = visible(label)
    return f"{who} has no {pick.address}" if entry is None else f"{who}: {pick.address} is not read: {entry.reason}"
