"""Units that are another one's copy or mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["MAX_UNITS", "Twin", "twins"]

# All pairs of more units take minutes.
MAX_UNITS = 8192
# In one or two dimensions units are alike by chance.
MIN_INPUTS = 4
BLOCK = 1 << 22


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
    units = matrix.T.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", units, units))
    found: dict[int, Twin] = {}
    step = max(1, BLOCK // max(count, 1))
    for start in range(0, count, step):
        products = units[start : start + step] @ units.T
        larger = np.maximum(norms[start : start + step, np.newaxis], norms)
        # ‖a ∓ b‖² = ‖a‖² + ‖b‖² ∓ 2ab loses half of the digits: it only chooses the pairs that are measured.
        squares = norms[start : start + step, np.newaxis] ** 2 + norms**2
        near = squares - 2 * np.abs(products) <= (4 * limit**2 + 1e-12) * larger**2
        near &= np.arange(count) < np.arange(start, start + len(products))[:, np.newaxis]
        for row, other in zip(*np.nonzero(near & (larger > 0)), strict=True):
            unit = start + int(row)
            if unit in found:
                continue
            mirrored = bool(products[row, other] < 0)
            gap = units[unit] + units[other] if mirrored else units[unit] - units[other]
            distance = float(np.linalg.norm(gap) / larger[row, other])
            if distance <= limit:
                found[unit] = Twin(unit, int(other), mirrored, distance)
    return list(found.values())
