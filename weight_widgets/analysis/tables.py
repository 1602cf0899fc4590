"""Measures of whole checkpoints as data frames."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ..display import visible
from ..errors import InputError, WeightWidgetsError
from ..reading.checkpoint import Checkpoint
from ..reading.meanings import owner_of
from ..reading.sources import Source, labelled, open_all
from ..reading.tensors import Layer, Tensor
from .constraints import constraint_of
from .exact import measure_exactly
from .initial import initial_state
from .measures import NEAR_ZERO, QUANTILES, Measures, measure
from .penalties import penalty_of
from .settings import is_ruled

__all__ = ["COLUMNS", "MEASURED", "NEAR", "TEXT", "open_every", "tensor_rows", "weights_table"]

# Kept as Python's own strings: names from files need not be valid Unicode, which Arrow insists on.
TEXT = pd.StringDtype("python")
# Counts that stay unknown when a tensor cannot be read.
COUNT = pd.Int64Dtype()

QUANTILE_COLUMNS = tuple(f"q{percent:g}" for percent in QUANTILES)

COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("checkpoint", "layer", "class_name"), TEXT),
    "class_assumed": bool,
    **dict.fromkeys(("tensor", "part", "role"), TEXT),
    "assumed": bool,
    "shape": object,
    **dict.fromkeys(("dtype", "stored"), TEXT),
    "dequantised": bool,
    "size": np.int64,
    **dict.fromkeys(("mean", "std", "min", *QUANTILE_COLUMNS, "max", "l1", "l2", "rms"), np.float64),
    "zeros": COUNT,
    "sparsity": np.float64,
    "near_zeros": COUNT,
    "near_zero_threshold": np.float64,
    **dict.fromkeys(("nan", "inf"), COUNT),
    **dict.fromkeys(("skew", "kurtosis"), np.float64),
    "initializer": TEXT,
    **dict.fromkeys(("initial_std", "std_ratio"), np.float64),
    "regularizer": TEXT,
    "penalty": np.float64,
    "constraint": TEXT,
    "constraint_met": pd.BooleanDtype(),
    "constraint_measured": np.float64,
}
# From `mean` to `kurtosis`: what a tensor that cannot be read lacks.
MEASURED = [*COLUMNS][[*COLUMNS].index("mean") : [*COLUMNS].index("initializer")]
# What one pass over a large tensor tells only nearly.
NEAR = [*QUANTILE_COLUMNS, "l1", "near_zeros", "skew", "kurtosis"]
# The class and the configuration of what has a weight, where the file says them.
Origin = tuple[str, Mapping[str, Any]] | None


def weights_table(*checkpoints: Source, parts: bool = False, near_zero: float = NEAR_ZERO) -> pd.DataFrame:
    """The measures of every weight tensor of one or several checkpoints, a row each.

    Parameters
    ----------
    *checkpoints : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `compare` takes them: paths, globs (``"runs/*.h5"``), opened checkpoints, live models, or ``{label: path}``.
    parts : bool
        Add a row for every part: gate, head, filter.
    near_zero : float
        Elements with a magnitude below this share of their row's `rms` are near zero.

    Returns
    -------
    pandas.DataFrame
        In the order of the files. Measures are of the finite elements, in float64, and unrounded; they are missing
        where there is nothing to measure.

    Raises
    ------
    InputError
        No checkpoint is given, one is given twice, or `near_zero` is no share.
    MissingFileError, NotKerasError, DamagedFileError, …
        A checkpoint cannot be opened.

    Warns
    -----
    UserWarning
        A tensor cannot be read. It has its rows all the same, with missing measures.

    Notes
    -----
    =======================  =======  ===============================================================================
    column                   dtype    meaning
    =======================  =======  ===============================================================================
    ``checkpoint``           string   label
    ``layer``                string   the layer's path, as in ``checkpoint[layer]``
    ``class_name``           string   Keras class; ``""`` when unknown
    ``class_assumed``        bool     the class was inferred, or has settings that Keras' own has not
    ``tensor``               string   name, as in ``checkpoint[layer][tensor]``
    ``part``                 string   name, as in ``checkpoint[layer][tensor].parts[part]``; ``""`` for all of it
    ``role``                 string   kernel, bias, …: the name without its place in the layer
    ``assumed``              bool     what the axes and parts mean was inferred, from the class or otherwise
    ``shape``                object   tuple of int
    ``dtype``                string   of the values that were measured: ``"float32"``
    ``stored``               string   what the file holds where that is another type: ``"bfloat16"``, ``"int8"``
    ``dequantised``          bool     the values are computed from stored codes
    ``size``                 int64    number of elements
    ``mean`` ``std``         float64  the standard deviation is the population's (division by n)
    ``min`` ``max``          float64
    ``q0.1`` … ``q99.9``     float64  quantiles at 0.1, 1, 5, 25, 50, 75, 95, 99 and 99.9 %, interpolated linearly
    ``l1`` ``l2`` ``rms``    float64  Σ|w|, √Σw², √(Σw²/n)
    ``zeros``                Int64    exact zeros
    ``sparsity``             float64  ``zeros / size``
    ``near_zeros``           Int64    magnitudes below the threshold, exact zeros included
    ``near_zero_threshold``  float64  `near_zero` × ``rms`` of the row
    ``nan`` ``inf``          Int64    elements that are not finite
    ``skew`` ``kurtosis``    float64  of the population; kurtosis less 3; missing where all elements are equal
    ``initializer``          string   what the values were drawn from, as the configuration says; ``""`` if it does not
    ``initial_std``          float64  the standard deviation that it gives
    ``std_ratio``            float64  ``std / initial_std``; missing where the start is constant
    ``regularizer``          string   as in the configuration; ``""`` for none, and in the rows of parts
    ``penalty``              float64  what it adds to the loss
    ``constraint``           string   as in the configuration; ``""`` for none, and in the rows of parts
    ``constraint_met``       boolean  missing where it was not checked
    ``constraint_measured``  float64  the norm (or value) that is farthest out
    =======================  =======  ===============================================================================

    Examples
    --------
    >>> import weight_widgets as ww
    >>> table = ww.weights_table("runs/*.h5", parts=True)    # doctest: +SKIP
    >>> table.pivot_table("std", ["layer", "tensor", "part"], "checkpoint")    # doctest: +SKIP
    """
    if not (isinstance(near_zero, Real) and 0 <= near_zero < math.inf):
        raise InputError(f"near_zero is {near_zero!r}; it must be a finite number from 0 on, such as {NEAR_ZERO}.")
    rows: list[dict[str, Any]] = []
    for label, checkpoint in open_every(checkpoints, "weights_table").items():
        for layer in checkpoint.values():
            for tensor in layer.values():
                names = ["", *(tensor.parts if parts else ())]
                try:
                    rows += tensor_rows(label, layer, tensor, names, _exactly(tensor, parts, near_zero), tensor.read)
                except WeightWidgetsError as error:
                    where = visible(f"{label}: {layer.name}/{tensor.name}", 200)
                    warnings.warn(f"{where} cannot be read, its measures are missing: {error}", stacklevel=2)
                    rows += tensor_rows(label, layer, tensor, names, lambda name: None, None)
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in COLUMNS.items()})


def _exactly(tensor: Tensor, parts: bool, near_zero: float) -> Callable[[str], Measures]:
    """What measures a tensor and its parts; where those are wanted it is read once for all of them."""
    if not parts or not tensor.parts:
        return lambda name: measure_exactly(tensor, near_zero, _never)
    values = tensor.read()
    cuts = dict(zip(tensor.structure.part_names(), tensor.structure.part_indices(), strict=True))
    return lambda name: measure(values[cuts[name]] if name else values, near_zero)


def _never(share: float | None = None) -> None:
    """Nobody cancels."""


def open_every(sources: tuple[Source, ...], function: str) -> dict[str, Checkpoint]:
    """All sources of a public function, opened; the first error of any is raised."""
    found = open_all(labelled(sources))
    if not found:
        raise InputError(f"there is no checkpoint to measure. Give paths: ww.{function}('a.h5', 'b.h5').")
    for result in found.values():
        if isinstance(result, WeightWidgetsError):
            raise result
    return {label: result for label, result in found.items() if isinstance(result, Checkpoint)}


def tensor_rows(
    label: str,
    layer: Layer,
    tensor: Tensor,
    names: Iterable[str],
    measured: Callable[[str], Measures | None],
    read: Callable[[], np.ndarray] | None,
) -> Iterator[dict[str, Any]]:
    """Rows of one tensor, with the columns of `weights_table`, and `near`: whether those of `NEAR` are not exact.

    Parameters
    ----------
    label : str
        Of the checkpoint.
    layer, tensor
        The tensor, and the layer that it is in.
    names : iterable of str
        Names of parts that get a row, ``""`` for the whole; those that the tensor does not have get none.
    measured : callable
        The measures of the part of a name; None where it could not be read: they are then missing.
    read : callable, optional
        All values, which are only asked for where a regulariser or a constraint acts on them; None where they cannot be
        read.

    Raises
    ------
    WeightWidgetsError
        As `measured` and `read` do.
    """
    about = _about(label, layer, tensor)
    known = layer.config and not (tensor.assumed or tensor.structure.doubt)
    origin = owner_of(layer.class_name, layer.config, tensor.name.rpartition("/")[0]) if known else None
    for name in names:
        if name and name not in tensor.parts:
            continue
        cut = tensor.parts[name].structure if name else tensor.structure
        measures = measured(name)
        row = about | {"part": name, "shape": cut.shape, "size": math.prod(cut.shape)} | _numbers(measures)
        yield row | _start(origin, tensor, name, measures) | _rules(origin, tensor, None if name else read)


def _about(label: str, layer: Layer, tensor: Tensor) -> dict[str, Any]:
    """What all rows of a tensor say alike."""
    return {
        "checkpoint": label,
        "layer": layer.name,
        "class_name": layer.class_name,
        "class_assumed": layer.assumed,
        "tensor": tensor.name,
        "role": tensor.role,
        "assumed": tensor.assumed,
        "dtype": str(tensor.dtype),
        "stored": tensor.stored,
        "dequantised": tensor.codes is not None,
    }


def _start(origin: Origin, tensor: Tensor, part: str, measures: Measures | None) -> dict[str, Any]:
    """What the configuration tells of the values before training. An assumed class tells nothing."""
    initial = initial_state(*origin, tensor.name, tensor.shape, part) if origin else None
    if initial is None:
        return {"initializer": "", "initial_std": None, "std_ratio": None}
    ratio = measures.std / initial.std if measures and initial.std > 0 else None
    return {"initializer": initial.kind, "initial_std": initial.std, "std_ratio": ratio}


def _rules(origin: Origin, tensor: Tensor, read: Callable[[], np.ndarray] | None) -> dict[str, Any]:
    """The regulariser and the constraint of a whole tensor."""
    penalty = constraint = None
    if origin and read and is_ruled(*origin, tensor.name):
        values = read()
        penalty = penalty_of(*origin, tensor.name, values)
        dequantised = tensor.codes is not None
        constraint = constraint_of(*origin, tensor.name, values, tensor.stored, dequantised=dequantised)
    return {
        "regularizer": penalty.setting if penalty else "",
        "penalty": penalty.value if penalty else None,
        "constraint": constraint.setting if constraint else "",
        "constraint_met": constraint.met if constraint else None,
        "constraint_measured": constraint.measured if constraint else None,
        "constraint_text": constraint.text if constraint else "",
    }


def _numbers(measures: Measures | None) -> dict[str, Any]:
    if measures is None:
        return dict.fromkeys(MEASURED) | {"near": False}
    return {
        "near": not measures.exact,
        "mean": measures.mean,
        "std": measures.std,
        "min": measures.minimum,
        "max": measures.maximum,
        **dict(zip(QUANTILE_COLUMNS, measures.quantiles, strict=True)),
        "l1": measures.l1,
        "l2": measures.l2,
        "rms": measures.rms,
        "zeros": measures.zeros,
        "sparsity": measures.sparsity,
        "near_zeros": measures.near_zeros,
        "near_zero_threshold": measures.near_zero_threshold,
        "nan": measures.nan,
        "inf": measures.inf,
        "skew": measures.skew,
        "kurtosis": measures.kurtosis,
    }
