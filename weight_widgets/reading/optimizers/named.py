"""Slots that have the names of their weights, as in legacy ``.h5`` files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..tensors import Tensor

__all__ = ["matched"]

Path = tuple[str, ...]
Address = tuple[str, str]
# As versions of Keras call them.
SLOTS = {
    "m": "momentum",
    "momentum": "momentum",
    "v": "velocity",
    "velocity": "velocity",
    "rms": "velocity",
    "average": "average",
}


def matched(state: Mapping[Path, Tensor], weights: Mapping[Address, Tensor]) -> dict[Address, dict[str, Tensor]]:
    """The slots of each weight; those that could be of several weights, or of none, are left out.

    Parameters
    ----------
    state, weights
        The optimizer's arrays by path, and the weights, whose `path` tells what Keras called them.
    """
    owners: dict[str, list[Address]] = {}
    for address, weight in weights.items():
        *steps, last = _plain(weight.path.strip("/").split("/"))
        for start in range(len(steps) + 1):
            for joint in {"/", "_"}:
                owners.setdefault(joint.join((*steps[start:], last)), []).append(address)
    found: dict[Address, dict[str, Tensor]] = {}
    open_: dict[Path, tuple[str, set[Address]]] = {}
    for path, slot in state.items():
        for kind, name in _readings(_plain(path[1:])):
            fitting = {address for address in owners.get(name, ()) if weights[address].shape == slot.shape}
            if fitting:
                open_[path] = kind, fitting
                break
    # A name that is the end of another fits two weights, one of which the other slot is of.
    while settled := [path for path, (_, fitting) in open_.items() if len(fitting) == 1]:
        for path in settled:
            kind, (address,) = open_.pop(path)
            found.setdefault(address, {})[kind] = state[path]
            for other, fitting in open_.values():
                if other == kind and len(fitting) > 1:
                    fitting.discard(address)
    return found


def _readings(steps: Path) -> Iterator[tuple[str, str]]:
    """What a path may say, as the kind of the slot and the name of the weight, the longest names first."""
    *_, last = steps
    word = last.rpartition("_")[2]
    if word in SLOTS and last != word:
        # Keras 3: adam/dense_kernel_momentum.
        yield SLOTS[word], last[: -len(word) - 1]
    for place in (0, 1):
        # Keras 2: m/dense/kernel, or SGD/m/dense/kernel.
        if place + 1 < len(steps) and steps[place] in SLOTS:
            yield SLOTS[steps[place]], "/".join(steps[place + 1 :])
    if last in SLOTS:
        # Before 2.11: Adam/dense/kernel/m, with or without training/ in front.
        for start in range(len(steps) - 2):
            yield SLOTS[last], "/".join(steps[start:-1])


def _plain(steps: list[str] | Path) -> Path:
    """TensorFlow ends names in a number: ``kernel:0``."""
    *others, last = steps
    return (*others, last.partition(":")[0])
