"""What is found of one tensor, in few words."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.findings.finding import Finding
from .style import Models, count

__all__ = ["brief"]


def brief(findings: Sequence[Finding], models: Models) -> str:
    """``"2 findings: dead units 4, 17"``, or ``""``; plain text. Where there are several models it says of which."""
    if not findings:
        return ""
    parts: dict[str, dict[str, list[str]]] = {}
    for finding in findings:
        parts.setdefault(finding.checkpoint, {}).setdefault(finding.rule, []).append(finding.part)
    said = []
    for label, rules in parts.items():
        of = f"{models[label].short}: " if label and len(models) > 1 else ""
        said.append(of + ", ".join(_rule(rule, [name for name in names if name]) for rule, names in rules.items()))
    total = f"{count(len(findings))} finding{'' if len(findings) == 1 else 's'}"
    return f"{total}: {'; '.join(said)}"


def _rule(rule: str, parts: Sequence[str]) -> str:
    """``dead-units`` of ``unit 4`` and ``unit 17`` are ``"dead units 4, 17"``."""
    words = rule.replace("-", " ")
    kinds = {part.rpartition(" ")[0] for part in parts}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if not kind:
        return f"{words} {', '.join(parts)}".rstrip()
    if not words.endswith(f"{kind}s"):
        words += f" {kind}{'s' if len(parts) > 1 else ''}"
    return f"{words} {', '.join(part.rpartition(' ')[2] for part in parts)}"
