"""What the weights of each Keras layer are called, and what layer weights of given names and shapes belong to.

Source: the layers' ``build`` methods in Keras 3.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "CLASS_OF_SNAKE",
    "KERAS_CLASSES",
    "WEIGHTS_OF",
    "in_order",
    "infer_class",
    "looks_recurrent",
    "makes",
    "names_by_shape",
    "snake",
    "weight_names",
    "writes",
]

Shape = tuple[int, ...]

# In the order in which Keras creates them, which is that of the files.
NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "EinsumDense", "LocallyConnected1D", "LocallyConnected2D"), ("kernel", "bias")),
    **{
        f"{kind}{rank}D{end}": ("kernel", "bias")
        for rank in (1, 2, 3)
        for kind, end in (("Conv", ""), ("Conv", "Transpose"), ("DepthwiseConv", ""))
    },
    **{f"SeparableConv{rank}D": ("depthwise_kernel", "pointwise_kernel", "bias") for rank in (1, 2)},
    **dict.fromkeys(
        ("SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), ("kernel", "recurrent_kernel", "bias")
    ),
    "Embedding": ("embeddings",),
    "ReversibleEmbedding": ("embeddings", "reverse_embeddings"),
    "BatchNormalization": (
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
        "moving_stddev",
        "renorm_mean",
        "renorm_stddev",
    ),
    "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"),
    "RMSNormalization": ("scale",),
    "Normalization": ("mean", "variance", "count"),
    "Attention": ("scale", "concat_score_weight"),
    "AdditiveAttention": ("scale",),
    "PReLU": ("alpha",),
}


def _has_bias(config: Mapping[str, Any]) -> bool:
    # An einsum has one where axes are named for it.
    return bool(config.get("bias_axes")) if "equation" in config else bool(config.get("use_bias", True))


# Which weights a layer has: the setting that makes each, and its value when the configuration does not say.
FLAGS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "bias": _has_bias,
    "gamma": lambda config: bool(config.get("scale", True)),
    "beta": lambda config: bool(config.get("center", True)) and not config.get("rms_scaling"),
    "scale": lambda config: bool(config.get("use_scale", True)),
    "concat_score_weight": lambda config: config.get("score_mode") == "concat",
    "reverse_embeddings": lambda config: not config.get("tie_weights", True),
    **dict.fromkeys(("moving_stddev", "renorm_mean", "renorm_stddev"), lambda config: bool(config.get("renorm"))),
}
# Present together or not at all.
RENORM = {"moving_stddev", "renorm_mean", "renorm_stddev"}


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
        present = tuple(name for name in names if name not in FLAGS or FLAGS[name](config))
        if class_name == "LayerNormalization" and present == ("gamma", "beta") and count == 1:
            # Keras before 3.9 left rms_scaling out of the configuration.
            return ("gamma",)
        return present if len(present) == count else None
    optional = [name for name in names if name in FLAGS]
    left_out = (set(some) for size in range(len(optional) + 1) for some in itertools.combinations(optional, size))
    fitting = [
        tuple(name for name in names if name not in out)
        for out in left_out
        if len(names) - len(out) == count and len(out & RENORM) in (0, len(RENORM & {*names}))
    ]
    return fitting[0] if len(fitting) == 1 else None


def names_by_shape(shapes: Sequence[Shape]) -> tuple[str, ...] | None:
    """The names of unnamed arrays of an unknown layer, where their shapes fit one kind of layer only.

    A kernel and the bias of its outputs, a recurrent cell, or the four vectors of a batch normalisation.
    """
    if len(shapes) == 3 and (names := looks_recurrent(shapes)):
        return names
    if len(shapes) == 4 and len({*shapes}) == 1 and len(shapes[0]) == 1:
        return NAMES["BatchNormalization"][:4]
    if len(shapes) == 2 and 2 <= len(shapes[0]) <= 5 and len(shapes[1]) == 1:
        *_, inputs, outputs = shapes[0]
        (bias,) = shapes[1]
        if bias == outputs or (len(shapes[0]) > 2 and bias in (inputs, inputs * outputs)):
            return NAMES["Dense"]
    return None


def looks_recurrent(shapes: Sequence[Shape]) -> tuple[str, ...] | None:
    """The names of a recurrent cell's weights where unnamed arrays can be nothing else; None otherwise."""
    if len(shapes) not in (2, 3) or len(shapes[0]) != len(shapes[1]) or len(shapes[0]) < 2:
        return None
    kernel, recurrent = shapes[:2]
    # A convolutional cell is an LSTM.
    gates = (1, 3, 4) if len(kernel) == 2 else (4,)
    fits = kernel[-1] == recurrent[-1] and recurrent[-2] > 0 and recurrent[-1] in (recurrent[-2] * k for k in gates)
    return NAMES["LSTM"][: len(shapes)] if fits else None


