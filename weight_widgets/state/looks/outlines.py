"""All layers and tensors of all models as the rows of a tree, in model order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from ...analysis.alignment import Address
from ...analysis.passes import Check
from ...analysis.verdict.traces import maps_inputs
from ...display import named, visible
from ...reading.checkpoint import Checkpoint
from ...reading.graph import Graph
from ...reading.tensors import Layer, Tensor
from ..aligned import Aligned, paired_name
from ..selection import union

__all__ = ["KERNEL", "LAYER", "MODEL", "TENSOR", "Outline", "look_at_outline", "most_rows", "page_rows"]

# Kinds of rows, and what is added for a tensor that is a kernel.
MODEL, LAYER, TENSOR, KERNEL = 0, 1, 2, 8
# Rows whose words fit into one message, however long the names are; and what a page's numbers may take, in bytes.
PAGE, PAGE_BYTES = 256, 200_000
MAX_LABEL, MAX_NOTE, MAX_ADDRESS = 64, 40, 120
# Deeper ones stand as one name.
MAX_LEVELS = 16
CHECKED = 500

Views = Mapping[str, Aligned]


@dataclass(frozen=True, eq=False)
class Outline:
    """The rows.

    Attributes
    ----------
    views : mapping of str to Aligned
        The models that it is of, by label.
    kinds : numpy.ndarray
        Uint8, shape (rows,): `MODEL` for a nested one, `LAYER`, `TENSOR`, or `TENSOR` + `KERNEL`.
    levels : numpy.ndarray
        Uint8, shape (rows,): 0 at the top; the rows below one follow on it.
    addresses : tuple of (str, str)
        Layer and tensor of each row, under the names of the reference; ``""`` where it stands for no tensor or layer.
    texts : tuple of bytes
        For each page of `page_rows` rows a JSON list of label, note (class or shape) and full address. The worker
        writes them: for ten thousand rows that would be noticed.
    """

    views: Views
    kinds: np.ndarray
    levels: np.ndarray
    addresses: tuple[Address, ...]
    texts: tuple[bytes, ...]
    rows: Mapping[Address, int]
    layers: Mapping[str, int]
    placed: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.addresses)

    def row_of(self, layer: str, tensor: str) -> int:
        """The row of a tensor, or of a layer where that is ``""``; −1 where there is none."""
        return self.rows.get((layer, tensor), -1) if tensor else self.layers.get(layer, -1)

    def is_tensor(self, row: int) -> bool:
        return 0 <= row < len(self) and self.kinds[row] & TENSOR != 0


@dataclass
class _Node:
    """A place in the tree: a nested model, or a layer with its weights, or both."""

    layer: str | None = None
    below: dict[str, _Node] = field(default_factory=dict)


@dataclass
class _Row:
    kind: int
    level: int
    address: Address
    words: tuple[str, str, str]


def most_rows(opened: Iterable[Checkpoint]) -> int:
    """More than there can ever be, whatever stands opposite what."""
    return sum(found.num_tensors + sum(1 + min(name.count("/"), MAX_LEVELS) for name in found) for found in opened)


def page_rows(models: int) -> int:
    """How many rows fit into one message, the numbers of all models included: float32, and a byte of what they are."""
    return max(min(PAGE, PAGE_BYTES // (5 * models)), 1)


def look_at_outline(views: Views, reference: str, check: Check) -> Outline:
    """The rows of all models under the names of the reference; a nested model's layers stand below it."""
    top = _Node()
    names = _Names(views, reference)
    for layer in union([list(view) for view in views.values()]):
        node = top
        for name in names.of(layer):
            node = node.below.setdefault(name, _Node())
        node.layer = layer
    rows = _walk(views, top, (), check)
    kinds, levels, texts = bytearray(), bytearray(), []
    addresses: list[Address] = []
    # A page at a time: thousands of rows at once would be more for the collector to walk than all that is kept of them.
    while page := [*islice(rows, page_rows(len(views)))]:
        kinds.extend(row.kind for row in page)
        levels.extend(row.level for row in page)
        addresses.extend(row.address for row in page)
        texts.append(_page(page))
    places = {address: number for number, address in enumerate(addresses) if kinds[number] & TENSOR}
    return Outline(
        views,
        np.frombuffer(bytes(kinds), np.uint8),
        np.frombuffer(bytes(levels), np.uint8),
        tuple(addresses),
        tuple(texts),
        places,
        {address[0]: number for number, address in enumerate(addresses) if kinds[number] == LAYER},
        {label: _placed(view, places) for label, view in views.items()},
    )


class _Names:
    """What a layer and the models around it are called, from the outermost on."""

    def __init__(self, views: Views, reference: str) -> None:
        models = (views[label].checkpoint.model for label in dict.fromkeys((reference, *views)))
        self._graphs = [Graph(model) for model in models if model is not None]

    def of(self, layer: str) -> list[str]:
        """As a configuration tells, for a name may have a slash of its own; otherwise every slash is taken for one."""
        told = (graph.names(layer) for graph in self._graphs)
        names = next(([*found] for found in told if found), layer.split("/"))
        last = MAX_LEVELS - 1
        return names if len(names) <= MAX_LEVELS else [*names[:last], "/".join(names[last:])]


def _walk(views: Views, node: _Node, around: tuple[str, ...], check: Check) -> Iterator[_Row]:
    for number, (name, below) in enumerate(node.below.items()):
        if number % CHECKED == 0:
            check()
        path, level = (*around, name), len(around)
        if below.layer is None:
            where = visible("/".join(path), MAX_ADDRESS)
            yield _Row(MODEL, level, ("", ""), (named(name, MAX_LABEL), "", where))
        else:
            yield from _layer_rows(views, below.layer, name, level)
        yield from _walk(views, below, path, check)


def _layer_rows(views: Views, name: str, own: str, level: int) -> Iterator[_Row]:
    found = [view[name] for view in views.values() if name in view]
    title = visible(found[0].title, MAX_NOTE)
    label = visible(paired_name(views, name, own), MAX_LABEL)
    whole = named(name) if own == name else f"{named(name)} {label}"
    yield _Row(LAYER, level, (name, ""), (label, title, visible(f"{whole} · {title}", MAX_ADDRESS)))
    for tensor in union([list(layer) for layer in found]):
        yield _tensor_row(found, name, tensor, level + 1, title)


def _tensor_row(found: list[Layer], layer: str, name: str, level: int, title: str) -> _Row:
    tensors: list[Tensor] = [each[name] for each in found if name in each]
    shapes = dict.fromkeys(" × ".join(map(str, tensor.shape)) or "scalar" for tensor in tensors)
    kernel = KERNEL if maps_inputs(tensors[0].role, tensors[0].shape) else 0
    whole = visible(f"{named(layer)} · {named(name)} · {title}", MAX_ADDRESS)
    words = named(name, MAX_LABEL), visible(" → ".join(shapes), MAX_NOTE), whole
    return _Row(TENSOR + kernel, level, (layer, name), words)


def _page(rows: list[_Row]) -> bytes:
    return json.dumps([row.words for row in rows], ensure_ascii=False, separators=(",", ":")).encode()


def _placed(view: Aligned, places: Mapping[Address, int]) -> np.ndarray:
    """The row of each tensor of a model, in the order of its `tensors`: shape (n,), int64."""
    layers = view.checkpoint.items()
    own = ((layer, name) for layer, tensors in layers for name in tensors)
    return np.array([places[view.place_of(each)] for each in own], np.int64)
