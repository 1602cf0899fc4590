"""A checkpoint with what the rules need to know around its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ....display import visible
from ....errors import DamagedFileError
from ....reading.checkpoint import Checkpoint
from ....reading.graph import Graph
from ....reading.meanings import owner_of
from ....reading.optimizers import Optimizer, optimizer_of
from ....reading.tensors import Layer, Tensor
from ...passes import Check
from ..finding import Finding, Severity, Thresholds

__all__ = ["Context", "Subject", "context_of", "several"]

# More parts of one tensor share a row.
MAX_ROWS = 12
# Positions that a sentence lists.
SHOWN = 8


@dataclass(frozen=True, eq=False)
class Context:
    """What is known of a checkpoint; `check` is called between steps."""

    label: str
    checkpoint: Checkpoint
    thresholds: Thresholds
    optimizer: Optimizer | None
    check: Check

    @cached_property
    def graph(self) -> Graph | None:
        return Graph(self.checkpoint.model) if self.checkpoint.model else None

    def frozen(self, layer: Layer) -> bool:
        """Whether the configuration says that a layer is not trained."""
        return layer.config.get("trainable") is False or bool(self.graph and self.graph.frozen(layer.name))

    def missing(self, rule: str, message: str, layer: str = "", tensor: str = "") -> Finding:
        """The row of a rule that the file does not hold enough for."""
        return Finding(self.label, layer, tensor, "", rule, "n/a", math.nan, math.nan, message, "")


@dataclass(frozen=True, eq=False)
class Subject:
    """A tensor that a rule speaks of, with its values."""

    context: Context
    layer: Layer
    tensor: Tensor
    values: np.ndarray = field(repr=False)

    @cached_property
    def origin(self) -> tuple[str, Mapping[str, Any]] | None:
        """The class and the configuration of what has the weight, where the file says them."""
        layer, tensor = self.layer, self.tensor
        if not layer.config or tensor.assumed or tensor.structure.doubt:
            return None
        return owner_of(layer.class_name, layer.config, tensor.name.rpartition("/")[0])

    @property
    def is_map(self) -> bool:
        """Whether it maps inputs to outputs: a kernel, or a table of embeddings."""
        return self.tensor.role.endswith("kernel") or self.tensor.role == "embeddings"

    @property
    def by_unit(self) -> bool:
        """Whether its units run across, and nothing else does."""
        structure = self.tensor.structure
        return bool(structure.unit) and structure.columns == (structure.unit,)

    @cached_property
    def matrix(self) -> np.ndarray:
        """Shape (inputs, units), where units are told; else as it is laid out."""
        structure = self.tensor.structure
        if not structure.unit:
            return structure.to_matrix(self.values)
        logical = self.values.reshape([axis.size for axis in structure.axes])
        place = structure.place(structure.unit)
        return np.moveaxis(logical, place, -1).reshape(-1, structure.axes[place].size)

    def beside(self, role: str) -> Tensor | None:
        """Another weight at the same place of the layer."""
        place = self.tensor.name.rpartition("/")[0]
        return self.layer.tensors.get(f"{place}/{role}" if place else role)

    def say(
        self,
        rule: str,
        severity: Severity,
        message: str,
        evidence: str,
        *,
        value: float = math.nan,
        threshold: float = math.nan,
        part: str = "",
    ) -> Finding:
        shown = part if part in self.tensor.parts else ""
        label, layer, tensor = self.context.label, self.layer.name, self.tensor.name
        return Finding(label, layer, tensor, shown, rule, severity, value, threshold, message, evidence)

    def missing(self, rule: str, message: str) -> Finding:
        return self.context.missing(rule, message, self.layer.name, self.tensor.name)

    def name(self, position: int) -> str:
        """What a unit is called."""
        structure = self.tensor.structure
        return visible(structure.axes[structure.place(structure.unit)].name(position))

    def names(self, positions: Iterable[int]) -> str:
        """``"units 3, 17, 20, …"``."""
        axis = self.tensor.structure.axes[self.tensor.structure.place(self.tensor.structure.unit)]
        numbers = [str(axis.number(int(each))) for each in positions]
        word = axis.label if len(numbers) == 1 else f"{axis.label}s"
        return f"{word} {', '.join(numbers[:SHOWN])}{', …' if len(numbers) > SHOWN else ''}"


def context_of(label: str, checkpoint: Checkpoint, thresholds: Thresholds, check: Check) -> Context:
    try:
        optimizer = optimizer_of(checkpoint)
    except DamagedFileError as error:
        optimizer = Optimizer(doubt=f"the optimizer's state cannot be read: {error}")
    return Context(label, checkpoint, thresholds, optimizer, check)


def several(
    subject: Subject,
    positions: np.ndarray,
    values: np.ndarray,
    rule: str,
    severity: Severity,
    tell: Callable[[str, float], str],
    evidence: str,
    threshold: float = math.nan,
) -> Iterator[Finding]:
    """A row for each of some units, or one row for many.

    `tell` makes the sentence of the units' names and the value. One row for many has the value that is nearest to the
    threshold.
    """
    if len(positions) <= MAX_ROWS and len(positions) < len(values):
        for position in positions:
            name, value = subject.name(int(position)), float(values[position])
            yield subject.say(rule, severity, tell(name, value), evidence, value=value, threshold=threshold, part=name)
        return
    value = float(np.max(values[positions]))
    total = len(values)
    who = f"{len(positions)} of {total}: {subject.names(positions)}" if len(positions) < total else f"each of {total}"
    yield subject.say(rule, severity, tell(who, value), evidence, value=value, threshold=threshold)
