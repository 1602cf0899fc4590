"""Names of a quantised layer's variables, which Keras 3 numbers in the order of ``variable_serialization_spec``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..dtypes import policy_mode

__all__ = ["FLOAT8_HELPERS", "quantized_names"]

Shape = tuple[int, ...]
# Each name with what its array is: f(loat), i(nt8) or u(int8), and its rank where the kind does not set it apart.
Spec = tuple[tuple[str, str], ...]

FLOAT8_HELPERS = tuple(
    f"{what}_{kind}" for what in ("inputs", "kernel", "outputs_grad") for kind in ("scale", "amax_history")
)
_BLOCKS: Spec = (("kernel_zero", "i"), ("g_idx", "f"))
# Keras 3.14 and 3.15 forget to save the zero points of these.
_CALIBRATED: tuple[Spec, ...] = tuple(
    (("bias", "f"), ("quantized_kernel", "u2"), ("kernel_scale", "f2"), *zero)
    for zero in ((("kernel_zero", "u2"),), ())
)
_KERNEL: dict[str, tuple[Spec, ...]] = {
    "int8": ((("kernel", "i"), ("bias", "f"), ("kernel_scale", "f")),),
    "int4": tuple((("kernel", "i"), ("bias", "f"), ("kernel_scale", "f"), *more) for more in ((), _BLOCKS)),
    "float8": ((("kernel", "f"), ("bias", "f"), *((name, f"f{n % 2}") for n, name in enumerate(FLOAT8_HELPERS))),),
    "gptq": tuple((*spec, ("g_idx", "f1")) for spec in _CALIBRATED),
    "awq": tuple((*spec, ("awq_scales", "f1"), ("g_idx", "f1")) for spec in _CALIBRATED),
    "ternary": ((("kernel", "u"), ("bias", "f"), ("kernel_scale", "f")),),
}
_TOKENS: Spec = (("embeddings", "i2"), ("embeddings_scale", "f1"))
_TOKEN_BLOCKS: Spec = (("embeddings", "i2"), ("embeddings_scale", "f2"), ("embeddings_zero", "i2"), ("g_idx", "f1"))
_REVERSE: Spec = (("reverse_embeddings", "i2"), ("reverse_embeddings_scale", "f1"))
_REVERSE_BLOCKS: Spec = (
    ("reverse_embeddings", "i2"),
    ("reverse_embeddings_scale", "f2"),
    ("reverse_embeddings_zero", "f2"),
)
_EMBEDDING: dict[str, tuple[Spec, ...]] = {"int8": (_TOKENS,), "int4": (_TOKENS, _TOKEN_BLOCKS)}
_REVERSIBLE: dict[str, tuple[Spec, ...]] = {
    "int8": (_TOKENS, (*_TOKENS, *_REVERSE)),
    "int4": (_TOKENS, _TOKEN_BLOCKS, (*_TOKENS, *_REVERSE), (*_TOKEN_BLOCKS, *_REVERSE_BLOCKS)),
}
SPECS = {"Dense": _KERNEL, "EinsumDense": _KERNEL, "Embedding": _EMBEDDING, "ReversibleEmbedding": _REVERSIBLE}


def quantized_names(
    class_name: str, config: Mapping[str, Any], shapes: Sequence[Shape], dtypes: Sequence[np.dtype[Any]]
) -> tuple[str, ...] | None:
    """Names of a quantised layer's own variables in the order in which Keras stores them.

    Parameters
    ----------
    class_name : str
    config : mapping
        The layer's configuration; may be empty, or that of a layer that was quantised from outside and does not say so.
    shapes, dtypes : sequence
        Of the arrays that the file holds.

    Returns
    -------
    tuple of str, or None
        None when the arrays are no quantised layer, or could be named in more than one way.
    """
    mode = policy_mode(config)
    if class_name not in SPECS or (mode and mode not in SPECS[class_name]):
        return None
    # A Dense has the one setting, an EinsumDense the other, which is null where there is none.
    said = config.get("use_bias", config["bias_axes"] is not None if "bias_axes" in config else None)
    biases = tuple(each for each in (True, False) if said is each or not isinstance(said, bool))
    return _names(class_name, mode, biases, tuple(map(_kind, dtypes)), tuple(map(len, shapes)))


# Networks repeat their layers.
@lru_cache(maxsize=1024)
def _names(
    class_name: str, mode: str, biases: tuple[bool, ...], kinds: tuple[str, ...], ranks: tuple[int, ...]
) -> tuple[str, ...] | None:
    specs = SPECS[class_name]
    # Only the configuration sets ternary codes apart from those of GPTQ without zero points.
    unsaid = (specs[each] for each in specs if each != "ternary")
    fitting = {
        tuple(name for name, _ in variant)
        for spec in (specs[mode] if mode else itertools.chain.from_iterable(unsaid))
        for variant in _variants(spec, biases)
        if _fits(variant, kinds, ranks)
    }
    return fitting.pop() if len(fitting) == 1 else None


def _variants(spec: Spec, biases: tuple[bool, ...]) -> Iterator[Spec]:
    """The spec with and without a bias, as far as the configuration leaves it open."""
    if ("bias", "f") not in spec:
        yield spec
        return
    for bias in biases:
        yield spec if bias else tuple(entry for entry in spec if entry[0] != "bias")


def _fits(spec: Spec, kinds: tuple[str, ...], ranks: tuple[int, ...]) -> bool:
    return len(spec) == len(kinds) and all(
        held == kind[0] and (len(kind) < 2 or rank == int(kind[1]))
        for (_, kind), held, rank in zip(spec, kinds, ranks, strict=True)
    )


def _kind(dtype: np.dtype[Any]) -> str:
    # What numpy has no type for, such as bfloat16, is a float.
    return {"i1": "i", "u1": "u"}.get(dtype.str[1:], "f" if dtype.kind in "fV" else "?")
