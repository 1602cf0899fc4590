"""What is found out of what is picked, by label; and a sentence for each checkpoint that has or gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from ...analysis.passes import Check
from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.checkpoint import Checkpoint
from ...reading.files import StoredFile
from ...reading.tensors import Tensor
from ..aligned import Aligned
from ..selection import Pick, find

__all__ = ["Check", "Opened", "found_in", "lack", "rewritten"]

Found = TypeVar("Found")

# Under the names of the reference, where they were aligned.
Opened = Mapping[str, Checkpoint | Aligned]


def found_in(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check, find_out: Callable[[Tensor], Found]
) -> tuple[dict[str, Found], tuple[str, ...]]:
    """What is found out of the picked tensor by label, and a sentence for each checkpoint that has or gives none.

    What is found is of the files as they were opened, or left out: also where one is rewritten while others are read.
    """
    found: dict[str, Found] = {}
    looked = []
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
        else:
            looked.append((label, tensor))
    changed = rewritten(looked)
    return {label: each for label, each in found.items() if label not in changed}, (*notes, *changed.values())


def rewritten(looked: Iterable[tuple[str, Tensor]]) -> dict[str, str]:
    """By the label of each checkpoint whose files are not those any more that these tensors were read from, why."""
    files: dict[str, set[StoredFile]] = {}
    for label, tensor in looked:
        files.setdefault(label, set()).update(tensor.origin.files)
    changed = {}
    for label, each in files.items():
        try:
            for file in each:
                file.check()
        except WeightWidgetsError as error:
            changed[label] = str(error)
    return changed


def lack(checkpoint: Checkpoint | Aligned, label: str, pick: Pick) -> str:
    """Why there is no such tensor: the file has none, or has one that cannot be read."""
    steps = {*pick.layer.split("/"), *pick.tensor.split("/")}
    unread = (entry for entry in checkpoint.skipped if steps <= {*entry.path.split("/")})
    entry = next(unread, None)
    who = visible(label)
    return f"{who} has no {pick.address}" if entry is None else f"{who}: {pick.address} is not read: {entry.reason}"
