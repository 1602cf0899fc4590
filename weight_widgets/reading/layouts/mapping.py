"""Arrays in memory: ``{"dense/kernel": array}``, ``{"dense": {"kernel": array}}`` or ``{"dense": [array, …]}``.

Keys of a mapping in the mapping are taken as they are: the path of a nested layer, or a tensor's name. A flat key is
split at its last ``/``, or else at its last ``.``; a key of one word is a weight of the model itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...display import numbered
from ...errors import InputError
from ..arrays import Array, of_values
from ..roles import looks_recurrent, names_by_shape
from .base import MAX_NESTING, LayerWeights, Listing
from .pickled import FOREIGN

__all__ = ["layers_of", "read", "snapshot", "split_name"]

# What a weight that is no layer's belongs to.
MODEL = "model"
Named = tuple[str, str, Array]


def read(arrays: Mapping[str, Any]) -> Listing:
    """The listing of a mapping of arrays, with copies of all values.

    Raises
    ------
    InputError
        It holds something that is no array of numbers, or nothing at all.
    """
    layers = layers_of(_walk(arrays, ()))
    if not layers:
        raise InputError("the mapping holds no arrays. Give {layer: {tensor: array}} or {'layer/tensor': array}.")
    return Listing("arrays in memory", "", layers)


def split_name(name: str) -> tuple[str, str]:
    """The layer and the tensor that a flat name names.

    Examples
    --------
    >>> split_name("encoder/dense_1/kernel"), split_name("h.0.attn.weight"), split_name("logit_scale")
    (('encoder/dense_1', 'kernel'), ('h.0.attn', 'weight'), ('model', 'logit_scale'))
    """
    layer, _, tensor = name.rpartition("/" if "/" in name else ".")
    return (layer or MODEL, tensor) if tensor else (MODEL, name)


def layers_of(found: Iterable[Named]) -> list[LayerWeights]:
    """The arrays by layer, each layer where its first array stands; tensors of the same name are numbered."""
    layers: dict[str, list[tuple[str, Array]]] = {}
    for layer, tensor, array in found:
        layers.setdefault(layer, []).append((tensor, array))
    return [
        LayerWeights(
            layer, "", {}, dict(zip(numbered(name for name, _ in weights), (a for _, a in weights), strict=True))
        )
        for layer, weights in layers.items()
    ]


def snapshot(path: str, value: Any) -> Array:
    """A copy of what numpy makes of a value: the variable may be trained on, and the array written to."""
    try:
        values = np.array(np.asarray(value))
    except Exception as error:  # Whatever another library's array raises, such as one that lies on a GPU.
        raise InputError(f"{path!r} cannot be made an array: {error}.") from error
    kind = values.dtype.name
    if kind in FOREIGN:
        return replace(of_values(path, values.view(f"|V{FOREIGN[kind]}")), stored=kind)
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise InputError(f"{path!r} is an array of {kind}, and weights are numbers of up to 64 bits.")
    return of_values(path, values)


def _walk(arrays: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[Named]:
    if len(place) > MAX_NESTING:
        raise InputError(f"{'/'.join(place[:3])!r} nests {MAX_NESTING} mappings and more.")
    for key, value in arrays.items():
        if not isinstance(key, str) or not key:
            raise InputError(f"the key {key!r} is no name. Name layers and tensors with strings.")
        path = "/".join((*place, key))
        if isinstance(value, Mapping):
            yield from _walk(value, (*place, key))
        elif isinstance(value, list | tuple):
            yield from _listed(path, value)
        elif hasattr(value, "__array__"):
            layer, tensor = ("/".join(place), key) if place else split_name(key)
            yield layer, tensor, snapshot(path, value)
        else:
            raise InputError(f"{path!r} is of type {type(value).__name__}. Give an array, or layers with arrays.")


def _listed(path: str, values: Sequence[Any]) -> Iterator[Named]:
    """The arrays of one layer as ``layer.get_weights()`` returns them, named where their shapes settle it."""
    for number, value in enumerate(values):
        if not hasattr(value, "__array__"):
            raise InputError(f"{path!r} lists a {type(value).__name__} at position {number}. Give a list of arrays.")
    arrays = [snapshot(path, value) for value in values]
    for number, (name, array) in enumerate(zip(_names([array.shape for array in arrays]), arrays, strict=True)):
        yield path, name, replace(array, path=f"{path}/{number}")


def _names(shapes: Sequence[tuple[int, ...]]) -> Sequence[str]:
    one, other = shapes[:3], shapes[3:]
    if one == other and (names := looks_recurrent(one)):
        return [f"{direction}/{name}" for direction in ("forward", "backward") for name in names]
    return names_by_shape(shapes) or [f"weight {number}" for number in range(len(shapes))]
