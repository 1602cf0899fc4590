"""Which of several layers of the same shapes is which, by a look at a few of their values.

Names and order cannot tell siblings apart when one was inserted or all were numbered anew. Weights of one origin stay
alike for long: a few thousand of them show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...errors import WeightWidgetsError
from ...reading.tensors import Layer, Tensor
from ...reading.together import read_rows

__all__ = ["equal_tensors", "related"]

# Elements of each layer that are looked at, and how few say nothing.
LOOK = 4096
FEW = 64
# Of more siblings than a few hundred less is looked at, for every one is held against every other: so many elements of
# all together, yet so many of each that chance among millions of pairs stays far from `RELATED`.
ALL, LEAST = 1 << 20, 256
# Elements of a tensor that is sooner read as a whole, together with others, than opened for itself; of what is read
# together; and siblings that are compared at a time, so that memory does not grow with the square of their number.
WHOLE, TOGETHER, BAND = 1 << 14, 1 << 20, 512
# Elements beyond which a tensor is not read as a whole.
LARGE = 1 << 20
# Correlation from which on two weights are related: four standard errors of the fewest, and far from what chance gives
# the most.
RELATED = 0.5


def related(a: Mapping[int, Layer], b: Mapping[int, Layer]) -> list[tuple[int, int]]:
    """Pairs of layers, all of one kind, whose weights resemble each other more than those of all their siblings."""
    look = min(LOOK, max(LEAST, ALL // max(len(a), len(b))))
    sides = [_looks(group, look) for group in (a, b)]
    if not all(sides):
        return []
    keys = [[*side] for side in sides]
    best, likeness, back = _best(*(np.stack([*side.values()]) for side in sides))
    return [(keys[0][i], keys[1][j]) for i, j in enumerate(best.tolist()) if back[j] == i and likeness[i] >= RELATED]


def _best(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row of A which of B is the most like it, and how much; of each row of B which of A is."""
    best, likeness = np.zeros(len(a), np.int64), np.zeros(len(a), np.float32)
    back, most = np.zeros(len(b), np.int64), np.full(len(b), -np.inf, np.float32)
    for start in range(0, len(a), BAND):
        band = a[start : start + BAND] @ b.T
        best[start : start + BAND] = band.argmax(axis=1)
        likeness[start : start + BAND] = band.max(axis=1)
        highest = band.max(axis=0)
        back = np.where(highest > most, start + band.argmax(axis=0), back)
        most = np.maximum(most, highest)
    return best, likeness, back


def _looks(layers: Mapping[int, Layer], look: int) -> dict[int, np.ndarray]:
    """The first weights of each layer as float32, with mean 0 and norm 1; of those where they tell something."""
    largest = [max(layer.values(), key=lambda tensor: tensor.size) for layer in layers.values()]
    found = {}
    for key, values in zip(layers, _first(largest, look), strict=True):
        if values is None:
            continue
        centred = values - values.mean()
        norm = float(np.linalg.norm(centred))
        if np.isfinite(norm) and norm:
            found[key] = (centred / norm).astype(np.float32)
    return found


def _first(tensors: Sequence[Tensor], look: int) -> Iterator[np.ndarray | None]:
    """The first values of tensors of one shape as float64; None of those that say nothing."""
    size = tensors[0].size
    if size < FEW or len(tensors[0].shape) < 2:
        yield from (None for _ in tensors)
        return
    step = max(1, TOGETHER // size) if size <= WHOLE else 1
    for start in range(0, len(tensors), step):
        yield from _together(tensors[start : start + step], look)


def _together(tensors: Sequence[Tensor], look: int) -> Sequence[np.ndarray | None]:
    if len(tensors) > 1 and len({tensor.dtype for tensor in tensors}) == 1:
        try:
            return [*read_rows(tensors)[:, :look].astype(np.float64)]
        except WeightWidgetsError:
            # One of them cannot be read; which one, the single looks tell.
            pass
    return [_alone(tensor, look) for tensor in tensors]


def _alone(tensor: Tensor, look: int) -> np.ndarray | None:
    rows = max(1, -(-look * tensor.shape[0] // tensor.size))
    try:
        return tensor.read((slice(0, rows),)).reshape(-1)[:look].astype(np.float64)
    except WeightWidgetsError:
        return None


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
