"""What the weights of each Keras layer are called and what their axes mean.

Sources: the layers' ``build`` methods and the initializers' use of fan_in and fan_out in Keras 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .structure import Axis, Structure, generic

__all__ = ["CLASS_OF_SNAKE", "in_order", "infer_class", "looks_recurrent", "snake", "structure_of", "weight_names"]

Shape = tuple[int, ...]

GATES = {
    "LSTM": ("input", "forget", "cell", "output"),
    "GRU": ("update", "reset", "candidate"),
}
RESET_AFTER = ("input bias", "recurrent bias")

NAMES: dict[str, tuple[str, ...]] = {
    "Dense": ("kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv3D": ("kernel", "bias"),
    "Embedding": ("embeddings",),
    "SimpleRNN": ("kernel", "recurrent_kernel", "bias"),
    "LSTM": ("kernel", "recurrent_kernel", "bias"),
    "GRU": ("kernel", "recurrent_kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"),
}

# The config flag that, when false, takes a weight out of the positional order.
FLAGS = {"bias": "use_bias", "gamma": "scale", "beta": "center"}


def weight_names(class_name: str, config: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """Names of a layer's own weights in the order in which Keras stores them, for files that store no names.

    Parameters
    ----------
    class_name : str
    config : mapping
        The layer's configuration; may be empty.
    count : int
        How many arrays the file holds.

    Returns
    -------
    tuple of str, or None
        None when the class is unknown or `count` arrays fit its names in more than one way.
    """
    names = NAMES.get(class_name)
    if names is None:
        return None
    if config:
        names = tuple(name for name in names if config.get(FLAGS.get(name, ""), True))
    elif count == len(names) - 1 and names[-1] == "bias":
        names = names[:-1]
    elif class_name == "BatchNormalization" and count == 2:
        names = names[2:]
    return names if len(names) == count else None


def looks_recurrent(shapes: Sequence[Shape]) -> tuple[str, ...] | None:
    """The names of a recurrent cell's weights where unnamed arrays can be nothing else; None otherwise."""
    if len(shapes) not in (2, 3) or any(len(shape) != 2 for shape in shapes[:2]):
        return None
    kernel, recurrent = shapes[:2]
    fits = kernel[1] == recurrent[1] and recurrent[0] > 0 and recurrent[1] in (recurrent[0] * k for k in (1, 3, 4))
    return NAMES["LSTM"][: len(shapes)] if fits else None


