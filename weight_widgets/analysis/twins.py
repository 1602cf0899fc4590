"""Everything that is measured of two tensors of one shape, from one reading of both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ..errors import WeightWidgetsError
from ..reading.structure import Structure
from ..reading.tensors import Tensor
from .null import NullSums, cosine_null, merge_nulls, null_sums, to_rows
from .pairs import COUNT, PairMoments, merge_pairs, pair_moments
from .parallel import THREADS, shares
from .passes import side_by_side

__all__ = ["SAMPLE", "Tolerance", "Twin", "twins"]

# Up to so many elements are sorted; of more, evenly spaced ones.
SAMPLE = 1 << 17
# Sums of this many elements may be taken in float32.
LARGE = 1 << 17
# Of some twenty numbers and the objects that hold them.
NBYTES = 1024


@dataclass(frozen=True)
class Tolerance:
    """|B − A| ≤ absolute + relative · |A| counts as close."""

    absolute: float = 0.0
    relative: float = 0.0


@dataclass(frozen=True)
class Twin:
    """What is measured of two tensors of one shape.

    Attributes
    ----------
    moments : PairMoments
    null : tuple of float
        The range that holds the cosine of 95 % of independent pairs; NaN where there is none.
    close : int
        Elements within the tolerance.
    wasserstein : float
        Wasserstein-1 distance of the distributions of the finite values, in the unit of the weights; NaN without any.
    unit_distance : float
        Symmetric distance 2 ‖a − b‖ / (‖a‖ + ‖b‖) of the sorted norms of the units, so that their order has no say;
        NaN where there are no units.
    """

    moments: PairMoments
    null: tuple[float, float] = (math.nan, math.nan)
    close: int = 0
    wasserstein: float = math.nan
    unit_distance: float = math.nan

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        return NBYTES


@dataclass(frozen=True, eq=False)
class _Piece:
    """What one piece of both tells."""

    moments: PairMoments
    close: int
    samples: tuple[np.ndarray, np.ndarray]
    null: NullSums | None
    squares: tuple[np.ndarray, np.ndarray] | None


def twins(
    pairs: Iterable[tuple[Tensor, Tensor]], tolerance: Tolerance, check: Callable[[], None]
) -> Iterator[Twin | WeightWidgetsError]:
    """Measure pairs of tensors of one shape, two pieces at a time; for one that cannot be read, the error.

    `check` is called between pieces, and whatever it raises ends the work.
    """
    with ThreadPoolExecutor(THREADS, "weight-widgets comparing") as pool:
        jobs = []
        for a, b in pairs:
            rows = shares(a.shape[0] if a.shape else 1, -(-a.size // COUNT))
            jobs.append((a, [pool.submit(_share, a, b, some, tolerance, check) for some in rows]))
        try:
            for tensor, parts in jobs:
                try:
                    yield _twin(tensor, [piece for part in parts for piece in part.result()])
                except WeightWidgetsError as error:
                    yield error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _stride(tensor: Tensor) -> int:
    """The step between the elements of a sample, which must not fall on the same units again and again."""
    step = -(-tensor.size // SAMPLE)
    while step > 1 and math.gcd(step, tensor.shape[-1]) > 1:
        step += 1
    return max(1, step)


def _share(a: Tensor, b: Tensor, rows: range, tolerance: Tolerance, check: Callable[[], None]) -> list[_Piece]:
    """What some rows of both tell; no row is cut, for there units lie side by side."""
    check()
    size = len(rows) * a.size // a.shape[0] if a.size and a.shape else a.size
    pieces = side_by_side([a, b], rows, size) if size else [(a.read(), b.read())]
    return [_piece(one, other, a.structure, _stride(a), tolerance) for one, other in pieces]


def _piece(one: np.ndarray, other: np.ndarray, structure: Structure, stride: int, tolerance: Tolerance) -> _Piece:
    moments = pair_moments(one, other)
    samples = one.reshape(-1)[::stride].copy(), other.reshape(-1)[::stride].copy()
    rows = [to_rows(values, structure) for values in (one, other)] if moments.finite == moments.size else [None, None]
    laid = (rows[0], rows[1]) if rows[0] is not None and rows[1] is not None and rows[0].size else None
    return _Piece(
        moments,
        _close(one, other, moments, tolerance),
        samples,
        null_sums(*laid) if laid else None,
        (_unit_squares(laid[0]), _unit_squares(laid[1])) if laid else None,
    )


def _close(a: np.ndarray, b: np.ndarray, moments: PairMoments, tolerance: Tolerance) -> int:
    if moments.equal == moments.size or not (tolerance.absolute or tolerance.relative):
        return moments.equal
    kind = np.result_type(a.dtype, b.dtype, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        delta = np.abs(np.subtract(b, a, dtype=kind))
        near = delta <= tolerance.absolute + tolerance.relative * np.abs(a.astype(kind, copy=False))
        near &= np.isfinite(delta)
    return int(np.count_nonzero(near | (a == b)))


def _unit_squares(rows: np.ndarray) -> np.ndarray:
    kind = np.float64 if rows.size < LARGE else np.result_type(rows.dtype, np.float32)
    rows = rows.astype(kind, copy=False)
    return np.einsum("ij,ij->j", rows, rows).astype(np.float64)


def _twin(tensor: Tensor, pieces: list[_Piece]) -> Twin:
    moments = reduce(merge_pairs, (piece.moments for piece in pieces))
    nulls = [piece.null for piece in pieces if piece.null is not None]
    squares = [piece.squares for piece in pieces if piece.squares is not None]
    whole = len(nulls) == len(pieces) and moments.finite == moments.size
    samples = [np.concatenate([piece.samples[side] for piece in pieces]) for side in (0, 1)]
    norms = [np.sqrt(sum(found[side] for found in squares)) for side in (0, 1)] if whole and squares else None
    return Twin(
        moments,
        cosine_null(reduce(merge_nulls, nulls), moments) if whole else (math.nan, math.nan),
        sum(piece.close for piece in pieces),
        0.0 if moments.equal == moments.size > 0 else _wasserstein(*samples),
        _sorted_distance(*norms) if norms and len(tensor.shape) > 1 else math.nan,
    )


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """The area between the quantile functions of the finite values."""
    one, other = (np.sort(values[np.isfinite(values)].astype(np.float64)) for values in (a, b))
    if not one.size or not other.size:
        return math.nan
    if one.size == other.size:
        return float(np.abs(one - other).mean())
    # Both are steps: between two steps of either they are constant.
    ends = np.union1d(np.arange(1, one.size + 1) / one.size, np.arange(1, other.size + 1) / other.size)
    middles = ends - np.diff(ends, prepend=0.0) / 2
    places = [np.minimum((middles * values.size).astype(np.int64), values.size - 1) for values in (one, other)]
    return float(np.abs(one[places[0]] - other[places[1]]) @ np.diff(ends, prepend=0.0))


def _sorted_distance(a: np.ndarray, b: np.ndarray) -> float:
    one, other = np.sort(a), np.sort(b)
    scale = float(np.linalg.norm(one) + np.linalg.norm(other)) / 2
    if not scale:
        return 0.0
    return float(np.linalg.norm(one - other)) / scale
