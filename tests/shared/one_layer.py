"""Checkpoints of one layer that was put into a legacy file by hand, and the choice of its weights."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import weight_widgets as ww
from weight_widgets.state.selection import Pick
from weight_widgets.worker import Superseded

RNG = np.random.default_rng(17)

# Without them a layer is not taken for Keras' own.
INITIALIZERS = {
    "kernel_initializer": "glorot_uniform",
    "recurrent_initializer": "orthogonal",
    "embeddings_initializer": "uniform",
}

Save = Callable[..., ww.Checkpoint]
Opened = Mapping[str, ww.Checkpoint]


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def superseded(share: float | None = None) -> None:
    raise Superseded


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def saver(folder: Path) -> Save:
    """A function that opens a model of one layer, called `layer`, of a class, tensors and settings."""
    number = itertools.count()

    def save(class_name: str, tensors: Mapping[str, np.ndarray], **settings: Any) -> ww.Checkpoint:
        path = folder / f"{next(number)}.h5"
        first = next(iter(tensors.values()))
        config = {"name": "layer", **INITIALIZERS, **sizes(class_name, first.shape), **settings}
        layer = {"class_name": class_name, "config": config}
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})
            file.attrs["keras_version"] = "2.15.0"
            weights = file.create_group("model_weights")
            weights.attrs["layer_names"] = [b"layer"]
            group = weights.create_group("layer")
            group.attrs["weight_names"] = [f"layer/{name}:0".encode() for name in tensors]
            for name, values in tensors.items():
                group[f"layer/{name}:0"] = values
        return ww.open_checkpoint(path)

    return save


def sizes(class_name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """The settings without which Keras cannot make a layer whose first weight has this shape."""
    if class_name.startswith("Conv"):
        return {"filters": shape[-1], "kernel_size": shape[:-2]}
    gates = {"Dense": 1, "GRU": 3, "LSTM": 4}.get(class_name)
    if gates:
        return {"units": shape[-1] // gates}
    return {"input_dim": shape[0], "output_dim": shape[1]} if class_name == "Embedding" else {}


def picked(opened: Opened, tensor: str = "kernel", part: str = "", layer: str = "layer") -> Pick:
    labels = (*opened,)
    return Pick(labels, labels[0], labels[-1], layer, tensor, part)


def units(count: int) -> list[str]:
    return [f"unit {number}" for number in range(count)]
