"""What the optimizer's state tells of a layer, and what tells that it was never trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ....reading.optimizers import Optimizer
from ....reading.tensors import Layer, Tensor
from ...initial import initial_state
from ...penalties import REGULARIZERS
from ...settings import number, setting_of, word_of
from ..finding import Finding, Severity
from ..gradients import Gradients, gradients_of, silent_steps, untouched_rows, update_ratio
from ..untrained import is_forgetful_start, is_fresh_normalization, orthogonality
from .channels import has_relu
from .context import Context, Subject, several

__all__ = ["of_optimizer", "of_state", "of_untrained"]

# Layers whose units each have a column of the kernel, and an activation.
UNITS = {
    ("Dense", "kernel"),
    ("EinsumDense", "kernel"),
    *((f"Conv{rank}D{end}", "kernel") for rank in (1, 2, 3) for end in ("", "Transpose")),
    *((f"SeparableConv{rank}D", "pointwise_kernel") for rank in (1, 2)),
}
ADAM = {"Adam", "AdamW", "Nadam"}
FORGETFUL = ("input", "forget", "cell", "output")
# All products of longer rows take minutes.
MAX_SIDE = 4096
# Decays of the moments where the settings do not say.
DECAYS = {"beta_1": 0.9, "beta_2": 0.999}


def of_state(context: Context) -> Iterator[Finding]:
    """What the optimizer's state tells or does not tell of the checkpoint as a whole."""
    optimizer = context.optimizer
    why = _why_not(optimizer)
    if optimizer is not None and optimizer.iteration == 0:
        yield Finding(
            context.label,
            "",
            "",
            "",
            "never-trained",
            "note",
            0.0,
            0.0,
            "The optimizer has not taken a step: the weights are those of before.",
            "the optimizer's own count",
        )
    rules = ["dead-units", "update-step"]
    if any(layer.class_name == "Embedding" for layer in context.checkpoint.values()):
        rules.append("untouched-rows")
    if why:
        yield from (context.missing(rule, why) for rule in rules)
    elif context.graph is None:
        yield context.missing("dead-units", "The file has no configuration, which would tell where a ReLU is.")
    if not why and optimizer is not None and math.isnan(optimizer.learning_rate):
        yield context.missing("update-step", "The file does not hold the learning rate.")
    normalized = any(layer.class_name == "BatchNormalization" for layer in context.checkpoint.values())
    if normalized and context.graph is None:
        yield context.missing("dead-channels", "The file has no configuration, which would tell where a ReLU is.")


def _why_not(optimizer: Optimizer | None) -> str:
    if optimizer is None:
        return "The file does not hold the optimizer's state."
    if optimizer.iteration is None:
        return "The optimizer's state does not tell how many steps it has taken."
    if not optimizer.iteration:
        return "The optimizer has not taken a step."
    if not optimizer.slots:
        return f"{optimizer.doubt[:1].upper()}{optimizer.doubt[1:]}."
    if not any("velocity" in slots for slots in optimizer.slots.values()):
        return "The optimizer keeps no second moments."
    return ""


def of_optimizer(subject: Subject) -> Iterator[Finding]:
    """Units and rows without gradients, and the size of the last step."""
    context, optimizer = subject.context, subject.context.optimizer
    if optimizer is None or _why_not(optimizer) or not subject.is_map:
        return
    slots = optimizer.slots.get((subject.layer.name, subject.tensor.name), {})
    velocity, momentum = (slots[kind].read() if kind in slots else None for kind in ("velocity", "momentum"))
    if subject.origin and (subject.origin[0], subject.tensor.role) in UNITS and subject.by_unit:
        if evidence := has_relu(context.graph, subject.layer, subject.origin[1]):
            yield from _dead(subject, optimizer, velocity, momentum, evidence)
    elif subject.tensor.role == "embeddings" and velocity is not None:
        yield from _untouched(subject, velocity, momentum, optimizer)
    if velocity is not None and momentum is not None:
        yield from _update(subject, optimizer, velocity, momentum)


