"""What a layer's initializer gave a weight before training, as far as the configuration tells.

Sources: ``initializers`` and the layers' ``build`` methods in Keras 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..reading.contractions import ATTENTIONS, einsum
from .distributions import Distribution, Mixture, Point, expected_counts
from .initializers import MAKERS, SCALED, compute_fans
from .settings import Setting, setting_of, word_of

__all__ = ["Initial", "initial_state"]

Shape = tuple[int, ...]
Config = Mapping[str, Any]
Source = Literal["config", "default"]

# What the layers take where the configuration is silent, by the word that the setting begins with.
DEFAULTS = {
    **dict.fromkeys(("kernel", "depthwise", "pointwise"), "GlorotUniform"),
    **dict.fromkeys(("bias", "beta", "moving_mean", "alpha"), "Zeros"),
    **dict.fromkeys(("gamma", "moving_variance"), "Ones"),
    "recurrent": "Orthogonal",
    "embeddings": "RandomUniform",
}
# Weights that no setting is about.
FIXED = {
    ("Attention", "scale"): "Ones",
    ("Attention", "concat_score_weight"): "Ones",
    ("AdditiveAttention", "scale"): "GlorotUniform",
    ("RMSNormalization", "scale"): "Ones",
}
# Weights that start as another of the same layer does, some as its root.
OTHERS = {
    ("ReversibleEmbedding", "reverse_embeddings"): "embeddings",
    ("BatchNormalization", "renorm_mean"): "moving_mean",
    ("BatchNormalization", "moving_stddev"): "moving_variance",
    ("BatchNormalization", "renorm_stddev"): "moving_variance",
}
ROOTS = {"moving_stddev", "renorm_stddev"}
FORGETFUL = {"LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
EINSUM = {"EinsumDense", *ATTENTIONS}
# More than any file holds.
MAX_SIZE = 1 << 62


@dataclass(frozen=True)
class Initial:
    """The distribution that a weight was drawn from.

    Attributes
    ----------
    kind : str
        The initializer by the name of its class: ``"GlorotUniform"``.
    source : {"config", "default"}
        Whether the configuration names it, or leaves it to the default of the layer.
    distribution : Distribution
        Of the weight's values, taken one by one.
    fans : tuple of int, or None
        Inputs and outputs of one unit, where they set the scale.
    """

    kind: str
    source: Source
    distribution: Distribution
    fans: tuple[int, int] | None = None

    @property
    def mean(self) -> float:
        return self.distribution.mean

    @property
    def std(self) -> float:
        """Population standard deviation."""
        return self.distribution.std

    @property
    def low(self) -> float:
        return self.distribution.low

    @property
    def high(self) -> float:
        return self.distribution.high

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """The chance of a value of x or less."""
        return self.distribution.cdf(x)

    def expected_counts(self, edges: np.ndarray, n: int) -> np.ndarray:
        """How many of `n` values are expected in each bin of ``numpy.histogram``."""
        return expected_counts(self.distribution, edges, n)


def initial_state(class_name: str, config: Config, name: str, shape: Shape, part: str = "") -> Initial | None:
    """The initial distribution of a weight.

    Parameters
    ----------
    class_name : str
        The class that has the weight, wrappers and directions taken off; of a projection, that of the attention layer.
    config : mapping
        Its configuration; may be empty or hold anything.
    name : str
        The tensor's name; its place tells the output projection of an attention layer from the others.
    shape : tuple of int
        Of the whole tensor, also where `part` is given.
    part : str, optional
        A gate, filter or head: ``"forget"``.

    Returns
    -------
    Initial or None
        None when Keras has no such weight, or the initializer is not one of Keras' own, or the settings do not fix
        what it does.
    """
    role = name.rpartition("/")[2]
    source: Source = "config"
    word = OTHERS.get((class_name, role)) or word_of(class_name, name)
    fixed = FIXED.get((class_name, role))
    setting = setting_of(config, word, "initializer", MAKERS) if word else None
    if setting is None:
        # What Keras 1 calls ``init`` has the names of today's initializers and other scales.
        if not (word or fixed) or f"{word}_initializer" in config or "init" in config:
            return None
        setting, source = Setting(fixed or DEFAULTS[word], True, {}), "default"
    if not setting.known or math.prod(max(size, 1) for size in shape) > MAX_SIZE:
        return None
    if role == "bias" and class_name in FORGETFUL and config.get("unit_forget_bias", True):
        return _forgetful(setting, source, shape, part)
    if part and setting.name == "Identity":
        return None
    fans = _fans(class_name, config, name, shape, setting.arguments)
    made = MAKERS[setting.name](setting.arguments, shape, fans)
    if role in ROOTS:
        made = Point(math.sqrt(made.mean)) if isinstance(made, Point) and made.mean >= 0 else None
    return Initial(setting.name, source, made, fans if setting.name in SCALED else None) if made else None


def _forgetful(setting: Setting, source: Source, shape: Shape, part: str) -> Initial | None:
    """The bias of an LSTM whose forget gate starts at one; Keras draws the others apart from one another."""
    if len(shape) != 1 or shape[0] % 4:
        return None
    units = shape[0] // 4
    ones = Point(1.0)
    if part == "forget":
        return Initial("Ones", source, ones)
    make = MAKERS[setting.name]
    before, after = ((size,) for size in (units, 2 * units))
    first, last = (make(setting.arguments, size, compute_fans(size)) for size in (before, after))
    if first is None or last is None:
        return None
    if part in ("input", "cell", "output"):
        return Initial(setting.name, source, first if part == "input" else last)
    if part:
        return None
    return Initial(
        f"{setting.name}, Ones in the forget gate", source, Mixture(((0.25, first), (0.25, ones), (0.5, last)))
    )


def _fans(class_name: str, config: Config, name: str, shape: Shape, arguments: Config) -> tuple[int, int] | None:
    """Inputs and outputs of one unit as the layer's version of Keras counts them; None where that is not known."""
    given = _product(shape, arguments.get("input_axes")), _product(shape, arguments.get("output_axes"))
    if given[0] is not None and given[1] is not None:
        return given[0], given[1]
    by_shape = compute_fans(shape)
    if class_name not in EINSUM or name.rpartition("/")[2] != "kernel":
        return by_shape
    # Since 3.15, the layers that contract over chosen axes tell the initializer which; it has written down ever since
    # that it can be told. What is given without any argument can be of any version.
    if arguments and "input_axes" not in arguments:
        return by_shape
    inputs = _input_axes(class_name, config, name, len(shape))
    if inputs is None:
        return None
    by_axes = (
        math.prod(size for axis, size in enumerate(shape) if axis in inputs),
        math.prod(size for axis, size in enumerate(shape) if axis not in inputs),
    )
    return by_axes if arguments or by_axes == by_shape else None


def _input_axes(class_name: str, config: Config, name: str, rank: int) -> set[int] | None:
    """Which axes of a kernel are summed over."""
    if class_name in ATTENTIONS:
        place = name.split("/")[-2:][0]
        return {"output": {0, 1}, "query": {0}, "key": {0}, "value": {0}, "gate": {0}}.get(place)
    found = einsum(config, None)
    if found is None or len(found.weight) != rank:
        return None
    return {axis for axis, letter in enumerate(found.weight) if letter in found.summed}


def _product(shape: Shape, axes: object) -> int | None:
    if not isinstance(axes, (list, tuple)) or not all(type(axis) is int for axis in axes):
        return None
    if len({*axes}) < len(axes) or not all(-len(shape) <= axis < len(shape) for axis in axes):
        return None
    return math.prod(shape[axis] for axis in axes)
