"""Layers that are made of layers and still are one to the user: the words for the places inside of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .base import Node

__all__ = ["COMPOSITES", "cells_of", "inside", "looks_composite", "place_of", "word_of"]

# Wrappers are composite too; a configuration with a "layer" of its own tells them, whatever their class is called.
COMPOSITES = frozenset(
    {"Bidirectional", "MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention", "RNN", "StackedRNNCells"}
)
PROJECTIONS = {
    **{name: name for name in ("query", "key", "value", "gate", "output")},
    **{f"{name}_dense": name for name in ("query", "key", "value", "gate", "output")},
    "attention_output": "output",
}
# Files name the directions after the attribute (forward_layer) or after the layer inside (forward_lstm).
DIRECTION = re.compile(r"(forward|backward)_.+")
STACK = re.compile(r"cells|stacked_rnn_cells(_\d+)?")
SILENT = re.compile(r"layer|(.*_)?cell(_\d+)?")

# The class whose weights a layer or cell has, where that goes by another name.
WEIGHTS_OF = {
    "LSTMCell": "LSTM",
    "GRUCell": "GRU",
    "SimpleRNNCell": "SimpleRNN",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
}


def word_of(step: str) -> str | None:
    """What a step of a path inside of a composite layer means: a place, ``""`` for nothing, None for no such step."""
    word = step.lstrip("_")
    if word in PROJECTIONS:
        return PROJECTIONS[word]
    if direction := DIRECTION.fullmatch(word):
        return direction[1]
    return "" if STACK.fullmatch(word) or SILENT.fullmatch(word) else None


def place_of(steps: Sequence[str], cells: Sequence[str] = ()) -> str:
    """The place that a path inside of a layer leads to; a step of unknown meaning stays as it is.

    Parameters
    ----------
    steps : sequence of str
        Without the layer and without the weight: ``["forward_layer", "cell"]``.
    cells : sequence of str
        The steps that lead to the cells of a stack, in their order.

    Examples
    --------
    >>> place_of(["forward_lstm", "lstm_cell"]), place_of(["_query_dense"])
    ('forward', 'query')
    >>> place_of(["cell", "cells", "gru_cell"], ["lstm_cell", "gru_cell"])
    'cell 1'
    """
    places = []
    stacked = False
    for step in steps:
        if stacked:
            places.append(f"cell {cells.index(step) if step in cells else step}")
        else:
            word = word_of(step)
            places.append(step.lstrip("_") if word is None else word)
        stacked = STACK.fullmatch(step.lstrip("_")) is not None
    return "/".join(filter(None, places))


def looks_composite(firsts: Sequence[str]) -> str:
    """The class of a composite layer as the first steps of the paths inside of it tell, ``""`` for none."""
    words = {word_of(step) for step in firsts}
    if words == {"forward", "backward"}:
        return "Bidirectional"
    if {"query", "key", "value"} <= words:
        return "MultiHeadAttention"
    return "RNN" if any(STACK.fullmatch(step.lstrip("_")) for step in firsts) else ""


def cells_of(config: Node, direction: str = "") -> list[Node]:
    """The serialised cells of a stack, be it that of an RNN or of one direction of a Bidirectional; none elsewhere."""
    if direction and (layer := _layer_of(config, direction)):
        config = _config(layer)
    cell = config.get("cell")
    stack = _config(cell) if isinstance(cell, Mapping) else config
    cells = stack.get("cells")
    return [each for each in cells if isinstance(each, Mapping)] if isinstance(cells, list) else []


def inside(class_name: str, config: Node, place: str = "") -> tuple[str, Node]:
    """The class, by the name that its weights are known under, and the configuration that are at a place in a layer.

    Examples
    --------
    >>> lstm = {"class_name": "LSTM", "config": {"units": 3}}
    >>> inside("Bidirectional", {"layer": lstm}, "forward")
    ('LSTM', {'units': 3})
    """
    steps = place.split("/") if place else [""]
    for step in steps:
        while inner := _layer_of(config, step):
            class_name, config = str(inner.get("class_name", "")), _config(inner)
        cells = cells_of(config)
        number = step.removeprefix("cell ")
        if cells and number.isdecimal() and int(number) < len(cells):
            cell: Node = cells[int(number)]
        elif isinstance(config.get("cell"), Mapping) and not cells:
            cell = config["cell"]
        elif step in PROJECTIONS.values():
            cell = {"class_name": "EinsumDense", "config": {}}
        else:
            continue
        class_name, config = str(cell.get("class_name", "")), _config(cell)
    return WEIGHTS_OF.get(class_name, class_name), config


def _layer_of(config: Node, place: str) -> Node | None:
    """The serialised layer that a wrapper holds; that of the backward direction may be another."""
    keys = ("backward_layer", "layer") if place == "backward" else ("layer",)
    found = (config.get(key) for key in keys)
    return next((layer for layer in found if isinstance(layer, Mapping) and _config(layer)), None)


def _config(data: Node) -> Node:
    config = data.get("config")
    return config if isinstance(config, Mapping) else {}
