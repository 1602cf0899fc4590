"""Legacy HDF5 of Keras 2 and 3: full models (``model.save("x.h5")``) and weights only.

The root, or its group ``model_weights``, lists the layers in model order in the attribute ``layer_names``; each layer's
group lists its weights in ``weight_names``. Long lists are cut into attributes ``layer_names0``, ``layer_names1``, ….
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...display import visible
from ...errors import DamagedFileError
from ..arrays import Array
from ..cudnn import from_cudnn
from ..tensors import Skipped
from ..trees import Group
from .base import LayerConfig, LayerWeights, Listing, Node, names_in, parse_config, parse_json, serialised
from .ownership import Weight, sort_out

__all__ = ["FileWalk", "by_place", "matches", "read", "root_of"]

FORMATS = {True: "legacy full model (.h5)", False: "legacy weights (.h5)"}
# Of a model that has weights beside its layers.
TOP_LEVEL = "top_level_model_weights"
OPTIMIZER = "optimizer_weights"


def root_of(tree: Group) -> Group:
    """The group that lists the layers."""
    return tree.groups.get("model_weights", tree)


def matches(tree: Group) -> bool:
    return bool({"layer_names", "layer_names0"} & root_of(tree).attributes.keys())


def read(tree: Group, where: str) -> Listing:
    """The listing of a legacy file; `where` names it in errors."""
    walk = FileWalk(tree, where)
    layers: list[LayerWeights] = []
    for layer, group in walk.layers():
        weights = [_weight(path, array) for path, array in walk.listed(group)]
        layers += (walk.without_cudnn(found) for found in sort_out(layer, weights) if not walk.again(found))
    if top := walk.root.groups.get(TOP_LEVEL):
        own = [_weight(path, array)._replace(steps=()) for path, array in walk.listed(top)]
        layers += sort_out(LayerConfig("model", "", {}), own)
    return walk.listing(layers, FORMATS[walk.root is not tree])


def _weight(path: str, array: Array) -> Weight:
    *steps, last = path.split("/")
    return Weight(tuple(steps), last.partition(":")[0], array)


@dataclass
class FileWalk:
    """One walk through a file, which ends with all that was in it told."""

    tree: Group
    where: str
    skipped: list[Skipped] = field(init=False)
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    _shared: dict[str, int] = field(default_factory=dict)
    _first: dict[int, LayerWeights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.skipped = [entry for group in self.tree.walk() for entry in group.skipped]
        self._known = {entry.path for entry in self.skipped}

    @property
    def root(self) -> Group:
        return root_of(self.tree)

    @property
    def keras_version(self) -> str:
        return str(self.root.attributes.get("keras_version", self.tree.attributes.get("keras_version", "")))

    def layers(self) -> Iterator[tuple[LayerConfig, Group]]:
        """The listed layers that have a group, with their configuration where there is one."""
        model = self.model
        self._shared = dict(_shared(model.children or (), "")) if model else {}
        configured = {layer.name: layer for layer in reversed((model.children if model else None) or ())}
        for name in dict.fromkeys(names_in(self.root.attributes, "layer_names")):
            group = self.root.find(name)
            if isinstance(group, Group):
                yield configured.get(name, LayerConfig(name, "", {})), group
            else:
                self._skip(
                    f"{self.root.path}/{name}", f"layer {visible(name)!r} is listed, but the file has no group for it"
                )

    def listed(self, group: Group) -> Iterator[tuple[str, Array]]:
        """The weights that a layer's group lists, by their paths in it."""
        for path in dict.fromkeys(names_in(group.attributes, "weight_names")):
            found = group.find(path)
            if not isinstance(found, Array):
                self._skip(f"{group.path}/{path}", "listed, but not in the file")
            elif found.path not in self.taken:
                self.taken.add(found.path)
                yield path, found

    def again(self, layer: LayerWeights) -> bool:
        """Whether a layer was met in another model before; its weights are left out then, for they are the same."""
        if layer.name not in self._shared:
            return False
        first = self._first.setdefault(self._shared[layer.name], layer)
        if first is layer or first.weights.keys() != layer.weights.keys():
            return False
        for name, array in layer.weights.items():
            self._skip(array.path, f"the same weight as {first.weights[name].path}")
        return True

    def without_cudnn(self, layer: LayerWeights) -> LayerWeights:
        """The layer with weights in cuDNN's layout converted, which is told."""
        if not any(name.endswith("recurrent_kernel") for name in layer.weights):
            return layer
        weights: dict[str, Array] = {}
        for place, own in by_place(layer.weights).items():
            if converted := from_cudnn(own):
                class_name, own = converted
                of = visible(f"{layer.name}/{place}".rstrip("/"))
                self.notes.append(f"{of}: stored in the layout of CuDNN{class_name}, shown in that of {class_name}.")
            weights |= {f"{place}/{role}".lstrip("/"): array for role, array in own.items()}
        return replace(layer, weights=weights)

    def listing(self, layers: list[LayerWeights], name: str) -> Listing:
        """The listing, in which whatever was not asked for is skipped with its reason."""
        if not layers and self.skipped:
            first = self.skipped[0]
            raise DamagedFileError(
                f"{self.where}: nothing in it could be read; {first.path}: {first.reason}. Save the model again."
            )
        optimizer = self.tree.groups.get(OPTIMIZER)
        training = [array for array in (optimizer.all_datasets() if optimizer else ()) if array.path not in self.taken]
        self.taken.update(array.path for array in training)
        for array in self.tree.all_datasets():
            if array.path not in self.taken:
                self._skip(array.path, "not listed by its layer")
        settings = self._optimizer()
        return Listing(name, self.keras_version, layers, training, self.skipped, self.notes, self.model, settings)

    @cached_property
    def model(self) -> LayerConfig | None:
        return parse_config(self._said("model_config"))

    def _optimizer(self) -> Node:
        try:
            return serialised(self._said("training_config"), "optimizer_config")
        except DamagedFileError as error:
            # The weights do not depend on it.
            self.notes.append(str(error))
            return {}

    def _said(self, name: str) -> Any:
        """What an attribute of the file says as JSON; None where it has none of this name."""
        text = self.tree.attributes.get(name)
        return None if text is None else parse_json(str(text), f"{self.where}: the attribute {name}")

    def _skip(self, path: str, reason: str) -> None:
        if path not in self._known:
            self._known.add(path)
            self.skipped.append(Skipped(path, reason))


def _shared(layers: Sequence[LayerConfig], prefix: str) -> Iterator[tuple[str, int]]:
    """The paths of the layers that stand in several models, and the number of each."""
    for layer in layers:
        path = f"{prefix}{layer.name}"
        if layer.shared is not None:
            yield path, layer.shared
        yield from _shared(layer.children or (), f"{path}/")


def by_place(weights: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """The weights of a layer by role for each place in it: ``"forward"``, or ``""``."""
    places: dict[str, dict[str, Array]] = {}
    for name, array in weights.items():
        place, _, role = name.rpartition("/")
        places.setdefault(place, {})[role] = array
    return places
