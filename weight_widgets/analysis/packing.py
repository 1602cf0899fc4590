"""Summaries and rasters as plain arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple

import numpy as np

from .cells import Cells
from .moments import Moments
from .rasters import Raster
from .summary import Summary

__all__ = ["pack_raster", "pack_summary", "unpack_raster", "unpack_summary"]

Arrays = Mapping[str, np.ndarray]


def pack_summary(summary: Summary) -> Arrays | None:
    """None for a tensor of which all values are kept: finding those again is as fast as reading them."""
    cells = summary.values
    if not isinstance(cells, Cells):
        return None
    size, nan, inf, zeros, *numbers = astuple(summary.moments)
    arrays = {
        "counts": np.array([size, nan, inf, zeros]),
        "numbers": np.array([*numbers, cells.low, cells.high, summary.share]),
        **{f"cells {name}": getattr(cells, name) for name in ("lower", "upper", "counts")},
    }
    return arrays | (
        {f"raster {name}": each for name, each in pack_raster(summary.raster).items()} if summary.raster else {}
    )


def unpack_summary(arrays: Arrays) -> Summary:
    *numbers, low, high, share = arrays["numbers"].tolist()
    lower, upper, occupied = (arrays[f"cells {name}"] for name in ("lower", "upper", "counts"))
    cells = Cells(lower, upper, occupied, low, high)
    raster = {name.removeprefix("raster "): each for name, each in arrays.items() if name.startswith("raster ")}
    return Summary(
        Moments(*arrays["counts"].tolist(), *numbers), cells, unpack_raster(raster) if raster else None, share
    )


def pack_raster(raster: Raster) -> Arrays:
    planes = dict(zip(("mean", "low", "high"), raster.planes, strict=False))
    return {"shape": np.array(raster.shape), **planes}


def unpack_raster(arrays: Arrays) -> Raster:
    rows, columns = arrays["shape"].tolist()
    return Raster(arrays["mean"], arrays.get("low"), arrays.get("high"), (rows, columns))
