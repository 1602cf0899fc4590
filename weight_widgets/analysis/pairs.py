"""What one pass over two arrays of one shape tells of how alike they are; gathered piece by piece, and mergeable."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from ..display import visible
from ..errors import InputError
from ..reading.tensors import Tensor
from .moments import power_of_two
from .pair_sums import fast_sums
from .passes import Check, gather

__all__ = ["PairMoments", "merge_pairs", "pair_moments", "tensor_pair_moments"]

# Elements of either that are read at a time: in fewer, threads would wait for the interpreter's lock.
COUNT = 1 << 20
# Elements that are copied to float64 at a time.
PIECE = 1 << 16
# Dots of float32 are good to 1e-7 of the squares: to 1e-6 of the spread, while the mean is no larger than this beside
# it, and to 1e-6 of the product while one norm is no larger than this beside the other.
MAX_MEAN_SHARE = 0.5
MAX_NORM_RATIO = 4.0
# A root mean square beyond this has squares that a float32 does not hold.
LOWEST, HIGHEST = 1e-15, 1e15


@dataclass(frozen=True)
class PairMoments:
    """What one pass over two arrays A and B of one shape tells; two of them merge.

    Norms and means are of the pairs of which both elements are finite, and 0 where there is none. All of them stay
    within float64 whatever the arrays hold, unless they are beyond it themselves.

    Attributes
    ----------
    size : int
        Pairs of elements.
    finite : int
        Pairs of which both are finite.
    nan_a, nan_b : int
        Elements that are NaN.
    equal : int
        Pairs of equal value: 0 equals −0, infinity itself, and NaN nothing.
    identical : bool
        Whether the two are the same bits, NaN included, of one dtype.
    norm_a, norm_b, norm_delta : float
        Euclidean norms ‖A‖, ‖B‖, ‖B − A‖.
    mean_a, mean_b : float
    spread_a, spread_b : float
        Euclidean norms of what is left without the mean.
    max_delta : float
        Largest |B − A|.
    product : float
        ⟨A, B⟩ / ‖A‖‖B‖, and 0 where a norm is 0.
    covariance : float
        The same of what is left without the means.
    """

    size: int = 0
    finite: int = 0
    nan_a: int = 0
    nan_b: int = 0
    equal: int = 0
    identical: bool = True
    norm_a: float = 0.0
    norm_b: float = 0.0
    norm_delta: float = 0.0
    mean_a: float = 0.0
    mean_b: float = 0.0
    spread_a: float = 0.0
    spread_b: float = 0.0
    max_delta: float = 0.0
    product: float = 0.0
    covariance: float = 0.0

    @property
    def relative_change(self) -> float:
        """‖B − A‖ / ‖A‖; 0 where nothing differs, infinite where A is 0 and B is not, NaN without a finite pair."""
        return _ratio(self.norm_delta, self.norm_a) if self.finite else math.nan

    @property
    def symmetric_distance(self) -> float:
        """2 ‖B − A‖ / (‖A‖ + ‖B‖), 0 to 2; NaN without a finite pair."""
        return _ratio(self.norm_delta, self.norm_a / 2 + self.norm_b / 2) if self.finite else math.nan

    @property
    def cosine(self) -> float:
        """⟨A, B⟩ / ‖A‖‖B‖, −1 to 1; NaN where one is 0."""
        return self.product if self.norm_a and self.norm_b else math.nan

    @property
    def pearson(self) -> float:
        """Pearson's correlation, −1 to 1; NaN where the elements of one are all equal."""
        return self.covariance if self._varies else math.nan

    @property
    def equal_share(self) -> float:
        """Share of all pairs whose values are equal, 0 to 1; NaN without any."""
        return self.equal / self.size if self.size else math.nan

    @property
    def _varies(self) -> bool:
        # A spread of less is rounding; scipy.stats draws the line near it.
        return all(
            spread > 1e-13 * norm for spread, norm in ((self.spread_a, self.norm_a), (self.spread_b, self.norm_b))
        )


def _ratio(over: float, under: float) -> float:
    if not under:
        return math.inf if over else 0.0
    # Infinity over infinity is NaN, which is what is known then.
    return over / under


