"""Settings with which the same weights compute something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...display import visible
from ...reading.checkpoint import Checkpoint
from ..comparing import ComparedRow

__all__ = ["settings_that_differ"]

SETTINGS = (
    "activation",
    "recurrent_activation",
    "strides",
    "padding",
    "dilation_rate",
    "groups",
    "data_format",
    "epsilon",
    "reset_after",
    "go_backwards",
    "return_sequences",
    "merge_mode",
    "equation",
    "use_causal_mask",
)


def settings_that_differ(a: Checkpoint, b: Checkpoint, rows: Sequence[ComparedRow]) -> tuple[str, ...]:
    """Sentences about settings of layers opposite one another that both files give, and give differently."""
    layers = dict.fromkeys((row.row.a[0], row.row.b[0]) for row in rows if row.row.a and row.row.b)
    found = []
    for one, other in layers:
        first, second = a[one], b[other]
        if first.class_name != second.class_name:
            continue
        for name in SETTINGS:
            values = [_plain(layer.config[name]) for layer in (first, second) if name in layer.config]
            if len(values) == 2 and None not in values and values[0] != values[1]:
                found.append(f"{visible(one)}: {name} is {_shown(values[0])} in A and {_shown(values[1])} in B.")
    return tuple(found)


def _plain(value: Any) -> Any:
    """A setting as text, number or a tuple of them; None for what different versions of Keras write differently."""
    if isinstance(value, (list, tuple)):
        return tuple(value) if all(isinstance(item, (int, float, str)) for item in value) else None
    return value if isinstance(value, (str, int, float, bool)) else None


def _shown(value: Any) -> str:
    return visible(str(value))