def infer_class(weights: Mapping[str, Shape]) -> str:
    """The class that a layer of these weights (name to shape) has, ``""`` when they do not settle it."""
    kernel, recurrent = weights.get("kernel"), weights.get("recurrent_kernel")
    names = set(weights)
    if kernel and recurrent and names <= {"kernel", "recurrent_kernel", "bias"}:
        if len(recurrent) != 2 or not recurrent[0] or recurrent[1] % recurrent[0]:
            return ""
        return {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}.get(recurrent[1] // recurrent[0], "")
    if names == {"embeddings"}:
        return "Embedding"
    if "moving_mean" in names and names <= set(NAMES["BatchNormalization"]):
        return "BatchNormalization"
    if kernel and names <= {"kernel", "bias"}:
        bias = weights.get("bias")
        if len(kernel) == 2:
            return "Dense" if bias in (None, kernel[-1:]) else ""
        # A transposed or depthwise convolution of a square kernel looks the same; only the bias can tell them apart.
        if 3 <= len(kernel) <= 5 and bias == kernel[-1:] and kernel[-1] != kernel[-2]:
            return f"Conv{len(kernel) - 2}D"
    return ""


def structure_of(class_name: str, name: str, shape: Shape) -> Structure:
    """The structure of the weight `name` (with its place in a composite layer) of a layer of this class.

    A weight whose shape does not fit what its role says is laid out as an array of unknown meaning.
    """
    build = STRUCTURES.get((class_name, name.rpartition("/")[2]))
    structure = build(class_name, shape) if build else None
    return structure if structure is not None and structure.shape == shape else generic(shape)


def _dense_kernel(_: str, shape: Shape) -> Structure | None:
    if len(shape) != 2:
        return None
    return Structure(((Axis("input", shape[0]),), (Axis("unit", shape[1]),)), columns=("unit",))


def _embeddings(_: str, shape: Shape) -> Structure | None:
    if len(shape) != 2:
        return None
    return Structure(((Axis("token", shape[0]),), (Axis("dimension", shape[1]),)), columns=("dimension",))


def _vector(label: str) -> Callable[[str, Shape], Structure | None]:
    def build(_: str, shape: Shape) -> Structure | None:
        if len(shape) != 1:
            return None
        return Structure(((Axis(label, shape[0]),),), columns=(label,))

    return build


def _conv_kernel(class_name: str, shape: Shape) -> Structure | None:
    rank = int(class_name[-2])
    if len(shape) != rank + 2:
        return None
    place = {1: ("step",), 2: ("row", "column"), 3: ("depth", "row", "column")}[rank]
    kernel = tuple(Axis(f"kernel {label}", size) for label, size in zip(place, shape, strict=False))
    dims = tuple((axis,) for axis in (*kernel, Axis("input channel", shape[-2]), Axis("filter", shape[-1])))
    # A single filter is drawn as its k × k pictures side by side, one for each input channel.
    pictures = ("input channel",) if rank == 1 else ("input channel", "kernel column")
    return Structure(dims, columns=("filter",), parts=("filter",), part_columns=pictures)


def _gated(class_name: str, size: int) -> tuple[Axis, ...] | None:
    gates = GATES.get(class_name)
    if gates is None:
        return (Axis("unit", size),)
    if size % len(gates):
        return None
    return (Axis("gate", len(gates), gates), Axis("unit", size // len(gates)))


def _recurrent(rows: str) -> Callable[[str, Shape], Structure | None]:
    def build(class_name: str, shape: Shape) -> Structure | None:
        gated = _gated(class_name, shape[-1]) if len(shape) == 2 else None
        if gated is None:
            return None
        return Structure(((Axis(rows, shape[0]),), gated), columns=tuple(a.label for a in gated), parts=("gate",))

    return build


def _recurrent_bias(class_name: str, shape: Shape) -> Structure | None:
    gated = _gated(class_name, shape[-1]) if shape else None
    if gated is None:
        return None
    columns = tuple(axis.label for axis in gated)
    if len(shape) == 1:
        return Structure((gated,), columns=columns, parts=("gate",))
    if class_name == "GRU" and len(shape) == 2 and shape[0] == 2:
        return Structure(((Axis("", 2, RESET_AFTER),), gated), columns=columns, parts=("", "gate"))
    return None


STRUCTURES: dict[tuple[str, str], Callable[[str, Shape], Structure | None]] = {
    ("Dense", "kernel"): _dense_kernel,
    ("Dense", "bias"): _vector("unit"),
    ("Embedding", "embeddings"): _embeddings,
    **{(f"Conv{rank}D", "kernel"): _conv_kernel for rank in (1, 2, 3)},
    **{(f"Conv{rank}D", "bias"): _vector("filter") for rank in (1, 2, 3)},
    **{("BatchNormalization", role): _vector("channel") for role in NAMES["BatchNormalization"]},
    **{(cell, "kernel"): _recurrent("input") for cell in ("SimpleRNN", *GATES)},
    **{(cell, "recurrent_kernel"): _recurrent("state unit") for cell in ("SimpleRNN", *GATES)},
    **{(cell, "bias"): _recurrent_bias for cell in ("SimpleRNN", *GATES)},
}


def snake(class_name: str) -> str:
    """The name that Keras 3 derives from a class for its groups: ``"Conv2DTranspose"`` → ``"conv2d_transpose"``."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


CLASS_OF_SNAKE: dict[str, str] = {snake(name): name for name in (*NAMES, "Bidirectional")}


ORDER = ("embeddings", "kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


def in_order(names: Iterable[str]) -> list[str]:
    """Tensor names in one order for every file format: forward before backward, then as Keras creates them."""

    def key(name: str) -> tuple[bool, int]:
        place, _, role = name.rpartition("/")
        return place.startswith("backward"), ORDER.index(role) if role in ORDER else len(ORDER)

    return sorted(names, key=key)
