"""Keras 3 weights: ``.weights.h5``, and the ``model.weights.h5`` inside a ``.keras`` archive.

Groups follow the model's attributes: ``layers/dense_1/vars/0`` is the first weight of the second Dense. The numbers
count per class in model order and have nothing to do with the user's layer names; those stand in the attribute ``name``
of ``vars`` (since Keras 3.6) or in the configuration, when there is one. Keras 2.12 and 2.13 wrote the same
under ``_layer_checkpoint_dependencies``, and skipped every second number.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ...display import numbered
from ..arrays import Array
from ..quantized.names import quantized_names
from ..roles import CLASS_OF_SNAKE, looks_recurrent, names_by_shape, snake, weight_names
from ..tensors import Skipped
from ..trees import Group
from .base import LayerConfig, LayerWeights, Listing, natural, parse_config
from .composites import inner_of, is_composite, looks_composite, place_of

__all__ = ["matches", "read"]

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
# Groups beside the layers that hold no weights of the network.
STATE = {
    "seed_generator": "a random generator's state",
    "metrics": "a metric's state",
    "optimizer": "the optimizer's state",
}
# A public name that is not the class's own, from which the group's is made.
ALSO_CALLED = {"GroupQueryAttention": "GroupedQueryAttention"}
# The classes whose cells go by another name.
GATED = ("SimpleRNN", "LSTM", "GRU")
MAX_STACK = 6


def matches(tree: Group) -> bool:
    return any("vars" in group.groups for group in tree.walk())


def read(
    tree: Group, model: LayerConfig | None = None, keras_version: str = "", name: str = "Keras 3 weights (.weights.h5)"
) -> Listing:
    """The listing of a Keras 3 weights file; `model` is its configuration where there is one."""
    skipped = [entry for group in tree.walk() for entry in group.skipped]
    optimizer = tree.groups.get("optimizer")
    walk = _Walk(skipped, any("name" in group.attributes for group in tree.walk()))
    layers = list(walk.model(tree, model, ""))
    state = {array.path: array for array in optimizer.all_datasets()} if optimizer else {}
    training = [state[path] for path in natural(state)]
    taken = {id(array) for layer in layers for array in layer.weights.values()} | {id(array) for array in training}
    told = {entry.path for entry in skipped}
    skipped.extend(
        Skipped(array.path, "not among the variables of any layer")
        for array in tree.all_datasets()
        if id(array) not in taken and array.path not in told
    )
    return Listing(name, keras_version, layers, training, skipped)


class _Walk:
    """One walk along the attributes of a model.

    `named` tells whether the file holds the layers' names. Where it does, a list of layers adds nothing to their path.
    """

    def __init__(self, skipped: list[Skipped], named: bool) -> None:
        self.skipped = skipped
        self.named = named

    def model(self, group: Group, model: LayerConfig | None, prefix: str) -> Iterator[LayerWeights]:
        """The layers of a (nested) model in the configuration's order, then those that it does not mention."""
        for container in (group.groups[name] for name in CONTAINERS if name in group.groups):
            known = _matched(container, model)
            for key in [*known, *natural(container.groups.keys() - known.keys())]:
                yield from self.layer(container.groups[key], key, known.get(key), prefix)
        yield from self.below(group, prefix)
        if "vars" in group.groups:
            own = LayerConfig("", "", {})
            yield from self.leaf(Group(group.path, groups={"vars": group.groups["vars"]}), own, prefix or "model")

    def below(self, group: Group, prefix: str) -> Iterator[LayerWeights]:
        """The layers that are attributes of a model or of a layer."""
        for key in natural(group.groups.keys() - {"vars", *CONTAINERS}):
            if not self.is_state(group.groups[key], key):
                yield from self.layer(group.groups[key], key, None, prefix)

    def layer(self, group: Group, key: str, layer: LayerConfig | None, prefix: str) -> Iterator[LayerWeights]:
        own = group.groups.get("vars")
        said = str(own.attributes.get("name", "")) if own else ""
        if own is None and layer is None and not _has_structure(group):
            # A list of layers, which has no name of its own.
            yield from self.below(group, prefix if self.named else _joined(prefix, key))
            return
        known = layer or LayerConfig(said or key, CLASS_OF_SNAKE.get(re.sub(r"_\d+$", "", key), ""), {})
        path = _joined(prefix, known.name)
        inner = _wrapped(group)
        if known.children is not None or {*CONTAINERS} & group.groups.keys():
            yield from self.model(group, known, path)
        elif inner is not None and {*CONTAINERS} & inner.groups.keys():
            # A wrapper around a model: TimeDistributed(Sequential).
            yield from self.layer(inner, "layer", parse_config(known.config.get("layer")), path)
            yield from self.leaf(Group(group.path, groups=_without(group, "layer")), known, path)
        elif is_composite(known.class_name) or _has_structure(group):
            yield from self.leaf(group, known, path)
        else:
            yield from self.leaf(Group(group.path, groups={"vars": own} if own else {}), known, path)
            yield from self.below(group, path)

    def leaf(self, group: Group, layer: LayerConfig, path: str) -> Iterator[LayerWeights]:
        """The weights of one layer, those of the layers that it is composed of included."""
        names: list[str] = []
        found: list[Array] = []
        for steps, datasets in self.variables(group, layer, ()):
            place = place_of(steps)
            for name, dataset in zip(self.names(group, layer, steps, datasets), datasets, strict=True):
                if name:
                    names.append(_joined(place, name))
                    found.append(dataset)
        if found:
            weights = dict(zip(numbered(names), found, strict=True))
            yield LayerWeights(path, layer.class_name, layer.config, weights, layer.build)

    def variables(
        self, group: Group, layer: LayerConfig, steps: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], list[Array]]]:
        """The datasets of each ``vars`` below a layer in numeric order, with the way to it."""
        if (own := group.groups.get("vars")) and own.datasets:
            yield steps, [own.datasets[name] for name in natural(own.datasets)]
        stack = group.groups.get("cells")
        for key in natural(group.groups.keys() - {"vars", "cells"}):
            if not self.is_state(group.groups[key], key):
                yield from self.variables(group.groups[key], layer, (*steps, key))
        for number, key in enumerate(_stacked(stack, layer, place_of(steps)) if stack else ()):
            yield from self.variables(stack.groups[key], layer, (*steps, f"cell {number}"))  # type: ignore[union-attr]

    def names(
        self, group: Group, layer: LayerConfig, steps: tuple[str, ...], datasets: Sequence[Array]
    ) -> Sequence[str]:
        """The names of the variables at a place in a layer; none for one that is stored twice."""
        shapes = [dataset.shape for dataset in datasets]
        class_name = layer.class_name or looks_composite([*group.groups])
        class_name, config = inner_of(class_name, layer.config, place_of(steps))
        inner = _wrapped(group)
        known: Sequence[str] | None
        if not steps and inner is not None:
            known = self.wrapper_names(inner, datasets)
        elif class_name in ("", *CLASS_OF_SNAKE.values()):
            dtypes = [dataset.dtype for dataset in datasets]
            known = quantized_names(class_name, config, shapes, dtypes)
            known = known or weight_names(class_name, config, len(datasets))
            if known is None and (steps or not layer.config):
                known = looks_recurrent(shapes) if steps[-1:] == ("cell",) else names_by_shape(shapes)
        else:
            known = None
        own = [dataset.path.rpartition("/")[2] for dataset in datasets]
        return known or [f"weight {number}" if name.isdigit() else name for number, name in enumerate(own)]

    def wrapper_names(self, inner: Group, datasets: Sequence[Array]) -> Sequence[str] | None:
        """What a wrapper holds itself: a weight of the layer inside once more, and the vector of a spectral norm."""
        below = {dataset.shape: dataset for dataset in inner.all_datasets()}
        first, *others = datasets
        if first.shape not in below or [other.shape[:1] for other in others] not in ([], [(1,)]):
            return None
        self.skipped.append(Skipped(first.path, f"the same weight as {below[first.shape].path}"))
        return ["", *("vector_u" for _ in others)]

    def is_state(self, group: Group, key: str) -> bool:
        """Whether a group holds no weights of the network; it is left out then."""
        reason = STATE.get(key.strip("_0123456789"), "")
        if reason and key != "optimizer":
            self.skipped.extend(Skipped(dataset.path, reason) for dataset in group.all_datasets())
        return bool(reason)


