"""Number types that numpy lacks: bfloat16 and the two kinds of float8, read as float32 without loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .arrays import Array, made_of
from .fetching import Passed

__all__ = ["Decoded", "decoded", "policy_dtype", "policy_mode"]

# Exponent and mantissa bits, and the exponent's bias.
FLOAT8 = {"float8_e4m3fn": (4, 3, 7), "float8_e5m2": (5, 2, 15)}
OPAQUE_BYTES = "1-byte values of a type that the file does not name (float8 or int4); they are not read"
ASSUMED = "its values are read as bfloat16, the only type of two bytes that Keras stores so; the file does not say it"


@dataclass(frozen=True)
class Decoded:
    """What became of an array.

    Attributes
    ----------
    array : Array
        Of float32 where the type could be told; as it was otherwise.
    reason : str
        Why its values are not read; ``""`` when they are.
    note : str
        What was assumed; ``""`` when nothing was.
    """

    array: Array
    reason: str = ""
    note: str = ""


def decoded(array: Array, said: str = "") -> Decoded:
    """An array of a type that numpy lacks as float32, exactly; any other as it is.

    Parameters
    ----------
    array : Array
    said : str, optional
        The type of the layer's variables as its configuration says, `policy_dtype`; ``""`` when there is none.
    """
    if array.dtype.kind != "V":
        return Decoded(array)
    marked = array.stored or str(array.attributes.get("dtype", ""))
    name = marked or said
    if array.dtype.itemsize == 2 and name in ("bfloat16", ""):
        return Decoded(_as_float32(array, "bfloat16", _from_bfloat16), note="" if name else f"{array.path}: {ASSUMED}")
    if array.dtype.itemsize == 1 and name in FLOAT8:
        return Decoded(_as_float32(array, name, lambda values: _float8_table(name)[values.view(np.uint8)]))
    if array.dtype.itemsize == 1 and not marked:
        return Decoded(array, OPAQUE_BYTES)
    who = "the file" if marked else "the configuration"
    return Decoded(array, f"{array.dtype.itemsize}-byte values that {who} calls {name}; they are not read")


def policy_dtype(config: Mapping[str, Any]) -> str:
    """The type of a layer's variables by its configuration; ``""`` when it does not say."""
    name = _policy(config.get("dtype"))[0]
    return "float32" if name.startswith("mixed_") else name


def policy_mode(config: Mapping[str, Any]) -> str:
    """How a layer is quantised by its configuration: ``"int8"``, ``"int4"``, ``"gptq"``, …; ``""`` when it is not."""
    return _policy(config.get("dtype"))[1].partition("/")[0]


def _policy(policy: object, depth: int = 0) -> tuple[str, str]:
    """The name of a dtype policy without its quantisation, and that with its settings: ``"int4/128"``."""
    if isinstance(policy, str):
        before, _, source = policy.rpartition("_from_")
        return ("" if source in ("infer", "_infer") else source), before
    settings = policy.get("config") if isinstance(policy, Mapping) else None
    if not isinstance(settings, Mapping) or depth > 2:
        return "", ""
    if "default_policy" in settings:
        return _policy(settings["default_policy"], depth + 1)
    mode = settings.get("mode")
    if isinstance(mode, str):
        return _policy(settings.get("source_name"), depth + 1)[0], mode
    return _policy(settings.get("name"), depth + 1)


def _as_float32(array: Array, name: str, convert: Callable[[np.ndarray], np.ndarray]) -> Array:
    return made_of([array], name, dtype=np.dtype(np.float32), fetch=Passed(array.fetch, values=convert), stored=name)


def _from_bfloat16(values: np.ndarray) -> np.ndarray:
    # The upper half of a float32.
    return (values.view(np.dtype("<u2")).astype(np.uint32) << np.uint32(16)).view(np.float32)


@cache
def _float8_table(name: str) -> np.ndarray:
    exponent_bits, mantissa_bits, bias = FLOAT8[name]
    codes = np.arange(256)
    exponent = codes >> mantissa_bits & (1 << exponent_bits) - 1
    mantissa = codes & (1 << mantissa_bits) - 1
    # Exponent 0 is that of the subnormal numbers, which have no leading one.
    fraction = np.ldexp(mantissa, -mantissa_bits) + (exponent > 0)
    values = np.ldexp(fraction, np.maximum(exponent, 1) - bias)
    top = exponent == (1 << exponent_bits) - 1
    if name == "float8_e5m2":
        values[top] = np.where(mantissa[top] == 0, np.inf, np.nan)
    else:
        # It has no infinity; its greatest exponent is used for numbers but for the last.
        values[top & (mantissa == (1 << mantissa_bits) - 1)] = np.nan
    return np.where(codes >> 7, -values, values).astype(np.float32)
