"""The ways in which Keras packs quantised codes, and which of them fit the arrays that a file holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..arrays import Array
from ..contractions import Contraction
from ..derived import transposed
from .codes import reshaped, scaled, scaled_by_group, unpacked

__all__ = ["Helpers", "Packing", "packings"]

Version = tuple[int, int]

# The releases that brought 4-bit codes, and that packed those of kernels along another axis.
INT4, INT4_MATRIX = (3, 11), (3, 14)


@dataclass(frozen=True)
class Helpers:
    """What stands beside quantised codes: the scales, and the zeros and groups where the codes have such."""

    scale: Array
    zero: Array | None = None
    groups: Array | None = None


@dataclass(frozen=True)
class Packing:
    """One way to read codes: as whole bytes, or as pairs of 4-bit codes.

    Attributes
    ----------
    name : str
        ``"int8"`` or ``"int4"``.
    releases : tuple
        The first Keras release that packs so, and the first that does no more.
    codes, weights : Array, or None
        The integers and what they stand for; None where the file leaves the shape open.
    """

    name: str
    releases: tuple[Version, Version]
    codes: Array | None = None
    weights: Array | None = None

    def of(self, version: Version) -> bool:
        return self.releases[0] <= version < self.releases[1]


def packings(
    contraction: Contraction, target: str, array: Array, helpers: Helpers, mode: str, version: Version | None
) -> list[Packing]:
    """The ways to read the codes that fit their shape; those of other releases only when no release is known."""
    fitting = [packing for packing in _fitting(contraction, target, array, helpers) if mode in ("", packing.name)]
    if len(fitting) > 1 and version is not None:
        fitting = [packing for packing in fitting if packing.of(version)]
    return fitting


def _fitting(contraction: Contraction, target: str, array: Array, helpers: Helpers) -> Iterator[Packing]:
    never = (1 << 30, 0)
    grouped = helpers.groups is not None
    by_label = len(array.shape) == len(contraction.weight)
    if by_label and not grouped and _agrees(contraction, array.shape, helpers.scale):
        codes = replace(array, stored="int8")
        yield Packing("int8", ((0, 0), never), codes, scaled(codes, _aligned(contraction, array.shape, helpers.scale)))
    if by_label and contraction.summed and (target != "kernel" or not grouped):
        yield from _by_axis(contraction, array, helpers, (INT4, INT4_MATRIX if target == "kernel" else never))
    if target == "kernel" and len(array.shape) == 2 and not contraction.guessed:
        yield from _by_matrix(contraction, array, helpers, (INT4_MATRIX, never))


def _by_axis(
    contraction: Contraction, array: Array, helpers: Helpers, releases: tuple[Version, Version]
) -> Iterator[Packing]:
    """In pairs along the first axis that is summed over."""
    axis = contraction.weight.index(contraction.summed[0])
    groups = helpers.groups
    length = groups.size if groups is not None else contraction.sizes.get(contraction.summed[0])
    if length is None:
        others = tuple(None if number == axis else size for number, size in enumerate(array.shape))
        if _agrees(contraction, others, helpers.scale):
            yield Packing("int4", releases)
        return
    shape = (*array.shape[:axis], length, *array.shape[axis + 1 :])
    if -(-length // 2) != array.shape[axis]:
        return
    codes = replace(unpacked(array, axis, length), stored="int4")
    if groups is None:
        if _agrees(contraction, shape, helpers.scale):
            yield Packing("int4", releases, codes, scaled(codes, _aligned(contraction, shape, helpers.scale)))
    elif _agrees(contraction, shape) and (weights := _by_group(codes, helpers, groups, axis)):
        yield Packing("int4", releases, codes, weights)


def _by_matrix(
    contraction: Contraction, array: Array, helpers: Helpers, releases: tuple[Version, Version]
) -> Iterator[Packing]:
    """In pairs along the rows of a matrix, the summed axes by the kept ones, which the weight was reshaped to."""
    scale, groups = helpers.scale, helpers.groups
    rows, columns = array.shape[0], scale.shape[-1] if scale.shape else 0
    if -(-columns // 2) != array.shape[1] or len(scale.shape) != (1 if groups is None else 2):
        return
    codes = replace(unpacked(array, 1, columns), stored="int4")
    weights = scaled(codes, reshaped(scale, (1, columns))) if groups is None else _by_group(codes, helpers, groups, 0)
    shape = contraction.shape_of_matrix(rows, columns)
    if weights is None or shape is None:
        # The configured sizes are others, or do not suffice.
        yield Packing("int4", releases)
        return
    # A reshape like any other, even where the axes stand in another order: that is what Keras does.
    yield Packing("int4", releases, reshaped(codes, shape), reshaped(weights, shape))


def _by_group(codes: Array, helpers: Helpers, groups: Array, axis: int) -> Array | None:
    scale, zero = helpers.scale, helpers.zero
    if zero is None or zero.shape != scale.shape or len(scale.shape) != 2 or len(codes.shape) != 2:
        return None
    if groups.shape != (codes.shape[axis],) or scale.shape[1 - axis] != codes.shape[1 - axis]:
        return None
    return scaled_by_group(codes, scale, zero, groups, axis)


def _agrees(contraction: Contraction, shape: tuple[int | None, ...], scale: Array | None = None) -> bool:
    """Whether a shape is as the configuration says, as far as both go, with one number of scale for each kept place."""
    sizes = dict(zip(contraction.weight, shape, strict=True))
    said = contraction.sizes
    if any(size is not None and said.get(letter, size) != size for letter, size in sizes.items()):
        return False
    return scale is None or math.prod(sizes[letter] or 0 for letter in contraction.kept) == scale.size


def _aligned(contraction: Contraction, shape: tuple[int, ...], scale: Array) -> Array:
    """The scale with an axis for each of the weight's: it comes in the order of the output."""
    sizes = dict(zip(contraction.weight, shape, strict=True))
    kept = contraction.kept
    order = sorted(range(len(kept)), key=lambda number: contraction.weight.index(kept[number]))
    ordered = transposed(reshaped(scale, tuple(sizes[letter] for letter in kept)), order)
    return reshaped(ordered, tuple(sizes[letter] if letter in kept else 1 for letter in contraction.weight))
