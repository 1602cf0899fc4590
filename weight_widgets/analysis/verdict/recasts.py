"""Whether one checkpoint holds the values of another in another number type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...reading.checkpoint import Checkpoint
from ...reading.tensors import Tensor
from ..comparing import ComparedRow
from ..pairs import COUNT
from ..passes import side_by_side
from .traces import is_kernel

__all__ = ["recast_of"]

# Of each type the distance of neighbours beside their size, and the smallest distance there is. Not half of it, for not
# everyone rounds to the nearest.
STEPS = {"float16": (2.0**-10, 2.0**-24), "bfloat16": (2.0**-7, 2.0**-133), "float32": (2.0**-23, 2.0**-149)}
# Symmetric distance within which a quantised weight is the other in fewer steps. Eight bits move a weight by 1 % or
# less, four by up to 20 %, and what is calibrated on data or has three values by more.
QUANTISED_CHANGE = {"int8": 0.03, "float8_e4m3fn": 0.06, "float8_e5m2": 0.12, "ternary codes": 0.8}
FEW_BITS_CHANGE = 0.35


def recast_of(a: Checkpoint, b: Checkpoint, rows: Sequence[ComparedRow], check: Callable[[], None]) -> str:
    """The type in which one holds the other's values, in words; ``""`` where they are others, or all bits are equal.

    Every tensor must be the same or recast, and one kernel at least recast.
    """
    kinds: set[str] = set()
    for row in rows:
        if row.twin is None or row.row.a is None or row.row.b is None:
            return ""
        if row.twin.moments.identical:
            continue
        check()
        kind = _kind(a[row.row.a[0]][row.row.a[1]], b[row.row.b[0]][row.row.b[1]], row)
        if not kind:
            return ""
        if is_kernel(row):
            kinds.add(kind)
    return " and ".join(sorted(kinds))


def _kind(a: Tensor, b: Tensor, row: ComparedRow) -> str:
    assert row.twin is not None
    moments = row.twin.moments
    if moments.finite < moments.size:
        return ""
    if moments.equal == moments.size:
        # A wider type with the same values, or zeros of another sign.
        return min((a, b), key=lambda tensor: tensor.dtype.itemsize).dtype.name
    coded = [tensor.stored for tensor in (a, b) if tensor.codes is not None or tensor.stored.startswith("float8")]
    if coded:
        limit = max(QUANTISED_CHANGE.get(kind, FEW_BITS_CHANGE) for kind in coded)
        return " and ".join(dict.fromkeys(coded)) if moments.symmetric_distance <= limit else ""
    return next((kind for kind, step in STEPS.items() if _rounded(a, b, kind, *step)), "")


def _rounded(a: Tensor, b: Tensor, kind: str, relative: float, least: float) -> bool:
    """Whether one of the two, and not the other, holds values of a type alone, all within one step of the other's."""
    holds = [True, True]
    for pieces in side_by_side([a, b], range(a.shape[0] if a.shape else 1), COUNT):
        sides = [piece.astype(np.float64) for piece in pieces]
        holds = [can and _holds(values, kind) for can, values in zip(holds, sides, strict=True)]
        reach = relative * np.maximum(*map(np.abs, sides)) + least
        if not any(holds) or (np.abs(sides[1] - sides[0]) > reach).any():
            return False
    # A difference between two that hold such values alone is no rounding.
    return not all(holds)


def _holds(values: np.ndarray, kind: str) -> bool:
    """Whether a type holds the values exactly."""
    with np.errstate(over="ignore", under="ignore"):
        if kind == "bfloat16":
            single = values.astype(np.float32)
            return bool((single == values).all() and not (single.view(np.uint32) & 0xFFFF).any())
        return bool((values.astype(kind).astype(np.float64) == values).all())
