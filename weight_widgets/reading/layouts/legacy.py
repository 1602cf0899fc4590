"""Legacy HDF5 of Keras 2 and 3: full models (``model.save("x.h5")``) and weights only.

The root, or its group ``model_weights``, lists the layers in model order in the attribute ``layer_names``; each layer's
group lists its weights in ``weight_names``. Long lists are cut into attributes ``layer_names0``, ``layer_names1``, ….
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import DamagedFileError
from ..arrays import Array
from ..hdf5 import Group
from ..tensors import Skipped
from .base import LayerConfig, LayerWeights, Listing, distinct, names_in, parse_config, parse_json

__all__ = ["matches", "read"]

# Groups inside of attention and stacked recurrent layers.
COMPOSITE = {"query", "key", "value", "attention_output", "stacked_rnn_cells"}
FORMATS = {True: "legacy full model (.h5)", False: "legacy weights (.h5)"}


def matches(tree: Group) -> bool:
    root = tree.groups.get("model_weights", tree)
    return bool({"layer_names", "layer_names0"} & root.attributes.keys())


def read(tree: Group, where: str) -> Listing:
    """The listing of a legacy file; `where` names it in errors."""
    full = "model_weights" in tree.groups
    root = tree.groups["model_weights"] if full else tree
    model = _model(tree, where)
    layers: list[LayerWeights] = []
    skipped: list[Skipped] = [entry for group in tree.walk() for entry in group.skipped]
    for name in names_in(root.attributes, "layer_names"):
        group = root.find(name)
        if not isinstance(group, Group):
            raise DamagedFileError(
                f"{where}: layer {name!r} is listed, but the file has no group for it. Save the model again."
            )
        layer = model.child(name) if model else None
        _collect(group, layer or _without_config(group, name), layers, skipped)
    optimizer = tree.groups.get("optimizer_weights")
    return Listing(
        format=FORMATS[full],
        keras_version=str(root.attributes.get("keras_version", tree.attributes.get("keras_version", ""))),
        layers=layers,
        training=list(optimizer.all_datasets()) if optimizer else [],
        skipped=skipped,
    )


def _model(tree: Group, where: str) -> LayerConfig | None:
    config = tree.attributes.get("model_config")
    return None if config is None else parse_config(parse_json(str(config), f"{where}: the attribute model_config"))


def _without_config(group: Group, name: str) -> LayerConfig:
    """What the weights' own paths say of a layer: one whose weights share names, under other groups than those of a
    composite layer, is a nested model."""
    paths = [tuple(path.split("/")) for path in names_in(group.attributes, "weight_names")]
    parents = list(dict.fromkeys(path[-2] for path in paths if len(path) > 1))
    shared = len({path[-1] for path in paths}) < len(paths)
    if not shared or COMPOSITE & {*parents} or {_direction(path) for path in paths} != {""}:
        return LayerConfig(name, "", {})
    return LayerConfig(name, "", {}, tuple(LayerConfig(parent, "", {}) for parent in parents))


def _collect(group: Group, layer: LayerConfig, layers: list[LayerWeights], skipped: list[Skipped]) -> None:
    """Sort the weights of one top-level group by the (nested) layer they belong to, and name them."""
    owners: dict[str, LayerConfig] = {}
    weights: dict[str, dict[tuple[str, ...], Array]] = {}
    for path in names_in(group.attributes, "weight_names"):
        dataset = group.find(path)
        if not isinstance(dataset, Array):
            if not any(entry.path == f"{group.path}/{path}" for entry in skipped):
                skipped.append(Skipped(f"{group.path}/{path}", "listed, but not in the file"))
            continue
        owner, name, tail = _owner(layer, layer.name, tuple(path.split("/")))
        owners[name] = owner
        weights.setdefault(name, {})[tail] = dataset
    ordered = [name for name in _paths(layer, layer.name) if name in weights]
    for name in [*ordered, *(name for name in weights if name not in ordered)]:
        owner = owners[name]
        layers.append(LayerWeights(name, owner.class_name, owner.config, _named(owner, weights[name])))


def _owner(layer: LayerConfig, name: str, path: tuple[str, ...]) -> tuple[LayerConfig, str, tuple[str, ...]]:
    """The layer of a nested model that a weight path leads to, the layer's own path, and the rest of the weight's."""
    for step, part in enumerate(path[:-1]):
        child = layer.child(part)
        if child is not None:
            return _owner(child, f"{name}/{part}", path[step + 1 :])
    return layer, name, path


def _paths(layer: LayerConfig, name: str) -> list[str]:
    """The layer's path and those of the layers nested in it, in model order."""
    return [name, *(path for child in layer.children or () for path in _paths(child, f"{name}/{child.name}"))]


def _named(layer: LayerConfig, weights: Mapping[tuple[str, ...], Array]) -> dict[str, Array]:
    """Tensor names from weight paths: the last component, with the direction, or as many more as make it unique."""
    paths = [(*path[:-1], path[-1].partition(":")[0]) for path in weights]
    directions = [_direction(path) for path in paths]
    if layer.class_name == "Bidirectional" or (not layer.class_name and {*directions} == {"forward", "backward"}):
        names = [f"{direction}/{path[-1]}" for direction, path in zip(directions, paths, strict=True)]
    else:
        names = _unique_tails(paths)
    return dict(zip(distinct(names), weights.values(), strict=True))


def _direction(path: tuple[str, ...]) -> str:
    # From the end, for the layer itself may be called forward_something.
    found = (word for part in path[-2::-1] for word in ("forward", "backward") if part.startswith(f"{word}_"))
    return next(found, "")


def _unique_tails(paths: list[tuple[str, ...]]) -> list[str]:
    for length in range(1, max(map(len, paths), default=1) + 1):
        tails = ["/".join(path[-length:]) for path in paths]
        if len(set(tails)) == len(tails):
            return tails
    return ["/".join(path) for path in paths]
