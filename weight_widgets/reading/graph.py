"""Which layer stands behind which, as the model's configuration tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from .layouts.base import MAX_NESTING, LayerConfig, parse_config

__all__ = ["OUTPUT", "Graph"]

# Stands where a value leaves the model.
OUTPUT = LayerConfig("", "Output", {})


@dataclass(frozen=True)
class Graph:
    """The layers of a model by path, nested models joined: ``"encoder/dense_1"``."""

    model: LayerConfig

    def layer(self, path: str) -> LayerConfig | None:
        """The layer of a path; None where the configuration has none."""
        found = self._chains.get(path)
        return found[-1] if found else None

    def names(self, path: str) -> tuple[str, ...]:
        """Of the models around the layer from the outermost on, and its own; empty where the configuration has none."""
        return tuple(each.name for each in self._chains.get(path, ())[1:])

    def frozen(self, path: str) -> bool:
        """Whether the layer, or a model around it, is set not to be trained."""
        return any(each.config.get("trainable") is False for each in self._chains.get(path, (self.model,)))

    def behind(self, path: str) -> tuple[LayerConfig, ...] | None:
        """Every layer that takes the output of one; `OUTPUT` among them where it leaves the model.

        Returns
        -------
        tuple of LayerConfig, or None
            A nested model stands as a whole. None where the configuration does not tell, as of a subclassed model.
        """
        chain = self._chains.get(path)
        return _behind(chain) if chain else None

    @cached_property
    def _chains(self) -> Mapping[str, tuple[LayerConfig, ...]]:
        """For each path the models around the layer from the outermost to the layer itself."""
        found: dict[str, tuple[LayerConfig, ...]] = {}
        for path, chain in _walk("", (self.model,)):
            found.setdefault(path, chain)
        return found


def _walk(prefix: str, around: tuple[LayerConfig, ...]) -> Iterator[tuple[str, tuple[LayerConfig, ...]]]:
    for layer in _children(around[-1]):
        path, chain = f"{prefix}{layer.name}", (*around, layer)
        yield path, chain
        if len(chain) <= MAX_NESTING:
            yield from _walk(f"{path}/", chain)


def _children(layer: LayerConfig) -> tuple[LayerConfig, ...]:
    """The layers of a nested model, be it in a wrapper or not."""
    if layer.children is not None:
        return layer.children
    wrapped = parse_config(layer.config.get("layer"))
    return (wrapped,) if wrapped and wrapped.children is not None else ()


def _behind(chain: tuple[LayerConfig, ...]) -> tuple[LayerConfig, ...] | None:
    if len(chain) < 2:
        return (OUTPUT,)
    *_, model, layer = chain
    children = model.children
    if children is None:
        return None
    if model.class_name == "Sequential":
        place = next(place for place, child in enumerate(children) if child is layer)
        return (children[place + 1],) if place + 1 < len(children) else _behind(chain[:-1])
    if any(child.inbound is None for child in children):
        return None
    found = tuple(child for child in children if layer.name in (child.inbound or ()))
    if layer.name not in _outputs(model):
        return found
    beyond = _behind(chain[:-1])
    return None if beyond is None else (*found, *beyond)


def _outputs(model: LayerConfig) -> set[str]:
    """The layers whose outputs are the model's, however deep Keras nests the list of them."""
    found: set[str] = set()
    left = [model.config.get("output_layers")]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.add(item)
        elif isinstance(item, list | tuple):
            left.extend(item)
        elif isinstance(item, Mapping):
            left.extend(item.values())
    return found
