"""Whether two checkpoints are the same, related or strangers: `verdict`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...reading.checkpoint import Checkpoint
from ...reading.sources import Source
from ..alignment import Alignment, given_or_aligned, opened
from ..comparing import ComparedRow, compare_tensors
from ..twins import Tolerance
from .differing import settings_that_differ
from .evidence import evidence_of, sentence_of
from .recasts import recast_of
from .traces import Trace, is_kernel, trace_of

__all__ = ["Verdict", "verdict", "verdict_of"]

Architecture = Literal["same", "overlapping", "different"]
Weights = Literal["identical", "renamed", "recast", "permuted", "shared origin", "no trace of one", "undetermined"]

REPLACEABLE = ("identical", "renamed", "recast")
# Sorted norms that agree so well belong to the same units; a relative change beyond the other is no rounding.
SAME_NORMS = 1e-5
MOVED = 1e-2
# Share of the weights of compared kernels that must be able to show a trace, before its absence means something.
TELLING_SHARE = 0.5
# Independent trainings of a single layer approach the same best weights, but not so near.
ONE_LAYER_CHANGE = 1e-3
ONE_LAYER_EQUAL = 0.01
MEMORY = "arrays in memory"


@dataclass(frozen=True)
class Verdict:
    """What the weights of two checkpoints say about how they are related.

    Attributes
    ----------
    architecture : {"same", "overlapping", "different"}
        Of the layers that have weights: whether all of either stand opposite one of the same shapes; some kernels do;
        none does.
    weights : {"identical", "renamed", "recast", "permuted", "shared origin", "no trace of one", "undetermined"}
        All bits are equal, in whatever file and order; they are, under other names; the values are those of the other
        in float16, bfloat16, float32 or quantised; they are the other's in another order of the units; they resemble
        the other's far more than independent trainings do; no more than these; that cannot be told.
    coverage : float
        Share of the parameters of both that were compared, 0 to 1.
    sentence : str
    evidence : tuple of str
        What the verdict rests on, a sentence each.
    may_drop : bool
        Whether one of the two may go: only where the weights are identical, renamed or recast, and no setting that is
        known differs.
    """

    architecture: Architecture
    weights: Weights
    coverage: float
    sentence: str
    evidence: tuple[str, ...] = field(default=())
    may_drop: bool = False


def verdict(a: Source, b: Source, alignment: Alignment | None = None) -> Verdict:
    """Tell whether two checkpoints are the same, related, or strangers.

    Parameters
    ----------
    a, b : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `open_checkpoint` takes them.
    alignment : Alignment, optional
        By default `align(a, b)`.

    Returns
    -------
    Verdict
        Its rules and thresholds: ``docs/verdict.md``. It rests on how large effects are, not on how certain: of 10⁸
        weights every difference is certain. Weights cannot tell which model is better: scores on the same data do.

    Raises
    ------
    InputError
        The alignment is not one of these checkpoints.
    MissingFileError, NotKerasError, DamagedFileError, …
        A checkpoint cannot be opened.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> ww.verdict("baseline.h5", "baseline.keras").sentence    # doctest: +SKIP
    'Identical: all 16 tensors are equal, bit by bit. One of the two is enough.'
    """
    one, other = opened(a), opened(b)
    found = given_or_aligned(one, other, alignment)
    return verdict_of(one, other, [*compare_tensors(one, other, found, Tolerance(), _never)], _never)


def _never() -> None:
    """Nobody cancels."""


def verdict_of(a: Checkpoint, b: Checkpoint, rows: Sequence[ComparedRow], check: Callable[[], None]) -> Verdict:
    """The verdict from rows that `compare_tensors` gave; `check` is called between further looks at the files."""
    traces = [trace for row in rows if (trace := trace_of(row, a, b)) is not None]
    architecture = _architecture(rows)
    recast = recast_of(a, b, rows, check) if architecture == "same" else ""
    differing = settings_that_differ(a, b, rows)
    # Arrays that somebody took out of a model may be one of many.
    single = len(traces) == 1 and architecture == "same" and MEMORY not in (a.format, b.format)
    weights = _weights(rows, traces, architecture, recast, single)
    compared = 2 * sum(row.size for row in rows if row.twin)
    coverage = compared / (a.num_params + b.num_params) if a.num_params + b.num_params else 0.0
    may_drop = weights in REPLACEABLE and not differing
    return Verdict(
        architecture,
        weights,
        coverage,
        sentence_of(weights, architecture, rows, traces, recast, coverage, may_drop),
        evidence_of(a, b, rows, traces, recast, differing),
        may_drop,
    )


def _architecture(rows: Sequence[ComparedRow]) -> Architecture:
    paired = [row for row in rows if row.row.status == "paired"]
    if paired and len(paired) == len(rows):
        return "same"
    return "overlapping" if any(is_kernel(row) for row in paired) else "different"


def _weights(
    rows: Sequence[ComparedRow], traces: Sequence[Trace], architecture: Architecture, recast: str, single: bool
) -> Weights:
    if any(row.error for row in rows):
        return "undetermined"
    if architecture == "same" and all(row.twin and row.twin.moments.identical for row in rows):
        return "identical" if all(row.row.a == row.row.b for row in rows) else "renamed"
    if recast:
        return "recast"
    if architecture == "same" and _is_permuted(traces):
        return "permuted"
    if any(trace.related for trace in traces):
        return "undetermined" if single and _could_converge(traces[0]) else "shared origin"
    size = sum(trace.size for trace in traces)
    telling = sum(trace.size for trace in traces if trace.unrelated)
    return "no trace of one" if size and telling >= TELLING_SHARE * size else "undetermined"


def _could_converge(trace: Trace) -> bool:
    return trace.change > ONE_LAYER_CHANGE and trace.equal_share < ONE_LAYER_EQUAL


def _is_permuted(traces: Sequence[Trace]) -> bool:
    moved = [trace for trace in traces if trace.change > MOVED]
    if not all(trace.row.twin and trace.row.twin.unit_distance <= SAME_NORMS for trace in traces):
        return False
    # Norms that are all equal, as of orthogonal columns, tell nothing; the distributions of the values then differ.
    whole = [(trace.row.twin.wasserstein, trace.scale) for trace in moved if trace.row.twin and trace.exact]
    return bool(whole) and all(distance <= SAME_NORMS * scale for distance, scale in whole)
