"""How one checkpoint is related to another: every pair of an alignment measured, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields, replace

import numpy as np

from ...analysis.alignment import Alignment
from ...analysis.cache import Kind, cached, found_before
from ...analysis.comparing import ComparedRow, compare_tensors
from ...analysis.pairs import PairMoments
from ...analysis.passes import Check
from ...analysis.twins import Tolerance, Twin, twins
from ...analysis.verdict import Verdict, verdict_of
from ...errors import WeightWidgetsError
from ...reading.checkpoint import Checkpoint
from ...reading.tensors import Tensor

__all__ = ["Relation", "look_at_relation"]

# Of smaller tensors all is measured again as fast as it is read from the cache's folder.
MIN_KEPT = 1 << 20
# What PairMoments holds of whole numbers and truths: the first of its fields.
WHOLE = 6


@dataclass(frozen=True)
class Relation:
    """How B is related to A.

    Attributes
    ----------
    alignment : Alignment
    rows : tuple of ComparedRow
        One for each of its rows.
    verdict : Verdict
    """

    alignment: Alignment
    rows: tuple[ComparedRow, ...]
    verdict: Verdict


def look_at_relation(a: Checkpoint, b: Checkpoint, alignment: Alignment, check: Check) -> Relation:
    """Measure every pair, and tell what that says; what was measured before is not read again."""
    total = sum(tensor.size for tensor in a.tensors.values()) or 1
    rows: list[ComparedRow] = []
    done = 0
    for row in compare_tensors(a, b, alignment, Tolerance(), check, _twins):
        rows.append(row)
        done += row.size if row.row.a else 0
        check(min(done / total, 1.0))
    return Relation(alignment, tuple(rows), verdict_of(a, b, rows, check))


def _twins(
    pairs: Iterable[tuple[Tensor, Tensor]], tolerance: Tolerance, check: Callable[[], None]
) -> Iterator[Twin | WeightWidgetsError]:
    """As `twins`, with what was found before."""
    kind = Kind(f"twin {tolerance.absolute} {tolerance.relative}", 1, _pack, _unpack)
    asked = []
    for pair in pairs:
        check()
        asked.append((pair, _before(kind, *pair)))
    measured = twins([pair for pair, before in asked if before is None], tolerance, check)
    for pair, before in asked:
        found = before or next(measured)
        yield found if before or not isinstance(found, Twin) else _keep(kind, found, *pair)


def _before(kind: Kind[Twin], a: Tensor, b: Tensor) -> Twin | None:
    try:
        return found_before(kind, a, b)
    except WeightWidgetsError:
        # Reading it says the same, where its row is.
        return None


def _keep(kind: Kind[Twin], found: Twin, a: Tensor, b: Tensor) -> Twin | WeightWidgetsError:
    try:
        return cached(kind, lambda: found, a, b)
    except WeightWidgetsError as error:
        return error


def _pack(twin: Twin) -> dict[str, np.ndarray] | None:
    if twin.moments.size < MIN_KEPT:
        return None
    values = astuple(twin.moments)
    return {
        "counts": np.array([*map(int, values[:WHOLE]), twin.close]),
        "numbers": np.array([*values[WHOLE:], *twin.null, twin.wasserstein, twin.unit_distance]),
    }


def _unpack(arrays: Mapping[str, np.ndarray]) -> Twin:
    *whole, close = arrays["counts"].tolist()
    *numbers, low, high, wasserstein, unit_distance = arrays["numbers"].tolist()
    names = [field.name for field in fields(PairMoments)]
    moments = PairMoments(**dict(zip(names, [*whole, *numbers], strict=True)))
    kept = replace(moments, identical=bool(moments.identical))
    return Twin(kept, (low, high), close, wasserstein, unit_distance)
