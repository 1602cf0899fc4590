"""What is found in all opened checkpoints, whatever is picked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...analysis.findings.compose import gather
from ...analysis.findings.finding import Finding
from ...reading.checkpoint import Checkpoint
from .values import Check, rewritten

__all__ = ["FindingsLook", "look_at_findings"]


@dataclass(frozen=True)
class FindingsLook:
    """What was found.

    Attributes
    ----------
    found : tuple of Finding
        Warnings, then notes.
    missing : tuple of Finding
        What the files do not hold enough for.
    problems : tuple of str
        Why a checkpoint, or all of them, could not be looked at.
    """

    found: tuple[Finding, ...] = ()
    missing: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


def look_at_findings(opened: Mapping[str, Checkpoint], check: Check) -> FindingsLook:
    """Ask all rules, with the lines that they draw by default, of the checkpoints as a run in the order given."""
    changed = _rewritten(opened)
    left = {label: one for label, one in opened.items() if label not in changed}
    rows = gather(left, check=check) if left else ()
    changed |= _rewritten(left)
    kept = [row for row in rows if row.checkpoint not in changed]
    return FindingsLook(
        tuple(row for row in kept if row.severity != "n/a"),
        tuple(row for row in kept if row.severity == "n/a"),
        tuple(changed.values()),
    )


def _rewritten(opened: Mapping[str, Checkpoint]) -> dict[str, str]:
    return rewritten((label, tensor) for label, one in opened.items() for tensor in one.tensors.values())
