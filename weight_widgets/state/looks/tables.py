"""The measures of the ticked checkpoints: of what is picked, of its parts, of its layer, or of everything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.tables import tensor_rows
from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.tensors import Layer, Tensor
from ..selection import Pick
from .values import Check, Opened

__all__ = ["MAX_ROWS", "SCOPES", "Table", "look_at_table"]

SCOPES = ("tensor", "parts", "layer", "model")
# More than anybody reads in a page; a frame has them all.
MAX_ROWS = 1000


@dataclass(frozen=True)
class Table:
    """Rows with the columns of `weights_table`; `cut` says that there are more."""

    pick: Pick
    scope: str
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    cut: bool = False


def look_at_table(opened: Opened, pick: Pick, check: Check, scope: str) -> Table:
    """The rows of a scope, model by model; those of one tensor stand together where models are compared."""
    notes: list[str] = []
    rows: list[Mapping[str, Any]] = []
    left_out = False
    for layer_name, tensor_name in _addresses(opened, pick, scope):
        for label in pick.checkpoints:
            layer = opened[label].get(layer_name)
            if layer is None or tensor_name not in layer:
                continue
            if len(rows) >= MAX_ROWS:
                left_out = True
                break
            found = _rows(label, layer, layer[tensor_name], pick, scope, check, notes)
            rows += itertools.islice(found, MAX_ROWS - len(rows))
            left_out = left_out or next(found, None) is not None
    return Table(pick, scope, tuple(rows), tuple(notes), left_out)


def _addresses(opened: Opened, pick: Pick, scope: str) -> Iterator[tuple[str, str]]:
    """The tensors of a scope by their addresses, in the order of the first checkpoint that has them."""
    if scope in ("tensor", "parts"):
        yield pick.layer, pick.tensor
        return
    found: dict[tuple[str, str], None] = {}
    for label in pick.checkpoints:
        layers = [pick.layer] if scope == "layer" else [*opened[label]]
        found |= dict.fromkeys((name, tensor) for name in layers for tensor in opened[label].get(name, ()))
    yield from found


def _rows(
    label: str, layer: Layer, tensor: Tensor, pick: Pick, scope: str, check: Check, notes: list[str]
) -> Iterator[Mapping[str, Any]]:
    parts = [*tensor.parts] if scope == "parts" else [pick.part] if scope == "tensor" and pick.part else []
    values: np.ndarray | None = None
    check()
    try:
        values = tensor.read()
    except WeightWidgetsError as error:
        notes.append(visible(str(error), 600))
    for row in tensor_rows(label, layer, tensor, values, parts, whole=scope != "tensor" or not pick.part):
        check()
        yield row
