"""Which tensor of one checkpoint stands opposite which of another, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from ...display import visible
from ...errors import InputError
from ...reading.checkpoint import Checkpoint, open_checkpoint
from ...reading.sources import Source
from ...reading.tensors import Layer
from .matching import Match, Reason, matched_layers
from .siblings import equal_tensors

__all__ = ["Address", "AlignedRow", "Alignment", "align", "given_or_aligned", "opened"]

Address = tuple[str, str]
Shape = tuple[int, ...]
Status = Literal["paired", "reshaped", "added", "removed"]
FORMAT = "weight-widgets alignment 1"


@dataclass(frozen=True)
class AlignedRow:
    """A tensor of A and the one of B opposite it, or one that has none.

    Attributes
    ----------
    a, b : tuple of (str, str), or None
        Addresses: layer and tensor.
    shape_a, shape_b : tuple of int, or None
    status : {"paired", "reshaped", "added", "removed"}
        Whether they have one shape, two, or only B or only A has it.
    reason : {"name", "renamed", "order", "shape", "user", ""}
        The same path; names that differ in a number or a prefix; the place among layers of the same class and shapes;
        the only ones of these shapes; your own word; ``""`` without a pair.
    assumed : bool
        Whether order and shapes alone speak for the pair.
    """

    a: Address | None
    b: Address | None
    shape_a: Shape | None
    shape_b: Shape | None
    status: Status
    reason: Reason | Literal[""]
    assumed: bool


@dataclass(frozen=True)
class Alignment:
    """The tensors of two checkpoints opposite one another; every tensor of either is in one row.

    Attributes
    ----------
    rows : tuple of AlignedRow
        In the order of A; what only B has comes after what it comes after in B.
    """

    rows: tuple[AlignedRow, ...]

    def __iter__(self) -> Iterator[AlignedRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def pair(self, a: Address | str, b: Address | str) -> Alignment:
        """A new alignment in which these stand opposite one another, and what stood there before stands alone.

        Parameters
        ----------
        a, b : tuple of (str, str), or str
            A tensor of either, (layer, tensor); or a layer of either: then all its tensors are paired by name.

        Raises
        ------
        InputError
            There is no such tensor or layer; or one is a layer and the other a tensor; or nothing can be paired.
        """
        if isinstance(a, str) and isinstance(b, str):
            return self._pair_layers(a, b)
        if isinstance(a, str) or isinstance(b, str):
            raise InputError("pair takes two layers, or two tensors given as (layer, tensor); not one of each.")
        found_a, found_b = self._row("a", a), self._row("b", b)
        if found_a is found_b:
            return replace(self, rows=tuple(_by_user(row) if row is found_a else row for row in self.rows))
        joined = _by_user(replace(found_a, b=found_b.b, shape_b=found_b.shape_b))
        rows: list[AlignedRow] = []
        for row in self.rows:
            if row is found_a:
                rows += [joined, *_alone(row, "b")]
            else:
                rows += _alone(row, "a") if row is found_b else [row]
        return Alignment(tuple(rows))

    def unpair(self, a: Address | str) -> Alignment:
        """A new alignment in which a tensor of A, or all tensors of a layer of A, have nothing opposite them.

        Raises
        ------
        InputError
            A has no such tensor or layer.
        """
        if not isinstance(a, str):
            self._row("a", a)
        elif not any(row.a and row.a[0] == a for row in self.rows):
            raise InputError(f"A has no layer {visible(a)!r}.")
        rows: list[AlignedRow] = []
        for row in self.rows:
            chosen = row.a is not None and (row.a[0] if isinstance(a, str) else row.a) == a
            rows += [*_alone(row, "a"), *_alone(row, "b")] if chosen else [row]
        return Alignment(tuple(rows))

    def to_json(self) -> str:
        """The alignment as a JSON text, for `from_json`."""
        return json.dumps({"format": FORMAT, "rows": [asdict(row) for row in self.rows]}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Alignment:
        """The alignment that `to_json` wrote.

        Raises
        ------
        InputError
            The text is no such JSON.
        """
        try:
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise ValueError(f"its format is {found['format']!r}")
            return cls(tuple(_row_of(row) for row in found["rows"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"this is no alignment that to_json wrote: {error!r}.") from error

    def check(self, a: Checkpoint, b: Checkpoint) -> None:
        """Raise `InputError` unless this is an alignment of these two checkpoints."""
        for side, checkpoint, label in (("a", a, "A"), ("b", b, "B")):
            tensors = checkpoint.tensors
            known = {address: tensor.shape for address, tensor in tensors.items()}
            said = [(getattr(row, side), getattr(row, f"shape_{side}")) for row in self.rows if getattr(row, side)]
            for address, shape in said:
                if known.get(address) != shape:
                    where = visible("/".join(address), 100)
                    raise InputError(
                        f"the alignment has {where} of shape {shape} for {label}, {visible(checkpoint.name)} not."
                    )
            if len(said) != len(known):
                raise InputError(
                    f"the alignment has {len(said)} tensors for {label}, {visible(checkpoint.name)} {len(known)}."
                )

    def _pair_layers(self, a: str, b: str) -> Alignment:
        names = [
            {row_address[1] for row in self.rows if (row_address := getattr(row, side)) and row_address[0] == layer}
            for side, layer in (("a", a), ("b", b))
        ]
        for label, layer, found in (("A", a, names[0]), ("B", b, names[1])):
            if not found:
                raise InputError(f"{label} has no layer {visible(layer)!r}.")
        common = sorted(names[0] & names[1])
        if not common:
            raise InputError(f"{visible(a)} and {visible(b)} have no tensor names in common.")
        aligned = self
        for name in common:
            aligned = aligned.pair((a, name), (b, name))
        return aligned

    def _row(self, side: Literal["a", "b"], address: Address) -> AlignedRow:
        found = next((row for row in self.rows if getattr(row, side) == tuple(address)), None)
        if found is None:
            raise InputError(f"{side.upper()} has no tensor {visible('/'.join(map(str, address)), 100)!r}.")
        return found


def align(a: Source, b: Source) -> Alignment:
    """Put the tensors of two checkpoints opposite one another, by names, order and shapes.

    Parameters
    ----------
    a, b : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `open_checkpoint` takes them.

    Returns
    -------
    Alignment
        Change it with `pair` and `unpair`, keep it with `to_json`, and give it to `compare_table` or `verdict`.

    Notes
    -----
    Layers first. Names that somebody gave come before everything else. Of the others, and of names that Keras counts
    out itself (``dense_3``), a longest common subsequence over class, roles and shapes is taken, in which equal names
    decide between ways that are as good; then what there is only once. Inside a layer, weights are paired by name.
    Of siblings, layers of the same shapes that no given name tells apart, 4096 values each are read: those that
    correlate by 0.5 or more belong together.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> alignment = ww.align("monday.h5", "tuesday.h5").pair("dense_3", "head")    # doctest: +SKIP
    """
    one, other = opened(a), opened(b)
    layers_a, layers_b = [*one.values()], [*other.values()]
    rows: dict[int, list[AlignedRow]] = {}
    matches = matched_layers(layers_a, layers_b)
    paired = {match.b: match for match in matches}
    opposite = {match.a: match for match in matches}
    for number, layer in enumerate(layers_a):
        match = opposite.get(number)
        rows[number] = _layer_rows(layer, layers_b[match.b], match) if match else _only(layer, "a")
    # What only B has follows what it follows there.
    rows[-1] = []
    place = -1
    for number, layer in enumerate(layers_b):
        if number in paired:
            place = paired[number].a
        else:
            rows[place] += _only(layer, "b")
    return Alignment(tuple(row for number in sorted(rows) for row in rows[number]))


def given_or_aligned(a: Checkpoint, b: Checkpoint, alignment: Alignment | None) -> Alignment:
    """The alignment that was given, or that of `align`; an `InputError` for what is none."""
    if alignment is None:
        return align(a, b)
    if not isinstance(alignment, Alignment):
        kind = type(alignment).__name__
        raise InputError(f"two checkpoints are compared, and what comes third is an Alignment, not {kind}.")
    return alignment


def opened(source: Source) -> Checkpoint:
    """An opened checkpoint as it is, anything else opened."""
    return source if isinstance(source, Checkpoint) else open_checkpoint(source)


def _layer_rows(a: Layer, b: Layer, match: Match) -> list[AlignedRow]:
    """The weights of two layers by name; then those of a shape that each has once, and those that are equal."""
    pairs: dict[str, tuple[str, Reason, bool]] = {name: (name, match.reason, match.assumed) for name in a if name in b}
    left = [{name: tensor for name, tensor in side.items() if name not in pairs} for side in (a, b)]
    if all(left):
        shapes = [[tensor.shape for tensor in side.values()] for side in left]
        places = {tensor.shape: name for name, tensor in left[1].items()}
        for name, tensor in left[0].items():
            if shapes[0].count(tensor.shape) == 1 == shapes[1].count(tensor.shape):
                pairs[name] = places[tensor.shape], "shape", True
        for name, other in equal_tensors(*left).items():
            pairs.setdefault(name, (other, "shape", False))
    rows = []
    for name, tensor in a.items():
        address = a.name, name
        if name in pairs:
            other, reason, assumed = pairs[name]
            rows.append(_pair(address, tensor.shape, (b.name, other), b[other].shape, reason, assumed))
        else:
            rows.append(AlignedRow(address, None, tensor.shape, None, "removed", "", False))
    taken = {other for other, *_ in pairs.values()}
    return rows + [row for row in _only(b, "b") if row.b and row.b[1] not in taken]


def _pair(a: Address, shape_a: Shape, b: Address, shape_b: Shape, reason: Reason, assumed: bool) -> AlignedRow:
    return AlignedRow(a, b, shape_a, shape_b, "paired" if shape_a == shape_b else "reshaped", reason, assumed)


def _by_user(row: AlignedRow) -> AlignedRow:
    status: Status = "paired" if row.shape_a == row.shape_b else "reshaped"
    return replace(row, status=status, reason="user", assumed=False)


def _only(layer: Layer, side: Literal["a", "b"]) -> list[AlignedRow]:
    if side == "a":
        return [AlignedRow((layer.name, n), None, t.shape, None, "removed", "", False) for n, t in layer.items()]
    return [AlignedRow(None, (layer.name, n), None, t.shape, "added", "", False) for n, t in layer.items()]


def _alone(row: AlignedRow, side: Literal["a", "b"]) -> list[AlignedRow]:
    """The row of what a row has on one side, without the other; none where it has nothing there."""
    if side == "a":
        return [AlignedRow(row.a, None, row.shape_a, None, "removed", "", False)] if row.a else []
    return [AlignedRow(None, row.b, None, row.shape_b, "added", "", False)] if row.b else []


def _row_of(found: Mapping[str, Any]) -> AlignedRow:
    """A row from JSON, checked."""
    addresses = [_address(found[side]) for side in ("a", "b")]
    shapes = [_shape(found[f"shape_{side}"]) for side in ("a", "b")]
    for address, shape in zip(addresses, shapes, strict=True):
        if (address is None) != (shape is None):
            raise ValueError("a row has an address without a shape, or a shape without an address")
    a, b = addresses
    reason = found["reason"]
    if reason not in (*get_args(Reason), ""):
        raise ValueError(f"there is no reason {reason!r}")
    if a and b and shapes[0] is not None and shapes[1] is not None and reason:
        return _pair(a, shapes[0], b, shapes[1], reason, bool(found["assumed"]))
    if (a is None) == (b is None):
        raise ValueError("a row has no address, or a pair without a reason")
    return AlignedRow(a, b, shapes[0], shapes[1], "removed" if a else "added", "", False)


def _address(found: Any) -> Address | None:
    if found is None:
        return None
    layer, tensor = found
    if not (isinstance(layer, str) and isinstance(tensor, str)):
        raise ValueError("an address is no pair of texts")
    return layer, tensor


def _shape(found: Any) -> Shape | None:
    if found is None:
        return None
    if not all(type(size) is int and size >= 0 for size in found):
        raise ValueError("a shape is no list of whole numbers")
    return tuple(found)
