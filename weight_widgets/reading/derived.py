"""Arrays made of stored ones when they are read: joined, transposed, computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .arrays import Array, made_of
from .structure import Index

__all__ = ["computed", "joined", "transposed"]


def computed(
    source: Array, shape: tuple[int, ...], compute: Callable[[np.ndarray], np.ndarray], step: str, *settings: object
) -> Array:
    """What `compute` makes of all values of `source`, under its path; `step` and `settings` say what that is."""

    def fetch(index: Index) -> np.ndarray:
        return np.array(compute(source.fetch(()))[index])

    return made_of([source], step, *settings, shape=shape, fetch=fetch)


def transposed(source: Array, axes: Sequence[int]) -> Array:
    """The array with its axes in another order, of which only what is asked for is read."""

    def fetch(index: Index) -> np.ndarray:
        steps, dropped = _slices(index, len(axes))
        of_source = [steps[axes.index(axis)] for axis in range(len(axes))]
        return np.ascontiguousarray(source.fetch(tuple(of_source)).transpose(axes)).squeeze(dropped)

    shape = tuple(source.shape[axis] for axis in axes)
    return made_of([source], "transposed", *axes, shape=shape, fetch=fetch)


def joined(sources: Sequence[Array], path: str) -> Array:
    """Arrays of one type side by side along their last axis, of which only the rows that are asked for are read."""
    first = sources[0]
    shape = (*first.shape[:-1], sum(source.shape[-1] for source in sources))

    def fetch(index: Index) -> np.ndarray:
        steps, dropped = _slices(index, len(shape))
        rows = tuple(steps[:-1])
        whole = np.concatenate([source.fetch(rows) for source in sources], axis=-1)
        return np.ascontiguousarray(whole[..., steps[-1]]).squeeze(dropped)

    return made_of(sources, "joined", path=path, shape=shape, fetch=fetch)


def _slices(index: Index, rank: int) -> tuple[list[slice], tuple[int, ...]]:
    """The index as one slice for each axis, and the axes that an int takes away."""
    steps = [step if isinstance(step, slice) else slice(step, step + 1) for step in index]
    steps += [slice(None)] * (rank - len(steps))
    return steps, tuple(axis for axis, step in enumerate(index) if not isinstance(step, slice))
