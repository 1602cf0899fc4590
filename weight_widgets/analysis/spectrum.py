"""The singular values of a weight, and what they tell: norms, ranks, and the power law of their upper end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..reading.structure import SHARED, Structure, generic
from ..reading.tensors import Tensor
from .decomposition import SingularValues, plan, singular_values
from .powerlaw import fit_power_law

__all__ = ["MIN_VALUES", "Spectrum", "spectrum"]

# A power law of fewer is anybody's guess.
MIN_VALUES = 50
# Weights that are added or multiplied element by element, and no map from inputs to outputs.
NO_MAPS = ("bias", "gamma", "beta", "moving_mean", "moving_variance", "alpha", "scale", "mean", "variance")

NAN = math.nan
DOUBLE = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """What the singular values σ of a weight tell; NaN where something makes no sense, and `note` says why.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the matrix: what a unit sees runs down (of a convolution the kernel's places times its
        input channels), the units, filters or heads run across.
    singular_values : numpy.ndarray
        Float64, falling. All of them, or for ``"randomized"`` the largest.
    method : {"exact", "randomized", ""}
        ``""`` where there are none.
    error : float
        Of a randomized method: each true value lies between s and √(s² + error²). 0 for an exact one.
    spectral_norm : float
        σ₁.
    frobenius_norm : float
        √Σσ², which is the L2 norm of all weights.
    stable_rank : float
        Σσ² / σ₁², from 1 up to the rank.
    effective_rank : float
        exp(−Σ p ln p) with p = σ / Σσ (Roy and Vetterli, "The effective rank", 2007).
    alpha, alpha_se : float
        Exponent of the power law that the upper end of the eigenvalues σ² of WᵀW follows best, and its standard error.
    xmin : float
        The eigenvalue from which on it holds.
    tail : int
        Eigenvalues from there on.
    distance : float
        Kolmogorov–Smirnov distance of these from the law. It is a distance, no probability.
    note : str
    assumed : str
        What rows and columns rest on where the file does not say it, and other ones would give other values.
    """

    shape: tuple[int, int]
    singular_values: np.ndarray
    method: str = ""
    error: float = NAN
    spectral_norm: float = NAN
    frobenius_norm: float = NAN
    stable_rank: float = NAN
    effective_rank: float = NAN
    alpha: float = NAN
    alpha_se: float = NAN
    xmin: float = NAN
    tail: int = 0
    distance: float = NAN
    note: str = ""
    assumed: str = ""


def spectrum(
    tensor: Tensor | np.ndarray,
    *,
    check: Callable[[], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Spectrum:
    """The spectrum of a weight, of a part of one, or of an array.

    The work is done in a process of its own, which an interrupt ends at once and which may use at most 4 GiB.

    Parameters
    ----------
    tensor : Tensor or numpy.ndarray
        Of an array the last axis runs across.
    check : callable, optional
        Called ten times a second; whatever it raises ends the work.
    progress : callable, optional
        Told in words how far it is.

    Returns
    -------
    Spectrum

    Raises
    ------
    InputError
        It is neither a tensor nor an array, or too large for the memory that may be used.
    WeightWidgetsError
        The file cannot be read, or the process ended early.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> model = ww.open_checkpoint("lstm.h5")    # doctest: +SKIP
    >>> ww.spectrum(model["dense_1"]["kernel"]).stable_rank    # doctest: +SKIP
    5.31
    """
    if not isinstance(tensor, (Tensor, np.ndarray, np.generic)):
        raise InputError(
            f"spectrum takes a tensor of an opened checkpoint or a numpy array, not {type(tensor).__name__}: "
            'spectrum(open_checkpoint("model.h5")["dense_1"]["kernel"]).'
        )
    structure = tensor.structure if isinstance(tensor, Tensor) else generic(np.shape(tensor))
    shape = structure.matrix.shape

    def without(reason: str) -> Spectrum:
        return Spectrum(shape, np.empty(0), note=reason)

    if isinstance(tensor, Tensor) and tensor.role in NO_MAPS and not structure.doubt:
        return without(f"{tensor.role} acts on each unit by itself: it is no matrix")
    if shared := [axis.label for axis in structure.axes if axis.label.startswith(SHARED)]:
        return without(f"there is a matrix for each position of {' and '.join(shared)}, and not one")
    if len(structure.dims) < 2:
        return without("a spectrum needs a matrix, and this has one dimension or none")
    if not all(shape):
        return without("there are no values")
    plan(shape, tensor.dtype if isinstance(tensor, Tensor) else np.asarray(tensor).dtype)
    values = tensor.read() if isinstance(tensor, Tensor) else np.asarray(tensor)
    if values.dtype.kind not in "biuf":
        return without("its values are no real numbers")
    if not np.isfinite(values).all():
        return without("it holds NaN or Inf")
    resolution = 4 * _epsilon(tensor, values.dtype) + max(shape) * DOUBLE
    found = singular_values(structure.to_matrix(values), check, progress)
    if not math.isfinite(found.frobenius):
        return without("its norms are too large for float64")
    return replace(_told(found, shape, resolution), assumed=_rests_on(structure))


def _rests_on(structure: Structure) -> str:
    """A matrix that is turned has the same singular values."""
    if len(structure.dims) < 3:
        return ""
    if structure.doubt:
        return f"The last axis is taken for the columns: {structure.doubt}"
    return "What is row and what is column is assumed from names and shapes" if structure.assumed else ""


def _epsilon(tensor: Tensor | np.ndarray, dtype: np.dtype) -> float:
    """The machine epsilon of the type that the file holds; 0 for integers."""
    if isinstance(tensor, Tensor) and tensor.stored == "bfloat16":
        return 2.0**-7
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def _told(found: SingularValues, shape: tuple[int, int], resolution: float) -> Spectrum:
    """What the values tell; `resolution` is what rounding may make of equal ones, as a share of the largest."""
    values = found.values
    largest = float(values[0])
    if not largest:
        note = "all values are 0, so that ranks have no meaning"
        return Spectrum(shape, values, found.method, found.error, 0.0, 0.0, note=note)
    stable = (found.frobenius / largest) ** 2
    known = Spectrum(shape, values, found.method, found.error, largest, found.frobenius, stable)
    if found.method != "exact":
        note = f"of {min(shape)} singular values the largest {len(values)} were found: too few for what needs all"
        return replace(known, note=note)
    shares = values[values > 0] / values.sum()
    known = replace(known, effective_rank=math.exp(-float((shares * np.log(shares)).sum())))
    if len(values) < MIN_VALUES:
        return replace(known, note=f"alpha needs {MIN_VALUES} singular values, and there are {len(values)}")
    # What is smaller is rounding.
    real = values[values > largest * max(shape) * DOUBLE]
    # The exponent has no unit; squares of very large or small values would not fit into a float.
    law = fit_power_law((real / largest) ** 2) if real[0] - real[-1] > resolution * largest else None
    if law is None or len(real) < MIN_VALUES:
        return replace(known, note=f"alpha needs {MIN_VALUES} different singular values above 0")
    return replace(
        known,
        alpha=law.alpha,
        alpha_se=law.se,
        xmin=law.xmin * largest * largest,
        tail=law.tail,
        distance=law.distance,
    )