def infer_class(weights: Mapping[str, Shape]) -> str:
    """The class that a layer of these weights (name to shape) has, ``""`` when they do not settle it."""
    places: dict[str, dict[str, Shape]] = {}
    for name, shape in weights.items():
        place, _, role = name.rpartition("/")
        places.setdefault(place, {})[role] = shape
    if {*places} == {"forward", "backward"}:
        return "Bidirectional"
    if {*places} >= {"query", "key", "value", "output"} and all(_projects_heads(*item) for item in places.items()):
        heads = [places[place].get("kernel", ())[1:2] for place in ("query", "key")]
        return "MultiHeadAttention" if heads[0] == heads[1] else "GroupedQueryAttention"
    if any(place.startswith("cell ") for place in places):
        return "RNN"
    return _infer_simple(places[""]) if {*places} == {""} else ""


def _projects_heads(place: str, weights: Mapping[str, Shape]) -> bool:
    """Whether these can be the weights of one projection of an attention layer."""
    kernel, bias = weights.get("kernel", ()), weights.get("bias")
    if len(kernel) != 3 and not (place == "output" and len(kernel) > 3):
        return False
    return bias is None or bias == (kernel[2:] if place == "output" else kernel[1:])


def _infer_simple(weights: Mapping[str, Shape]) -> str:
    """As `infer_class`, of a layer without others inside."""
    names = {*weights}
    kernel, recurrent, bias = (weights.get(name) for name in NAMES["LSTM"])
    settled = {"embeddings": "Embedding", "moving_mean": "BatchNormalization", "idf_weights": "TextVectorization"}
    for name, class_name in settled.items():
        if name in names and names <= {*NAMES.get(class_name, (name,))}:
            return class_name
    if kernel and recurrent and names <= {*NAMES["LSTM"]}:
        fits = len(recurrent) == len(kernel) and recurrent[-1] == kernel[-1] and bias in (None, *_biases(kernel[-1]))
        if not fits or not recurrent[-2] or recurrent[-1] % recurrent[-2]:
            return ""
        gates = recurrent[-1] // recurrent[-2]
        if len(kernel) > 2:
            return f"ConvLSTM{len(kernel) - 2}D" if gates == 4 and len(kernel) <= 5 else ""
        return {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}.get(gates, "")
    if "pointwise_kernel" in names and names <= {*NAMES["SeparableConv2D"]}:
        found = f"SeparableConv{len(weights['pointwise_kernel']) - 2}D"
        return found if found in NAMES else ""
    return _infer_kernel(kernel, bias) if kernel and names <= {*NAMES["Dense"]} else ""


def _biases(outputs: int) -> tuple[Shape, Shape]:
    """The shapes that the bias of a recurrent layer can have: a GRU may have two in one array."""
    return (outputs,), (2, outputs)


def _infer_kernel(kernel: Shape, bias: Shape | None) -> str:
    """As `infer_class`, of a layer with a kernel and perhaps a bias."""
    if len(kernel) == 2:
        return "Dense" if bias in (None, kernel[-1:]) else ""
    if bias is not None and len(bias) > 1:
        return "EinsumDense" if bias == kernel[-len(bias) :] else ""
    rank = len(kernel) - 2
    if not bias or not 1 <= rank <= 3 or kernel[-2] == kernel[-1]:
        return ""
    before, last = kernel[-2:]
    if bias == (last,):
        return f"Conv{rank}D"
    # With one channel each a depthwise convolution has the shapes of a transposed one.
    if bias == (before,) and last > 1:
        return f"Conv{rank}DTranspose"
    return f"DepthwiseConv{rank}D" if bias == (before * last,) and min(before, last) > 1 else ""


