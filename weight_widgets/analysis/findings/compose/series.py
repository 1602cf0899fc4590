"""What several checkpoints of a run tell: what does not move, and what jumps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

from ....display import visible
from ....errors import WeightWidgetsError
from ....reading.optimizers import Address, trainable
from ....reading.tensors import Tensor
from ...pairs import tensor_pair_moments
from ...passes import Check
from ..finding import Finding
from ..stability import MIN_STEPS, are_one_run, jumps, relative_step
from .context import Context

__all__ = ["over_checkpoints"]

# A spread of less beside the norm is that of equal values.
ROUNDING = 1e-13


def over_checkpoints(contexts: Sequence[Context], passed: Callable[[float], None]) -> Iterator[Finding]:
    """Findings over checkpoints in the order given; layers are matched by name and shape.

    `passed` takes the share of the weights that were looked at.
    """
    first = contexts[0]
    if len(contexts) <= MIN_STEPS:
        message = f"A jump is seen against a run's median, which takes {MIN_STEPS + 1} checkpoints in order."
        yield Finding("", "", "", "", "jump", "n/a", math.nan, math.nan, message, "")
    if len(contexts) < 2:
        message = "What does not change is seen from two checkpoints on."
        yield Finding("", "", "", "", "frozen", "n/a", math.nan, math.nan, message, "")
        return
    still: dict[str, list[bool]] = {}
    apart: list[str] = []
    tensors = first.checkpoint.tensors
    for place, (address, tensor) in enumerate(tensors.items()):
        if not trainable(tensor):
            continue
        passed(place / len(tensors))
        run = [context.checkpoint.tensors.get(address) for context in contexts]
        if any(each is None or each.shape != tensor.shape for each in run):
            continue
        told = _moved([each for each in run if each is not None], first.check)
        if told is None:
            continue
        equal, constant, steps = told
        if not constant:
            still.setdefault(address[0], []).append(equal)
        if tensor.role.endswith("kernel") or tensor.role == "embeddings":
            if are_one_run(steps):
                yield from _jumps(contexts, address, steps)
            elif len(contexts) > MIN_STEPS:
                apart.append(address[0])
    if apart:
        layers = ", ".join(visible(layer) for layer in dict.fromkeys(apart))
        message = f"As far apart as in different runs, of one of which alone a jump is told: {visible(layers, 200)}."
        yield Finding("", "", "", "", "jump", "n/a", math.nan, math.nan, message, "")
    yield from _frozen(contexts, {layer: all(equal) for layer, equal in still.items()})


def _moved(run: Sequence[Tensor], check: Check) -> tuple[bool, bool, list[float]] | None:
    """Whether a weight is the same bit for bit in all, whether it is constant, and its relative steps."""
    try:
        # How far one pair is says nothing of all of them.
        pairs = [tensor_pair_moments(*pair, lambda share=None: check()) for pair in itertools.pairwise(run)]
    except WeightWidgetsError:
        return None
    constant = pairs[0].spread_a <= ROUNDING * pairs[0].norm_a
    return all(pair.identical for pair in pairs), constant, [relative_step(pair) for pair in pairs]


def _jumps(contexts: Sequence[Context], address: Address, steps: Sequence[float]) -> Iterator[Finding]:
    written = ", ".join(f"{step:.2g}" for step in steps)
    for place, line in jumps(steps, contexts[0].thresholds.jump):
        before, after = contexts[place], contexts[place + 1]
        factor = steps[place] / line * after.thresholds.jump
        yield Finding(
            after.label,
            *address,
            "",
            "jump",
            "warning",
            steps[place],
            line,
            f"From {before.label} to here it moved by {steps[place]:.2g} of its norm, {factor:.2g} times the median.",
            f"the relative steps of this run: {written}",
        )


def _frozen(contexts: Sequence[Context], still: dict[str, bool]) -> Iterator[Finding]:
    if still and all(still.values()):
        message = "All weights that the checkpoints share are the same, bit for bit."
        yield Finding("", "", "", "", "frozen", "note", 0.0, 0.0, message, f"{len(contexts)} checkpoints")
        return
    for layer, equal in still.items():
        if equal:
            said = [context.frozen(context.checkpoint[layer]) for context in contexts]
            told = "; the configuration says that it is not trained" if any(said) else ""
            message = f"The same in all {len(contexts)} checkpoints, bit for bit, while other layers moved."
            yield Finding("", layer, "", "", "frozen", "note", 0.0, 0.0, message, f"the values{told}")
