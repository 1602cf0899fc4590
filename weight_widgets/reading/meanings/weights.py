"""What the builders of structures are given, and the axes that several of them make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..structure import Axis, Cut, Structure

__all__ = ["Builder", "Shape", "Weight", "matrix", "plain", "vector"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Weight:
    """A weight and what is known around it.

    Parameters
    ----------
    class_name : str
        Of the layer at its place.
    role : str
    shape : tuple of int
    place : str
        Where in a composite layer it is: ``"query"``.
    groups : int
        What the configuration says of groups: of a grouped convolution, of a group normalisation, or how many keys and
        values share the heads of an attention layer. 0 where it says nothing.
    letters : tuple of str
        Of an einsum: a letter for each axis of the weight; those of them that the output has; and those of these that
        the input has as well.
    bias : tuple of int, optional
        Shape of the bias beside it.
    """

    class_name: str
    role: str
    shape: Shape
    place: str = ""
    groups: int = 0
    letters: tuple[str, str, str] = ("", "", "")
    bias: Shape | None = None


Builder = Callable[[Weight], "Structure | None"]


def plain(*labels: str, columns: int = 1, unit: str = "") -> Builder:
    """A weight with one axis for each dimension; the last `columns` of them run across."""

    def build(weight: Weight) -> Structure | None:
        if len(weight.shape) != len(labels):
            return None
        dims = tuple((Axis(label, size),) for label, size in zip(labels, weight.shape, strict=True))
        return Structure(dims, columns=labels[len(labels) - columns :], unit=unit)

    return build


def vector(label: str) -> Builder:
    """A weight with one number for each unit, filter or channel."""
    return plain(label, unit=label)


def matrix(rows: str, columns: str, unit: str) -> Builder:
    """A matrix that falls into its rows or its columns."""

    def build(weight: Weight) -> Structure | None:
        if len(weight.shape) != 2:
            return None
        dims = ((Axis(rows, weight.shape[0]),), (Axis(columns, weight.shape[1]),))
        return Structure(dims, (columns,), (Cut((unit,)),), unit, part_columns=(rows if unit == columns else columns,))

    return build
