"""The words under the heatmaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..analysis.rasters import Raster
from ..state import Detail, Pictures
from .style import SAMPLED, number, percent

__all__ = ["caption"]


def caption(result: Pictures, closeup: Detail | None, limit: float) -> str:
    """How the tensor is laid out, how it is pooled, and what is missing from the pictures."""
    if result.matrix is None:
        return "Neither Model A nor Model B has this tensor."
    if not all(result.matrix.shape):
        return f"{result.matrix.sentence}. The tensor is empty."
    said = [f"{result.matrix.sentence}{', assumed from names and shapes' if result.assumed else ''}."]
    if result.doubt:
        said.append(f"Not understood: {result.doubt}.")
    rasters = [raster for raster in result.contrast.rasters if raster is not None]
    if result.sampled < 1:
        said.append(SAMPLED.format(percent(result.sampled)))
    contrast = closeup.contrast if closeup else result.contrast
    said.append(_pooling(rasters, closeup))
    if result.contrast.rasters[2] is None:
        other = result.matrices[1]
        if len(rasters) == 2 and other is not None:
            said.append(f"B is {other.sentence}." if not result.alike else f"B is {other.shape[0]} × {other.shape[1]}.")
            said.append(f"No difference: {'the shapes differ' if result.alike else 'the axes mean other things'}.")
        else:
            said.append("No difference: only one of them can be shown.")
    missing = [0 if raster is None else int(np.count_nonzero(~np.isfinite(raster.mean))) for raster in contrast.rasters]
    if any(missing):
        said.append(f"Grey: NaN or Inf, {missing[0]} cells of A and {missing[1]} of B.")
    beyond = "; what is beyond has the colour of that end" if contrast.limit > limit else ""
    said.append(f"Colours from −{number(limit, 2)} to +{number(limit, 2)}{beyond}.")
    return " ".join(filter(None, said))


def _pooling(rasters: Sequence[Raster], closeup: Detail | None) -> str:
    """How many weights a cell stands for, in what is in sight if that was read anew."""
    pooled = next((raster for raster in rasters if not raster.exact), None)
    if pooled is None:
        return ""
    if closeup is None:
        rows, columns = pooled.mean.shape
        return f"Pooled to {rows} × {columns} cells: each shows its mean."
    if closeup.exact:
        return "Zoomed in: each cell is one weight."
    sharp = next(raster for raster in closeup.contrast.rasters if raster is not None)
    down, across = (f"{size / cells:.3g}" for size, cells in zip(sharp.shape, sharp.mean.shape, strict=True))
    return f"Zoomed in: each cell is {down} × {across} weights and shows their mean."
