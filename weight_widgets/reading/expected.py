"""The shapes that a layer's configuration gives its weights, to tell a file that holds others than it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..display import visible
from .contractions import ATTENTIONS, contraction_of, input_shape, size_of
from .dtypes import policy_mode
from .layouts.base import LayerWeights, unwrap

__all__ = ["contradicted", "differences", "expected_shapes"]

# A size of None may be any.
Pattern = tuple["int | None", ...]
Shapes = dict[str, Pattern]
Config = Mapping[str, Any]

GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
RANK = re.compile(r"([1-3])D")
# Which axis of the input has the channels.
CHANNELS = {"channels_last": -1, "channels_first": 1}
# Wrappers that hand their input on as it is.
TRANSPARENT = {"SpectralNormalization"}


def expected_shapes(class_name: str, config: Config, build: Config) -> Mapping[str, Pattern] | None:
    """The shape of each weight of a layer, as far as its configuration fixes it.

    Parameters
    ----------
    class_name : str
    config, build : mapping
        The layer's ``config`` and ``build_config``; either may be empty or hold anything.

    Returns
    -------
    mapping of str to tuple, or None
        Tensor names to shapes with None for a size that is not fixed; None when nothing is known of the class.
    """
    if class_name in ATTENTIONS:
        return _attention(class_name, config, build)
    if class_name == "EinsumDense":
        found = contraction_of(class_name, config, "", "kernel", build)
        return {"kernel": found.shape} if found else None
    return _shapes(class_name, config, input_shape(build))


def contradicted(found: LayerWeights, build: Config) -> Mapping[str, Pattern]:
    """The weights of a layer that are not those which its configuration makes, and the shapes that it makes.

    Only what is certain counts: sizes that the configuration fixes, of weights that go by their Keras name.
    """
    if policy_mode(unwrap(found.class_name, found.config)[1]) or any(
        array.dtype.itemsize == 1 and array.dtype.kind in "iu" for array in found.weights.values()
    ):
        return {}
    # Without a configuration the class, and with it the names, are guesses.
    expected = (expected_shapes(found.class_name, found.config, build) if found.config else None) or {}
    return {
        name: pattern
        for name, pattern in expected.items()
        if name in found.weights and not _fits(found.weights[name].shape, pattern)
    }


def differences(found: LayerWeights, build: Config) -> list[str]:
    """A sentence about a layer whose weights are not those that its configuration makes; none where they are."""
    wrong = contradicted(found, build)
    if not wrong:
        return []
    made = [f"{name} {_text(pattern)}" for name, pattern in wrong.items()]
    held = [_text(found.weights[name].shape) for name in wrong]
    name = visible(found.name)
    return [f"layer {name}: its configuration makes {' and '.join(made)}, the file holds {' and '.join(held)}"]


def _fits(shape: tuple[int, ...], pattern: Pattern) -> bool:
    return len(shape) == len(pattern) and all(
        size is None or size == held for held, size in zip(shape, pattern, strict=True)
    )


def _text(shape: Pattern) -> str:
    return " × ".join("?" if size is None else str(size) for size in shape) or "a single number"


def _shapes(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes | None:
    build = BUILDERS.get(class_name)
    if build is not None:
        return build(class_name, config, shape)
    inner = config.get("layer")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("config"), Mapping):
        return None
    kind = str(inner.get("class_name", ""))
    if class_name == "Bidirectional":
        # The backward layer may be another one.
        directions = {"forward": inner, "backward": config.get("backward_layer") or inner}
        found: Shapes = {}
        for direction, layer in directions.items():
            if isinstance(layer, Mapping) and isinstance(layer.get("config"), Mapping):
                shapes = _shapes(str(layer.get("class_name", "")), layer["config"], shape) or {}
                found |= {f"{direction}/{name}": pattern for name, pattern in shapes.items()}
        return found
    if class_name == "TimeDistributed":
        return _shapes(kind, inner["config"], None if shape is None else [*shape[:1], *shape[2:]])
    return _shapes(kind, inner["config"], shape) if class_name in TRANSPARENT else None


def _dense(_: str, config: Config, shape: Sequence[Any] | None) -> Shapes:
    units = size_of(config.get("units"))
    return {"kernel": (_axis(shape, -1), units), "bias": (units,)}


def _embedding(_: str, config: Config, shape: Sequence[Any] | None) -> Shapes:
    return {"embeddings": (size_of(config.get("input_dim")), size_of(config.get("output_dim")))}


def _convolution(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes | None:
    kernel = _kernel_size(class_name, config)
    if kernel is None:
        return None
    filters = size_of(config.get("filters"))
    channels = _channels(config, shape)
    groups = size_of(config.get("groups"))
    if class_name.endswith("Transpose"):
        return {"kernel": (*kernel, filters, channels), "bias": (filters,)}
    each = channels // groups if channels and groups and channels % groups == 0 else None
    return {"kernel": (*kernel, each, filters), "bias": (filters,)}


def _by_channel(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes | None:
    kernel = _kernel_size(class_name, config)
    if kernel is None:
        return None
    channels = _channels(config, shape)
    multiplier = size_of(config.get("depth_multiplier"))
    product = channels * multiplier if channels and multiplier else None
    depthwise = (*kernel, channels, multiplier)
    if class_name.startswith("Depthwise"):
        return {"kernel": depthwise, "depthwise_kernel": depthwise, "bias": (product,)}
    filters = size_of(config.get("filters"))
    pointwise = (*(1 for _ in kernel), product, filters)
    return {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise, "bias": (filters,)}


def _recurrent(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes:
    units = size_of(config.get("units"))
    gates = GATES[class_name]
    across = gates * units if units else None
    shapes: Shapes = {"kernel": (_axis(shape, -1), across), "recurrent_kernel": (units, across)}
    reset_after = config.get("reset_after")
    if class_name != "GRU" or reset_after is False:
        shapes["bias"] = (across,)
    elif reset_after is True:
        shapes["bias"] = (2, across)
    return shapes


def _conv_lstm(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes | None:
    kernel = _kernel_size(class_name, config)
    if kernel is None:
        return None
    filters = size_of(config.get("filters"))
    across = 4 * filters if filters else None
    # Its input has a time axis before those that a convolution has.
    channels = _channels(config, None if shape is None else [*shape[:1], *shape[2:]])
    return {
        "kernel": (*kernel, channels, across),
        "recurrent_kernel": (*kernel, filters, across),
        "bias": (across,),
    }


def _normalization(class_name: str, config: Config, shape: Sequence[Any] | None) -> Shapes | None:
    axis = config.get("axis", -1)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    # Old releases of Keras spread the weights of several axes over all others.
    if not axes or (len(axes) > 1 and class_name != "LayerNormalization"):
        return None
    pattern = tuple(_axis(shape, each) for each in axes)
    return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), pattern)


def _attention(class_name: str, config: Config, build: Config) -> Shapes:
    shapes: Shapes = {}
    for place in ("query", "key", "value", "gate", "output"):
        if found := contraction_of(class_name, config, place, "kernel", build):
            shapes[f"{place}/kernel"] = found.shape
            shapes[f"{place}/bias"] = tuple(found.sizes.get(letter) for letter in found.kept)
    return shapes


def _kernel_size(class_name: str, config: Config) -> Pattern | None:
    """The kernel's own axes; None where their number is not that of the class."""
    found = RANK.search(class_name)
    rank = int(found[1]) if found else 0
    size = config.get("kernel_size")
    sizes = size if isinstance(size, (list, tuple)) else [size] * rank
    return tuple(size_of(each) for each in sizes) if len(sizes) == rank else None


def _channels(config: Config, shape: Sequence[Any] | None) -> int | None:
    layout = config.get("data_format")
    return _axis(shape, CHANNELS.get(layout)) if isinstance(layout, str) else None


def _axis(shape: Sequence[Any] | None, axis: object) -> int | None:
    if shape is None or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        return None
    return size_of(shape[axis])


BUILDERS: dict[str, Callable[[str, Config, Sequence[Any] | None], Shapes | None]] = {
    "Dense": _dense,
    "Embedding": _embedding,
    **dict.fromkeys(GATES, _recurrent),
    **{f"Conv{rank}D": _convolution for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _convolution for rank in (1, 2, 3)},
    **{f"{kind}Conv{rank}D": _by_channel for kind in ("Depthwise", "Separable") for rank in (1, 2)},
    **{f"ConvLSTM{rank}D": _conv_lstm for rank in (1, 2, 3)},
    **dict.fromkeys(("BatchNormalization", "LayerNormalization", "GroupNormalization"), _normalization),
}
