"""Which layer of one network stands opposite which of another, by names, order and shapes.

What comes first in this module is the stronger evidence. A name that Keras counts out itself (``dense_3``) says little:
it depends on what was built before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...reading.roles import CLASS_OF_SNAKE, WEIGHTS_OF, snake
from ...reading.tensors import Layer
from .siblings import related
from .subsequence import common_subsequence

__all__ = ["Match", "Reason", "matched_layers"]

Reason = Literal["name", "renamed", "order", "shape", "user"]
NUMBER = re.compile(r"(_\d+)?$")
COUNTED = {*CLASS_OF_SNAKE, *map(snake, WEIGHTS_OF), *map(str.lower, WEIGHTS_OF)}
# What a prefix or suffix leaves of a name must be so long to mean something.
MIN_STEM = 3
# A prefix that only one layer has may be chance, and none is longer than this.
MIN_PREFIXED = 2
MAX_PREFIX = 64


# From the places of layers of one kind in A and in B to pairs of them.
Related = Callable[[list[int], list[int]], list[tuple[int, int]]]


@dataclass(frozen=True)
class Match:
    """Layer number `a` of one network opposite number `b` of the other; `assumed` where order and shapes say so."""

    a: int
    b: int
    reason: Reason
    assumed: bool


@dataclass(frozen=True)
class _Side:
    """What is known of a layer without its values."""

    path: str
    leaf: str
    stem: str
    class_name: str
    # The axes of each tensor of which it is known what they mean: labels, and the names of gates.
    axes: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
    # Whether Keras counted the name out.
    counted: bool
    weights: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, len(shape)) for name, shape in self.weights)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(sorted(shape for _, shape in self.weights))

    @property
    def kind(self) -> Hashable:
        return self.class_name, self.weights


def _side(layer: Layer) -> _Side:
    leaf = layer.name.rpartition("/")[2]
    stem = NUMBER.sub("", leaf)
    class_name = WEIGHTS_OF.get(layer.class_name, layer.class_name)
    counted = stem in COUNTED or stem == snake(layer.class_name)
    weights = tuple((name, tensor.shape) for name, tensor in layer.items())
    known = {name: tensor.structure for name, tensor in layer.items() if not tensor.structure.doubt}
    axes = {name: tuple((axis.label, axis.names) for axis in structure.axes) for name, structure in known.items()}
    return _Side(layer.name, leaf, stem, class_name, {} if layer.assumed else axes, counted, weights)


def matched_layers(a: Sequence[Layer], b: Sequence[Layer]) -> list[Match]:
    """The layers that stand opposite one another, in the order of `a`.

    Of layers that nothing else tells apart a few values are read.
    """
    sides = [_side(layer) for layer in a], [_side(layer) for layer in b]
    return _Matching(*sides).run(
        lambda group_a, group_b: related({i: a[i] for i in group_a}, {j: b[j] for j in group_b})
    )


class _Matching:
    """Pairs found so far; each step adds some to what is left."""

    def __init__(self, a: list[_Side], b: list[_Side]) -> None:
        self.sides = a, b
        self.pairs: dict[int, tuple[int, Reason]] = {}
        self.taken: set[int] = set()
        self.alike: set[int] = set()

    def run(self, related: Related) -> list[Match]:
        steps: tuple[Callable[[], None], ...] = (
            self._by_given_names,
            self._by_prefix,
            lambda: self._by_values(related),
            self._by_counted_names,
            self._by_order,
            # Of a weights file the class may be a guess.
            lambda: self._add(self._in_order(lambda side: side.weights), "order"),
            lambda: self._unique(lambda side: side.kind),
            lambda: self._unique(lambda side: side.shapes),
            self._reshaped,
        )
        for step in steps:
            if not self._left(0) or not self._left(1):
                break
            step()
        return [self._match(i, *self.pairs[i]) for i in sorted(self.pairs)]

    def _left(self, number: int) -> list[int]:
        taken = self.taken if number else self.pairs
        return [place for place in range(len(self.sides[number])) if place not in taken]

    def _add(self, found: Sequence[tuple[int, int]], reason: Reason) -> None:
        a, b = self.sides
        for i, j in found:
            if i not in self.pairs and j not in self.taken and _compatible(a[i], b[j]):
                self.pairs[i] = j, reason
                self.taken.add(j)

    def _by_given_names(self) -> None:
        a, b = self.sides
        places = {side.path: place for place, side in enumerate(b)}
        same = [(i, places[side.path]) for i, side in enumerate(a) if side.path in places]
        self._add([(i, j) for i, j in same if not a[i].counted and {*a[i].names} & {*b[j].names}], "name")

    def _by_values(self, related: Related) -> None:
        """Siblings that names do not tell apart."""
        groups: list[dict[Hashable, list[int]]] = [{}, {}]
        for number, found in enumerate(groups):
            for place in self._left(number):
                found.setdefault(self.sides[number][place].weights, []).append(place)
        for kind, places in groups[0].items():
            others = groups[1].get(kind, [])
            if others and len(places) + len(others) > 2:
                before = {*self.pairs}
                self._add(related(places, others), "order")
                self.alike |= {*self.pairs} - before

    def _by_counted_names(self) -> None:
        """Names that Keras counted out, where they leave no question open."""
        a, b = self.sides
        places = {side.path: place for place, side in enumerate(b)}
        same = [(i, places[side.path]) for i, side in enumerate(a) if side.path in places]
        left = [(i, j) for i, j in same if i not in self.pairs and j not in self.taken]
        if len(left) == min(len(self._left(0)), len(self._left(1))) and all(
            a[i].weights == b[j].weights for i, j in left
        ):
            self._add(left, "name")

    def _by_prefix(self) -> None:
        """Names that all have the same more before or behind them, or lie in another nested model."""
        a, b = self.sides
        if all(self.sides[n][place].counted for n in (0, 1) for place in self._left(n)):
            return
        for short, long, turn in ((0, 1, False), (1, 0, True)):
            names = {self.sides[short][place].path: place for place in self._left(short)}
            found: dict[tuple[str, str], list[tuple[int, int]]] = {}
            for place in self._left(long):
                path = self.sides[long][place].path
                for cut in range(1, min(MAX_PREFIX, len(path) - MIN_STEM) + 1):
                    for stem, more in ((path[cut:], (path[:cut], "")), (path[:-cut], ("", path[-cut:]))):
                        if stem in names:
                            pair = place, names[stem]
                            found.setdefault(more, []).append(pair if turn else pair[::-1])
            for pairs in sorted(found.values(), key=len, reverse=True):
                # A number is no suffix.
                alike = [(i, j) for i, j in pairs if a[i].names == b[j].names and not (a[i].counted and b[j].counted)]
                if len(alike) >= MIN_PREFIXED:
                    self._add(alike, "renamed")

    def _by_order(self) -> None:
        free = self._in_order(lambda side: side.kind)
        named = self._in_order(lambda side: (side.path, side.kind))
        # Equal names decide between ways that are as good.
        tried = _Matching(*self.sides)
        tried.pairs, tried.taken = dict(self.pairs), {*self.taken}
        tried._add(named, "order")
        tried._add(tried._in_order(lambda side: side.kind), "order")
        by_name = [(i, j) for i, (j, _) in tried.pairs.items() if i not in self.pairs]
        by_class = self._class_by_class()
        best = max((by_name, free, by_class), key=len)
        self._add(best, "order")

    def _class_by_class(self) -> list[tuple[int, int]]:
        """As order within each class: some files list the layers by class, or by name."""
        found = []
        for class_name in {side.class_name for side in self.sides[0]}:
            lists = [[i for i in self._left(n) if self.sides[n][i].class_name == class_name] for n in (0, 1)]
            kinds = [[self.sides[n][i].kind for i in places] for n, places in enumerate(lists)]
            found += [(lists[0][i], lists[1][j]) for i, j in common_subsequence(*kinds)]
        return found

    def _in_order(self, token: Callable[[_Side], Hashable]) -> list[tuple[int, int]]:
        """A longest common subsequence in which what is paired already stands for itself."""
        a, b = self.sides
        owners = {j: i for i, (j, _) in self.pairs.items()}
        tokens_a: list[Hashable] = [("pair", i) if i in self.pairs else token(side) for i, side in enumerate(a)]
        tokens_b: list[Hashable] = [("pair", owners[j]) if j in owners else token(side) for j, side in enumerate(b)]
        return [(i, j) for i, j in common_subsequence(tokens_a, tokens_b) if i not in self.pairs]

    def _unique(self, token: Callable[[_Side], Hashable]) -> None:
        """What there is once on either side, wherever it stands."""
        lists = [{place: token(self.sides[n][place]) for place in self._left(n)} for n in (0, 1)]
        counts = [Counter(found.values()) for found in lists]
        places = {item: place for place, item in lists[1].items()}
        once = [(i, places[item]) for i, item in lists[0].items() if counts[0][item] == 1 == counts[1][item]]
        self._add(once, "shape")

    def _reshaped(self) -> None:
        """What has the same place and the same weights of other shapes."""
        self._add(self._in_order(lambda side: (side.path, side.class_name, side.names)), "order")
        self._add(self._in_order(lambda side: (side.class_name, side.names)), "order")

    def _match(self, i: int, j: int, reason: Reason) -> Match:
        a, b = self.sides[0][i], self.sides[1][j]
        if a.path == b.path:
            return Match(i, j, "name", False)
        assumed = reason in ("order", "shape") and i not in self.alike
        return Match(i, j, "renamed" if reason == "order" and a.stem == b.stem else reason, assumed)


def _compatible(a: _Side, b: _Side) -> bool:
    """Whether no weight of the same name is known to have axes that mean other things."""
    return all(b.axes.get(name, axes) == axes for name, axes in a.axes.items())
