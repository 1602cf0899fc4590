"""What tells that a layer was never trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ....reading.tensors import Layer
from ...initial import initial_state
from ..finding import Finding, Severity
from ..untrained import is_forgetful_start, is_fresh_normalization, orthogonality
from .context import Context, Subject

__all__ = ["of_untrained"]

FORGETFUL = ("input", "forget", "cell", "output")
# All products of longer rows take minutes.
MAX_SIDE = 4096


def of_untrained(context: Context, layer: Layer, values: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """Weights that are exactly what they were made as; `values` are those of the layer by tensor name."""
    severity: Severity = "note" if context.frozen(layer) else "warning"
    of_layer = {name: Subject(context, layer, layer.tensors[name], each) for name, each in values.items()}
    for name, subject in of_layer.items():
        gates = next((axis.names for axis in subject.tensor.structure.axes if axis.label == "gate"), ())
        if subject.tensor.role == "bias" and gates == FORGETFUL and is_forgetful_start(values[name]):
            yield subject.say(
                "never-trained",
                severity,
                "Exactly 0, and 1 in the forget gate: no step has changed it.",
                "the values",
                value=0.0,
                threshold=0.0,
            )
        elif subject.tensor.role.endswith("kernel"):
            yield from _orthogonal(subject, severity)
    if layer.class_name == "BatchNormalization" and {"moving_mean", "moving_variance"} <= values.keys():
        gamma, beta = values.get("gamma"), values.get("beta")
        if is_fresh_normalization(gamma, beta, values["moving_mean"], values["moving_variance"]):
            yield of_layer["moving_mean"].say(
                "never-trained",
                severity,
                "Exactly (1, 0, 0, 1): it has seen no data.",
                "gamma, beta, moving mean and moving variance",
                value=0.0,
                threshold=0.0,
            )


def _orthogonal(subject: Subject, severity: Severity) -> Iterator[Finding]:
    tensor, limit = subject.tensor, subject.context.thresholds.orthogonality
    if subject.origin is None or tensor.stored or tensor.dtype.itemsize < 4 or len(tensor.shape) < 2:
        return
    initial = initial_state(*subject.origin, tensor.name, tensor.shape)
    gain = getattr(initial.distribution, "radius", 0.0) if initial and initial.kind == "Orthogonal" else 0.0
    matrix = subject.values.reshape(-1, tensor.shape[-1])
    if not gain or not 1 < min(matrix.shape) <= MAX_SIDE or not np.isfinite(matrix).all():
        return
    distance = orthogonality(matrix, gain)
    if distance < limit:
        yield subject.say(
            "never-trained",
            severity,
            f"Orthogonal to {distance:.1g}, as its initializer made it: no step has changed it.",
            "‖QᵀQ − I‖, and the initializer in the configuration",
            value=distance,
            threshold=limit,
        )