def merge_pairs(a: PairMoments, b: PairMoments) -> PairMoments:
    """The moments of two pieces together.

    Notes
    -----
    Of the centred sums as Chan, Golub and LeVeque (1979), in norms and not in squares: these could leave float64.
    """
    counts = replace(
        b if b.finite else a,
        size=a.size + b.size,
        nan_a=a.nan_a + b.nan_a,
        nan_b=a.nan_b + b.nan_b,
        equal=a.equal + b.equal,
        identical=a.identical and b.identical,
    )
    if not a.finite or not b.finite:
        return counts
    finite = a.finite + b.finite
    share = b.finite / finite
    steps = b.mean_a - a.mean_a, b.mean_b - a.mean_b
    apart = steps[0] * math.sqrt(a.finite * share), steps[1] * math.sqrt(a.finite * share)
    norms = math.hypot(a.norm_a, b.norm_a), math.hypot(a.norm_b, b.norm_b)
    spreads = math.hypot(a.spread_a, b.spread_a, apart[0]), math.hypot(a.spread_b, b.spread_b, apart[1])
    product = _mixed(norms, (a.product, a.norm_a, a.norm_b), (b.product, b.norm_a, b.norm_b))
    covariance = _mixed(
        spreads, (a.covariance, a.spread_a, a.spread_b), (b.covariance, b.spread_a, b.spread_b), (1.0, *apart)
    )
    return replace(
        counts,
        finite=finite,
        norm_a=norms[0],
        norm_b=norms[1],
        norm_delta=math.hypot(a.norm_delta, b.norm_delta),
        mean_a=a.mean_a + steps[0] * share,
        mean_b=a.mean_b + steps[1] * share,
        spread_a=spreads[0],
        spread_b=spreads[1],
        max_delta=max(a.max_delta, b.max_delta),
        product=product,
        covariance=covariance,
    )


def _mixed(norms: tuple[float, float], *terms: tuple[float, float, float]) -> float:
    """The sum of products, each given by a cosine and two norms, over the product of `norms`."""
    if not norms[0] or not norms[1]:
        return 0.0
    return _cosine(sum(cosine * (one / norms[0]) * (other / norms[1]) for cosine, one, other in terms))


def _cosine(value: float) -> float:
    return min(1.0, max(-1.0, value)) if not math.isnan(value) else value


def pair_moments(a: np.ndarray, b: np.ndarray) -> PairMoments:
    """The moments of two arrays of one shape and any real dtypes, as in float64.

    Raises
    ------
    InputError
        The shapes differ.
    """
    if a.shape != b.shape:
        raise InputError(f"arrays of shapes {a.shape} and {b.shape} cannot be compared element by element.")
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    found = _fast(flat_a, flat_b) if a.dtype == b.dtype == np.float32 else None
    if found is None:
        starts = range(0, flat_a.size, PIECE)
        pieces = (_careful(flat_a[start : start + PIECE], flat_b[start : start + PIECE]) for start in starts)
        found = reduce(merge_pairs, pieces, PairMoments())
    return replace(found, identical=_same_bits(flat_a, flat_b, found.equal))


def _same_bits(a: np.ndarray, b: np.ndarray, equal: int) -> bool:
    """Whether two flat arrays are the same bits, of which so many elements are equal."""
    if a.dtype != b.dtype:
        return False
    # NaN equals nothing, and only floating numbers have it.
    if equal < a.size and (a.dtype.kind != "f" or equal + np.count_nonzero(np.isnan(a)) < a.size):
        return False
    kind = f"V{a.itemsize}" if a.itemsize > 8 else f"u{a.itemsize}"
    return bool(np.array_equal(np.ascontiguousarray(a).view(kind), np.ascontiguousarray(b).view(kind)))


