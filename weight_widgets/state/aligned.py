"""A checkpoint under the names of the reference: every tensor stands where the one opposite it stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..analysis.alignment import Address, AlignedRow, Alignment
from ..display import named
from ..reading.checkpoint import Checkpoint
from ..reading.tensors import Layer, Skipped

__all__ = ["Aligned", "aliases", "aligned", "paired_name"]

# Further names of one layer would be too long to read.
MAX_ALIASES = 2


@dataclass(frozen=True, eq=False)
class Aligned(Mapping[str, Layer]):
    """The layers of a checkpoint under the names of the reference, and under its own what the reference has not.

    Attributes
    ----------
    checkpoint : Checkpoint
    layers : mapping of str to Layer
    own : mapping of (str, str) to (str, str)
        From where a tensor stands to its own address, where that is another.
    assumed : frozenset of str
        Layers that order and shapes alone have put where they are.
    """

    checkpoint: Checkpoint
    layers: Mapping[str, Layer]
    own: Mapping[Address, Address] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Layer:
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What the file holds beside."""
        return self.checkpoint.skipped

    @property
    def names(self) -> tuple[Mapping[Address, Address], frozenset[str]]:
        """All in which it differs from another view of the checkpoint."""
        return self.own, self.assumed

    @cached_property
    def aliases(self) -> Mapping[str, tuple[str, ...]]:
        """The own names of layers that have another here."""
        found: dict[str, dict[str, None]] = {}
        for (layer, _), (own, _) in self.own.items():
            if layer != own:
                found.setdefault(layer, {})[own] = None
        return {layer: tuple(owns) for layer, owns in found.items()}

    @cached_property
    def _places(self) -> Mapping[Address, Address]:
        return {own: place for place, own in self.own.items()}

    def own_address(self, place: Address) -> Address:
        """What the tensor at a place is called in its file."""
        return self.own.get(place, place)

    def place_of(self, own: Address) -> Address:
        """Where the tensor stands that its file calls so."""
        return self._places.get(own, own)


def aligned(checkpoint: Checkpoint, alignment: Alignment | None = None, label: str = "") -> Aligned:
    """The view of B of an alignment; under its own names where there is none.

    Parameters
    ----------
    checkpoint : Checkpoint
    alignment : Alignment, optional
        Of the reference and this checkpoint.
    label : str
        Is put behind a name that the reference has for something else.
    """
    rows = [row for row in alignment or () if row.b is not None]
    assumed = frozenset(row.a[0] for row in rows if row.a is not None and row.assumed)
    places = _places(rows, alignment, label) if alignment else {}
    own = {place: address for address, place in places.items() if place != address}
    if not own:
        return Aligned(checkpoint, checkpoint, assumed=assumed)
    layers: dict[str, Layer] = {}
    for (own_layer, own_name), (layer, name) in places.items():
        source = checkpoint[own_layer]
        tensor = source[own_name]
        tensor = tensor if own_name == name else replace(tensor, name=name)
        # Where tensors of several layers stand in one, the first gives its class and configuration.
        found = layers.get(layer) or replace(source, name=layer, tensors={})
        layers[layer] = replace(found, tensors={**found.tensors, name: tensor})
    return Aligned(checkpoint, layers, own, assumed)


def aliases(views: Mapping[str, Aligned], layer: str) -> list[str]:
    """What checkpoints call a layer that is looked at under another name."""
    return [*dict.fromkeys(name for view in views.values() for name in view.aliases.get(layer, ()))]


def paired_name(views: Mapping[str, Aligned], layer: str, own: str | None = None) -> str:
    """The name of a layer as plain text, with those that other models have for it.

    `own` stands in its place where less than all of it is to be read.
    """
    others = aliases(views, layer)
    names = [layer if own is None else own, *others[:MAX_ALIASES]]
    said = " ↔ ".join(map(named, names)) + (" …" if len(others) > MAX_ALIASES else "")
    # Order and shapes alone have put some checkpoint's layer here.
    assumed = any(layer in view.assumed for view in views.values())
    return f"{said} (pair assumed)" if assumed else said


def _places(rows: list[AlignedRow], alignment: Alignment, label: str) -> dict[Address, Address]:
    """From each own address to where the tensor stands, in the order of the alignment."""
    addresses = {row.a for row in alignment if row.a is not None}
    layers = {layer for layer, _ in addresses}
    homes: dict[str, str] = {}
    for row in rows:
        if row.a is not None and row.b is not None:
            homes.setdefault(row.b[0], row.a[0])
    taken = set(addresses)
    places: dict[Address, Address] = {}
    for row in rows:
        assert row.b is not None
        if row.a is not None:
            places[row.b] = row.a
            continue
        layer, name = row.b
        if layer not in homes:
            homes[layer] = _told_apart(layer, layers, label)
            layers.add(homes[layer])
        home = homes[layer]
        name = _told_apart(name, {one for at, one in taken if at == home}, label)
        taken.add((home, name))
        places[row.b] = home, name
    return places


def _told_apart(name: str, taken: set[str], label: str) -> str:
    """The name itself, or with the label behind it, or with a number too."""
    number, found = 1, name
    while found in taken:
        found = f"{name} ({label})" if number == 1 else f"{name} ({label} {number})"
        number += 1
    return found
