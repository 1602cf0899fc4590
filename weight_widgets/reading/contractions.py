"""Which axes of a dense weight are summed over and which are kept, and the sizes that the configuration fixes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["ATTENTIONS", "Contraction", "contraction_of", "input_shape", "size_of"]

EQUATION = re.compile(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(?:\.\.\.)?([A-Za-z]+)(?:\.\.\.)?")
ATTENTIONS = ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
MAX_SIZE = 1 << 48


@dataclass(frozen=True)
class Contraction:
    """A weight in the notation of einsum.

    Attributes
    ----------
    weight : str
        A letter for each axis.
    kept : str
        Those that the output has, in its order.
    sizes : mapping of str to int
        The sizes that the configuration fixes.
    shared : str
        Those of the kept that the input has too.
    guessed : bool
        True where the class is not known.
    """

    weight: str
    kept: str
    sizes: Mapping[str, int]
    shared: str = ""
    guessed: bool = False

    @property
    def summed(self) -> str:
        return "".join(letter for letter in self.weight if letter not in self.kept)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape of the weight as far as it is fixed."""
        return tuple(self.sizes.get(letter) for letter in self.weight)

    def shape_of_matrix(self, rows: int, columns: int) -> tuple[int, ...] | None:
        """The weight's shape when it is stored as a matrix of the summed axes by the kept ones; None if left open."""
        sizes: dict[str, int] = {}
        for letters, total in ((self.summed, rows), (self.kept, columns)):
            known = {letter: self.sizes[letter] for letter in letters if letter in self.sizes}
            unknown = [letter for letter in letters if letter not in known]
            product = math.prod(known.values())
            if len(unknown) > 1 or total % product or (not unknown and total != product):
                return None
            sizes |= known | dict.fromkeys(unknown, total // product)
        return tuple(sizes[letter] for letter in self.weight)


def contraction_of(
    class_name: str, config: Mapping[str, Any], place: str, target: str, build: Mapping[str, Any]
) -> Contraction | None:
    """The contraction of the weight `target` at a place (``"query"``, or ``""``) in a layer; None for others."""
    if target in ("embeddings", "reverse_embeddings") and not place:
        sizes = _known(v=config.get("input_dim"), d=config.get("output_dim"))
        return Contraction("vd" if target == "embeddings" else "dv", "v", sizes)
    if target != "kernel":
        return None
    if class_name in ATTENTIONS:
        return _attention(config, place, build)
    if place:
        return None
    if class_name == "EinsumDense":
        return einsum(config, input_shape(build))
    if class_name in ("Dense", ""):
        shape = input_shape(build) or (None,)
        return Contraction("io", "o", _known(i=shape[-1], o=config.get("units")), guessed=not class_name)
    return None


def einsum(config: Mapping[str, Any], shape: Sequence[Any] | None) -> Contraction | None:
    """The contraction of an EinsumDense."""
    equation, given = config.get("equation"), config.get("output_shape")
    found = EQUATION.fullmatch(equation) if isinstance(equation, str) and len(equation) < 200 else None
    if found is None:
        return None
    left, inputs, right, weight, outputs = found.groups()
    if len(set(weight)) < len(weight) or len(set(outputs)) < len(outputs):
        return None
    made = list(given) if isinstance(given, (list, tuple)) else [given]
    sizes: dict[str, Any] = {}
    if shape is not None and (len(shape) == len(inputs) or (len(shape) > len(inputs) and (left or right))):
        sizes |= zip(inputs, shape[len(shape) - len(inputs) :] if left else shape, strict=False)
    # The batch, and what an ellipsis stands for, are not in the configured shape.
    if right:
        sizes |= zip(outputs[1:], made, strict=False)
    else:
        sizes |= zip(reversed(outputs), reversed(made), strict=False)
    kept = "".join(letter for letter in outputs if letter in weight)
    known = {key: size for key, size in _known(**sizes).items() if key in weight}
    return Contraction(weight, kept, known, shared="".join(letter for letter in kept if letter in inputs))


def _attention(config: Mapping[str, Any], place: str, build: Mapping[str, Any]) -> Contraction | None:
    role = {"attention_output": "output"}.get(place, place)
    if role not in ("query", "key", "value", "gate", "output"):
        return None
    shared = "num_key_value_heads" if role in ("key", "value") else "num_query_heads"
    heads = config.get(shared, config.get("num_heads"))
    key_dim = config.get("key_dim", config.get("head_dim"))
    value_dim = config.get("value_dim") or key_dim
    width = {"query": key_dim, "key": key_dim, "value": value_dim, "output": value_dim}.get(role)
    if role == "output":
        made = config.get("output_shape")
        if isinstance(made, (list, tuple)) and len(made) != 1:
            return None
        return Contraction("hkd", "d", _known(h=heads, k=width))
    shapes = build.get("shapes_dict")
    source = {"key": "value", "gate": "query"}.get(role, role)
    found = shapes.get(f"{role}_shape") or shapes.get(f"{source}_shape") if isinstance(shapes, Mapping) else None
    depth = found[-1] if isinstance(found, (list, tuple)) and found else None
    return Contraction("dhk", "hk", _known(d=depth, h=heads, k=width))


def input_shape(build: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The one shape that a layer was built with; None when there is none, or more."""
    shape = build.get("input_shape")
    return tuple(shape) if isinstance(shape, (list, tuple)) and shape and not _nested(shape) else None


def size_of(value: object) -> int | None:
    """A size that an axis can have; None for anything else that a configuration may hold."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < MAX_SIZE else None


def _known(**sizes: object) -> dict[str, int]:
    return {letter: size for letter, value in sizes.items() if (size := size_of(value)) is not None}


def _nested(shape: Iterable[Any]) -> bool:
    return any(isinstance(size, (list, tuple, Mapping)) for size in shape)
