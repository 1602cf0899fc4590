"""What the regulariser of a weight adds to the loss.

Source: ``regularizers`` of Keras 2 and 3. Those of a layer's outputs are not about weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..display import visible
from .settings import arguments_of, setting_of, word_of, written

__all__ = ["Penalty", "penalty_of"]

Config = Mapping[str, Any]

# Values that are taken to float64 at a time.
BLOCK = 1 << 20
# Multiplications for the products of all rows with one another; some seconds.
MAX_PRODUCTS = 1 << 35


@dataclass(frozen=True)
class Penalty:
    """A regulariser and what it comes to.

    Attributes
    ----------
    name : str
        Its class.
    setting : str
        As one would write it: ``"L2(l2=0.01)"``.
    value : float or None
        What it adds to the loss for this weight, computed in float64; None where that is not known.
    text : str
        Why it is not known; ``""`` otherwise.
    """

    name: str
    setting: str
    value: float | None
    text: str = ""


def penalty_of(class_name: str, config: Config, name: str, values: np.ndarray) -> Penalty | None:
    """The penalty on a weight; None where the configuration names no regulariser for it.

    Parameters
    ----------
    class_name : str
        The class that has the weight, wrappers and directions taken off; of a projection, that of the attention layer.
    config : mapping
        Its configuration; may hold anything.
    name : str
        The tensor's name.
    values : numpy.ndarray
        The whole tensor.
    """
    word = word_of(class_name, name)
    setting = setting_of(config, word, "regularizer", REGULARIZERS) if word else None
    if setting is None:
        return None
    if not setting.known:
        return Penalty(visible(setting.name), visible(setting.name), None, "not one of Keras' own: not computed")
    defaults, compute = REGULARIZERS[setting.name]
    arguments = arguments_of(setting, defaults)
    if arguments is None:
        return Penalty(setting.name, setting.name, None, "its settings are none that Keras would take")
    value = compute(arguments, values)
    text = "" if value is not None else "a matrix is needed, and one that is not too large"
    return Penalty(setting.name, written(setting.name, arguments), value, text)


def _totals(values: np.ndarray) -> tuple[float, float]:
    """Σ|w| and Σw²."""
    flat = values.reshape(-1)
    sizes, squares = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.size, BLOCK):
            block = np.abs(flat[start : start + BLOCK].astype(np.float64))
            sizes.append(block.sum())
            squares.append(np.vdot(block, block))
        return float(np.sum(sizes)), float(np.sum(squares))


def _l1(arguments: Config, values: np.ndarray) -> float | None:
    return arguments["l1"] * _totals(values)[0]


def _l2(arguments: Config, values: np.ndarray) -> float | None:
    return arguments["l2"] * _totals(values)[1]


def _l1_l2(arguments: Config, values: np.ndarray) -> float | None:
    factors = arguments["l1"], arguments["l2"]
    return math.fsum(factor * total for factor, total in zip(factors, _totals(values), strict=True) if factor)


def _orthogonality(arguments: Config, values: np.ndarray) -> float | None:
    """The mean size of the products of different rows, or columns, after each was scaled to length one."""
    if values.ndim != 2:
        return None
    rows = values if arguments["mode"] == "rows" else values.T
    count = len(rows)
    if count * rows.size > MAX_PRODUCTS:
        return None
    if count < 2:
        # As Keras does: nothing over no pairs.
        return math.nan
    with np.errstate(all="ignore"):
        rows = rows.astype(np.float64)
        rows *= np.minimum(1 / np.sqrt(np.sum(rows**2, axis=1, keepdims=True)), 1e7)
        total, step = 0.0, max(1, BLOCK // count)
        for start in range(0, count, step):
            products = np.abs(rows[start : start + step] @ rows.T)
            products[np.arange(len(products)), np.arange(start, start + len(products))] = 0
            total += float(products.sum())
    return arguments["factor"] * total / (count * (count - 1))


REGULARIZERS: dict[str, tuple[Config, Callable[[Config, np.ndarray], float | None]]] = {
    "L1": ({"l1": 0.01}, _l1),
    "L2": ({"l2": 0.01}, _l2),
    "L1L2": ({"l1": 0.0, "l2": 0.0}, _l1_l2),
    "OrthogonalRegularizer": ({"factor": 0.01, "mode": "rows"}, _orthogonality),
}
