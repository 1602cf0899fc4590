"""What each figure shows, in words: for who does not see it, from the same results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..analysis.comparing import ComparedRow
from ..analysis.pair_summary import Scattered
from ..analysis.rasters import Raster
from ..display import visible
from ..state import Overlay, PartsLook, Spectra, Window
from .style import Models, count, number

__all__ = [
    "changes_in_words",
    "histogram_in_words",
    "parts_in_words",
    "picture_in_words",
    "scatter_in_words",
    "spectrum_in_words",
]


def histogram_in_words(overlay: Overlay | None, models: Models) -> str:
    curves = overlay.curves if overlay else ()
    if overlay is None or not curves:
        return "Histogram without a model."
    edges = curves[0].histogram.edges
    said = [
        f"Histogram of {overlay.pick.address}: {len(edges) - 1} bins from {number(edges[0])} to {number(edges[-1])}."
    ]
    for curve in curves:
        found = curve.moments
        bad = [f"{count(how_many)} {name}" for how_many, name in ((found.nan, "NaN"), (found.inf, "Inf")) if how_many]
        numbers = (
            f"mean {number(found.mean)}, standard deviation {number(found.std)}, "
            f"from {number(found.minimum)} to {number(found.maximum)}, {count(found.zeros)} zeros"
        )
        said.append(f"{models[curve.label].name}: {', '.join([numbers, *bad])}.")
    return " ".join(said)


def picture_in_words(name: str, raster: Raster | None, limit: float, window: Window | None = None) -> str:
    """Of one of the heatmaps; the window is what is in sight of it, and the raster's."""
    if raster is None or not raster.mean.size:
        return f"Heatmap {name}: nothing to show."
    rows, columns = raster.shape
    low, high = (raster.mean if plane is None else plane for plane in (raster.low, raster.high))
    finite = [plane[np.isfinite(plane)] for plane in (low, high)]
    ends = (
        f"from {number(float(finite[0].min()))} to {number(float(finite[1].max()))}"
        if finite[0].size
        else "none finite"
    )
    seen = f", zoomed in from row {window.top} and column {window.left}" if window else ""
    return (
        f"Heatmap {name}: {rows} × {columns} weights{seen}, {ends}. "
        f"Blue is negative, red positive; the strongest colours stand for ±{number(limit, 2)}."
    )


def scatter_in_words(found: Scattered | None, a: str, b: str) -> str:
    if found is None:
        return "Scatter: nothing to show."
    moments, (low, high) = found.moments, found.joint.span_a
    return (
        f"Scatter of the weights of {a}, from left to right, against those of {b}, upwards, "
        f"both from {number(low)} to {number(high)}: {count(moments.size)} pairs, "
        f"Pearson's correlation {number(moments.pearson)}, relative change {number(moments.relative_change)}."
    )


def spectrum_in_words(spectra: Spectra | None, drawn: Mapping[str, np.ndarray], models: Models) -> str:
    if spectra is None or not drawn:
        return "Spectrum: nothing to show."
    found = dict(spectra.found)
    said = [f"Singular values of {spectra.pick.address}, the largest first, on a logarithmic scale."]
    said += [
        f"{models[label].name}: {count(values.size)}, from {number(float(values[0]))} down to "
        f"{number(float(values[-1]))}, stable rank {number(found[label].stable_rank)}."
        for label, values in drawn.items()
    ]
    return " ".join(said)


def parts_in_words(look: PartsLook | None, models: Models) -> str:
    panels = [panel for strip in look.strips for panel in strip.panels] if look else []
    if look is None or not panels:
        return "Parts: nothing to show."
    labels = dict.fromkeys(label for panel in panels for label in panel.histograms)
    said = [
        f"A small histogram for each part of {look.pick.address}: "
        f"{_listed(panel.part for panel in look.strips[0].panels)}."
    ]
    said += [f"{strip.title}: from {number(strip.edges[0])} to {number(strip.edges[-1])}." for strip in look.strips]
    said.append(f"Models: {_listed(models[label].name for label in labels)}.")
    return " ".join(said)


def changes_in_words(rows: Sequence[ComparedRow], tally: Iterable[str], names: Sequence[str]) -> str:
    """Of the change map: how many tensors are of each kind, and which changed most; a name for each row."""
    moved = [(row.twin.moments.relative_change, name) for row, name in zip(rows, names, strict=True) if row.twin]
    moved = [(change, name) for change, name in moved if np.isfinite(change) and change > 0]
    said = f"Change map of {count(len(rows))} tensors in model order: {', '.join(tally)}."
    if moved:
        (least, first), (most, last) = min(moved), max(moved)
        said += f" The largest relative change is {number(most)}, of {last}; the smallest {number(least)}, of {first}."
    return said


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(visible(name) for name in names))
