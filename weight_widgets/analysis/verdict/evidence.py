"""The words of a verdict: one sentence, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...display import visible
from ...reading.checkpoint import Checkpoint
from ..comparing import ComparedRow
from .traces import Trace, is_kernel

__all__ = ["evidence_of", "sentence_of"]

# Names that one sentence lists.
SHOWN = 6
# So few changed weights are counted one by one.
FEW = 10
ONE_IS_ENOUGH = "One of the two is enough."
SCORES = "Weights cannot tell which is better: scores on the same data do."


def sentence_of(
    weights: str,
    architecture: str,
    rows: Sequence[ComparedRow],
    traces: Sequence[Trace],
    recast: str,
    coverage: float,
    may_drop: bool,
) -> str:
    """The verdict in a sentence or two."""
    count = sum(row.twin is not None for row in rows)
    end = ONE_IS_ENOUGH if may_drop else "But settings differ, so that they compute something else."
    if weights == "identical":
        return f"Identical: {_all(count)} equal, bit by bit. {end}"
    if weights == "renamed":
        return f"Renamed: {_all(count)} equal, bit by bit, under other names. {end}"
    if weights == "recast":
        end = f"{ONE_IS_ENOUGH} The narrower type has lost digits." if may_drop else end
        return f"Recast: the same weights in another number type ({recast}). {end}"
    if weights == "permuted":
        return (
            "Permuted: every kernel has units of the same norms and values, in another order. "
            "What that means for the outputs is not checked."
        )
    part = "" if architecture == "same" else f" in the {coverage:.0%} of the parameters that both have"
    if weights == "shared origin":
        return f"Shared origin{part}: {_how_related(traces)}. {SCORES}"
    if weights == "no trace of one":
        return (
            f"No trace of a shared origin{part}: the kernels resemble each other no more than those of independent "
            f"trainings. Units in another order would not be seen. {SCORES}"
        )
    return f"Undetermined: {_why_not(rows, traces)}"


def _all(count: int) -> str:
    return f"all {count} tensors are" if count > 1 else "the one tensor is"


def _how_related(traces: Sequence[Trace]) -> str:
    related = [trace for trace in traces if trace.related]
    frozen = [trace for trace in related if _identical(trace.row)]
    if len(frozen) == len(traces):
        return "the kernels that both have are equal, bit by bit"
    moved = sorted(trace.change for trace in related if not _identical(trace.row))
    said = f"{len(related)} of {len(traces)} kernels resemble each other far more than independent trainings do"
    if frozen:
        said += f", {len(frozen)} of them bit by bit"
    return (
        f"{said}; the others changed by {moved[len(moved) // 2]:.2g} (median, relative)" if moved and frozen else said
    )


def _why_not(rows: Sequence[ComparedRow], traces: Sequence[Trace]) -> str:
    if any(row.error for row in rows):
        return "some weights cannot be read."
    if not traces:
        return "no kernel of one stands opposite a kernel of the same shape in the other."
    if all(math.isnan(trace.excess) for trace in traces):
        return "the kernels hold NaN or Inf, or nothing but a constant, or are too small."
    if any(trace.related for trace in traces):
        return (
            "they resemble each other, but of a single layer independent trainings come close to the same weights too."
        )
    return "too few weights, or too faint a resemblance, to tell a shared origin from chance."


def evidence_of(
    a: Checkpoint,
    b: Checkpoint,
    rows: Sequence[ComparedRow],
    traces: Sequence[Trace],
    recast: str,
    differing: Sequence[str],
) -> tuple[str, ...]:
    """What the verdict rests on, a sentence each."""
    return (*_about_kernels(traces, recast), *_about_tensors(rows), *differing, *_about_files(a, b))


def _about_kernels(traces: Sequence[Trace], recast: str) -> Iterator[str]:
    related = [trace for trace in traces if trace.related]
    if related and not recast:
        changed = [trace for trace in related if not _identical(trace.row)]
        if changed:
            worst = min(changed, key=lambda trace: trace.excess)
            low, high = worst.row.twin.null if worst.row.twin else (math.nan, math.nan)
            yield (
                f"Kernels with a trace of a shared origin: {_names([trace.row for trace in related])}. The least of "
                f"them, {_name(worst.row)}, has cosine {worst.excess + (low + high) / 2:.3f}, where independent pairs "
                f"have {low:.3f} to {high:.3f}."
            )
    unrelated = [trace.row for trace in traces if trace.unrelated]
    if unrelated:
        yield f"Kernels without one: {_names(unrelated)}."
    silent = [trace.row for trace in traces if not trace.related and not trace.unrelated]
    if silent:
        yield f"Kernels that cannot tell: {_names(silent)}."


def _about_tensors(rows: Sequence[ComparedRow]) -> Iterator[str]:
    compared = [row for row in rows if row.twin]
    same = [row for row in compared if row.status == "same"]
    if same and len(same) < len(compared):
        yield f"Equal bit by bit or in value ({len(same)} of {len(compared)} tensors): {_names(same)}."
    changed = [row for row in compared if row.status == "changed"]
    if changed:
        names = ", ".join(map(_change, _largest(changed)))
        yield f"Changed ({len(changed)} of {len(compared)} tensors): {names}{_more(changed)}."
    for row in changed:
        yield from _about_few(row)
    for row in compared:
        unknown = row.twin.moments.size - row.twin.moments.finite if row.twin else 0
        if unknown:
            yield f"{_name(row)}: {unknown} of {row.size} pairs hold NaN or Inf and are left out."
    for word, status in (("Of other shapes", "reshaped"), ("Only in A", "removed"), ("Only in B", "added")):
        if found := [row for row in rows if row.status == status]:
            yield f"{word}: {_names(found)}."
    if assumed := [row for row in rows if row.row.assumed]:
        yield f"Opposite one another by order and shapes alone: {_names(assumed)}."
    for row in rows:
        if row.error:
            yield f"{_name(row)} cannot be read: {row.error}"


def _about_few(row: ComparedRow) -> Iterator[str]:
    """A few changed weights of many, or many that were kept."""
    if row.twin is None:
        return
    moments = row.twin.moments
    moved = moments.finite - moments.equal
    if 0 < moved <= FEW and moved < moments.size / 2:
        yield f"{_name(row)}: {moved} of {moments.size} weights moved, by {moments.max_delta:.3g} or less."
    elif is_kernel(row) and moments.equal_share >= 0.01:
        yield f"{_name(row)}: {moments.equal_share:.1%} of the weights are equal, as pruning leaves them."


def _about_files(a: Checkpoint, b: Checkpoint) -> Iterator[str]:
    if a is b or (a.path is not None and a.path == b.path):
        yield "Both are one and the same file."


def _identical(row: ComparedRow) -> bool:
    return row.twin is not None and row.twin.moments.identical


def _name(row: ComparedRow) -> str:
    return visible("/".join(row.row.a or row.row.b or ()))


def _names(rows: Sequence[ComparedRow]) -> str:
    return ", ".join(_name(row) for row in rows[:SHOWN]) + _more(rows)


def _more(rows: Sequence[ComparedRow]) -> str:
    return f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""


def _largest(rows: Sequence[ComparedRow]) -> list[ComparedRow]:
    """Those that changed most, kernels first: a bias that starts at 0 changes by more than a kernel can."""
    return sorted(rows, key=lambda row: (not is_kernel(row), -row.twin.moments.relative_change if row.twin else 0))[
        :SHOWN
    ]


def _change(row: ComparedRow) -> str:
    assert row.twin is not None
    change = row.twin.moments.relative_change
    return f"{_name(row)} by {change:.2g}" if math.isfinite(change) else f"{_name(row)} from all zeros"
