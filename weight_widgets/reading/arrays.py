"""An array that is read when it is asked for, wherever it lies: what every layout hands on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .fetching import Fetch, InMemory
from .origins import Origin, in_memory

__all__ = ["Array", "made_of", "of_values"]


@dataclass(frozen=True, eq=False)
class Array:
    """An array and the way to its values.

    Attributes
    ----------
    path : str
        Its place in the file, for people.
    shape : tuple of int
    dtype : numpy.dtype
        Of what `fetch` returns, in native byte order.
    fetch : callable
        From a basic index to a new array; `fetching.each_of` it, to arrays in turn.
    stored : str
        The type in the file where numpy has none of its own: ``"bfloat16"``; ``""`` otherwise.
    attributes : mapping
        What the file says beside the values.
    origin : Origin
        Where the values come from.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fetch: Fetch = field(repr=False)
    stored: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = field(default_factory=in_memory, repr=False)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def made_of(sources: Sequence[Array], step: str, *settings: object, fetch: Fetch, **changes: Any) -> Array:
    """The first of the sources with other values: what `fetch` makes of all of them by a step of this name.

    The values must follow from `step`, `settings` and the sources' values alone.
    """
    origin = Origin(step, settings, tuple(source.origin for source in sources))
    return replace(sources[0], fetch=fetch, origin=origin, **changes)


def of_values(path: str, values: np.ndarray) -> Array:
    """An array whose values are in memory already."""
    return Array(path, values.shape, values.dtype.newbyteorder("="), InMemory(values))
