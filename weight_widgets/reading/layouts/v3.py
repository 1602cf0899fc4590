"""Keras 3 weights: ``.weights.h5``, and the ``model.weights.h5`` inside a ``.keras`` archive.

Groups follow the model's attributes: ``layers/dense_1/vars/0`` is the first weight of the second Dense. The numbers
count per class in model order and have nothing to do with the user's layer names; those stand in the attribute ``name``
of ``vars`` (since Keras 3.6) or in the configuration, when there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..arrays import Array
from ..hdf5 import Group
from ..roles import CLASS_OF_SNAKE, looks_recurrent, snake, weight_names
from ..tensors import Skipped
from .base import LayerConfig, LayerWeights, Listing, distinct, natural, unwrap

__all__ = ["matches", "read"]

# Groups beside the layers that hold no weights of the network.
STATE = {"seed_generator": "a random generator's state", "metrics": "a metric's state"}
# Steps of the attribute walk that say nothing to the user, and those that do.
SILENT = {"cell", "layer"}
DIRECTIONS = {"forward_layer": "forward", "backward_layer": "backward"}


def matches(tree: Group) -> bool:
    return any("vars" in group.groups for group in tree.walk())


def read(
    tree: Group, model: LayerConfig | None = None, keras_version: str = "", name: str = "Keras 3 weights (.weights.h5)"
) -> Listing:
    """The listing of a Keras 3 weights file; `model` is its configuration where there is one."""
    skipped = [entry for group in tree.walk() for entry in group.skipped]
    layers = list(_model(tree, model, "", skipped))
    optimizer = tree.groups.get("optimizer")
    return Listing(name, keras_version, layers, list(optimizer.all_datasets()) if optimizer else [], skipped)


def _model(group: Group, model: LayerConfig | None, prefix: str, skipped: list[Skipped]) -> Iterator[LayerWeights]:
    """The layers of a (nested) model in the configuration's order, then those that it does not mention."""
    container = group.groups.get("layers")
    if container is not None:
        known = _keys(model)
        for key in [
            *(key for key in known if key in container.groups),
            *natural(container.groups.keys() - known.keys()),
        ]:
            yield from _layer(container.groups[key], key, known.get(key), prefix, skipped)
    for key in natural(group.groups):
        if reason := _state(key):
            skipped.extend(Skipped(dataset.path, reason) for dataset in group.groups[key].all_datasets())
        elif key not in ("layers", "vars", "optimizer"):
            yield from _layer(group.groups[key], key, None, prefix, skipped)
    if own := group.groups.get("vars"):
        yield from _leaf(Group(group.path, groups={"vars": own}), LayerConfig("", "", {}), prefix or "model", skipped)


def _keys(model: LayerConfig | None) -> dict[str, LayerConfig]:
    """Group names of the configured layers: their class in snake case, numbered from the second on."""
    seen: Counter[str] = Counter()
    keys = {}
    for layer in (model.children if model else None) or ():
        base = snake(layer.class_name)
        keys[f"{base}_{seen[base]}" if seen[base] else base] = layer
        seen[base] += 1
    return keys


def _layer(
    group: Group, key: str, layer: LayerConfig | None, prefix: str, skipped: list[Skipped]
) -> Iterator[LayerWeights]:
    own = group.groups.get("vars")
    said = str(own.attributes.get("name", "")) if own else ""
    base, _, number = key.rpartition("_")
    known = layer or LayerConfig(said or key, CLASS_OF_SNAKE.get(base if number.isdigit() else key, ""), {})
    path = f"{prefix}/{known.name}" if prefix else known.name
    if known.children is not None or "layers" in group.groups:
        yield from _model(group, known, path, skipped)
    else:
        yield from _leaf(group, known, path, skipped)


def _leaf(group: Group, layer: LayerConfig, path: str, skipped: list[Skipped]) -> Iterator[LayerWeights]:
    names: list[str] = []
    found: list[Array] = []
    inner = unwrap(layer.class_name, layer.config)
    for place, datasets in _variables(group, "", skipped):
        home = datasets[0].path.rpartition("/vars/")[0]
        # What a wrapper itself holds is not what the layer inside of it holds.
        wrappers = home == group.path and inner[0] != layer.class_name
        known = None if wrappers else weight_names(*inner, len(datasets))
        if known is None and home.endswith("/cell"):
            known = looks_recurrent([dataset.shape for dataset in datasets])
        for number, dataset in enumerate(datasets):
            own = dataset.path.rpartition("/")[2]
            name = known[number] if known else f"weight {number}" if own.isdigit() else own
            names.append(f"{place}/{name}" if place else name)
            found.append(dataset)
    if found:
        yield LayerWeights(path, layer.class_name, layer.config, dict(zip(distinct(names), found, strict=True)))


def _variables(group: Group, place: str, skipped: list[Skipped]) -> Iterator[tuple[str, list[Array]]]:
    """The datasets of each ``vars`` below a layer in numeric order, with their place in the layer."""
    if (own := group.groups.get("vars")) and own.datasets:
        yield place, [own.datasets[name] for name in natural(own.datasets)]
    for key in natural(group.groups):
        if key == "vars":
            continue
        if reason := _state(key):
            skipped.extend(Skipped(dataset.path, reason) for dataset in group.groups[key].all_datasets())
            continue
        step = "" if key in SILENT else DIRECTIONS.get(key, key.lstrip("_"))
        yield from _variables(group.groups[key], "/".join(filter(None, (place, step))), skipped)


def _state(key: str) -> str:
    return STATE.get(key.strip("_0123456789"), "")
