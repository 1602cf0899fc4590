"""One real Keras layer in a model, saved and opened, so that what it computes can be held against our parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import weight_widgets as ww

SEED = 7


@dataclass(frozen=True)
class Saved:
    """A layer, and what we read from the file that it was saved in."""

    layer: Any
    read: ww.Layer

    def parts(self, name: str) -> dict[str, np.ndarray]:
        """The values of a tensor's parts, in float64."""
        return {part: tensor.read().astype(np.float64) for part, tensor in self.read[name].parts.items()}

    def whole(self, name: str) -> np.ndarray:
        return self.read[name].read().astype(np.float64)

    def index(self, name: str, part: str) -> tuple[Any, ...]:
        """The numpy index of a part in its tensor."""
        structure = self.read[name].structure
        return structure.part(structure.part_names().index(part))[1]

    def add(self, name: str, index: tuple[Any, ...], amount: float) -> None:
        """Change the Keras layer's own weight there; it is known by its values."""
        stored = self.read[name].read()
        (variable,) = [
            found for found in self.layer.weights if found.shape == stored.shape and (found.numpy() == stored).all()
        ]
        changed = variable.numpy().copy()
        changed[index] += amount
        variable.assign(changed)


def apart(layer: Any, inputs: list[Any]) -> Any:
    return layer(*inputs)


def saved(
    keras: ModuleType,
    layer: Any,
    shapes: Sequence[tuple[int, ...]],
    path: Path,
    call: Callable[[Any, list[Any]], Any] = apart,
) -> Saved:
    """Build the layer for inputs of these shapes (without the batch), give it random weights, save, open."""
    inputs = [keras.Input(shape) for shape in shapes]
    model = keras.Model(inputs, call(layer, inputs))
    generator = np.random.default_rng(SEED)
    layer.set_weights([generator.normal(0, 0.5, weight.shape).astype("f4") for weight in layer.weights])
    model.save(path)
    return Saved(layer, ww.open_checkpoint(path)[layer.name])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    shares = np.exp(x - x.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def changed_channels(before: Any, after: Any) -> set[int]:
    """Along the last axis."""
    moved = np.abs(np.array(after) - np.array(before)).reshape(-1, np.shape(before)[-1]).max(axis=0)
    return {*np.flatnonzero(moved > 1e-6).tolist()}


def with_added(parts: Mapping[str, np.ndarray], part: str, amount: float) -> dict[str, np.ndarray]:
    return {name: values + amount if name == part else values for name, values in parts.items()}
