"""Which setting of a layer's configuration belongs to which of its weights, and how Keras writes such a setting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

__all__ = ["Setting", "arguments_of", "is_ruled", "number", "setting_of", "word_of", "written"]

KERNEL = {"kernel": "kernel", "bias": "bias"}
RECURRENT = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
# Keras 2 calls the kernel of a depthwise convolution by its setting.
DEPTHWISE = {"kernel": "depthwise", "depthwise_kernel": "depthwise", "bias": "bias"}
SEPARABLE = {"depthwise_kernel": "depthwise", "pointwise_kernel": "pointwise", "bias": "bias"}
EMBEDDINGS = {"embeddings": "embeddings"}
AFFINE = {"gamma": "gamma", "beta": "beta"}
RANKS = (1, 2, 3)

# Class to weight to the word that its settings begin with: `recurrent_initializer`, `recurrent_constraint`.
WORDS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("Dense", "EinsumDense"), KERNEL),
    **dict.fromkeys(("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"), KERNEL),
    **{f"Conv{rank}D{end}": KERNEL for rank in RANKS for end in ("", "Transpose")},
    **{f"LocallyConnected{rank}D": KERNEL for rank in (1, 2)},
    **{f"DepthwiseConv{rank}D": DEPTHWISE for rank in (1, 2)},
    **{f"SeparableConv{rank}D": SEPARABLE for rank in (1, 2)},
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM"), RECURRENT),
    **{f"ConvLSTM{rank}D": RECURRENT for rank in RANKS},
    **dict.fromkeys(("Embedding", "ReversibleEmbedding"), EMBEDDINGS),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), AFFINE),
    "BatchNormalization": {**AFFINE, "moving_mean": "moving_mean", "moving_variance": "moving_variance"},
    "PReLU": {"alpha": "alpha"},
}

# Keras 1 named its settings after the letters in the formulas.
KERAS1 = {"kernel": "W", "depthwise": "W", "recurrent": "U", "bias": "b", "embeddings": "W"}

# Short names that older versions took too, and names of single releases.
ALIASES = {
    "zero": "zeros",
    "one": "ones",
    "uniform": "randomuniform",
    "normal": "randomnormal",
    "orthogonalinitializer": "orthogonal",
    "identityinitializer": "identity",
    "l1l2regularizer": "l1l2",
    "weightregularizer": "l1l2",
}

# What one word stands for where it is not a class with its defaults.
WHOLE = {"l1_l2": {"l1": 0.01, "l2": 0.01}}

# As Keras names itself in a file; anything else is the author's own.
KERAS = {"keras", "tf_keras", "tensorflow"}


@dataclass(frozen=True)
class Setting:
    """An initializer, a regulariser or a constraint as a configuration names it.

    Attributes
    ----------
    name : str
        As Keras calls its class; of anything else, what the configuration says.
    known : bool
        Whether it is one of Keras' own.
    arguments : mapping
        Only those that the configuration gives, of any type.
    """

    name: str
    known: bool
    arguments: Mapping[str, Any]


def word_of(class_name: str, name: str) -> str:
    """The word that the settings of the weight `name` begin with, ``""`` for a weight without settings.

    Examples
    --------
    >>> word_of("LSTM", "recurrent_kernel"), word_of("MultiHeadAttention", "query/bias")
    ('recurrent', 'bias')
    """
    return WORDS.get(class_name, {}).get(name.rpartition("/")[2], "")


def setting_of(config: Mapping[str, Any], word: str, kind: str, names: Iterable[str]) -> Setting | None:
    """What a configuration sets for the weight of a word; None where it sets nothing.

    Parameters
    ----------
    config : mapping
        The layer's configuration, of any version of Keras.
    word : str
        See `word_of`.
    kind : {"initializer", "regularizer", "constraint"}
    names : iterable of str
        The classes of this kind that are known.
    """
    value = config.get(f"{word}_{kind}")
    if value is None and kind != "initializer" and word in KERAS1:
        value = config.get(f"{KERAS1[word]}_{kind}")
    return None if value is None or (isinstance(value, Mapping) and not value) else _parsed(value, names)


def is_ruled(class_name: str, config: Mapping[str, Any], name: str) -> bool:
    """Whether a configuration sets a regulariser or a constraint for the weight `name`."""
    word = word_of(class_name, name)
    return bool(word) and any(setting_of(config, word, kind, ()) for kind in ("regularizer", "constraint"))


def number(value: object) -> float:
    """A number of a configuration as a float; NaN for whatever is none, and for those too large to reckon with."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        found = float(value)
    except OverflowError:
        return math.nan
    return found if abs(found) <= 1e100 else math.nan


def arguments_of(setting: Setting, defaults: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """All arguments of a setting, those left out by their defaults; None where one is not what Keras would take.

    An axis is handed on as it is: whether it fits depends on the weight.
    """
    found: dict[str, Any] = {}
    for key, default in defaults.items():
        given = setting.arguments.get(key, setting.arguments.get("m") if key == "max_value" else None)
        value = default if given is None else given
        if isinstance(default, str):
            if not isinstance(value, str) or value not in ("rows", "columns"):
                return None
        elif key != "axis":
            value = number(value)
            if math.isnan(value) or value < 0:
                return None
        found[key] = value
    return found


def written(name: str, arguments: Mapping[str, Any]) -> str:
    """As one would write it: ``MaxNorm(max_value=3, axis=0)``."""
    shown = {key: f"{value:g}" if isinstance(value, float) else repr(value) for key, value in arguments.items()}
    return f"{name}({', '.join(f'{key}={value}' for key, value in shown.items())})"


def _parsed(value: object, names: Iterable[str]) -> Setting:
    if isinstance(value, str):
        return _named(value, WHOLE.get(value, {}), names)
    if not isinstance(value, Mapping):
        return Setting("", False, {})
    arguments = value.get("config")
    if "class_name" not in value:
        # Keras 1: the name among the arguments.
        arguments = {key: argument for key, argument in value.items() if key != "name"}
    name = value.get("class_name", value.get("name"))
    found = _named(name if isinstance(name, str) else "", arguments if isinstance(arguments, Mapping) else {}, names)
    module, registered = value.get("module"), value.get("registered_name")
    own = module.partition(".")[0] in KERAS if isinstance(module, str) else not registered
    # An author's class can have the name of one of Keras'.
    return found if own else Setting(name if isinstance(name, str) else "", False, found.arguments)


def _named(name: str, arguments: Mapping[str, Any], names: Iterable[str]) -> Setting:
    found = {_plain(known): known for known in names}.get(_plain(name))
    return Setting(found or name, found is not None, arguments)


def _plain(name: str) -> str:
    """`GlorotUniform`, `glorot_uniform` and `GlorotUniformV2` are one."""
    plain = name.removesuffix("V2").replace("_", "").lower()
    return ALIASES.get(plain, plain)
