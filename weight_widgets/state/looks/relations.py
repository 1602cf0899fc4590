"""How one checkpoint is related to another: every pair of an alignment measured, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from ...analysis.alignment import Alignment
from ...analysis.comparing import ComparedRow, compare_tensors
from ...analysis.passes import Check
from ...analysis.twins import Tolerance
from ...analysis.verdict import Verdict, verdict_of
from ...reading.checkpoint import Checkpoint
from .kept import twins_of

__all__ = ["Relation", "look_at_relation"]


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
    for row in compare_tensors(a, b, alignment, Tolerance(), check, twins_of):
        rows.append(row)
        done += row.size if row.row.a else 0
        check(min(done / total, 1.0))
    return Relation(alignment, tuple(rows), verdict_of(a, b, rows, check))
