"""Norms of the units of a weight: of a layer's units, filters, heads or an embedding's tokens."""

from __future__ import annotations

import numpy as np

from ..display import visible
from ..errors import InputError
from ..reading.structure import Structure
from ..reading.tensors import Tensor
from .measures import axis_norms

__all__ = ["norms_along_units", "unit_norms"]


def unit_norms(tensor: Tensor) -> np.ndarray:
    """The Euclidean norm √Σw² of the weights of each unit, filter, head or token; of a recurrent unit over its gates.

    Parameters
    ----------
    tensor : Tensor
        A weight, or a part of one.

    Returns
    -------
    numpy.ndarray
        Shape (units,), float64, in the order of the file. NaN and Inf are left out; NaN where nothing else is there.

    Raises
    ------
    InputError
        It is no tensor, or has no units, or which of its axes counts them is not known.
    WeightWidgetsError
        The file cannot be read.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> model = ww.open_checkpoint("lstm.h5")    # doctest: +SKIP
    >>> ww.unit_norms(model["lstm_1"]["recurrent_kernel"]).argsort()[:3]    # doctest: +SKIP
    array([17,  4, 30])
    """
    if not isinstance(tensor, Tensor):
        raise InputError(f"unit_norms takes a tensor of an opened checkpoint, not {type(tensor).__name__}.")
    structure = tensor.structure
    if not structure.unit:
        reason = structure.doubt or "none of its axes counts units, filters or heads"
        raise InputError(f"{visible(tensor.name)} has no norms of units: {reason}.")
    return norms_along_units(tensor.read(), structure)


def norms_along_units(values: np.ndarray, structure: Structure) -> np.ndarray:
    """As `unit_norms`, of an array of this structure, which has units."""
    logical = values.reshape([axis.size for axis in structure.axes])
    return axis_norms(logical, (structure.place(structure.unit),))
