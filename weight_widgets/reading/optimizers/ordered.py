"""Slots that only have numbers, as in Keras' own format: what they are of, their order and their shapes tell.

After the step and the learning rate come blocks. A block holds one array for each trained weight in the model's order
(averages of weights, momentum of SGD), or two in turn (momentum and velocity of Adam).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..graph import Graph
from ..roles import KERAS_CLASSES
from ..tensors import Tensor

__all__ = ["Found", "innermost", "matched"]

Path = tuple[str, ...]
Address = tuple[str, str]
Shape = tuple[int, ...]
INNER = (("optimizer", "inner_optimizer", "vars"), ("optimizer", "_optimizer", "vars"), ("optimizer", "vars"))
# Arrays for each weight: more than those of any optimizer.
MAX_BLOCKS = 5
# Layers that are put in order by shape alone.
MAX_LAYERS = 200
# How far an average of weights may be from them, relative to their norm.
NEAR = 0.5
# Values that tell whether some are negative.
ENOUGH = 1 << 20

NO_CONFIG = "the optimizer's arrays have numbers instead of names, and no order of layers fits their shapes alone"
NO_FIT = "the optimizer's arrays have numbers instead of names, and their shapes are not those of the trained weights"
NO_ORDER = "the optimizer's arrays have numbers instead of names, and layers of the user's own leave their order open"


@dataclass(frozen=True)
class Found:
    slots: Mapping[Address, Mapping[str, Tensor]] = field(default_factory=dict)
    iteration: Tensor | None = None
    learning_rate: Tensor | None = None
    doubt: str = ""


def innermost(state: Mapping[Path, Tensor]) -> list[Tensor]:
    """The numbered arrays in order, of an optimizer in another those of the inner one; none where they have names."""
    for folder in INNER:
        inside = {path[-1]: tensor for path, tensor in state.items() if path[:-1] == folder}
        if inside and all(name.isdecimal() for name in inside):
            return [inside[name] for name in sorted(inside, key=int)]
    return []


def matched(arrays: Sequence[Tensor], weights: Mapping[Address, Tensor], graph: Graph | None) -> Found:
    """The slots of each weight.

    Parameters
    ----------
    arrays : sequence of Tensor
        See `innermost`.
    weights : mapping
        Those that gradients can change, in model order where there is a graph.
    graph : Graph or None
        Tells what is frozen and of which class layers are; without it only shapes that leave one order are taken.
    """
    scalars, slots = _split(arrays)
    iteration = next((each for each in scalars if each.dtype.kind in "iu"), None)
    rate = next((each for each in scalars if each.dtype.kind == "f"), None)
    trained = {each: weight for each, weight in weights.items() if not (graph and graph.frozen(each[0]))}
    if not slots:
        return Found({}, iteration, rate, "the optimizer keeps nothing for single weights")
    if iteration is not None and not iteration.read():
        return Found({}, iteration, rate, "the optimizer has taken no step yet")
    count, rest = divmod(len(slots), len(trained)) if trained else (0, 0)
    if not count or rest or count > MAX_BLOCKS:
        return Found({}, iteration, rate, NO_FIT)
    layouts = [(widths, kinds) for widths in _widths(count) if (kinds := _kinds(slots, widths, len(trained)))]
    if graph is None:
        order = _by_shapes(trained, [tuple(slot.shape for slot in kinds[0]) for _, kinds in layouts])
    else:
        order = None if _open(trained, graph) else [*trained]
    if order is None:
        return Found({}, iteration, rate, NO_CONFIG if graph is None else NO_ORDER)
    fitting = [
        _named([trained[each] for each in order], widths, kinds)
        for widths, kinds in layouts
        if [slot.shape for slot in kinds[0]] == [trained[each].shape for each in order]
    ]
    if not fitting:
        return Found({}, iteration, rate, NO_FIT)
    # Blocks that are taken apart wrongly mix what is of one kind with what is of another.
    best = max(fitting, key=lambda named: len(named[0]))
    return Found(dict(zip(order, best, strict=True)), iteration, rate)


def _split(arrays: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The single numbers in front, and what follows without those at the end, where Nadam has one."""
    start = next((place for place, each in enumerate(arrays) if each.shape), len(arrays))
    stop = next((place for place in range(len(arrays), start, -1) if arrays[place - 1].shape), start)
    return list(arrays[:start]), list(arrays[start:stop])


