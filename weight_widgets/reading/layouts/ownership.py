"""Whose a weight is: from the path that a file gives it to a layer and a tensor name.

Paths follow the name scopes of the backend, not the model: a nested model may or may not stand in them, the layer's own
name may be an older one, and what is inside of a layer may be a part of it or a layer of its own.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ...display import numbered
from ..arrays import Array
from ..roles import CLASS_OF_SNAKE
from .base import LayerConfig, LayerWeights, parse_config
from .composites import inner_of, is_composite, is_stack, looks_composite, place_of, word_of

__all__ = ["Weight", "sort_out"]

PLAIN = {*CLASS_OF_SNAKE.values()} - {name for name in CLASS_OF_SNAKE.values() if is_composite(name)}


class Weight(NamedTuple):
    """A weight, the steps of its path without its own name, and that name."""

    steps: tuple[str, ...]
    role: str
    array: Array


def sort_out(layer: LayerConfig, weights: Sequence[Weight]) -> Iterator[LayerWeights]:
    """The layers that the weights of one group belong to, in model order where the configuration tells it."""
    root = _Node(layer, layer.name)
    if weights and not root.children:
        yield from _layers(layer, root.path, _below(layer, weights))
        return
    owned: dict[str, tuple[_Node, list[Weight]]] = {}
    for weight in weights:
        owner, rest = root.owner(weight.steps)
        owned.setdefault(owner.path, (owner, []))[1].append(weight._replace(steps=rest))
    order = {path: number for number, path in enumerate(root.paths())}
    for owner, own in sorted(owned.values(), key=lambda item: order[item[0].path]):
        if owner is root:
            own = _below(layer, own)
        yield from _layers(owner.layer, owner.path, own)


@dataclass(frozen=True)
class _Node:
    """A layer of the configuration and its path."""

    layer: LayerConfig
    path: str

    @cached_property
    def children(self) -> Mapping[str, _Node]:
        """The layers of a nested model, be it in a wrapper or not."""
        children = self.layer.children
        if children is None:
            wrapped = parse_config(self.layer.config.get("layer"))
            children = (wrapped,) if wrapped and wrapped.children is not None else ()
        return {child.name: _Node(child, f"{self.path}/{child.name}") for child in children}

    @cached_property
    def descendants(self) -> Mapping[str, _Node]:
        """All nested layers by name, those of fewer levels first, for paths may leave models out."""
        found: dict[str, _Node] = {}
        level = [*self.children.values()]
        while level:
            for node in level:
                found.setdefault(node.layer.name, node)
            level = [below for node in level for below in node.children.values()]
        return found

    def owner(self, steps: tuple[str, ...]) -> tuple[_Node, tuple[str, ...]]:
        """The layer that a path leads to, and the rest of the path."""
        for nodes in (self.children, self.descendants):
            for start, stop in itertools.combinations(range(len(steps) + 1) if nodes else (), 2):
                if node := nodes.get("/".join(steps[start:stop])):
                    return node.owner(steps[stop:])
        return self, steps

    def paths(self) -> Iterator[str]:
        yield self.path
        for child in self.children.values():
            yield from child.paths()


def _below(layer: LayerConfig, weights: Sequence[Weight]) -> list[Weight]:
    """The weights with the part of their paths that is below the layer."""
    own = tuple(layer.name.split("/"))
    found = [_after(own, weight.steps) for weight in weights]
    if all(rest is not None and rest[: len(own)] == own for rest in found):
        # A model may be called like its layer.
        found = [rest[len(own) :] for rest in found if rest is not None]
    rests = [weight.steps if rest is None else rest for rest, weight in zip(found, weights, strict=True)]
    if all(rest is None for rest in found):
        rests = _without_other_name(rests)
    return [Weight(rest, weight.role, weight.array) for weight, rest in zip(weights, rests, strict=True)]


def _after(own: tuple[str, ...], steps: tuple[str, ...]) -> tuple[str, ...] | None:
    starts = (start for start in range(len(steps)) if steps[start : start + len(own)] == own)
    start = next(starts, None)
    return None if start is None else steps[start + len(own) :]


def _without_other_name(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Paths that begin with a name that the layer had before; those of a nested model begin with several."""
    if len({*paths}) == 1:
        return [()] * len(paths)
    shorter = [path[1:] for path in paths]
    renamed = len({path[:1] for path in paths}) == 1 and looks_composite([path[0] for path in shorter if path])
    return shorter if renamed else [*paths]