def _dead(
    subject: Subject, optimizer: Optimizer, velocity: np.ndarray | None, momentum: np.ndarray | None, evidence: str
) -> Iterator[Finding]:
    class_name, config = subject.origin or ("", {})
    if subject.context.frozen(subject.layer):
        yield subject.missing("dead-units", "The layer is frozen, so that gradients tell nothing.")
        return
    if _regularised(class_name, config, subject.tensor.name):
        yield subject.missing("dead-units", "The kernel's regulariser gives every unit a gradient.")
        return
    if velocity is None or optimizer.iteration is None:
        yield subject.missing("dead-units", "The optimizer keeps no second moment for it.")
        return
    if velocity.dtype.itemsize < 4:
        yield subject.missing("dead-units", f"Squares of small gradients are 0 in {velocity.dtype}.")
        return
    found = _moments(subject, optimizer, velocity, momentum, _regularised(class_name, config, "bias"))
    assumed = ", told by order, shape and sign," if optimizer.assumed else ""
    rests = f"the optimizer's second moments{assumed} after {optimizer.iteration} steps; {evidence}"
    if not found.typical:
        yield subject.say("no-gradient", "note", "No gradient has reached any of its units.", rests, value=0.0)
        return
    limits = subject.context.thresholds
    still = np.isnan(found.first) | (found.first <= limits.dead)
    dead = (found.second < limits.dead) & still
    early = optimizer.iteration < limits.min_steps
    yield from several(
        subject,
        np.flatnonzero(dead),
        found.second,
        "dead-units",
        "note" if early else "warning",
        lambda who, value: (
            f"No gradient reaches {who}"
            + (f": second moment {value:.2g} of the median. " if value else " in any step. ")
            + "A ReLU unit that never fires gets none, whatever its norm."
        ),
        rests,
        limits.dead,
    )
    decay = _decays(optimizer)[0]
    yield from several(
        subject,
        np.flatnonzero(~dead & (found.first < limits.dead)),
        found.first,
        "silent-units",
        "note",
        lambda who, value: (
            f"No gradient has reached {who} for {_steps(value, decay)}: dead by now, rarely active, or without effect."
        ),
        f"the optimizer's first moments{assumed} after {optimizer.iteration} steps; {evidence}",
        limits.dead,
    )


def _steps(first: float, decay: float) -> str:
    """How long ago a first moment began to fade, which was then about the root of the second."""
    steps = silent_steps(first, decay)
    return f"about {steps:.0f} steps" if math.isfinite(steps) else "so long that its first moment is 0"


def _moments(
    subject: Subject, optimizer: Optimizer, velocity: np.ndarray, momentum: np.ndarray | None, biased: bool
) -> Gradients:
    place = subject.tensor.name.rpartition("/")[0]
    of_bias = {} if biased else optimizer.slots.get((subject.layer.name, f"{place}/bias".lstrip("/")), {})
    units = subject.matrix.shape[1]
    bias = {kind: slot.read() for kind, slot in of_bias.items() if slot.shape == (units,)}
    return gradients_of(
        _laid_out(subject.tensor, velocity),
        None if momentum is None else _laid_out(subject.tensor, momentum),
        bias.get("velocity"),
        bias.get("momentum"),
    )


def _laid_out(tensor: Tensor, values: np.ndarray) -> np.ndarray:
    return tensor.structure.to_matrix(values)


def _regularised(class_name: str, config: Mapping[str, Any], name: str) -> bool:
    word = word_of(class_name, name)
    return bool(word) and setting_of(config, word, "regularizer", REGULARIZERS) is not None


def _untouched(
    subject: Subject, velocity: np.ndarray, momentum: np.ndarray | None, optimizer: Optimizer
) -> Iterator[Finding]:
    class_name, config = subject.origin or ("", {})
    if subject.context.frozen(subject.layer):
        yield subject.missing("untouched-rows", "The layer is frozen, so that gradients tell nothing.")
        return
    if _regularised(class_name, config, subject.tensor.name):
        yield subject.missing("untouched-rows", "The regulariser gives every row a gradient.")
        return
    rows = untouched_rows(velocity, momentum)
    if rows.size:
        only = subject.name(int(rows[0])) if len(rows) == 1 else ""
        yield subject.say(
            "untouched-rows",
            "note",
            f"{len(rows)} of {len(velocity)} rows have never had a gradient: {subject.names(rows)}.",
            f"the optimizer's moments after {optimizer.iteration} steps",
            value=len(rows) / len(velocity),
            threshold=0.0,
            part=only,
        )


def _decays(optimizer: Optimizer) -> tuple[float, float]:
    told = [number(optimizer.settings.get(name, default)) for name, default in DECAYS.items()]
    first, second = (each if 0 < each < 1 else default for each, default in zip(told, DECAYS.values(), strict=True))
    return first, second


def _update(subject: Subject, optimizer: Optimizer, velocity: np.ndarray, momentum: np.ndarray) -> Iterator[Finding]:
    rate, iteration = optimizer.learning_rate, optimizer.iteration or 0
    if math.isnan(rate) or (optimizer.class_name and optimizer.class_name not in ADAM):
        return
    epsilon = number(optimizer.settings.get("epsilon", 1e-7))
    ratio = update_ratio(
        subject.values, momentum, velocity, rate, iteration=iteration, decays=_decays(optimizer), epsilon=epsilon
    )
    limit = subject.context.thresholds.update
    if ratio > limit:
        yield subject.say(
            "update-step",
            "note",
            f"The last step was {ratio:.2g} of its norm: so large a step forgets what it has learnt.",
            "lr · |m| / √v / ‖w‖ of the optimizer's state" + ("" if optimizer.class_name else ", taken for Adam's"),
            value=ratio,
            threshold=limit,
        )


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
