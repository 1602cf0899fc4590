"""What is found, gathered by the row of an outline that it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...analysis.findings.finding import Finding
from ...display import visible
from .outlines import Outline

__all__ = ["Badge", "badges_of"]

MAX_WORDS = 200


@dataclass(frozen=True)
class Badge:
    """What one rule says of a layer or a tensor of one model, or of all.

    Attributes
    ----------
    row : int
        Of the outline.
    column : int
        The model's place; −1 for all.
    text : str
        ``"12 dead units"``.
    severity : {"warning", "note"}
    words : str
        The rule, and what is said of the first part: plain text.
    """

    row: int
    column: int
    text: str
    severity: str
    words: str


def badges_of(
    outline: Outline, found: Iterable[Finding], place_of: Callable[[Finding], tuple[str, str, str]]
) -> tuple[Badge, ...]:
    """A badge for each rule, row and model, warnings first; none for what is said of no layer."""
    labels = [*outline.views]
    groups: dict[tuple[int, int, str, str], list[Finding]] = {}
    for finding in found:
        layer, tensor, _ = place_of(finding)
        row = outline.row_of(layer, tensor)
        if row >= 0:
            column = labels.index(finding.checkpoint) if finding.checkpoint else -1
            groups.setdefault((row, column, finding.severity, finding.rule), []).append(finding)
    return tuple(
        Badge(row, column, _text(rule, findings), severity, visible(f"{rule}: {findings[0].message}", MAX_WORDS))
        for (row, column, severity, rule), findings in groups.items()
    )


def _text(rule: str, findings: list[Finding]) -> str:
    words = rule.replace("-", " ")
    number = sum(bool(finding.part) for finding in findings)
    if not number or not words.endswith("s"):
        return words
    return f"{number} {words.removesuffix('s') if number == 1 else words}"