def _layers(layer: LayerConfig, path: str, weights: Sequence[Weight], inner: bool = False) -> Iterator[LayerWeights]:
    """A layer, or the layers that one of the user's own holds; `inner` tells that it is one of those."""
    firsts = dict.fromkeys(weight.steps[0] for weight in weights if weight.steps)
    if is_composite(layer.class_name) or "layer" in layer.config or looks_composite(firsts):
        names = _composite_names(layer, weights)
    elif layer.class_name in PLAIN or all(place_of(weight.steps) == "" for weight in weights):
        names = _shortest([(*weight.steps, weight.role) for weight in weights])
    elif not (layer.class_name or inner) and _looks_wrapped(weights):
        names = [weight.role for weight in weights]
    else:
        own = [weight for weight in weights if not weight.steps]
        if own:
            yield from _layers(layer, path, own)
        for first in firsts:
            below = [weight._replace(steps=weight.steps[1:]) for weight in weights if weight.steps[:1] == (first,)]
            yield from _layers(LayerConfig(first, "", {}), f"{path}/{first}", below, inner=True)
        return
    arrays = (weight.array for weight in weights)
    named = dict(zip(numbered(_todays(names)), arrays, strict=True))
    yield LayerWeights(path, layer.class_name or _said_by_names(names, named), layer.config, named, layer.build)


def _said_by_names(names: Sequence[str], named: Mapping[str, Array]) -> str:
    """The class that only an earlier name of the kernel tells, which is the same today as a convolution's."""
    if "depthwise_kernel" in names and "kernel" in named:
        found = f"DepthwiseConv{len(named['kernel'].shape) - 2}D"
        return found if found in PLAIN else ""
    return ""


def _looks_wrapped(weights: Sequence[Weight]) -> bool:
    """Whether the weights are those of a single layer inside, and perhaps some beside it."""
    inside = {weight.steps for weight in weights if weight.steps}
    return len(inside) == 1 and len({weight.role for weight in weights}) == len(weights)


def _composite_names(layer: LayerConfig, weights: Sequence[Weight]) -> list[str]:
    if not any(is_stack(step) for weight in weights for step in weight.steps) and _has_cells(layer):
        return _cells_by_repetition(weights)
    names = []
    for steps, weight in zip(_with_cells(layer, _with_directions(layer, weights)), weights, strict=True):
        place = place_of([step for step in steps if word_of(step) is not None])
        names.append(f"{place}/{weight.role}" if place else weight.role)
    if len({*names}) < len(names):
        return _shortest([(*weight.steps, weight.role) for weight in weights])
    return names


def _with_directions(layer: LayerConfig, weights: Sequence[Weight]) -> list[tuple[str, ...]]:
    """The ways to the weights; Keras 3 leaves a backward layer that it was given the name that this had."""
    given = layer.config.get("backward_layer") if layer.class_name == "Bidirectional" else None
    settings = given.get("config") if isinstance(given, Mapping) else None
    name = settings.get("name") if isinstance(settings, Mapping) else None
    return [
        tuple(f"backward_{step}" if step == name else step for step in weight.steps[:1]) + weight.steps[1:]
        for weight in weights
    ]


def _has_cells(layer: LayerConfig) -> bool:
    return inner_of(layer.class_name, layer.config, "cell 1")[0] != ""


def _cells_by_repetition(weights: Sequence[Weight]) -> list[str]:
    """Names in files of the first Keras 2, where cells follow each other: kernel, bias, kernel_1, bias_1."""
    seen: Counter[str] = Counter()
    names = []
    for weight in weights:
        role = re.sub(r"_\d+$", "", weight.role)
        names.append(f"cell {seen[role]}/{role}")
        seen[role] += 1
    return names


def _with_cells(layer: LayerConfig, paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The paths with the names of stacked cells replaced by their number, from the lowest cell on."""
    stacks: dict[tuple[str, ...], dict[str, None]] = {}
    for path in paths:
        for position, (step, cell) in enumerate(itertools.pairwise(path)):
            if is_stack(step):
                stacks.setdefault(path[: position + 1], {})[cell] = None
    numbers = {
        (*stack, cell): number for stack, cells in stacks.items() for number, cell in _ordered(layer, stack, cells)
    }
    return [
        tuple(
            f"cell {numbers[path[: end + 1]]}" if path[: end + 1] in numbers else step for end, step in enumerate(path)
        )
        for path in paths
    ]


def _ordered(layer: LayerConfig, stack: tuple[str, ...], cells: Mapping[str, None]) -> Iterator[tuple[int, str]]:
    """The cells of a stack with their numbers: the configuration's where it tells them, else the file's."""
    place = place_of([step for step in stack if word_of(step) is not None])
    places = (f"{place}/cell {number}".lstrip("/") for number in range(len(cells)))
    told = [str(inner_of(layer.class_name, layer.config, each)[1].get("name")) for each in places]
    return enumerate(told if {*told} == {*cells} else [*cells])


def _shortest(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """The ends of the paths, as short as they can be without being the same."""
    for length in range(1, max(map(len, paths), default=1) + 1):
        ends = ["/".join(path[-length:]) for path in paths]
        if len({*ends}) == len(ends):
            return ends
    return ["/".join(path) for path in paths]


def _todays(names: Sequence[str]) -> list[str]:
    """Names of earlier versions as those of today."""
    separable = any(name.endswith("pointwise_kernel") for name in names)
    renamed = {"sn_u": "vector_u"} if separable else {"sn_u": "vector_u", "depthwise_kernel": "kernel"}
    split = (name.rpartition("/") for name in names)
    return [f"{place}{slash}{renamed.get(role, role)}" for place, slash, role in split]
