"""What a weight's own values tell."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....display import visible
from ....reading.tensors import Tensor
from ...initial import initial_state
from ...measures import axis_norms
from ...spectrum import spectrum
from ..finding import Finding
from ..redundancy import MAX_UNITS, twins
from ..sparsity import near_share, small_units, zeros_of
from ..values import farthest
from .context import Subject, several

__all__ = ["of_values", "spectral"]

# Of fewer values no spread is known, and no share of zeros means anything.
MIN_VALUES = 64
# What is this many times beyond its line is a warning.
FAR = 10
# Matrices that have a rank to lose.
MIN_SIDE = 8
# Share of zeros in whole units or rows that makes a pattern of them.
STRUCTURED = 0.9


def of_values(subject: Subject) -> Iterator[Finding]:
    """NaN and Inf, outliers, norms, zeros, and units that are alike."""
    if subject.values.dtype.kind != "f":
        return
    finite = np.isfinite(subject.values)
    if not finite.all():
        nan = int(np.count_nonzero(np.isnan(subject.values)))
        infinite = subject.values.size - int(np.count_nonzero(finite)) - nan
        yield subject.say(
            "not-finite",
            "warning",
            f"{nan} values are NaN and {infinite} are infinite, of {subject.values.size}.",
            "the values",
            value=float(nan + infinite),
            threshold=0.0,
        )
        return
    if not subject.is_map:
        return
    if subject.values.size >= MIN_VALUES:
        outliers = [*_outliers(subject)]
        yield from outliers
        # One value far out carries the root mean square away, by which these measure.
        if not outliers:
            yield from _scale(subject)
            yield from _zeros(subject)
            yield from _small(subject)
    if subject.by_unit and subject.tensor.role != "embeddings":
        yield from _alike(subject)


def _outliers(subject: Subject) -> Iterator[Finding]:
    limit = subject.context.thresholds.outlier
    flat = subject.values.reshape(-1)
    distance, place = farthest(flat)
    if distance > limit:
        where = tuple(int(each) for each in np.unravel_index(place, subject.values.shape))
        yield subject.say(
            "outlier",
            "warning" if distance > FAR * limit else "note",
            f"{flat[place]:.3g} at {where} is {distance:.3g} robust standard deviations from the median.",
            "the tensor's own median and median deviation",
            value=distance,
            threshold=limit,
        )


def _scale(subject: Subject) -> Iterator[Finding]:
    """The size of a kernel by that of its initializer; tables of embeddings grow in training as a rule."""
    limit = subject.context.thresholds.norm_ratio
    if subject.origin is None or subject.tensor.role == "embeddings":
        return
    initial = initial_state(*subject.origin, subject.tensor.name, subject.tensor.shape)
    start = math.hypot(initial.std, initial.mean) if initial else math.nan
    if initial is None or not start > 0:
        return
    rms = float(axis_norms(subject.values, ())) / math.sqrt(subject.values.size)
    ratio = rms / start
    if ratio > limit:
        yield subject.say(
            "large-norm",
            "warning" if ratio > FAR * limit else "note",
            f"Its root mean square {rms:.3g} is {ratio:.3g} times what its initializer {initial.kind} gives.",
            "the values, and the initializer in the configuration",
            value=ratio,
            threshold=limit,
        )


def _zeros(subject: Subject) -> Iterator[Finding]:
    limit = subject.context.thresholds.sparsity
    zeros = zeros_of(subject.matrix)
    unit = subject.tensor.structure.unit
    if zeros.share < limit and not (unit and zeros.units.size):
        return
    rows, units = subject.matrix.shape
    whole = f"{len(zeros.units)} of {units} {unit or 'column'}s and {len(zeros.rows)} of {rows} inputs are 0 as a whole"
    if zeros.share == 1:
        how = "all of it"
    elif zeros.within > STRUCTURED * zeros.share:
        how = f"structured: {whole}"
    else:
        how = f"scattered: {whole}" if zeros.within else "scattered"
    yield subject.say(
        "sparsity",
        "note",
        f"{zeros.share:.3g} of the values are exactly 0, {how}.",
        "the values",
        value=zeros.share,
        threshold=limit if zeros.share >= limit else 0.0,
        part=subject.name(int(zeros.units[0])) if unit and len(zeros.units) == 1 else "",
    )


def _small(subject: Subject) -> Iterator[Finding]:
    """What is small is a weak hint only: dead units have norms like any other."""
    limits = subject.context.thresholds
    near = near_share(subject.values)
    if near >= limits.near_zeros:
        yield subject.say(
            "near-zeros",
            "note",
            f"{near:.3g} of the values are below a thousandth of the root mean square: a weak hint.",
            "the values",
            value=near,
            threshold=limits.near_zeros,
        )
    if subject.by_unit:
        norms = axis_norms(subject.matrix, (1,))
        typical = float(np.median(norms))
        yield from several(
            subject,
            small_units(norms, limits.small_unit),
            norms / typical if typical else norms,
            "small-units",
            "note",
            lambda who, value: f"The norm of {who} is {value:.2g} of the median: a weak hint.",
            "the values",
            limits.small_unit,
        )


def _alike(subject: Subject) -> Iterator[Finding]:
    limit = subject.context.thresholds.duplicate
    matrix = subject.matrix
    if matrix.shape[1] > MAX_UNITS:
        yield subject.missing("duplicate-units", f"{matrix.shape[1]} units are more than are compared in pairs.")
        return
    bias = subject.beside("bias")
    if bias is not None and bias.shape == matrix.shape[1:]:
        matrix = np.concatenate([matrix, bias.read()[np.newaxis]])
        if not np.isfinite(matrix[-1]).all():
            return
    found = twins(matrix, limit)
    alive = int(np.count_nonzero(matrix.any(axis=0)))
    if 2 < alive == len(found) + 1 and not any(twin.mirrored for twin in found):
        yield subject.say(
            "duplicate-units",
            "note" if subject.context.frozen(subject.layer) else "warning",
            f"All {alive} {subject.tensor.structure.unit}s are equal: nothing has told them apart since they started.",
            "the values",
            value=max(twin.distance for twin in found),
            threshold=limit,
        )
        return
    distances = np.full(matrix.shape[1], math.nan)
    for twin in found:
        distances[twin.unit] = twin.distance
    others = {subject.name(twin.unit): twin for twin in found}

    def tell(who: str, value: float) -> str:
        twin = others.get(who)
        if twin is None:
            return f"Nearly equal to another one or its negative, {who}."
        how = "the negative of" if twin.mirrored else "equal to"
        return f"{who.capitalize()} is {how} {subject.name(twin.other)} but for {value:.1g} of its norm."

    positions = np.array([twin.unit for twin in found], np.intp)
    yield from several(subject, positions, distances, "duplicate-units", "note", tell, "the values", limit)


def spectral(subject: Subject) -> Iterator[Finding]:
    """Whether a weight's rank has collapsed, by its singular values."""
    tensor: Tensor = subject.tensor
    if not subject.is_map or min(tensor.structure.matrix.shape, default=0) < MIN_SIDE:
        return
    found = spectrum(tensor, check=subject.context.check)
    full = min(found.shape)
    limit = subject.context.thresholds.rank
    if math.isnan(found.effective_rank):
        yield subject.missing("rank-collapse", f"There is no effective rank: {visible(found.note, 200)}.")
    elif found.effective_rank < limit * full:
        yield subject.say(
            "rank-collapse",
            "note",
            f"Its effective rank {found.effective_rank:.3g} is that of a matrix far smaller than its {full}.",
            "all singular values",
            value=found.effective_rank / full,
            threshold=limit,
        )
