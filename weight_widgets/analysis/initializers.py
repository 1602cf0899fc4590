"""Keras' initializers as the distributions that they draw from.

Sources: ``initializers`` of Keras 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .distributions import (
    STD_WITHIN_TWO,
    Coordinate,
    Distribution,
    Mixture,
    Normal,
    Point,
    TruncatedNormal,
    Uniform,
)
from .settings import number

__all__ = ["MAKERS", "SCALED", "compute_fans"]

Arguments = Mapping[str, Any]
Shape = tuple[int, ...]
Fans = tuple[int, int] | None
# From the arguments in the configuration, the shape and the fans to a distribution; None for arguments that Keras
# would not take.
Maker = Callable[[Arguments, Shape, Fans], Distribution | None]


def compute_fans(shape: Shape) -> tuple[int, int]:
    """Inputs and outputs of one unit of a weight, as Keras takes them from its shape."""
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _constant(value: float) -> Maker:
    return lambda _arguments, _shape, _fans: Point(value)


def _chosen_constant(arguments: Arguments, _shape: Shape, _fans: Fans) -> Distribution | None:
    value = number(arguments.get("value", 0.0))
    return None if math.isnan(value) else Point(value)


def _uniform(low: float, high: float) -> Distribution | None:
    if low < high:
        return Uniform(low, high)
    return Point(low) if low == high else None


def _random_uniform(arguments: Arguments, _shape: Shape, _fans: Fans) -> Distribution | None:
    return _uniform(number(arguments.get("minval", -0.05)), number(arguments.get("maxval", 0.05)))


def _random_normal(kind: type[Normal] | type[TruncatedNormal]) -> Maker:
    def make(arguments: Arguments, _shape: Shape, _fans: Fans) -> Distribution | None:
        mean, std = number(arguments.get("mean", 0.0)), number(arguments.get("stddev", 0.05))
        if math.isnan(mean) or not std >= 0:
            return None
        return kind(mean, std) if std else Point(mean)

    return make


def _variance_scaling(arguments: Arguments, _shape: Shape, fans: Fans) -> Distribution | None:
    scale = number(arguments.get("scale", 1.0))
    mode, shape = arguments.get("mode", "fan_in"), arguments.get("distribution", "truncated_normal")
    if fans is None or not scale > 0 or not isinstance(mode, str) or not isinstance(shape, str):
        return None
    size = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}.get(mode)
    if size is None:
        return None
    std = math.sqrt(scale / max(1.0, size))
    if shape.lower() == "uniform":
        return _uniform(-math.sqrt(3) * std, math.sqrt(3) * std)
    if shape.lower() == "untruncated_normal":
        return Normal(0.0, std)
    return TruncatedNormal(0.0, std / STD_WITHIN_TWO) if shape.lower() in ("normal", "truncated_normal") else None


def _scaled(scale: float, mode: str, distribution: str) -> Maker:
    own = {"scale": scale, "mode": mode, "distribution": distribution}
    return lambda _arguments, shape, fans: _variance_scaling(own, shape, fans)


def _orthogonal(arguments: Arguments, shape: Shape, _fans: Fans) -> Distribution | None:
    gain = abs(number(arguments.get("gain", 1.0)))
    if len(shape) < 2 or not math.prod(shape) or math.isnan(gain):
        return None
    dimension = max(math.prod(shape[:-1]), shape[-1])
    if not gain:
        return Point(0.0)
    return Coordinate(gain, dimension) if dimension > 1 else Mixture(((0.5, Point(-gain)), (0.5, Point(gain))))


def _identity(arguments: Arguments, shape: Shape, _fans: Fans) -> Distribution | None:
    # Keras 3 leaves the gain out of the configuration, so that it is not one for certain where it is missing.
    gain = number(arguments.get("gain"))
    if len(shape) != 2 or not math.prod(shape) or math.isnan(gain):
        return None
    share = 1 / max(shape)
    return Mixture(((1 - share, Point(0.0)), (share, Point(gain)))) if share < 1 else Point(gain)


SCALINGS = {
    f"{author}{law}": _scaled(scale, mode, distribution)
    for author, scale, mode in (("Glorot", 1.0, "fan_avg"), ("He", 2.0, "fan_in"), ("Lecun", 1.0, "fan_in"))
    for law, distribution in (("Uniform", "uniform"), ("Normal", "truncated_normal"))
}
# Those whose scale the fans set.
SCALED = {"VarianceScaling", *SCALINGS}

MAKERS: dict[str, Maker] = {
    "Zeros": _constant(0.0),
    "Ones": _constant(1.0),
    "Constant": _chosen_constant,
    "RandomUniform": _random_uniform,
    "RandomNormal": _random_normal(Normal),
    "TruncatedNormal": _random_normal(TruncatedNormal),
    "VarianceScaling": _variance_scaling,
    **SCALINGS,
    "Orthogonal": _orthogonal,
    "Identity": _identity,
}
