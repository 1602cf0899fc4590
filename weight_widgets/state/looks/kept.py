"""Distributions that were found before, so that other bins and ranges need no second look at the file."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from ...analysis.distribution import Distribution, distribution
from ...reading.tensors import Tensor
from ..selection import Pick
from .values import Check, Opened, found_in

__all__ = ["distributions_of"]

# All of them together; the ones that were not asked for longest go first.
MAX_BYTES = 256 << 20

# A tensor belongs to an opened checkpoint, and what is known of it goes when that does.
_kept: WeakKeyDictionary[Tensor, Distribution] = WeakKeyDictionary()
_lock = threading.Lock()


def distributions_of(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check
) -> tuple[dict[str, Distribution], tuple[str, ...]]:
    """How the picked tensor's values are distributed, by label; a sentence for each that has or gives none."""
    return found_in(opened, pick, labels, check, lambda tensor: _distribution(tensor, check))


def _distribution(tensor: Tensor, check: Check) -> Distribution:
    with _lock:
        known = _kept.pop(tensor, None)
    if known is not None and tensor.shape:
        # Reading nothing fails like reading everything if the file was rewritten.
        tensor.read((slice(0, 0),))
    found = known if known is not None and tensor.shape else distribution(tensor, check)
    with _lock:
        _kept[tensor] = found
        _make_room()
    return found


def _make_room() -> None:
    total = sum(found.nbytes for found in _kept.values())
    for tensor, found in list(_kept.items())[:-1]:
        if total <= MAX_BYTES:
            return
        total -= found.nbytes
        del _kept[tensor]
