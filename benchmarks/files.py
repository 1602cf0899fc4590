"""Models of known sizes as files like Keras', written with plain h5py: random float32, as large as the real ones."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

__all__ = ["FORMATS", "Layer", "dense", "resnet50", "vgg16", "write"]

WEIGHTS = {
    "Dense": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}
# What Keras calls the groups of a class in its own files.
SNAKE = {"Dense": "dense", "Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}


@dataclass(frozen=True)
class Layer:
    """A layer of Keras and the shapes of its weights."""

    name: str
    class_name: str
    shapes: tuple[tuple[int, ...], ...]

    @property
    def config(self) -> dict[str, object]:
        """As little of it as tells the reader what the weights are."""
        config: dict[str, object] = {"name": self.name}
        if self.class_name == "BatchNormalization":
            return {**config, "axis": -1}
        *window, units = self.shapes[0][0:-2] + self.shapes[0][-1:]
        if self.class_name == "Conv2D":
            return {**config, "filters": units, "kernel_size": window}
        return {**config, "units": units}


def dense(name: str, inputs: int, units: int) -> Layer:
    return Layer(name, "Dense", ((inputs, units), (units,)))


def conv(name: str, side: int, inputs: int, filters: int) -> Layer:
    return Layer(name, "Conv2D", ((side, side, inputs, filters), (filters,)))


def vgg16(scale: int = 1) -> list[Layer]:
    """The 16 layers of VGG16, 138 million weights; `scale` divides the channels."""
    channels = [count // scale for count in (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)]
    convs = [
        conv(f"conv_{number}", 3, inputs, filters)
        for number, (inputs, filters) in enumerate(zip([3, *channels], channels, strict=False))
    ]
    sides = [7 * 7 * channels[-1], 4096 // scale, 4096 // scale, 1000]
    return convs + [dense(f"fc{number + 1}", *sides[number : number + 2]) for number in range(3)]


def resnet50(scale: int = 1) -> list[Layer]:
    """The 107 layers of ResNet50, 25.6 million weights; `scale` divides the channels."""
    layers: list[Layer] = []

    def add(name: str, side: int, inputs: int, filters: int) -> None:
        layers.append(conv(f"{name}_conv", side, inputs, filters))
        layers.append(Layer(f"{name}_bn", "BatchNormalization", ((filters,),) * 4))

    inputs = 64 // scale
    add("conv1", 7, 3, inputs)
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=2):
        filters = width // scale
        for block in range(1, blocks + 1):
            name = f"conv{stage}_block{block}"
            if block == 1:
                add(f"{name}_0", 1, inputs, 4 * filters)
            add(f"{name}_1", 1, inputs, filters)
            add(f"{name}_2", 3, filters, filters)
            add(f"{name}_3", 1, filters, 4 * filters)
            inputs = 4 * filters
    return [*layers, dense("predictions", inputs, 1000)]


def write(path: Path, layers: Sequence[Layer], seed: int = 0) -> Path:
    """A model as the format that the path's name says; one that is there already is left alone."""
    if not path.exists():
        writer = next(writer for suffix, writer in FORMATS.items() if path.name.endswith(suffix))
        writer(path, layers, np.random.default_rng(seed))
    return path


def _values(layer: Layer, rng: np.random.Generator) -> dict[str, np.ndarray]:
    values = {}
    for name, shape in zip(WEIGHTS[layer.class_name], layer.shapes, strict=True):
        drawn = rng.standard_normal(shape, dtype=np.float32)
        drawn *= np.float32(0.05)
        values[name] = drawn + np.float32(1) if name in ("gamma", "moving_variance") else drawn
    return values


def _model_config(layers: Sequence[Layer], module: str = "") -> str:
    described = [{"module": module, "class_name": layer.class_name, "config": layer.config} for layer in layers]
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": {"name": "model", "layers": described}})


def _write_legacy(path: Path, layers: Sequence[Layer], rng: np.random.Generator) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = _model_config(layers)
        weights = file.create_group("model_weights")
        # More than an attribute may hold is cut into several.
        names = np.array([layer.name.encode() for layer in layers])
        for number, part in enumerate(parts := np.array_split(names, names.nbytes // 64000 + 1)):
            weights.attrs["layer_names" + (str(number) if len(parts) > 1 else "")] = part
        for layer in layers:
            group = weights.create_group(layer.name)
            values = _values(layer, rng)
            group.attrs["weight_names"] = [f"{layer.name}/{name}".encode() for name in values]
            for name, value in values.items():
                group[f"{layer.name}/{name}"] = value


def _write_weights(path: Path, layers: Sequence[Layer], rng: np.random.Generator) -> None:
    counts: dict[str, int] = {}
    with h5py.File(path, "w") as file:
        for layer in layers:
            snake = SNAKE[layer.class_name]
            number = counts[snake] = counts.get(snake, -1) + 1
            own = file.create_group(f"layers/{snake}{f'_{number}' if number else ''}/vars")
            own.attrs["name"] = layer.name
            for place, value in enumerate(_values(layer, rng).values()):
                own[str(place)] = value


def _write_archive(path: Path, layers: Sequence[Layer], rng: np.random.Generator) -> None:
    weights = path.with_name(f"{path.name}.weights.h5.part")
    _write_weights(weights, layers, rng)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", _model_config(layers, "keras.layers"))
        archive.write(weights, "model.weights.h5")
    weights.unlink()


Writer = Callable[[Path, Sequence[Layer], np.random.Generator], None]
FORMATS: dict[str, Writer] = {".keras": _write_archive, ".weights.h5": _write_weights, ".h5": _write_legacy}
