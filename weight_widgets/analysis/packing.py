"""Summaries, rasters, and what was measured of pairs as plain arrays by name, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, fields

import numpy as np

from .cells import Cells
from .moments import Moments
from .pair_summary import Joint, Scattered
from .pairs import PairMoments
from .rasters import Raster
from .summary import Summary
from .twins import Twin

__all__ = [
    "pack_raster",
    "pack_scattered",
    "pack_summary",
    "pack_twin",
    "unpack_raster",
    "unpack_scattered",
    "unpack_summary",
    "unpack_twin",
]

Arrays = Mapping[str, np.ndarray]

# Smaller tensors are measured again as fast as that is read.
MIN_TWIN = 1 << 20
COUNTS = ("size", "finite", "nan_a", "nan_b", "equal", "identical")


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


def pack_twin(twin: Twin) -> Arrays | None:
    """None for tensors so small that measuring them again is as fast as finding that."""
    if twin.moments.size < MIN_TWIN:
        return None
    return {
        **_pack_pair(twin.moments),
        "twin": np.array([*twin.null, twin.close, twin.wasserstein, twin.unit_distance]),
    }


def unpack_twin(arrays: Arrays) -> Twin:
    low, high, close, wasserstein, unit_distance = arrays["twin"].tolist()
    return Twin(_unpack_pair(arrays), (low, high), int(close), wasserstein, unit_distance)


def pack_scattered(scattered: Scattered) -> Arrays:
    joint = scattered.joint
    return {**_pack_pair(scattered.moments), "joint": joint.counts, "spans": np.array([joint.span_a, joint.span_b])}


def unpack_scattered(arrays: Arrays) -> Scattered:
    span_a, span_b = arrays["spans"].tolist()
    return Scattered(_unpack_pair(arrays), Joint(arrays["joint"], tuple(span_a), tuple(span_b)))


def _pack_pair(moments: PairMoments) -> Arrays:
    numbers = [getattr(moments, field.name) for field in fields(moments) if field.name not in COUNTS]
    return {"counts": np.array([int(getattr(moments, name)) for name in COUNTS]), "numbers": np.array(numbers)}


def _unpack_pair(arrays: Arrays) -> PairMoments:
    *counts, identical = arrays["counts"].tolist()
    return PairMoments(*counts, *(bool(identical), *arrays["numbers"].tolist()))