def _matched(container: Group, model: LayerConfig | None) -> dict[str, LayerConfig]:
    """The groups of the configured layers: their class in snake case, numbered per class in model order.

    The numbers are compared by rank where they do not agree, for Keras 2.13 counted in twos.
    """
    children = (model.children if model else None) or ()
    wanted = defaultdict(list)
    for layer in children:
        class_name = layer.class_name.rpartition(">")[2]
        wanted[snake(ALSO_CALLED.get(class_name, class_name))].append(layer)
    present = defaultdict(list)
    for key in natural(container.groups):
        present[re.sub(r"_\d+$", "", key) if key not in wanted else key].append(key)
    found = {}
    for base, layers in wanted.items():
        exact = [f"{base}_{number}" if number else base for number in range(len(layers))]
        ranked = sorted(present[base], key=lambda key: int(re.sub(r"\D", "", key[len(base) :]) or 0))
        keys = exact if {*ranked} <= {*exact} else ranked if len(ranked) == len(layers) else []
        found.update({key: layer for key, layer in zip(keys, layers, strict=False) if key in container.groups})
    order = {id(layer): number for number, layer in enumerate(children)}
    return dict(sorted(found.items(), key=lambda item: order[id(item[1])]))


def _wrapped(group: Group) -> Group | None:
    """The layer inside of a wrapper, or of a vectorisation its table."""
    return group.groups.get("layer") or group.groups.get("_lookup_layer")


