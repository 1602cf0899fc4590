"""Two checkpoints tensor by tensor: `compare_tensors` for what draws, `compare_table` as a data frame."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from ..display import visible
from ..errors import InputError, WeightWidgetsError
from ..reading.checkpoint import Checkpoint
from ..reading.sources import Source
from ..reading.tensors import Tensor
from .alignment import AlignedRow, Alignment, given_or_aligned, opened
from .spectrum import spectrum
from .tables import TEXT
from .twins import Tolerance, Twin, twins

__all__ = ["COLUMNS", "STATUSES", "ComparedRow", "compare_table", "compare_tensors", "numbers_of"]

Status = Literal["same", "changed", "reshaped", "added", "removed"]
STATUSES: tuple[Status, ...] = get_args(Status)
# `twins`, or what keeps its results.
Measure = Callable[
    [Iterable[tuple[Tensor, Tensor]], Tolerance, Callable[[], None]], Iterator[Twin | WeightWidgetsError]
]

COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("layer_a", "tensor_a", "layer_b", "tensor_b", "class_name", "role"), TEXT),
    **dict.fromkeys(("shape_a", "shape_b"), object),
    **dict.fromkeys(("dtype_a", "dtype_b", "status", "reason"), TEXT),
    "assumed": bool,
    "size": np.int64,
    **dict.fromkeys(
        (
            "relative_change",
            "symmetric_distance",
            "cosine",
            "null_low",
            "null_high",
            "pearson",
            "max_abs",
            "equal_share",
            "close_share",
            "wasserstein",
            "unit_distance",
            "singular_distance",
        ),
        np.float64,
    ),
    **dict.fromkeys(("nan_a", "nan_b"), pd.Int64Dtype()),
}


@dataclass(frozen=True)
class ComparedRow:
    """A row of an alignment and what was measured of it.

    Attributes
    ----------
    row : AlignedRow
    status : {"same", "changed", "reshaped", "added", "removed"}
        Of two tensors of one shape, whether every value is equal.
    role, class_name : str
        Of A's tensor and its layer, or of B's where A has none.
    twin : Twin or None
        None where there are no two tensors of one shape, or one cannot be read.
    error : str
        Why it cannot; ``""`` otherwise.
    """

    row: AlignedRow
    status: Status
    role: str
    class_name: str
    twin: Twin | None = None
    error: str = ""

    @property
    def size(self) -> int:
        """Elements of A's tensor, or of B's where A has none."""
        return math.prod(self.row.shape_a if self.row.shape_a is not None else self.row.shape_b or ())


def compare_tensors(
    a: Checkpoint,
    b: Checkpoint,
    alignment: Alignment,
    tolerance: Tolerance,
    check: Callable[[], None],
    measure: Measure = twins,
) -> Iterator[ComparedRow]:
    """Measure every pair of an alignment, in its order; `check` is called between pieces.

    Raises
    ------
    InputError
        The alignment is not one of these checkpoints.
    """
    alignment.check(a, b)
    pairs = [
        (a[row.a[0]][row.a[1]], b[row.b[0]][row.b[1]])
        for row in alignment
        if row.a and row.b and row.status == "paired"
    ]
    measured = measure(pairs, tolerance, check)
    for row in alignment:
        side, address = (a, row.a) if row.a else (b, row.b)
        assert address is not None
        layer = side[address[0]]
        about = layer[address[1]].role, layer.class_name
        if row.status != "paired":
            yield ComparedRow(row, row.status, *about)
            continue
        found = next(measured)
        if isinstance(found, WeightWidgetsError):
            yield ComparedRow(row, "changed", *about, error=str(found))
        else:
            same = found.moments.identical or found.moments.equal == found.moments.size
            yield ComparedRow(row, "same" if same else "changed", *about, twin=found)


def compare_table(
    a: Source,
    b: Source,
    alignment: Alignment | None = None,
    *,
    atol: float = 0.0,
    rtol: float = 0.0,
    singular_values: bool = False,
) -> pd.DataFrame:
    """How far every tensor of one checkpoint is from the one opposite it in another, a row each.

    Parameters
    ----------
    a, b : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `open_checkpoint` takes them. A is the reference: changes are of B against A.
    alignment : Alignment, optional
        By default `align(a, b)`.
    atol, rtol : float
        Elements with |B − A| ≤ `atol` + `rtol` · |A| are close. One of them alone fails: an absolute one for weights of
        another scale, a relative one for those near 0.
    singular_values : bool
        Also compare the singular values of kernels, which takes minutes for large ones.

    Returns
    -------
    pandas.DataFrame
        In the order of A. Measures are of the elements that are finite in both, in float64, and unrounded; they are
        missing where there is nothing to measure. Nothing is pooled over tensors.

    Raises
    ------
    InputError
        A tolerance is no number from 0 on, or the alignment is not one of these checkpoints.
    MissingFileError, NotKerasError, DamagedFileError, …
        A checkpoint cannot be opened.

    Warns
    -----
    UserWarning
        A tensor cannot be read. It has its row all the same, with missing measures.

    Notes
    -----
    =======================  =======  ===============================================================================
    column                   dtype    meaning
    =======================  =======  ===============================================================================
    ``layer_a`` ``tensor_a`` string   the address in A; missing for what only B has
    ``layer_b`` ``tensor_b`` string   the address in B; missing for what only A has
    ``class_name`` ``role``  string   Keras class of the layer, role of the weight
    ``shape_a`` ``shape_b``  object   tuple of int, or None
    ``dtype_a`` ``dtype_b``  string   as stored, where that is known; else of the values
    ``status``               string   same (every value), changed, reshaped, added, removed
    ``reason``               string   of the pair: name, renamed, order, shape, user; ``""`` where there is none
    ``assumed``              bool     order and shapes alone speak for the pair
    ``size``                 int64    number of elements (of A's tensor where the shapes differ)
    ``relative_change``      float64  ‖B − A‖ / ‖A‖; infinite where A is 0 and B is not
    ``symmetric_distance``   float64  2 ‖B − A‖ / (‖A‖ + ‖B‖), from 0 to 2
    ``cosine``               float64  ⟨A, B⟩ / ‖A‖‖B‖; missing where one is 0
    ``null_low`` …_high      float64  the range that holds the cosine of 95 % of independent pairs; missing for
                                      one dimension, fewer than 4 units or 20 elements, and where NaN or Inf are
    ``pearson``              float64  Pearson's correlation; missing where one is constant
    ``max_abs``              float64  largest |B − A|
    ``equal_share``          float64  share of elements of equal value, 0 to 1; NaN equals nothing
    ``close_share``          float64  share of elements within the tolerance
    ``wasserstein``          float64  Wasserstein-1 distance of the distributions of the values; of tensors with more
                                      than 131,072 elements, of so many evenly spaced ones
    ``unit_distance``        float64  symmetric distance of the sorted norms of the units: a change of their order
                                      leaves it 0; missing for one dimension
    ``singular_distance``    float64  the same of the singular values; missing unless asked for
    ``nan_a`` ``nan_b``      Int64    elements that are NaN
    =======================  =======  ===============================================================================

    Examples
    --------
    >>> import weight_widgets as ww
    >>> table = ww.compare_table("monday.h5", "tuesday.h5")    # doctest: +SKIP
    >>> table[table.status == "changed"].sort_values("relative_change")    # doctest: +SKIP
    """
    for name, value in (("atol", atol), ("rtol", rtol)):
        if not (isinstance(value, Real) and 0 <= value < math.inf):
            raise InputError(f"{name} is {value!r}; it must be a finite number from 0 on.")
    one, other = opened(a), opened(b)
    rows = []
    tolerance = Tolerance(float(atol), float(rtol))
    for compared in compare_tensors(one, other, given_or_aligned(one, other, alignment), tolerance, _never):
        if compared.error:
            where = visible("/".join(compared.row.a or ()), 200)
            warnings.warn(f"{where} cannot be read, its measures are missing: {compared.error}", stacklevel=2)
        tensors = _tensor(one, compared.row.a), _tensor(other, compared.row.b)
        row = _about(compared, *tensors) | numbers_of(compared.twin)
        if singular_values and compared.twin and tensors[0] and tensors[1]:
            row["singular_distance"] = _singular_distance(tensors[0], tensors[1])
        rows.append(row)
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in COLUMNS.items()})


def _never() -> None:
    """Nobody cancels."""


def _tensor(checkpoint: Checkpoint, address: tuple[str, str] | None) -> Tensor | None:
    return checkpoint[address[0]][address[1]] if address else None


def _about(compared: ComparedRow, a: Tensor | None, b: Tensor | None) -> dict[str, Any]:
    row = compared.row
    return {
        "layer_a": row.a[0] if row.a else None,
        "tensor_a": row.a[1] if row.a else None,
        "layer_b": row.b[0] if row.b else None,
        "tensor_b": row.b[1] if row.b else None,
        "class_name": compared.class_name,
        "role": compared.role,
        "shape_a": row.shape_a,
        "shape_b": row.shape_b,
        "dtype_a": a.stored or str(a.dtype) if a else None,
        "dtype_b": b.stored or str(b.dtype) if b else None,
        "status": compared.status,
        "reason": row.reason,
        "assumed": row.assumed,
        "size": compared.size,
    }


def numbers_of(twin: Twin | None) -> dict[str, Any]:
    """The measures of `compare_table` of a pair, by column; None for what there is not."""
    if twin is None:
        return dict.fromkeys([*COLUMNS][[*COLUMNS].index("relative_change") :])
    moments = twin.moments
    return {
        "relative_change": moments.relative_change,
        "symmetric_distance": moments.symmetric_distance,
        "cosine": moments.cosine,
        "null_low": twin.null[0],
        "null_high": twin.null[1],
        "pearson": moments.pearson,
        "max_abs": moments.max_delta if moments.finite else None,
        "equal_share": moments.equal_share,
        "close_share": twin.close / moments.size if moments.size else None,
        "wasserstein": twin.wasserstein,
        "unit_distance": twin.unit_distance,
        "singular_distance": None,
        "nan_a": moments.nan_a,
        "nan_b": moments.nan_b,
    }


def _singular_distance(a: Tensor, b: Tensor) -> float:
    """Symmetric distance of the singular values; NaN where one has none, or not all of them are exact."""
    found = [spectrum(tensor) for tensor in (a, b)]
    one, other = (each.singular_values for each in found)
    if not one.size or one.size != other.size or {each.method for each in found} != {"exact"}:
        return math.nan
    scale = float(np.linalg.norm(one) + np.linalg.norm(other)) / 2
    return float(np.linalg.norm(one - other)) / scale if scale else 0.0
