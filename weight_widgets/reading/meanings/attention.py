"""Attention layers: heads, and which of them share their keys and values."""

from __future__ import annotations

from ..structure import Axis, Cut, Structure
from .weights import Builder, Weight, plain

__all__ = ["BUILDERS", "CLASSES"]

CLASSES = ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
# Every query has a head of its own; those of a group share a head of the keys and values.
BY_QUERY = ("query", "gate", "output")


def _cuts(weight: Weight, heads: int) -> tuple[Cut, ...]:
    cuts = (Cut(("head",)),)
    shared = weight.groups
    if weight.place in BY_QUERY and 0 < shared < heads and heads % shared == 0:
        # Query head j uses the key and value head j // (heads / shared).
        return (Cut(("head",), "group", run=heads // shared), *cuts)
    return cuts


def _kernel(weight: Weight) -> Structure | None:
    """(inputs, heads, dimension); of the output (heads, dimension, outputs), which may have several axes."""
    columns: tuple[str, ...]
    if weight.place == "output" and len(weight.shape) > 2:
        columns = _outputs(len(weight.shape) - 2)
        labels, heads = ("head", "dimension", *columns), weight.shape[0]
    elif weight.place != "output" and len(weight.shape) == 3:
        labels, columns, heads = ("input", "head", "dimension"), ("head", "dimension"), weight.shape[1]
    else:
        return None
    dims = tuple((Axis(label, size),) for label, size in zip(labels, weight.shape, strict=True))
    return Structure(dims, columns, _cuts(weight, heads), "head")


def _outputs(count: int) -> tuple[str, ...]:
    return ("output",) if count == 1 else tuple(f"output {number}" for number in range(count))


def _bias(weight: Weight) -> Structure | None:
    if weight.place == "output":
        labels = _outputs(len(weight.shape))
        return plain(*labels, unit=labels[0])(weight) if labels else None
    if len(weight.shape) != 2:
        return None
    dims = tuple((Axis(label, size),) for label, size in zip(("head", "dimension"), weight.shape, strict=True))
    return Structure(dims, ("dimension",), _cuts(weight, weight.shape[0]), "head", part_columns=("dimension",))


BUILDERS: dict[tuple[str, str], Builder] = {
    **{(name, "kernel"): _kernel for name in CLASSES},
    **{(name, "bias"): _bias for name in CLASSES},
    ("Attention", "scale"): plain(columns=0),
    ("Attention", "concat_score_weight"): plain(columns=0),
    ("AdditiveAttention", "scale"): plain("dimension"),
}
