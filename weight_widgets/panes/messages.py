"""Traits that together are too large for one message, sent in several."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ipywidgets import Widget

__all__ = ["MESSAGE_BYTES", "send_in_messages"]

# Traits share a message up to this size; no message of ours may pass 300 KB.
MESSAGE_BYTES = 200_000

Value = Mapping[str, Any]


def send_in_messages(widget: Widget, traits: Mapping[str, Value]) -> None:
    """Set traits of a widget, in their order, as many in a message as fit."""
    for message in _messages(traits):
        with widget.hold_sync():
            for name, value in message:
                setattr(widget, name, value)


def _messages(traits: Mapping[str, Value]) -> Iterator[list[tuple[str, Value]]]:
    group: list[tuple[str, Value]] = []
    room = MESSAGE_BYTES
    for name, value in traits.items():
        size = sum(map(_size, value.values()))
        if group and size > room:
            yield group
            group, room = [], MESSAGE_BYTES
        group.append((name, value))
        room -= size
    if group:
        yield group


def _size(entry: object) -> int:
    """What it takes in a message, in bytes."""
    return len(entry if isinstance(entry, bytes) else json.dumps(entry, ensure_ascii=False).encode())