def _widths(count: int) -> Iterator[tuple[int, ...]]:
    """All ways in which arrays of so many kinds stand in blocks of one or two."""
    if not count:
        yield ()
    for width in (2, 1):
        if width <= count:
            yield from ((width, *others) for others in _widths(count - width))


def _kinds(slots: Sequence[Tensor], widths: tuple[int, ...], size: int) -> list[list[Tensor]] | None:
    """The arrays kind by kind; None where the kinds differ in their shapes."""
    kinds, start = [], 0
    for width in widths:
        block = slots[start : start + width * size]
        kinds += [list(block[place::width]) for place in range(width)]
        start += width * size
    shapes = [[slot.shape for slot in kind] for kind in kinds]
    return kinds if all(each == shapes[0] for each in shapes) else None


def _open(trained: Mapping[Address, Tensor], graph: Graph) -> bool:
    """Whether a layer of the user's own has several weights of a shape, so that their order is anybody's guess."""
    seen: set[tuple[str, Shape]] = set()
    for (path, _), weight in trained.items():
        layer = graph.layer(path)
        key = (path, weight.shape)
        if key in seen and (layer is None or layer.class_name not in KERAS_CLASSES):
            return True
        seen.add(key)
    return False


def _by_shapes(trained: Mapping[Address, Tensor], sequences: Sequence[tuple[Shape, ...]]) -> list[Address] | None:
    """The one order of layers that gives a sequence of shapes; None where several do or none."""
    layers: dict[str, list[Address]] = {}
    for address in trained:
        layers.setdefault(address[0], []).append(address)
    shapes = {name: tuple(trained[each].shape for each in own) for name, own in layers.items()}
    if len({*shapes.values()}) < len(shapes) or len(shapes) > MAX_LAYERS:
        return None
    orders = {tuple(order) for sequence in {*sequences} for order in _orders(sequence, shapes)}
    return [address for name in orders.pop() for address in layers[name]] if len(orders) == 1 else None


def _orders(sequence: tuple[Shape, ...], shapes: Mapping[str, tuple[Shape, ...]]) -> list[list[str]]:
    """Up to two orders of layers whose shapes in turn are the sequence."""
    found: list[list[str]] = []
    left: list[list[str]] = [[]]
    for _ in range(MAX_LAYERS * MAX_LAYERS):
        if not left or len(found) > 1:
            break
        taken = left.pop()
        place = sum(len(shapes[name]) for name in taken)
        if place == len(sequence):
            found.append(taken)
        for name, own in shapes.items():
            if name not in taken and sequence[place : place + len(own)] == own:
                left.append([*taken, name])
    # A search that was broken off proves nothing.
    return found if not left or len(found) > 1 else []


def _named(
    weights: Sequence[Tensor], widths: Sequence[int], kinds: Sequence[Sequence[Tensor]]
) -> list[dict[str, Tensor]]:
    """The kinds under their names by what their values are; what is neither of these has none.

    Squares are never negative, an average of weights is near them. Where momentum stands beside squares, what stands
    alone is none.
    """
    paired = [width == 2 for width in widths for _ in range(width)]
    names: list[str] = []
    for pair, kind in zip(paired, kinds, strict=True):
        name = "velocity" if not _any_negative(kind) else "average" if _near(weights, kind) else "momentum"
        names.append("" if name in names or (name == "momentum" and any(paired) and not pair) else name)
    return [
        {name: kind[place] for name, kind in zip(names, kinds, strict=True) if name} for place in range(len(weights))
    ]


def _any_negative(kind: Sequence[Tensor]) -> bool:
    seen = 0
    for slot in sorted(kind, key=lambda slot: slot.size):
        if seen > ENOUGH:
            break
        if (slot.read() < 0).any():
            return True
        seen += slot.size
    return False


def _near(weights: Sequence[Tensor], kind: Sequence[Tensor]) -> bool:
    weight, slot = max(zip(weights, kind, strict=True), key=lambda pair: pair[0].size)
    values = weight.read().astype(np.float64)
    return float(np.linalg.norm(slot.read() - values)) < NEAR * float(np.linalg.norm(values))
