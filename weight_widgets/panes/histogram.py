"""The histogram pane: the ticked models overlaid on shared edges, one filled step line each."""

from __future__ import annotations

from collections.abc import Sequence

import bqplot
import ipywidgets as widgets
import numpy as np
from traitlets import link

from ..state import CLIPS, HistogramState, Overlay
from ..state.looks import Curve
from .style import count, model_colour, swatch, text

__all__ = ["histogram_pane"]

HEIGHT = "250px"
# On a logarithmic axis an empty bin has no place; half a count lies just below the smallest that can occur.
EMPTY_BIN = 0.5


def histogram_pane(state: HistogramState, labels: Sequence[str]) -> widgets.Box:
    """The pane with its settings and, under the plot, what a histogram cannot show: zeros, NaN, Inf, values outside."""
    x = bqplot.LinearScale()
    linear, logarithmic = bqplot.LinearScale(min=0.0), bqplot.LogScale()
    across = bqplot.Axis(scale=x, grid_lines="none", label="weight", label_offset="2.4em")
    upwards = bqplot.Axis(scale=linear, orientation="vertical", grid_lines="none", label_offset="3.4em")
    lines = {label: _line(x, linear, model_colour(labels, label)) for label in labels}
    figure = bqplot.Figure(
        marks=list(lines.values()),
        axes=[across, upwards],
        fig_margin={"top": 12, "bottom": 44, "left": 62, "right": 14},
        layout=widgets.Layout(width="auto", height=HEIGHT, min_width="0"),
        animation_duration=0,
    )
    figure.add_class("ww-histogram-figure")
    counts = widgets.HTML()
    counts.add_class("ww-counts")

    def recompute(_: object = None) -> None:
        if state.result is None:
            return
        curves = {curve.label: curve for curve in state.result.curves}
        for label, line in lines.items():
            _draw(line, curves.get(label), state)
        counts.value = _counts(state.result, labels)

    def rescale(_: object = None) -> None:
        scale = logarithmic if state.log else linear
        upwards.scale, upwards.label = scale, "density" if state.density else "count"
        for line in lines.values():
            line.scales = {"x": x, "y": scale}
        recompute()

    state.observe(recompute, "result")
    state.observe(rescale, ["log", "density"])
    rescale()
    pane = widgets.VBox([_heading("Histogram"), figure, counts, _settings(state)])
    pane.add_class("ww-pane")
    pane.add_class("ww-histogram")
    return pane


def _line(x: bqplot.Scale, y: bqplot.Scale, colour: str) -> bqplot.Lines:
    return bqplot.Lines(
        x=[], y=[], scales={"x": x, "y": y}, colors=[colour], fill="bottom", fill_opacities=[0.18], stroke_width=1.3
    )


def _draw(line: bqplot.Lines, curve: Curve | None, state: HistogramState) -> None:
    """Show a checkpoint's histogram as the outline of its bins; nothing for one that is not ticked."""
    if curve is None:
        line.visible = False
        return
    histogram = curve.histogram
    heights = histogram.density if state.density else histogram.counts.astype(np.float64)
    if state.log:
        total = max(1, int(histogram.counts.sum()))
        floor = EMPTY_BIN / (total * float(np.diff(histogram.edges).max())) if state.density else EMPTY_BIN
        heights = np.maximum(heights, floor)
    with line.hold_sync():
        line.x = np.repeat(histogram.edges, 2)[1:-1].astype(np.float32)
        line.y = np.repeat(heights, 2).astype(np.float32)
        line.visible = True


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