def _has_structure(group: Group) -> bool:
    """Whether the groups inside tell that a layer is composed of others, whatever its class is called."""
    return bool({"cell", "layer", "cells", "_lookup_layer"} & group.groups.keys() or looks_composite([*group.groups]))


def _stacked(stack: Group, layer: LayerConfig, place: str) -> list[str]:
    """The keys of stacked cells from the lowest to the uppermost one."""
    keys = natural(stack.groups)
    seen: Counter[str] = Counter()
    told = []
    for number in range(len(keys)):
        class_name, _ = inner_of(layer.class_name, layer.config, _joined(place, f"cell {number}"))
        base = snake(f"{class_name}Cell" if class_name in GATED else class_name)
        told.append(f"{base}_{seen[base]}" if seen[base] else base)
        seen[base] += 1
    if {*told} == {*keys}:
        return told
    chains = _chains(stack, keys)
    return chains[0] if len(chains) == 1 else keys


def _chains(stack: Group, keys: Sequence[str]) -> list[list[str]]:
    """The orders in which each cell takes as many inputs as the one below has units."""
    sizes = {}
    for key in keys:
        own = stack.groups[key].groups.get("vars", stack)
        shapes = [own.datasets[name].shape for name in natural(own.datasets)][:2]
        if len(shapes) < 2 or any(len(shape) != 2 for shape in shapes):
            return []
        sizes[key] = (shapes[0][0], shapes[1][0])
    if len(keys) > MAX_STACK:
        return []
    return [
        list(order)
        for order in itertools.permutations(keys)
        if all(sizes[above][0] == sizes[below][1] for below, above in itertools.pairwise(order))
    ]


def _without(group: Group, name: str) -> dict[str, Group]:
    return {key: below for key, below in group.groups.items() if key != name}


def _joined(*steps: str) -> str:
    return "/".join(filter(None, steps))
