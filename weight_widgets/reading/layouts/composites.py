"""Layers that are made of layers and still are one to the user: the words for the places inside of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..roles import WEIGHTS_OF
from .base import MAX_NESTING, Node, class_of

__all__ = ["inner_of", "is_attention", "is_composite", "is_stack", "looks_composite", "owner_of", "place_of", "word_of"]

ATTENTIONS = {"MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"}
WRAPPERS = {"TimeDistributed", "SpectralNormalization", "Wrapper"}
# Those without weights of their own.
HOLLOW = {"Bidirectional", "RNN", "StackedRNNCells", *WRAPPERS}
COMPOSITES = {*HOLLOW, *ATTENTIONS}

PROJECTIONS = {
    **{name: name for name in ("query", "key", "value", "gate", "output")},
    **{f"{name}_dense": name for name in ("query", "key", "value", "gate", "output")},
    "attention_output": "output",
}
# Files name the directions after the attribute (forward_layer) or after the layer inside (forward_lstm).
DIRECTION = re.compile(r"(forward|backward)_.+")
STACK = re.compile(r"cells|stacked_rnn_cells(_\d+)?")
SILENT = re.compile(r"layer|lookup_layer|(.*_)?cell(_\d+)?")
CELL = re.compile(r"cell (\d+)")


def is_composite(class_name: str) -> bool:
    """Whether the weights of the layers inside belong to a layer of this class."""
    return class_name in COMPOSITES


def is_attention(steps: Iterable[str]) -> bool:
    """Whether these are the parts of an attention layer."""
    return {"query", "key", "value"} <= {word_of(step) for step in steps}


def is_stack(step: str) -> bool:
    """Whether the next step is a cell of several."""
    return STACK.fullmatch(step) is not None


def looks_composite(steps: Iterable[str]) -> str:
    """The class of a composite layer with these parts, ``""`` when they are not those of one."""
    words = {step: word_of(step) for step in steps}
    if {*words.values()} == {"forward", "backward"}:
        return "Bidirectional"
    if is_attention(words):
        return "MultiHeadAttention"
    return "RNN" if any(map(is_stack, words)) else ""


def word_of(step: str) -> str | None:
    """The place that a step leads to in a composite layer: ``""`` for none of its own, None for an unknown step."""
    word = step.lstrip("_")
    if word in PROJECTIONS:
        return PROJECTIONS[word]
    if direction := DIRECTION.fullmatch(word):
        return direction[1]
    if CELL.fullmatch(word):
        return word
    return "" if STACK.fullmatch(word) or SILENT.fullmatch(word) else None


def place_of(steps: Sequence[str]) -> str:
    """The place that a way into a layer leads to, the layer and the weight left out; unknown steps stay as they are.

    Examples
    --------
    >>> place_of(["forward_lstm", "lstm_cell"]), place_of(["_query_dense"]), place_of(["cell", "cell 1"])
    ('forward', 'query', 'cell 1')
    """
    words = ((step, word_of(step)) for step in steps)
    return "/".join(filter(None, (step.lstrip("_") if word is None else word for step, word in words)))


def owner_of(class_name: str, config: Node, place: str = "") -> tuple[str, Node]:
    """What has the weights at a place: its class, by the name that its weights are known under, and configuration.

    Of a projection that is the attention layer. The class is ``""`` where the configuration does not say it, or has no
    such place.

    Examples
    --------
    >>> lstm = {"class_name": "LSTM", "config": {"units": 3}}
    >>> owner_of("Bidirectional", {"layer": lstm}, "forward")
    ('LSTM', {'units': 3})
    """
    for step in place.split("/"):
        class_name, config = _unwrapped(class_name, config, step)
        if (cell := CELL.fullmatch(step)) is not None:
            cells = config.get("cells")
            number = int(cell[1])
            found = cells[number] if isinstance(cells, list) and number < len(cells) else None
            class_name, config = _unpacked(found) or ("", {})
        elif step in PROJECTIONS.values() and class_name not in ATTENTIONS:
            class_name, config = "", {}
    if class_name in HOLLOW:
        return "", {}
    return WEIGHTS_OF.get(class_name, class_name), config


def inner_of(class_name: str, config: Node, place: str = "") -> tuple[str, Node]:
    """As `owner_of`, of the innermost layer: an attention layer has none of its own and projects by others."""
    class_name, config = owner_of(class_name, config, place)
    if class_name not in ATTENTIONS:
        return class_name, config
    return "EinsumDense" if place.rpartition("/")[2] in PROJECTIONS.values() else "", {}


def _unwrapped(class_name: str, config: Node, direction: str) -> tuple[str, Node]:
    """The class and configuration inside of wrappers, of the one direction of a Bidirectional, of an RNN's cell."""
    for _ in range(MAX_NESTING):
        backward = _unpacked(config.get("backward_layer")) if direction == "backward" else None
        inner = backward or _unpacked(config.get("layer")) or _unpacked(config.get("cell"))
        if inner is None:
            break
        class_name, config = inner
    return class_name, config


def _unpacked(data: object) -> tuple[str, Node] | None:
    """The class and configuration of a serialised layer or cell; None when it is none."""
    if not isinstance(data, Mapping) or not isinstance(data.get("config"), Mapping):
        return None
    return class_of(data), data["config"]
