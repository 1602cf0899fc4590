"""What one kernel tells of a common origin: how much more alike A and B are than independent trainings would be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...reading.checkpoint import Checkpoint
from ..comparing import ComparedRow
from ..spectrum import NO_MAPS
from ..twins import SAMPLE

__all__ = ["Trace", "is_kernel", "maps_inputs", "trace_of"]

# Weights of two dimensions and more that are no kernels all the same.
NO_KERNELS = {*NO_MAPS, "count", "vector_u", "idf_weights", "moving_stddev", "renorm_mean", "renorm_stddev"}
# By how much the cosine must exceed what is expected, to be a trace, and by how many standard errors.
EFFECT = 0.1
CERTAINTY = 6.0
# Nearer than this nothing but a common origin brings two weights, where the range of independent pairs ends before.
NEAR = 0.1
# Half the range of independent pairs must be no wider than this, before a cosine inside of it means anything.
TELLING = 0.3
# Where more of a kernel is NaN or Inf, the rest tells nothing.
MAX_UNKNOWN = 0.01
# Fewer equal values may be chance, or the zeros of two pruned models.
MIN_FROZEN = 20
Z = 1.959964


@dataclass(frozen=True)
class Trace:
    """A kernel of both checkpoints, and what it tells.

    Attributes
    ----------
    row : ComparedRow
    excess : float
        The cosine less what is expected of independent pairs; NaN where that is not known.
    error : float
        Standard deviation of the cosine of independent pairs.
    related : bool
        Whether it is a trace of a common origin.
    unrelated : bool
        Whether it would show one, and has none.
    """

    row: ComparedRow
    excess: float
    error: float
    related: bool
    unrelated: bool

    @property
    def size(self) -> int:
        return self.row.size

    @property
    def change(self) -> float:
        """Relative change."""
        return self.row.twin.moments.relative_change if self.row.twin else math.nan

    @property
    def equal_share(self) -> float:
        return self.row.twin.moments.equal_share if self.row.twin else math.nan

    @property
    def scale(self) -> float:
        """Root mean square of A."""
        moments = self.row.twin.moments if self.row.twin else None
        return moments.norm_a / math.sqrt(moments.finite) if moments and moments.finite else math.nan

    @property
    def exact(self) -> bool:
        """Whether all values went into the distance of the distributions."""
        return self.size <= SAMPLE


def maps_inputs(role: str, shape: Sequence[int]) -> bool:
    """Whether weights map inputs to outputs: no bias, no scale, no statistic, nothing of one dimension."""
    return len(shape) >= 2 and role not in NO_KERNELS


def is_kernel(row: ComparedRow) -> bool:
    """Whether these weights map inputs to outputs."""
    shape = row.row.shape_a if row.row.shape_a is not None else row.row.shape_b
    return maps_inputs(row.role, shape or ())


def trace_of(row: ComparedRow, a: Checkpoint, b: Checkpoint) -> Trace | None:
    """What a row tells; None where it is no kernel of both, or one that every training starts with alike."""
    twin = row.twin
    if twin is None or not is_kernel(row) or _starts_alike(row, a, b):
        return None
    moments = twin.moments
    unknown = moments.size - moments.finite
    # A constant is the same whatever it comes from.
    if unknown > MAX_UNKNOWN * moments.size or math.isnan(moments.pearson):
        return Trace(row, math.nan, math.nan, False, False)
    if moments.identical and moments.size >= MIN_FROZEN:
        return Trace(row, 1.0, 0.0, True, False)
    low, high = twin.null
    excess, error = moments.cosine - (low + high) / 2, (high - low) / 2 / Z
    # A weight times −1 is a trace as well.
    related = abs(excess) >= max(EFFECT, CERTAINTY * error) or (
        moments.relative_change <= NEAR and moments.cosine > high
    )
    return Trace(row, excess, error, related, not related and Z * error <= TELLING)


def _starts_alike(row: ComparedRow, a: Checkpoint, b: Checkpoint) -> bool:
    """Whether the initial value is known and not the same in every row: the identity."""
    for checkpoint, address in ((a, row.row.a), (b, row.row.b)):
        config = checkpoint[address[0]].config if address else {}
        initializer = config.get(f"{row.role.removesuffix('_kernel')}_initializer") or config.get(
            f"{row.role}_initializer"
        )
        if "dentity" in str(initializer):
            return True
    return False
