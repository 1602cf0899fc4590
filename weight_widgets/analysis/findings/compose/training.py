"""What the optimizer's state tells of a layer, or does not tell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ....reading.optimizers import Optimizer
from ...penalties import REGULARIZERS
from ...settings import number, setting_of, word_of
from ..finding import Finding
from ..gradients import Gradients, gradients_of, silent_steps, untouched_rows, update_ratio
from .channels import has_relu
from .context import Context, Subject, several

__all__ = ["of_optimizer", "of_state"]

# Layers whose units each have a column of the kernel, and an activation.
UNITS = {
    ("Dense", "kernel"),
    ("EinsumDense", "kernel"),
    *((f"Conv{rank}D{end}", "kernel") for rank in (1, 2, 3) for end in ("", "Transpose")),
    *((f"SeparableConv{rank}D", "pointwise_kernel") for rank in (1, 2)),
}
ADAM = {"Adam", "AdamW", "Nadam"}
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
    doubt = f"{optimizer.doubt[:1].upper()}{optimizer.doubt[1:]}."
    if optimizer.iteration is None:
        return doubt if optimizer.doubt else "The optimizer's state does not tell how many steps it has taken."
    if not optimizer.iteration:
        return "The optimizer has not taken a step."
    if not optimizer.slots:
        return doubt
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
    subject: Subject, optimizer: Optimizer, velocity: np.ndarray | None, momentum: np.ndarray | None, relu: str
) -> Iterator[Finding]:
    if hidden := _hidden(subject, "dead-units"):
        yield hidden
        return
    if velocity is None:
        yield subject.missing("dead-units", "The optimizer keeps no second moment for it.")
        return
    if velocity.dtype.itemsize < 4:
        yield subject.missing("dead-units", f"Squares of small gradients are 0 in {velocity.dtype}.")
        return
    found = _moments(subject, optimizer, velocity, momentum)
    if not np.isfinite(found.second).all():
        yield subject.missing("dead-units", "The optimizer's second moments are not finite.")
        return
    assumed = ", told by order, shape and sign," if optimizer.assumed else ""
    rests = f"the optimizer's moments{assumed} after {optimizer.iteration} steps; {relu}"
    if not found.typical:
        message = "No gradient has reached any of its units."
        yield subject.say("no-gradient", "note", message, rests, value=0.0, threshold=0.0)
        return
    yield from _silent(subject, optimizer, found, rests)


def _silent(subject: Subject, optimizer: Optimizer, found: Gradients, rests: str) -> Iterator[Finding]:
    """The units that never had a gradient, and those that had none of late."""
    limits = subject.context.thresholds
    still = np.isnan(found.first) | (found.first <= limits.dead)
    dead = (found.second < limits.dead) & still
    yield from several(
        subject,
        np.flatnonzero(dead),
        found.second,
        "dead-units",
        "warning" if (optimizer.iteration or 0) >= limits.min_steps else "note",
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
        np.flatnonzero(~dead & (found.first <= limits.dead)),
        found.first,
        "silent-units",
        "note",
        lambda who, value: (
            f"No gradient has reached {who} for {_steps(value, decay)}: dead by now, rarely active, or without effect."
        ),
        rests,
        limits.dead,
    )


def _hidden(subject: Subject, rule: str) -> Finding | None:
    """The row of a rule about gradients where what they are does not come from the data."""
    class_name, config = subject.origin or ("", {})
    if subject.context.frozen(subject.layer):
        return subject.missing(rule, "The layer is frozen, so that gradients tell nothing.")
    if _regularised(class_name, config, subject.tensor.name):
        return subject.missing(rule, "Its regulariser gives every weight a gradient.")
    return None


def _steps(first: float, decay: float) -> str:
    """How long ago a first moment began to fade, which was then about the root of the second."""
    steps = silent_steps(first, decay)
    return f"about {steps:.0f} steps" if math.isfinite(steps) else "so long that its first moment is 0"


def _moments(subject: Subject, optimizer: Optimizer, velocity: np.ndarray, momentum: np.ndarray | None) -> Gradients:
    place = subject.tensor.name.rpartition("/")[0]
    name = f"{place}/bias".lstrip("/")
    class_name, config = subject.origin or ("", {})
    slots = {} if _regularised(class_name, config, name) else optimizer.slots.get((subject.layer.name, name), {})
    units = subject.matrix.shape[1]
    bias = {kind: slot.read() for kind, slot in slots.items() if slot.shape == (units,)}
    lay_out = subject.tensor.structure.to_matrix
    return gradients_of(
        lay_out(velocity),
        None if momentum is None else lay_out(momentum),
        bias.get("velocity"),
        bias.get("momentum"),
    )


def _regularised(class_name: str, config: Mapping[str, Any], name: str) -> bool:
    word = word_of(class_name, name)
    return bool(word) and setting_of(config, word, "regularizer", REGULARIZERS) is not None


def _untouched(
    subject: Subject, velocity: np.ndarray, momentum: np.ndarray | None, optimizer: Optimizer
) -> Iterator[Finding]:
    if hidden := _hidden(subject, "untouched-rows"):
        yield hidden
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
