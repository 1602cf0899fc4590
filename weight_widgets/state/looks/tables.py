"""Rows of measures for the table: of the picked tensor, of its parts, of its layer, or of everything."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...analysis.exact import measure_exactly
from ...analysis.measures import NEAR_ZERO, Measures
from ...analysis.summary import Summary
from ...analysis.tables import tensor_rows
from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.tensors import Layer, Tensor
from ..selection import Pick
from .kept import quick_summary, summary_of
from .values import Check, Opened, rewritten

__all__ = ["MAX_ROWS", "SCOPES", "Table", "look_at_table"]

SCOPES = ("tensor", "parts", "layer", "model")
# More than anybody reads in a page; a frame has them all.
MAX_ROWS = 1000


@dataclass(frozen=True)
class Table:
    """Rows with the columns of `weights_table`.

    `cut` says that there are more. `sampled` is the smallest share of a tensor that was looked at.
    """

    pick: Pick
    scope: str
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    cut: bool = False
    sampled: float = 1.0

    @property
    def near(self) -> bool:
        """Whether some tensors are so large that a part of their measures is only near what all values would give."""
        return any(row["near"] for row in self.rows)


def look_at_table(opened: Opened, pick: Pick, check: Check, scope: str, exact: bool = False) -> Iterator[Table]:
    """The rows of a scope, model by model; those of one tensor stand together where models are compared.

    Of a large picked tensor a sample comes first. `exact` puts all values of large tensors in order.
    """
    if scope == "tensor" and not exact:
        early = _table(opened, pick, check, scope, lambda tensor: quick_summary(tensor, check), rules=False)
        if early.sampled < 1:
            yield early

    def summary(tensor: Tensor) -> Summary:
        return summary_of(tensor, check)

    def measures(tensor: Tensor) -> Measures:
        return measure_exactly(tensor, NEAR_ZERO, check, summary_of(tensor, check))

    yield _table(opened, pick, check, scope, measures if exact else summary)


def _table(
    opened: Opened,
    pick: Pick,
    check: Check,
    scope: str,
    find_out: Callable[[Tensor], Summary | Measures | None],
    rules: bool = True,
) -> Table:
    """The rows with what is found out of each tensor; without `rules` nothing that needs all values at once."""
    notes: list[str] = []
    rows: list[Mapping[str, Any]] = []
    looked: list[tuple[str, Tensor]] = []
    shares = [1.0]
    cut = False

    def measures(tensor: Tensor) -> Measures | None:
        check()
        found = find_out(tensor)
        if isinstance(found, Summary):
            shares.append(found.share)
            return found.measures(NEAR_ZERO)
        return found

    for layer_name, tensor_name in _addresses(opened, pick, scope):
        for label in pick.checkpoints:
            layer = opened[label].get(layer_name)
            if layer is None or tensor_name not in layer:
                continue
            if len(rows) >= MAX_ROWS:
                cut = True
                break
            looked.append((label, layer[tensor_name]))
            found = _rows(label, layer, layer[tensor_name], pick, scope, measures, rules, notes)
            rows += itertools.islice(found, MAX_ROWS - len(rows))
            cut = cut or next(found, None) is not None
    changed = rewritten(looked)
    notes += [visible(why, 600) for why in changed.values()]
    kept = tuple(row for row in rows if row["checkpoint"] not in changed or row["mean"] is None)
    return Table(pick, scope, kept, tuple(dict.fromkeys(notes)), cut, min(shares))


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
    label: str,
    layer: Layer,
    tensor: Tensor,
    pick: Pick,
    scope: str,
    measures: Callable[[Tensor], Measures | None],
    rules: bool,
    notes: list[str],
) -> Iterator[Mapping[str, Any]]:
    names = ["", *tensor.parts] if scope == "parts" else [pick.part if scope == "tensor" else ""]
    tensor = tensor.held() if scope == "parts" else tensor

    def measured(name: str) -> Measures | None:
        return measures(tensor.parts[name] if name else tensor)

    try:
        yield from tensor_rows(label, layer, tensor, names, measured, tensor.read if rules else None)
    except WeightWidgetsError as error:
        notes.append(visible(str(error), 600))
        yield from tensor_rows(label, layer, tensor, names[:1], lambda name: None, None)
