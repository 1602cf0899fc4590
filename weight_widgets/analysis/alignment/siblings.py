"""Which of several layers of the same shapes is which, by a look at a few of their values.

Names and order cannot tell siblings apart when one was inserted or all were numbered anew. Weights of one origin stay
alike for long: a few thousand of them show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from ...errors import WeightWidgetsError
from ...reading.tensors import Layer, Tensor

__all__ = ["equal_tensors", "related"]

# Elements of each layer that are looked at, and how few say nothing.
LOOK = 4096
FEW = 64
# Elements beyond which a tensor is not read as a whole.
LARGE = 1 << 20
# Correlation from which on two weights are related: four standard errors of the fewest, and far from what chance gives
# the most.
RELATED = 0.5


def related(a: Mapping[int, Layer], b: Mapping[int, Layer]) -> list[tuple[int, int]]:
    """Pairs of layers, all of one kind, whose weights resemble each other more than those of all their siblings."""
    sides = [_looks(group) for group in (a, b)]
    if not all(sides):
        return []
    keys = [[*side] for side in sides]
    likeness = np.stack([*sides[0].values()]) @ np.stack([*sides[1].values()]).T
    best = likeness.argmax(axis=1)
    back = likeness.argmax(axis=0)
    return [(keys[0][i], keys[1][j]) for i, j in enumerate(best.tolist()) if back[j] == i and likeness[i, j] >= RELATED]


def _looks(layers: Mapping[int, Layer]) -> dict[int, np.ndarray]:
    """Some weights of each layer, with mean 0 and norm 1; of those where they tell something."""
    found = {}
    for key, layer in layers.items():
        values = _look(max(layer.values(), key=lambda tensor: tensor.size))
        norm = float(np.linalg.norm(values)) if values is not None else 0.0
        if values is not None and np.isfinite(norm) and norm:
            found[key] = values / norm
    return found


def _look(tensor: Tensor) -> np.ndarray | None:
    if tensor.size < FEW or len(tensor.shape) < 2:
        return None
    rows = max(1, LOOK * tensor.shape[0] // tensor.size)
    try:
        flat = tensor.read((slice(0, rows),)).reshape(-1)[:LOOK].astype(np.float64)
    except WeightWidgetsError:
        return None
    return np.asarray(flat - flat.mean())


def equal_tensors(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> dict[str, str]:
    """Tensors that are equal, each to one of the other side alone: for those whose names say nothing."""
    sides = [{name: found for name, tensor in side.items() if (found := _bytes(tensor))} for side in (a, b)]
    counts = [Counter(side.values()) for side in sides]
    names = {found: name for name, found in sides[1].items()}
    return {name: names[found] for name, found in sides[0].items() if counts[0][found] == 1 == counts[1][found]}


def _bytes(tensor: Tensor) -> bytes:
    """The shape and all values; empty where they are too many, or all the same."""
    if tensor.size > LARGE:
        return b""
    try:
        values = tensor.read()
    except WeightWidgetsError:
        return b""
    return repr(values.shape).encode() + values.tobytes() if (values != values.flat[:1]).any() else b""
