"""Whether a weight keeps to the constraint that its configuration names.

Source: ``constraints`` of Keras 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..display import visible
from .settings import arguments_of, setting_of, word_of, written

__all__ = ["Constraint", "constraint_of"]

Config = Mapping[str, Any]

# Machine epsilons of the types that are coarser than SLACK.
EPSILONS = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
SLACK = 1e-4
# Values that are taken to float64 at a time.
BLOCK = 1 << 20

CONSTRAINTS: dict[str, Config] = {
    "MaxNorm": {"max_value": 2.0, "axis": 0},
    "NonNeg": {},
    "UnitNorm": {"axis": 0},
    "MinMaxNorm": {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
}


@dataclass(frozen=True)
class Constraint:
    """A constraint and whether it is met.

    Attributes
    ----------
    name : str
        Its class.
    setting : str
        As one would write it: ``"MaxNorm(max_value=3, axis=0)"``.
    met : bool or None
        None where that is not known.
    measured : float
        The norm, or for NonNeg the value, that is farthest out; NaN where nothing was measured.
    text : str
        What was measured, in words.
    """

    name: str
    setting: str
    met: bool | None
    measured: float
    text: str


def constraint_of(
    class_name: str, config: Config, name: str, values: np.ndarray, stored: str = "", dequantised: bool = False
) -> Constraint | None:
    """The constraint of a weight; None where the configuration names none for it.

    Parameters
    ----------
    class_name, config, name, values
        As of `penalty_of`.
    stored : str, optional
        The type in the file where `values` has another: ``"bfloat16"``.
    dequantised : bool, optional
        The values are computed from codes, whose rounding changed the norms that Keras had projected. The same is taken
        of the 8-bit floating-point types.

    Notes
    -----
    Keras scales a vector to its norm in the type of the weights, so that a norm is met within 4 times the type's
    machine epsilon (float16 0.4 %, bfloat16 3 %), and never closer than 0.01 %: sums of many squares round as well.
    """
    word = word_of(class_name, name)
    setting = setting_of(config, word, "constraint", CONSTRAINTS) if word else None
    if setting is None:
        return None
    if not setting.known:
        shown = visible(setting.name)
        return Constraint(shown, shown, None, math.nan, "not one of Keras' own: not checked")
    arguments = arguments_of(setting, CONSTRAINTS[setting.name])
    axes = None if arguments is None else _axes(arguments.get("axis", 0), values.ndim)
    if arguments is None or (axes is None and setting.name != "NonNeg"):
        return Constraint(setting.name, setting.name, None, math.nan, "its settings do not fit the weight")
    shown = written(setting.name, arguments)
    if config.get("dim_ordering") == "th" and values.ndim > 2:
        return Constraint(setting.name, shown, None, math.nan, "the file has the axes in another order: not checked")
    if not values.size:
        return Constraint(setting.name, shown, True, math.nan, "there are no values")
    if setting.name == "NonNeg" or axes is None:
        return _judged(setting.name, shown, values.ravel(), (0.0, math.inf), "value")
    limits = (
        arguments.get("min_value", -math.inf) if setting.name != "UnitNorm" else 1.0,
        arguments.get("max_value", 1.0),
    )
    slack = max(SLACK, 4 * EPSILONS.get(stored or values.dtype.name, 0.0))
    found = _judged(setting.name, shown, _norms(values, axes), limits, "norm", slack)
    if dequantised or stored.startswith("float8"):
        return replace(found, met=None, text=f"{found.text}, after rounding to {'codes' if dequantised else stored}")
    return found


def _judged(
    name: str, written: str, found: np.ndarray, limits: tuple[float, float], word: str, slack: float = 0.0
) -> Constraint:
    """The verdict on the norms or values that were found, by the one of them that is farthest out."""
    low, high = limits
    present = found[~np.isnan(found)]
    if not present.size:
        return Constraint(name, written, None, math.nan, f"every {word} is NaN")
    bottom, top = float(present.min()), float(present.max())
    under = low - slack * abs(low) - bottom if low > -math.inf else -math.inf
    over = top - high - slack * abs(high) if high < math.inf else -math.inf
    met: bool | None = max(under, over) <= 0
    if under > over:
        measured, sign = bottom, "≥" if bottom >= low else "≈" if met else "<"
        text = f"smallest {word} {_digits(bottom, low)} {sign} {_digits(low)}"
    else:
        measured, sign = top, "≤" if top <= high else "≈" if met else ">"
        text = f"largest {word} {_digits(top, high)} {sign} {_digits(high)}"
    if met and present.size < found.size:
        met, text = None, f"{text}, and there is NaN"
    return Constraint(name, written, met, measured, text)


def _norms(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    step = max(1, BLOCK * len(values) // values.size)
    with np.errstate(over="ignore"):
        squares = [
            np.sum(np.square(values[start : start + step].astype(np.float64)), axis=axes)
            for start in range(0, len(values), step)
        ]
        return np.sqrt(np.sum(squares, axis=0) if 0 in axes else np.concatenate(squares)).ravel()


def _axes(axis: Any, rank: int) -> tuple[int, ...] | None:
    """The axes that a norm is taken along, counted from the front; None for what is none."""
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    if not axes or not all(type(each) is int and -rank <= each < rank for each in axes):
        return None
    found = {each % rank for each in axes}
    return tuple(sorted(found)) if len(found) == len(axes) else None


def _digits(value: float, beside: float = math.nan) -> str:
    """A number in three digits, or in as many as tell it from the one beside it."""
    for count in range(3, 17):
        text = f"{value:.{count}g}"
        if value == beside or float(text) != float(f"{beside:.{count}g}"):
            break
    return text.replace("-", "−")
