"""What every layout module returns, and the configuration tree that they read names and classes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import DamagedFileError
from ..hdf5 import Dataset
from ..tensors import Skipped

__all__ = [
    "LayerConfig",
    "LayerWeights",
    "Listing",
    "Node",
    "distinct",
    "natural",
    "parse_config",
    "parse_json",
    "text",
    "unwrap",
]

Node = Mapping[str, Any]


@dataclass(frozen=True)
class LayerConfig:
    """A layer as the model's configuration describes it; `children` are the layers of a nested model."""

    name: str
    class_name: str
    config: Node
    children: tuple[LayerConfig, ...] | None = None

    def child(self, name: str) -> LayerConfig | None:
        return next((child for child in self.children or () if child.name == name), None)


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one layer as a layout found them: final tensor names to datasets."""

    name: str
    class_name: str
    config: Node
    weights: Mapping[str, Dataset]


@dataclass(frozen=True)
class Listing:
    """Everything that a layout found in a file."""

    format: str
    keras_version: str
    layers: Sequence[LayerWeights]
    training: Sequence[Dataset] = ()
    skipped: Sequence[Skipped] = field(default=())


def parse_json(text: str | bytes, where: str) -> Any:
    """JSON as data; a `DamagedFileError` that names the place when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{where} is not valid JSON ({error}). Save the model again.") from error


def parse_config(data: object, name: str = "") -> LayerConfig | None:
    """The tree of layers of a Keras model configuration; None when it describes no list of layers (a subclass)."""
    if not isinstance(data, Mapping):
        return None
    config = data.get("config")
    # The oldest Sequential models hold the list of layers itself as their config.
    layers = config if isinstance(config, list) else config.get("layers") if isinstance(config, Mapping) else None
    settings = config if isinstance(config, Mapping) else {}
    found = str(settings.get("name") or data.get("name") or name)
    class_name = str(data.get("class_name", ""))
    children = None
    if isinstance(layers, list):
        parsed = (parse_config(layer) for layer in layers)
        children = tuple(layer for layer in parsed if layer is not None)
    return LayerConfig(found, class_name, settings, children)


def unwrap(class_name: str, config: Node) -> tuple[str, Node]:
    """The class and configuration inside of wrappers: those of the LSTM in a Bidirectional."""
    while isinstance(inner := config.get("layer"), Mapping) and isinstance(inner.get("config"), Mapping):
        class_name, config = str(inner.get("class_name", "")), inner["config"]
    return class_name, config


def text(value: object) -> str:
    """A name from an attribute, which may be stored as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def distinct(names: Iterable[str]) -> list[str]:
    """The names, those that were there before numbered on, so that nothing is lost: ``fc``, ``fc (2)``."""
    found: dict[str, None] = {}
    for name in names:
        number, free = 1, name
        while free in found:
            number, free = number + 1, f"{name} ({number + 1})"
        found[free] = None
    return list(found)


def natural(names: Iterable[str]) -> list[str]:
    """Names sorted so that numbers in them count: ``dense_2`` before ``dense_10``."""
    return sorted(
        names, key=lambda name: [(len(run), run) if run.isdigit() else (0, run) for run in re.split(r"(\d+)", name)]
    )
