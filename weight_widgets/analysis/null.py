"""The cosine that two weights have when nothing but chance and a common architecture makes them alike.

Independent trainings of one architecture share more than nothing: what a weight has in common over all units (the mean
of each input row, a known initial value such as 1 among it), how large each row is, and which rows go together. They do
not share which unit is which. So the reference is B with its units in a random order. Mean and variance of ⟨A, B⟩ over
all orders have a closed form, which needs no draws and adds up over rows:

    E = Σᵢ n āᵢ b̄ᵢ        Var = ‖Ãᵀ B̃‖² / (n − 1)

where n units run across, āᵢ is the mean of row i, and Ã is A without its rows' means (the variance of a linear
permutation statistic: Hoeffding, "A combinatorial central limit theorem", 1951). Of many units a sample is taken for
the norm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..reading.structure import Structure
from .pairs import PairMoments

__all__ = ["NullSums", "cosine_null", "merge_nulls", "null_sums", "to_rows"]

# Units whose products are taken.
SAMPLE = 32
# Fewer have too few orders: the range would hold whatever there is.
MIN_UNITS = 4
# Fewer weights have no distribution to speak of.
MIN_SIZE = 20
# The normal distribution's 97.5 % quantile.
Z = 1.959964
# Rows whose products are taken at a time.
RUN = 256
# Sums of this many elements may be taken in float32.
LARGE = 1 << 17


@dataclass(frozen=True, eq=False)
class NullSums:
    """Sums over rows of two weights of one shape; two of them add up.

    Attributes
    ----------
    units : int
        Elements of a row; 0 where nothing was added yet.
    between : float
        Σ n ā b̄ over the rows.
    means_a, means_b : float
        Σ n ā², Σ n b̄².
    sampled_a, sampled_b : float
        Squares of the sampled units, without the rows' means.
    products : numpy.ndarray
        Float64, shape (k, k): Ãᵀ B̃ of the sampled units.
    """

    units: int
    between: float
    means_a: float
    means_b: float
    sampled_a: float
    sampled_b: float
    products: np.ndarray


def to_rows(values: np.ndarray, structure: Structure) -> np.ndarray | None:
    """A piece of a tensor along its first dimension as a matrix, with what is in any order across: units, not gates.

    Returns
    -------
    numpy.ndarray or None
        Shape (rows, units). None where the first dimension is not made of rows, so that pieces of it cut units off;
        and of a tensor of one dimension.
    """
    if values.ndim < 2:
        return None
    axes = structure.axes
    across = [axis.label in structure.columns and not axis.names for axis in axes]
    leading = len(structure.dims[0])
    if len(values) < structure.shape[0] and (leading != 1 or across[0]):
        return None
    sizes = [axis.size for axis in axes]
    if len(values) < structure.shape[0]:
        sizes[0] = len(values)
    down = [place for place, is_across in enumerate(across) if not is_across]
    order = down + [place for place, is_across in enumerate(across) if is_across]
    units = math.prod(size for size, is_across in zip(sizes, across, strict=True) if is_across)
    rows = math.prod(sizes[place] for place in down)
    return values.reshape(sizes).transpose(order).reshape(rows, units)


def null_sums(a: np.ndarray, b: np.ndarray) -> NullSums:
    """The sums over two matrices of shape (rows, units) without NaN and Inf."""
    units = a.shape[1]
    kind = np.float64 if a.size < LARGE else None
    means = [np.add.reduce(side, axis=1, dtype=kind).astype(np.float64) / max(1, units) for side in (a, b)]
    step = max(1, units // SAMPLE)
    chosen = [side[:, : step * SAMPLE : step].astype(np.float64) for side in (a, b)]
    sides = [side - side.mean(axis=1, keepdims=True) for side in chosen]
    between, means_a, means_b = (
        units * float((means[one] * means[other]).sum()) for one, other in ((0, 1), (0, 0), (1, 1))
    )
    sampled = [float(np.einsum("ij,ij->", side, side)) for side in sides]
    return NullSums(units, between, means_a, means_b, sampled[0], sampled[1], _products(*sides))


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """AᵀB, some rows at a time: more would be given to BLAS' own threads, which wait for one another."""
    cut = len(a) // RUN * RUN
    runs = [side[:cut].reshape(-1, RUN, side.shape[1]) for side in (a, b)]
    return np.asarray(np.matmul(runs[0].transpose(0, 2, 1), runs[1]).sum(axis=0) + a[cut:].T @ b[cut:])


def merge_nulls(a: NullSums, b: NullSums) -> NullSums:
    """The sums over the rows of both."""
    return NullSums(
        a.units,
        a.between + b.between,
        a.means_a + b.means_a,
        a.means_b + b.means_b,
        a.sampled_a + b.sampled_a,
        a.sampled_b + b.sampled_b,
        a.products + b.products,
    )


def cosine_null(sums: NullSums | None, pair: PairMoments) -> tuple[float, float]:
    """The range that holds the cosine of 95 % of independent pairs; NaN where it cannot be told.

    Parameters
    ----------
    sums : NullSums or None
        None for a tensor that `to_rows` gives none of.
    pair : PairMoments
        Of the same two tensors.
    """
    unknown = math.nan, math.nan
    if sums is None or min(sums.units / MIN_UNITS, pair.size / MIN_SIZE) < 1 or pair.finite < pair.size:
        return unknown
    scale = pair.norm_a * pair.norm_b
    if not (scale and math.isfinite(scale) and sums.sampled_a and sums.sampled_b):
        return unknown
    within = [max(0.0, norm**2 - means) for norm, means in ((pair.norm_a, sums.means_a), (pair.norm_b, sums.means_b))]
    # Of the sampled units the share only, for the others may be larger.
    share = _squares(sums.products) / sums.sampled_a / sums.sampled_b
    deviation = math.sqrt(share * within[0] * within[1] / (sums.units - 1)) / scale
    reach = deviation * Z
    center = sums.between / scale
    return max(-1.0, center - reach), min(1.0, center + reach)


def _squares(products: np.ndarray) -> float:
    """The sum of all squares, as those beside the diagonal tell it.

    Where A and B have a common origin a unit and itself give a product that is not by chance.
    """
    count = len(products)
    squares = products**2
    return float(squares.sum() - np.trace(squares)) * count / (count - 1)
