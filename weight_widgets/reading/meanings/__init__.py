"""What the axes of each Keras layer's weights mean; a module for each family of layers.

Sources: the layers' ``build`` and ``call`` methods in Keras 3, and the papers that they name.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Set
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ..contractions import einsum, size_of
from ..dtypes import policy_mode
from ..layouts.composites import owner_of
from ..roles import infer_class, writes
from ..structure import Axis, Cut, Structure, generic
from . import attention, convolutions, dense, normalization, recurrent
from .weights import Builder, Shape, Weight, plain

__all__ = ["owner_of", "structures"]

BUILDERS: Mapping[tuple[str, str], Builder] = {
    **dense.BUILDERS,
    **convolutions.BUILDERS,
    **recurrent.BUILDERS,
    **attention.BUILDERS,
    **normalization.BUILDERS,
}
# Weights that mean the same in every layer.
ANYWHERE: Mapping[str, Builder] = {
    "vector_u": plain("vector", "unit"),
    "idf_weights": plain("token", unit="token"),
}
KNOWN = {class_name for class_name, _ in BUILDERS}
UNNAMED = re.compile(r"weight \d+")

UNKNOWN = "what its axes mean is not known"
UNDECIDED = "names and shapes do not tell which of its axes holds the filters, so it is not split"
CONTRADICTED = "the configuration makes another shape than this, so what its axes mean is not known"
UNEXPECTED = "this shape is not one that is understood of {}, so what its axes mean is not known"


def structures(
    class_name: str, config: Mapping[str, Any], shapes: Mapping[str, Shape], contradicted: Container[str] = ()
) -> dict[str, Structure]:
    """The structure of each weight of a layer.

    Parameters
    ----------
    class_name : str
        Of the layer, ``""`` where nothing says it.
    config : mapping
        Its configuration, or that of the wrapper that it stands in; empty where the file holds none. All that is then
        found is marked as assumed.
    shapes : mapping of str to tuple of int
        By tensor name: ``"query/kernel"``.
    contradicted : container of str
        The names of those that the configuration makes in other shapes. What they mean is not known, and of the others
        in the layer it is assumed.
    """
    roles: dict[str, set[str]] = {}
    for name in shapes:
        place, _, role = name.rpartition("/")
        roles.setdefault(place, set()).add(role)
    doubtful = any(name in contradicted for name in shapes)
    found = {}
    for name, shape in shapes.items():
        if name in contradicted:
            found[name] = generic(shape, CONTRADICTED if len(shape) > 1 else "")
        else:
            weight, said = _weight(class_name, config, name, shapes, roles[name.rpartition("/")[0]])
            found[name] = _structure(weight, said and not doubtful)
    return found


@lru_cache(maxsize=256)
def _roles_of(class_name: str) -> frozenset[str]:
    return frozenset(role for known, role in BUILDERS if known == class_name) | ANYWHERE.keys()


def _is_keras_own(class_name: str, config: Mapping[str, Any], roles: Set[str]) -> bool:
    """Whether Keras' own class has such a configuration, and all of these weights.

    Legacy files do not tell the author's own classes from those of the same name.
    """
    own = _roles_of(class_name)
    fits = class_name not in KNOWN or (len(roles) <= len(own) and roles <= own) or bool(policy_mode(config))
    return fits and writes(class_name, config)


def _weight(
    class_name: str, config: Mapping[str, Any], name: str, shapes: Mapping[str, Shape], beside: Set[str]
) -> tuple[Weight, bool]:
    """What is known around a weight, and whether the file says so; `beside` are the roles at its place."""
    place, _, role = name.rpartition("/")
    shape, bias = shapes[name], shapes.get(f"{place}/bias" if place else "bias")
    inner, settings = owner_of(class_name, config, place)
    own = _is_keras_own(inner, settings, beside)
    if inner in attention.CLASSES:
        above, _, last = place.rpartition("/")
        keys = shapes.get(f"{above}/key/kernel".lstrip("/"), ())
        return Weight(inner, role, shape, last, keys[1] if len(keys) == 3 else 0, bias=bias), own
    said = bool(config) and bool(inner)
    if not said and not (inner and not place):
        # A composite layer of a file without a configuration says nothing of the layer inside; its weights do.
        inner = infer_class({key.rpartition("/")[2]: s for key, s in shapes.items() if key.rpartition("/")[0] == place})
    groups = size_of(settings.get("groups")) or 0
    if inner == "EinsumDense" and (found := einsum(settings, None)):
        letters = found.weight if role == "kernel" else _last_of_output(settings["equation"], len(shape))
        return Weight(inner, role, shape, place, groups, (letters, found.kept, found.shared), bias), said and own
    return Weight(inner, role, shape, place, groups, bias=bias), said and own


def _last_of_output(equation: str, count: int) -> str:
    """Letters of the last axes of an einsum's output; empty where axes without a letter are among them."""
    letters = re.split(r"->(?:\.\.\.)?", equation)[-1]
    return "" if "." in letters or count > len(letters) else letters[len(letters) - count :]


# Networks repeat their layers: thousands of weights share a few structures, which are immutable.
@lru_cache(maxsize=8192)
def _structure(weight: Weight, said: bool) -> Structure:
    build = BUILDERS.get((weight.class_name, weight.role)) or ANYWHERE.get(weight.role)
    structure = build(weight) if build and _fits_its_bias(weight) else None
    if structure is not None and structure.shape == weight.shape:
        return replace(structure, assumed=structure.assumed or not said)
    if len(weight.shape) < 2:
        return generic(weight.shape)
    if build is not None:
        return generic(weight.shape, UNEXPECTED.format(weight.class_name))
    if not weight.class_name and weight.role == "kernel" and len(weight.shape) in (3, 4, 5):
        return generic(weight.shape, UNDECIDED)
    return _by_its_bias(weight) or generic(weight.shape, UNKNOWN)


# Their biases have a number for each output and none for each place.
WITH_BIAS = re.compile(r"Dense|LSTM|GRU|SimpleRNN|(Depthwise)?Conv.*")


def _fits_its_bias(weight: Weight) -> bool:
    """Whether the outputs of a kernel are as many as its bias says; a class of the user's own can be called alike."""
    counted = weight.role == "kernel" and len(weight.shape) > 1 and WITH_BIAS.fullmatch(weight.class_name)
    if not (counted and weight.bias):
        return True
    *_, before, last = weight.shape
    if weight.class_name.startswith("Depthwise"):
        outputs = before * last
    else:
        outputs = before if weight.class_name.endswith("Transpose") else last
    # The second bias of a GRU is that of the state.
    return weight.bias == (outputs,) or (weight.class_name == "GRU" and weight.bias == (2, outputs))


def _by_its_bias(weight: Weight) -> Structure | None:
    """In a layer of the user's own the last axis counts the outputs if a bias of that length stands beside it."""
    if weight.class_name in KNOWN or weight.bias is None or weight.role == "bias" or weight.bias != weight.shape[-1:]:
        return None
    found = generic(weight.shape)
    *others, last = found.dims
    unit = Axis("unit", last[0].size)
    return replace(
        found,
        dims=(*others, (unit,)),
        columns=("unit",),
        cuts=(Cut(("unit",)),),
        unit="unit",
        part_columns=(others[-1][0].label,),
        assumed=True,
    )
