"""Units that are another one's copy or mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import axis_norms

__all__ = ["MAX_UNITS", "Twin", "twins"]

# All pairs of more units take minutes.
MAX_UNITS = 8192
# In one or two dimensions units are alike by chance.
MIN_INPUTS = 4
# Products of a band of units with all of them at a time.
BLOCK = 1 << 22
# Of cosines in float32.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Twin:
    """A unit, an earlier one, whether it is its negative, and their distance by the larger norm."""

    unit: int
    other: int
    mirrored: bool
    distance: float


def twins(matrix: np.ndarray, limit: float) -> list[Twin]:
    """Each unit that is nearly equal to an earlier one, or to its negative; units of zeros are left out.

    Parameters
    ----------
    matrix : numpy.ndarray
        Shape (inputs, units), finite.
    limit : float
        Largest distance, by the larger norm of the two.
    """
    inputs, count = matrix.shape
    if inputs < MIN_INPUTS or count > MAX_UNITS:
        return []
    norms = axis_norms(matrix, (1,))
    directions = np.divide(
        matrix.T, norms[:, np.newaxis], out=np.zeros((count, inputs), np.float32), where=(norms > 0)[:, np.newaxis]
    )
    found: list[Twin] = []
    step = max(1, BLOCK // max(count, 1))
    for start in range(0, count, step):
        band = slice(start, start + step)
        # Products in float32 only choose the pairs that are measured.
        near = np.abs(directions[band] @ directions.T) > 1 - max(2 * limit**2, ROUNDING)
        near &= np.abs(norms[band, np.newaxis] - norms) <= limit * np.maximum(norms[band, np.newaxis], norms)
        near &= np.arange(count) < np.arange(start, start + len(near))[:, np.newaxis]
        for row in np.flatnonzero(near.any(axis=1)):
            measured = (_measured(matrix, norms, start + int(row), int(other)) for other in np.flatnonzero(near[row]))
            first = next((twin for twin in measured if twin.distance <= limit), None)
            found += [first] if first else []
    return found


def _measured(matrix: np.ndarray, norms: np.ndarray, unit: int, other: int) -> Twin:
    one, two = (matrix[:, each].astype(np.float64) for each in (unit, other))
    mirrored = bool(one @ two < 0)
    gap = one + two if mirrored else one - two
    return Twin(unit, other, mirrored, float(np.linalg.norm(gap) / max(norms[unit], norms[other])))