def snake(class_name: str) -> str:
    """The name that Keras 3 derives from a class for its groups: ``"Conv2DTranspose"`` → ``"conv2d_transpose"``."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


# Classes that hold others, and have no weights of their own or few.
COMPOSITE = (
    "Bidirectional",
    "GroupedQueryAttention",
    "MultiHeadAttention",
    "RNN",
    "SpectralNormalization",
    "StackedRNNCells",
    "TimeDistributed",
)
CLASS_OF_SNAKE: dict[str, str] = {snake(name): name for name in (*NAMES, *COMPOSITE)}
# The class under whose name the weights of another are known.
WEIGHTS_OF = {
    "LSTMCell": "LSTM",
    "GRUCell": "GRU",
    "SimpleRNNCell": "SimpleRNN",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    # Names of Keras 1.
    "Convolution1D": "Conv1D",
    "AtrousConvolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}
# Every class of Keras whose weights are known.
KERAS_CLASSES = {*CLASS_OF_SNAKE.values(), *WEIGHTS_OF}

# A setting that every configuration of these has, by its names in Keras 1, 2 and 3.
SETTINGS = {
    **dict.fromkeys(("Dense", "TimeDistributedDense", "LSTM", "GRU", "SimpleRNN"), ("units", "output_dim")),
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "CuDNNLSTM", "CuDNNGRU"), ("units",)),
    **{
        name: ("kernel_size", "filter_length", "nb_row", "kernel_dim1")
        for name in {*NAMES, *WEIGHTS_OF}
        if "Conv" in name or "conv" in name
    },
    "Embedding": ("input_dim",),
    "EinsumDense": ("equation",),
    "MultiHeadAttention": ("num_heads",),
}


def makes(class_name: str, config: object) -> bool:
    """Whether a layer of Keras' own class can have such a configuration; an empty one says nothing."""
    if class_name not in SETTINGS or not isinstance(config, Mapping) or not config:
        return True
    return any(name in config for name in SETTINGS[class_name])


GROUPED = ("GroupQueryAttention", "GroupedQueryAttention")
# Of these Keras writes one into every configuration of its own class, by its names in Keras 2 and 3, and in Keras 1.
WRITTEN = {
    **dict.fromkeys(("Dense", "EinsumDense", *GROUPED, "MultiHeadAttention"), ("kernel_initializer", "output_dim")),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), ("recurrent_initializer", "output_dim")),
    **{
        name: (f"{word}_initializer", "filter_length", "nb_row", "kernel_dim1")
        for word, kinds in {
            "kernel": [f"Conv{rank}D{end}" for rank in (1, 2, 3) for end in ("", "Transpose")],
            "depthwise": [f"{kind}Conv{rank}D" for rank in (1, 2) for kind in ("Depthwise", "Separable")],
            "recurrent": [f"ConvLSTM{rank}D" for rank in (1, 2, 3)],
        }.items()
        for name in kinds
    },
    "Embedding": ("embeddings_initializer", "init"),
    "ReversibleEmbedding": ("embeddings_initializer",),
    "BatchNormalization": ("gamma_initializer", "mode"),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), ("gamma_initializer",)),
    "RMSNormalization": ("epsilon",),
}


def writes(class_name: str, config: Mapping[str, Any]) -> bool:
    """Whether Keras writes such a configuration of its own class; one of the author's own that is called alike, and
    that the file does not tell apart, seldom has the settings of Keras'.
    """
    found = WRITTEN.get(WEIGHTS_OF.get(class_name, class_name))
    return bool(config) and (found is None or any(name in config for name in found))


PLACES = ("forward", "backward", "query", "key", "value", "output", "gate")
ORDER = (
    "embeddings",
    "reverse_embeddings",
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "recurrent_kernel",
    "bias",
    *NAMES["BatchNormalization"],
    *NAMES["Normalization"],
    *NAMES["Attention"],
    "alpha",
    "vector_u",
)


def in_order(names: Iterable[str]) -> list[str]:
    """Tensor names in one order for every file format: by place in the layer, then as Keras creates them."""

    def key(name: str) -> tuple[list[tuple[int, int]], int]:
        *places, role = name.split("/")
        return [_place_order(place) for place in places], ORDER.index(role) if role in ORDER else len(ORDER)

    return sorted(names, key=key)


def _place_order(place: str) -> tuple[int, int]:
    word, _, number = place.partition(" ")
    if word == "cell" and number.isdigit():
        return len(PLACES), int(number)
    return (PLACES.index(place) if place in PLACES else len(PLACES)), 0
