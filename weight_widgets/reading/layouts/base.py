"""What every layout module returns, and the configuration tree that they read names and classes from."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...errors import DamagedFileError, UnsafeFileError
from ..arrays import Array
from ..roles import KERAS_CLASSES, makes
from ..tensors import Skipped

__all__ = [
    "LayerConfig",
    "LayerWeights",
    "Listing",
    "Node",
    "class_of",
    "names_in",
    "natural",
    "parse_config",
    "parse_json",
    "serialised",
    "unwrap",
]

Node = Mapping[str, Any]
KERAS = ("keras", "tf_keras", "tensorflow")
# The package that Keras gives a class that was registered without one.
CUSTOM = "Custom"

# A configuration takes about 1 KB a layer, and each value 30 to 60 bytes of memory.
MAX_JSON = 64 << 20
MAX_JSON_VALUES = 6_000_000
# Levels of models in models.
MAX_NESTING = 64


@dataclass(frozen=True)
class LayerConfig:
    """A layer as the model's configuration describes it.

    `children` are the layers of a nested model; `build` is what Keras 3 says of the shapes that it was built with.
    `inbound` names the layers beside it whose outputs it takes, wherever it is called; None where nothing says it.
    """

    name: str
    class_name: str
    config: Node
    children: tuple[LayerConfig, ...] | None = None
    build: Node = field(default_factory=dict)
    # What Keras 2 says of a layer that stands in several models: the same number in each.
    shared: int | None = None
    inbound: tuple[str, ...] | None = None

    def child(self, name: str) -> LayerConfig | None:
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, LayerConfig]:
        # The first of a name wins.
        return {child.name: child for child in reversed(self.children or ())}


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one layer as a layout found them: final tensor names to arrays."""

    name: str
    class_name: str
    config: Node
    weights: Mapping[str, Array]
    build: Node = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """Everything that a layout found in a file; `notes` are sentences about what does not fit together.

    `model` is the configuration that the file holds, `optimizer` the serialised optimizer: its class and settings.
    """

    format: str
    keras_version: str
    layers: Sequence[LayerWeights]
    training: Sequence[Array] = ()
    skipped: Sequence[Skipped] = ()
    notes: Sequence[str] = ()
    model: LayerConfig | None = None
    optimizer: Node = field(default_factory=dict)


def parse_json(text: str | bytes, where: str) -> Any:
    """JSON as data; an error that names the place when it is none, or more than a model's configuration can be."""
    marks = ("{", "[", ",", ":") if isinstance(text, str) else (b"{", b"[", b",", b":")
    if len(text) > MAX_JSON or sum(map(text.count, marks)) > MAX_JSON_VALUES:  # type: ignore[arg-type]
        raise UnsafeFileError(f"{where} is larger than any model's configuration; it is not read.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{where} is not valid JSON ({str(error)[:200]}). Save the model again.") from error


def parse_config(data: object, depth: int = 0) -> LayerConfig | None:
    """The tree of layers of a Keras model configuration; None when it is no configuration at all."""
    if depth > MAX_NESTING or not isinstance(data, Mapping):
        return None
    config = data.get("config")
    # The oldest Sequential models hold the list of layers itself as their config.
    layers = config if isinstance(config, list) else config.get("layers") if isinstance(config, Mapping) else None
    settings = config if isinstance(config, Mapping) else {}
    found = str(settings.get("name") or data.get("name") or "")
    children = None
    if isinstance(layers, list):
        parsed = (parse_config(layer, depth + 1) for layer in layers)
        children = tuple(layer for layer in parsed if layer is not None)
    build = data.get("build_config")
    shared = data.get("shared_object_id")
    return LayerConfig(
        found,
        class_of(data),
        settings,
        children,
        build if isinstance(build, Mapping) else {},
        shared if isinstance(shared, int) else None,
        _called_on(data["inbound_nodes"]) if isinstance(data.get("inbound_nodes"), list) else None,
    )


def _called_on(nodes: list[Any]) -> tuple[str, ...]:
    """The layers whose outputs the calls of a layer take: Keras writes a tensor as ``[layer, call, output, …]``."""
    found: dict[str, None] = {}
    left: list[Any] = [*nodes]
    while left:
        item = left.pop()
        if isinstance(item, Mapping):
            left.extend(item.values())
        elif isinstance(item, list):
            if len(item) > 2 and isinstance(item[0], str) and all(type(each) is int for each in item[1:3]):
                found[item[0]] = None
            left.extend(item)
    return tuple(found)


def class_of(data: Node) -> str:
    """The class of a serialised layer; with its package where somebody else's is called like one of Keras'."""
    class_name, package, registered = (data.get(key) for key in ("class_name", "module", "registered_name"))
    bare = str(class_name or "")
    if bare not in KERAS_CLASSES or str(package).partition(".")[0] in KERAS:
        return bare
    if not isinstance(registered, str):
        # Legacy files name no package; without what Keras' own cannot be made from it is another class.
        return bare if makes(bare, data.get("config")) else f"{CUSTOM}>{bare}"
    # Keras names no module for a class that was defined in a notebook or a script.
    return registered if ">" in registered else f"{package or '__main__'}>{bare}"


def serialised(data: object, key: str) -> Node:
    """What a configuration holds under a key as Keras serialises objects; empty where it holds none."""
    found = data.get(key) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def unwrap(class_name: str, config: Node) -> tuple[str, Node]:
    """The class and configuration inside of wrappers: those of the LSTM in a Bidirectional, of the cell in an RNN."""
    for _ in range(MAX_NESTING):
        inner = config.get("layer", config.get("cell"))
        if not isinstance(inner, Mapping) or not isinstance(inner.get("config"), Mapping):
            break
        class_name, config = class_of(inner), inner["config"]
    return class_name, config


def names_in(attributes: Mapping[str, Any], name: str) -> list[str]:
    """A list of names from one attribute, or from the numbered ones that a long list is cut into."""
    if name in attributes:
        return _listed(attributes[name])
    chunks = itertools.takewhile(lambda chunk: chunk in attributes, (f"{name}{number}" for number in itertools.count()))
    return [item for chunk in chunks for item in _listed(attributes[chunk])]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def natural(names: Iterable[str]) -> list[str]:
    """Names sorted so that numbers in them count: ``dense_2`` before ``dense_10``."""
    return sorted(
        names, key=lambda name: [(len(run), run) if run.isdigit() else (0, run) for run in re.split(r"(\d+)", name)]
    )
