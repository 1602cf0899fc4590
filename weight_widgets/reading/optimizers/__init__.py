"""The optimizer's state: its step, its learning rate, and what it keeps for which weight.

Sources: ``optimizers`` of Keras 2 and 3, and how their ``saving`` writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checkpoint import Checkpoint
from ..graph import Graph
from ..layouts.base import Node, serialised
from ..tensors import Tensor
from . import named, ordered

__all__ = ["Address", "Optimizer", "optimizer_of", "trainable"]

Address = tuple[str, str]
# Weights that no gradient changes.
NEVER_TRAINED = {
    *("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"),
    *("mean", "variance", "count", "vector_u", "idf_weights"),
}
ITERATION = {"iteration", "iterations", "iter"}
WRAPPED = ("inner_optimizer", "optimizer")


@dataclass(frozen=True)
class Optimizer:
    """What a file holds of an optimizer.

    Attributes
    ----------
    class_name : str
        Of the innermost one, ``""`` where the file does not tell.
    settings : mapping
        As Keras serialises them; may be empty or hold anything.
    iteration : int or None
        Steps since it was made; None where the file does not tell.
    learning_rate : float
        NaN where the file does not tell, as of a schedule.
    slots : mapping
        By (layer, tensor), and then by ``"momentum"`` (mean of gradients), ``"velocity"`` (mean of their squares) and
        ``"average"`` (mean of the weights); each has the weight's shape.
    assumed : bool
        Which slot is which was told by shapes and signs, for the file numbers them.
    doubt : str
        Why there are no slots, as a sentence; ``""`` where there are.
    """

    class_name: str = ""
    settings: Node = field(default_factory=dict)
    iteration: int | None = None
    learning_rate: float = math.nan
    slots: Mapping[Address, Mapping[str, Tensor]] = field(default_factory=dict)
    assumed: bool = False
    doubt: str = ""


def optimizer_of(checkpoint: Checkpoint) -> Optimizer | None:
    """The optimizer's state in a checkpoint, each slot beside the weight that it is about; None where it holds none.

    Raises
    ------
    WeightWidgetsError
        The file cannot be read.
    """
    if not checkpoint.training:
        return None
    class_name, settings = _innermost(checkpoint.optimizer)
    state = {tuple(path.split("/")): tensor for path, tensor in checkpoint.training.items()}
    numbered = ordered.innermost(state)
    weights = {address: tensor for address, tensor in checkpoint.tensors.items() if trainable(tensor)}
    slots: Mapping[Address, Mapping[str, Tensor]]
    if not numbered:
        slots, doubt = named.matched(state, weights), ""
        iteration, rate = _scalars(state)
    else:
        found = ordered.matched(numbered, weights, Graph(checkpoint.model) if checkpoint.model else None)
        slots, doubt, iteration, rate = found.slots, found.doubt, found.iteration, found.learning_rate
    told = settings.get("learning_rate")
    return Optimizer(
        class_name,
        settings,
        None if iteration is None else int(iteration.read()),
        float(rate.read()) if rate else float(told) if isinstance(told, float) else math.nan,
        slots,
        bool(numbered),
        doubt if slots or doubt else "no array of the optimizer has the name of a weight",
    )


def _scalars(state: Mapping[tuple[str, ...], Tensor]) -> tuple[Tensor | None, Tensor | None]:
    """The step and the learning rate by name; of an optimizer in another, which takes no steps, the inner one's."""
    named_so = {(*path[:-1], path[-1].partition(":")[0]): tensor for path, tensor in state.items() if not tensor.shape}
    counts = {path[:-1]: tensor for path, tensor in named_so.items() if path[-1] in ITERATION}
    if not counts:
        return None, None
    group = max(counts, key=lambda path: int(counts[path].read()))
    return counts[group], named_so.get((*group, "learning_rate"))


def trainable(tensor: Tensor) -> bool:
    """Whether gradients can change a weight, as far as its role tells."""
    return tensor.role not in NEVER_TRAINED and tensor.codes is None and tensor.dtype.kind == "f"


def _innermost(data: Node) -> tuple[str, Node]:
    """The class and the settings of an optimizer, of one that scales the loss those of the one inside."""
    settings: Mapping[str, Any] = serialised(data, "config")
    for key in WRAPPED:
        if inner := serialised(settings, key):
            return str(inner.get("class_name") or ""), serialised(inner, "config")
    return str(data.get("class_name") or ""), settings
