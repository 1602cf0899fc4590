"""The histogram pane: the ticked models overlaid on shared edges, one filled step line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bqplot
import ipywidgets as widgets
import numpy as np
from traitlets import link

from ..analysis.sketches import Histogram
from ..state import CLIPS, HistogramState, Overlay
from .axes import horizontal_axis, ticks, vertical_axis
from .style import count, model_colour, swatch, text

__all__ = ["histogram_pane"]

HEIGHT = "250px"
# On a logarithmic axis an empty bin has no place; half a count lies just below the smallest that can occur.
EMPTY_BIN = 0.5


def histogram_pane(state: HistogramState, labels: Sequence[str]) -> widgets.Box:
    """The pane with its settings and, under the plot, what a histogram cannot show: zeros, NaN, Inf, values outside."""
    x = bqplot.LinearScale(min=0.0, max=1.0)
    linear, logarithmic = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LogScale(min=EMPTY_BIN, max=1.0)
    across = horizontal_axis(x, label="weight", label_offset="2.4em", tick_format="~g")
    upwards = vertical_axis(linear, label_offset="3.4em")
    lines = {label: _line(x, linear, model_colour(labels, label)) for label in labels}
    figure = bqplot.Figure(
        marks=list(lines.values()),
        axes=[across, upwards],
        fig_margin={"top": 12, "bottom": 44, "left": 62, "right": 14},
        layout=widgets.Layout(width="auto", height=HEIGHT, min_width="0"),
        padding_x=0.01,
        padding_y=0,
    )
    figure.add_class("ww-histogram-figure")
    counts = widgets.HTML()
    counts.add_class("ww-counts")

    def recompute(_: object = None) -> None:
        if state.result is None:
            return
        heights = {curve.label: _heights(curve.histogram, state.log, state.density) for curve in state.result.curves}
        rescale(heights)
        edges = {curve.label: curve.histogram.edges for curve in state.result.curves}
        # A hidden line keeps its data, and bqplot would keep room for it.
        for shared in list(edges.values())[:1]:
            with x.hold_sync():
                x.min, x.max = float(shared[0]), float(shared[-1])
        for label, line in lines.items():
            _draw(line, edges.get(label), heights.get(label))
        counts.value = _counts(state.result, labels)

    def rescale(heights: Mapping[str, np.ndarray]) -> None:
        top = max((float(found.max()) for found in heights.values()), default=1.0) or 1.0
        low = min((float(found.min()) for found in heights.values()), default=EMPTY_BIN) if state.log else 0.0
        scale = logarithmic if state.log else linear
        with scale.hold_sync():
            scale.min, scale.max = low, top * (2 if state.log else 1.05)
        with upwards.hold_sync():
            upwards.scale, upwards.label = scale, "density" if state.density else "count"
            upwards.tick_format = "~g" if state.density else "~s"
            upwards.tick_values = _powers(low, top) if state.log else ticks(0.0, top, whole=not state.density)
        for line in lines.values():
            line.scales = {"x": x, "y": scale}

    state.observe(recompute, ["result", "log", "density"])
    recompute()
    pane = widgets.VBox([_heading("Histogram"), figure, counts, _settings(state)])
    pane.add_class("ww-pane")
    pane.add_class("ww-histogram")
    return pane


def _line(x: bqplot.Scale, y: bqplot.Scale, colour: str) -> bqplot.Lines:
    return bqplot.Lines(
        x=[], y=[], scales={"x": x, "y": y}, colors=[colour], fill="bottom", fill_opacities=[0.18], stroke_width=1.3
    )


def _heights(histogram: Histogram, log: bool, density: bool) -> np.ndarray:
    heights = histogram.density if density else histogram.counts.astype(np.float64)
    if not log:
        return heights
    per_count = 1.0
    if density and (total := histogram.counts.sum()):
        per_count = 1.0 / float(total * np.diff(histogram.edges).max())
    return np.maximum(heights, EMPTY_BIN * per_count)


def _draw(line: bqplot.Lines, edges: np.ndarray | None, heights: np.ndarray | None) -> None:
    """Show a histogram as the outline of its bins; nothing for a checkpoint that is not ticked."""
    if edges is None or heights is None:
        line.visible = False
        return
    with line.hold_sync():
        line.x = np.repeat(edges, 2)[1:-1].astype(np.float32)
        line.y = np.repeat(heights, 2).astype(np.float32)
        line.visible = True


def _powers(low: float, high: float) -> np.ndarray:
    return 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)


def _counts(overlay: Overlay, labels: Sequence[str]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{swatch(model_colour(labels, curve.label))}{text(curve.label)}</th>'
        + "".join(f"<td>{count(value)}</td>" for value in (curve.zeros, curve.nan, curve.inf, curve.histogram.outside))
        + "</tr>"
        for curve in overlay.curves
    )
    return f"<table><tr><th></th><th>zeros</th><th>NaN</th><th>Inf</th><th>outside</th></tr>{cells}</table>"


def _settings(state: HistogramState) -> widgets.Box:
    bins = widgets.BoundedIntText(description="bins", min=10, max=500, step=10)
    clip = widgets.Dropdown(
        description="range", options=[("full" if not clip else f"{clip:g}–{100 - clip:g} %", clip) for clip in CLIPS]
    )
    density = widgets.Dropdown(description="y", options=[("counts", False), ("density", True)])
    log = widgets.Checkbox(description="log", indent=False)
    for name, control in {"bins": bins, "clip": clip, "density": density, "log": log}.items():
        link((state, name), (control, "value"))
        control.add_class(f"ww-set-{name}")
    box = widgets.Box([bins, clip, density, log])
    box.add_class("ww-row")
    box.add_class("ww-settings")
    return box


def _heading(title: str) -> widgets.HTML:
    heading = widgets.HTML(f"<h3>{title}</h3>")
    heading.add_class("ww-heading")
    return heading
