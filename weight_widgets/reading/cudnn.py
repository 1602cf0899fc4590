"""The weights of CuDNNLSTM and CuDNNGRU as LSTM and GRU have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .arrays import Array
from .derived import computed

__all__ = ["from_cudnn"]

LAYERS = {4: "LSTM", 3: "GRU"}


def from_cudnn(weights: Mapping[str, Array]) -> tuple[str, dict[str, Array]] | None:
    """The weights of one recurrent layer converted, and the class that has them so; None when they are not cuDNN's.

    cuDNN has two biases for each gate, end to end in one vector, and keeps each gate's kernels transposed.
    """
    if {*weights} != {"kernel", "recurrent_kernel", "bias"} or any(
        array.dtype.kind != "f" for array in weights.values()
    ):
        return None
    kernel, recurrent, bias = (weights[name] for name in ("kernel", "recurrent_kernel", "bias"))
    if len(kernel.shape) != 2 or len(recurrent.shape) != 2 or not recurrent.shape[0]:
        return None
    units, width = recurrent.shape
    gates, rest = divmod(width, units)
    if gates not in LAYERS or rest or kernel.shape[1] != width or bias.shape != (2 * width,):
        return None
    return LAYERS[gates], {
        "kernel": computed(kernel, kernel.shape, _each_gate(gates, _as_rows), "cuDNN kernel", gates),
        "recurrent_kernel": computed(
            recurrent, recurrent.shape, _each_gate(gates, np.transpose), "cuDNN recurrent kernel", gates
        ),
        "bias": computed(bias, (width,), _summed, "cuDNN bias")
        if gates == 4
        else computed(bias, (2, width), _two_rows, "cuDNN biases"),
    }


def _each_gate(gates: int, convert: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.hstack([convert(gate) for gate in np.hsplit(values, gates)])


def _as_rows(gate: np.ndarray) -> np.ndarray:
    # Keras declares the buffer with the axes the wrong way round: its rows are the units.
    return gate.reshape(gate.shape[::-1]).T


def _summed(bias: np.ndarray) -> np.ndarray:
    return bias.reshape(2, -1).sum(axis=0, dtype=bias.dtype)


def _two_rows(bias: np.ndarray) -> np.ndarray:
    return bias.reshape(2, -1)
