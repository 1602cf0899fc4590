"""A live Keras model of any version, known by what it can do: Keras itself is not imported here.

Its weights are listed as its legacy ``.h5`` file lists them, so layers and tensors have the same names as in its files.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeGuard

from ...display import numbered
from ...errors import InputError
from ..arrays import Array
from ..tensors import Skipped
from ..trees import Growing
from . import legacy
from .base import MAX_NESTING, Listing
from .mapping import snapshot

__all__ = ["LiveModel", "matches", "read"]

PACKAGES = ("keras", "tf_keras")
# Where a legacy file keeps the weights of the model that belong to none of its layers.
TOP_LEVEL = "top_level_model_weights"


class LiveModel(Protocol):
    """What a Keras model has and a layer of it has not, or not all."""

    @property
    def name(self) -> str: ...

    @property
    def layers(self) -> Any: ...

    @property
    def weights(self) -> Any: ...

    def get_config(self) -> Any: ...


def matches(source: object) -> TypeGuard[LiveModel]:
    """Whether this is a model; nothing of it is evaluated."""
    return all(
        inspect.getattr_static(source, name, None) is not None for name in ("name", "layers", "weights", "get_config")
    )


def read(model: LiveModel) -> Listing:
    """The listing of a live model, with copies of all values; the optimizer's state is left out.

    Raises
    ------
    InputError
        The model has no weights yet.
    """
    try:
        every = list(model.weights)
        layers = list(model.layers)
        weights = [list(_weights(layer)) for layer in layers]
    except ValueError as error:
        # Keras 2 says so of a model that has not seen its input's shape.
        raise InputError(f"the model {model.name!r} has no weights yet ({error}). Build it first.") from error
    names = numbered(str(layer.name) for layer in layers)
    root = Growing(attributes={"layer_names": names, "keras_version": _version(model)})
    seen: set[int] = set()
    for name, found in zip(names, weights, strict=True):
        _fill(root.group(name.split("/")), found, seen)
    _fill(root.group([TOP_LEVEL]), [(_path(variable), variable) for variable in every], seen)
    children = [_described(layer, name) for layer, name in zip(layers, names, strict=True)]
    config = {"class_name": type(model).__name__, "config": {"name": str(model.name), "layers": children}}
    root.attributes["model_config"] = json.dumps(config)
    listing = legacy.read(root.grown(), f"the model {model.name!r}")
    return replace(listing, format="live Keras model")


def _weights(layer: Any, around: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The layer's weights in the order of a legacy file, each with the path that the file has for it.

    The paths of nested layers begin with what they are nested in, which Keras' own paths may leave out.
    """
    names = (str(layer.name), *around)
    if len(names) <= MAX_NESTING:
        home = "" if matches(layer) or around else f"{layer.name}/"
        for inner in _inside(layer):
            yield from ((f"{home}{inner.name}/{path}", variable) for path, variable in _weights(inner, names))
    if hasattr(layer, "trainable_weights"):
        own = [*layer.trainable_weights, *layer.non_trainable_weights]
    else:
        own = [*layer.weights]
    for variable in own:
        path = _path(variable)
        yield _below(names, path) if around else path, variable


def _inside(layer: Any) -> Iterable[Any]:
    """The layers of a nested model, or of a layer of the user's own, which Keras 2 leaves out of its paths."""
    if matches(layer):
        return layer.layers
    flatten = getattr(layer, "_flatten_layers", None)
    return flatten(recursive=False, include_self=False) if flatten and not _is_from_keras(type(layer)) else ()


def _is_from_keras(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in PACKAGES


def _below(names: Iterable[str], path: str) -> str:
    """The path without what leads to the first of these names that stands in it."""
    found = (f"/{path}".partition(f"/{name}/")[2] for name in names)
    return next(filter(None, found), path)


def _path(variable: Any) -> str:
    # In Keras 3 the path is whole and the name its end; in Keras 2 the name is whole, and ends in a number.
    path = str(getattr(variable, "path", None) or getattr(variable, "name", None) or "weight")
    return path.partition(":")[0].strip("/")


def _fill(home: Growing, weights: Iterable[tuple[str, Any]], seen: set[int]) -> None:
    """Add the variables that no layer before had, under their own paths."""
    found: list[Array] = []
    for path, variable in weights:
        if id(variable) in seen:
            continue
        seen.add(id(variable))
        try:
            found.append(snapshot(path, variable))
        except InputError:
            home.skipped.append(Skipped(f"{home.path}/{path}", "no array of numbers, but perhaps a vocabulary"))
    home.attributes["weight_names"] = numbered(array.path for array in found)
    for path, array in zip(home.attributes["weight_names"], found, strict=True):
        *steps, name = path.split("/")
        group = home.group(steps)
        group.datasets[name] = replace(array, path=f"{group.path}/{name}")


def _described(layer: Any, name: str, depth: int = 0) -> dict[str, Any]:
    """The layer as a saved configuration describes it, of which a subclassed model has none."""
    config: dict[str, Any] = {**_config(layer), "name": name}
    if matches(layer) and depth < MAX_NESTING:
        config["layers"] = [_described(inner, str(inner.name), depth + 1) for inner in layer.layers]
    kind = type(layer)
    return {
        "class_name": kind.__name__,
        "module": kind.__module__,
        "registered_name": _registered_name(kind),
        "config": config,
    }


def _registered_name(kind: type) -> str:
    """``"package>LSTM"`` where the user registered the class with the Keras that it is made of; else its name."""
    utilities = getattr(sys.modules.get(_package(kind)), "utils", None)
    told = getattr(utilities, "get_registered_name", None)
    return str(told(kind)) if told else kind.__name__


def _config(layer: Any) -> Mapping[str, Any]:
    try:
        # A round trip makes lists of tuples, as a file does.
        config = json.loads(json.dumps(layer.get_config(), default=str, skipkeys=True))
    except Exception:  # The user's own class, which may raise anything.
        return {}
    return config if isinstance(config, dict) else {}


def _version(model: object) -> str:
    """The version of the package that the model's class comes from, which is imported already."""
    return str(getattr(sys.modules.get(_package(type(model))), "__version__", ""))


def _package(kind: type) -> str:
    """The Keras that a class is made of, ``""`` for none."""
    return next((base.__module__.partition(".")[0] for base in kind.__mro__ if _is_from_keras(base)), "")