def _fast(a: np.ndarray, b: np.ndarray) -> PairMoments | None:
    """The moments of flat float32 arrays from dots of float32; None where those would not do."""
    sums = fast_sums(np.require(a, requirements=["C", "A"]), np.require(b, requirements=["C", "A"]))
    size = a.size
    squares = sums.square_a, sums.square_b, sums.square_delta
    if not size or not math.isfinite(sum(squares)):
        return None
    if any(square and not LOWEST <= math.sqrt(square / size) <= HIGHEST for square in squares):
        return None
    if not sums.square_delta and sums.equal < size:
        return None
    means = sums.sum_a / size, sums.sum_b / size
    if any(size * mean**2 > MAX_MEAN_SHARE * square for mean, square in zip(means, squares, strict=False)):
        return None
    norms = math.sqrt(sums.square_a), math.sqrt(sums.square_b)
    if max(norms) > MAX_NORM_RATIO * min(norms):
        return None
    # By the difference, and not by a product: the nearer the two are, the more exactly.
    product = (sums.square_a + sums.square_b - sums.square_delta) / 2
    spreads = [math.sqrt(square - size * mean**2) for square, mean in zip(squares, means, strict=False)]
    return PairMoments(
        size=size,
        finite=size,
        equal=sums.equal,
        norm_a=norms[0],
        norm_b=norms[1],
        norm_delta=math.sqrt(sums.square_delta),
        mean_a=means[0],
        mean_b=means[1],
        spread_a=spreads[0],
        spread_b=spreads[1],
        max_delta=sums.max_delta,
        product=_cosine(product / norms[0] / norms[1]) if all(norms) else 0.0,
        covariance=_cosine((product - size * means[0] * means[1]) / spreads[0] / spreads[1]) if all(spreads) else 0.0,
    )


def _careful(a: np.ndarray, b: np.ndarray) -> PairMoments:
    """The moments of flat arrays in float64."""
    counts = PairMoments(
        size=a.size,
        nan_a=int(np.count_nonzero(np.isnan(a))),
        nan_b=int(np.count_nonzero(np.isnan(b))),
        equal=int(np.count_nonzero(a == b)),
    )
    finite = np.isfinite(a) & np.isfinite(b)
    whole = bool(finite.all())
    wide = [(values if whole else values[finite]).astype(np.float64) for values in (a, b)]
    if not wide[0].size:
        return counts
    with np.errstate(over="ignore"):
        delta = wide[1] - wide[0]
    # The difference of two float64 can be beyond them.
    norm_delta = _norm(delta) if np.isfinite(delta).all() else math.inf
    sides = [_side(values) for values in wide]
    (one, unit_a), (other, unit_b) = sides
    means = float(one.mean()), float(other.mean())
    norms = _norm(one), _norm(other)
    product = _dot(one, other) / norms[0] / norms[1] if all(norms) else 0.0
    one -= means[0]
    other -= means[1]
    spreads = _norm(one), _norm(other)
    return replace(
        counts,
        finite=one.size,
        norm_a=norms[0] * unit_a,
        norm_b=norms[1] * unit_b,
        norm_delta=norm_delta,
        mean_a=means[0] * unit_a,
        mean_b=means[1] * unit_b,
        spread_a=spreads[0] * unit_a,
        spread_b=spreads[1] * unit_b,
        max_delta=float(np.abs(delta).max()),
        product=_cosine(product),
        covariance=_cosine(_dot(one, other) / spreads[0] / spreads[1]) if all(spreads) else 0.0,
    )


def _side(values: np.ndarray) -> tuple[np.ndarray, float]:
    """The values in a power of two near the largest, and that power."""
    unit = power_of_two(float(np.abs(values).max()))
    return values / unit, unit


def _norm(values: np.ndarray) -> float:
    scaled, unit = _side(values)
    return math.sqrt(_dot(scaled, scaled)) * unit


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    # numpy's own loop: BLAS takes threads for so many, which wait for one another.
    return float(np.einsum("i,i->", a, b))


def tensor_pair_moments(a: Tensor, b: Tensor, check: Check) -> PairMoments:
    """The moments of two tensors of one shape, read piece by piece; `check` is called between them.

    Raises
    ------
    InputError
        The shapes differ.
    WeightWidgetsError
        A file cannot be read.
    """
    if a.shape != b.shape:
        names = visible(a.name), visible(b.name)
        raise InputError(f"{names[0]} of shape {a.shape} and {names[1]} of shape {b.shape} have no common elements.")
    return gather([a, b], lambda _: _Gathered(), COUNT, check).moments


class _Gathered:
    """The moments of the pieces of two arrays so far."""

    def __init__(self) -> None:
        self.moments = PairMoments()

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        self.moments = merge_pairs(self.moments, pair_moments(a, b))

    def merge(self, other: _Gathered) -> _Gathered:
        self.moments = merge_pairs(self.moments, other.moments)
        return self
