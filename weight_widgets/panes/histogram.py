"""The histogram pane: the ticked models overlaid on shared edges, one filled step line each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import bqplot
import ipywidgets as widgets
import numpy as np
from traitlets import link

from ..analysis.histograms import Histogram
from ..state import CLIPS, ExplorerState, HistogramState, Overlay
from ..state.looks import Curve
from .axes import horizontal_axis, powers, short_format, single, ticks, vertical_axis
from .pane import Pane
from .style import NEUTRAL, SAMPLED, UNSURE, Model, Models, count, number, percent, text

__all__ = ["HistogramPane"]

HEIGHT = "250px"
# On a logarithmic axis an empty bin has no place; half a count lies just below the smallest that can occur.
EMPTY_BIN = 0.5
EMPTY = np.empty(0)


class Ground:
    """The scales and axes that all lines of the plot stand on."""

    def __init__(self) -> None:
        self.x = bqplot.LinearScale(min=0.0, max=1.0)
        self._linear = bqplot.LinearScale(min=0.0, max=1.0)
        self.logarithmic = bqplot.LogScale(min=EMPTY_BIN, max=1.0)
        self.across = horizontal_axis(self.x, label="weight", label_offset="2.4em")
        self.upwards = vertical_axis(self._linear, label_offset="3.4em")

    @property
    def y(self) -> bqplot.Scale:
        return self.upwards.scale

    def fit(self, edges: np.ndarray, heights: Sequence[np.ndarray], log: bool, density: bool) -> None:
        """Make room for bars between `edges`. Set here, because bqplot would keep room for hidden lines as well."""
        with self.x.hold_sync():
            self.x.min, self.x.max = float(edges[0]), float(edges[-1])
        with self.across.hold_sync():
            self.across.tick_format = short_format(float(np.abs(edges).max()))
            self.across.tick_values = ticks(self.x.min, self.x.max, most=6)
        top = max(float(found.max()) for found in heights) or 1.0
        low = min(float(found.min()) for found in heights) if log else 0.0
        y = self.logarithmic if log else self._linear
        with y.hold_sync():
            y.min, y.max = low, top * (2 if log else 1.05)
        with self.upwards.hold_sync():
            self.upwards.scale, self.upwards.label = y, "density" if density else "count"
            self.upwards.tick_format = "~g" if density else "~s"
            self.upwards.tick_values = powers(low, top) if log else ticks(0.0, top, whole=not density)


class HistogramPane(Pane):
    """The ticked models as histograms on shared edges, with what a histogram cannot show beside them."""

    key = "histogram"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _histogram(state.histogram, models)


def _histogram(state: HistogramState, models: Models) -> widgets.Box:
    """The pane with its settings and, under the plot, what a histogram cannot show: zeros, NaN, Inf, values outside."""
    ground = Ground()
    lines = {label: _line(ground, model.colour) for label, model in models.items()}
    initial = _initial_line(ground)
    figure = bqplot.Figure(
        marks=[*lines.values(), initial],
        axes=[ground.across, ground.upwards],
        # It stands on none while the axis is linear, and goes when the figure does.
        scale_y=ground.logarithmic,
        fig_margin={"top": 12, "bottom": 44, "left": 62, "right": 14},
        layout=widgets.Layout(width="auto", height=HEIGHT, min_width="0"),
        padding_x=0.01,
        padding_y=0,
    )
    figure.add_class("ww-histogram-figure")
    counts = widgets.HTML()
    counts.add_class("ww-counts")
    exact = widgets.Button(description="Count exactly", tooltip="Read the file again and count every weight in its bin")
    exact.add_class("ww-exact")
    exact.on_click(lambda _: state.set_trait("exact", True))

    def draw(_: object = None) -> None:
        curves = state.result.curves if state.result else ()
        shown = {curve.label: curve.histogram for curve in curves}
        heights = {label: _heights(histogram, state.log, state.density) for label, histogram in shown.items()}
        expected = state.result.expected if state.result and state.initial else None
        start = _heights(expected.histogram, state.log, state.density) if expected else EMPTY
        if shown:
            drawn = [*heights.values()]
            if expected:
                # What is expected may be one tall bin: it gets no more room than half as much again as the models have.
                drawn.append(np.minimum(start, 1.5 * max(float(found.max()) for found in drawn)))
            ground.fit(next(iter(shown.values())).edges, drawn, state.log, state.density)
        # A logarithm of zero reaches no scale: bars are lifted before it comes, and fall after it is gone.
        if not state.log:
            _stand([*lines.values(), initial], ground)
        for label, line in lines.items():
            line.visible = label in shown
            _outline(line, shown[label].edges if line.visible else EMPTY, heights.get(label, EMPTY))
        initial.visible = expected is not None
        _outline(initial, expected.histogram.edges if expected else EMPTY, start)
        if state.log:
            _stand([*lines.values(), initial], ground)
        counts.value = _counts(state.result, models, state.initial) if state.result and curves else ""
        unsure = (
            state.result is not None and state.result.sampled == 1 and any(each.uncertain for each in shown.values())
        )
        exact.layout.display = None if unsure else "none"

    state.observe(draw, ["result", "log", "density", "initial"])
    draw()
    settings = _settings(state)
    settings.children = [*settings.children, exact]
    pane = widgets.VBox([widgets.HTML("<h3>Histogram</h3>"), figure, counts, settings])
    pane.add_class("ww-pane")
    pane.add_class("ww-histogram")
    return pane


def _line(ground: Ground, colour: str) -> bqplot.Lines:
    scales = {"x": ground.x, "y": ground.y}
    return bqplot.Lines(
        x=[], y=[], scales=scales, colors=[colour], fill="bottom", fill_opacities=[0.18], stroke_width=1.3
    )


def _initial_line(ground: Ground) -> bqplot.Lines:
    """Above the models in a colour that none of them has, for it belongs to what was before."""
    scales = {"x": ground.x, "y": ground.y}
    return bqplot.Lines(x=[], y=[], scales=scales, colors=[NEUTRAL], line_style="dashed", stroke_width=1.6)


def _heights(histogram: Histogram, log: bool, density: bool) -> np.ndarray:
    heights = histogram.density if density else histogram.counts.astype(np.float64)
    if not log:
        return heights
    per_count = 1.0
    if density and (total := histogram.counts.sum()):
        per_count = 1.0 / float(total * np.diff(histogram.edges).max())
    return np.maximum(heights, EMPTY_BIN * per_count)


def _stand(lines: Iterable[bqplot.Lines], ground: Ground) -> None:
    for line in lines:
        line.scales = {"x": ground.x, "y": ground.y}


def _outline(line: bqplot.Lines, edges: np.ndarray, heights: np.ndarray) -> None:
    with line.hold_sync():
        line.x = single(np.repeat(edges, 2)[1:-1])
        line.y = single(np.repeat(heights, 2))


def _counts(overlay: Overlay, models: Models, initial: bool) -> str:
    """What the plot cannot show, and how far each standard deviation has moved from its start."""
    columns = ("zeros", "NaN", "Inf", "outside", "std", "÷ initial")
    head = "".join(f"<th>{name}</th>" for name in ("", *columns))
    rows = "".join(_row(curve, models[curve.label]) for curve in overlay.curves)
    expected = overlay.expected if initial else None
    said = f"<p>{text(SAMPLED.format(percent(overlay.sampled)), 300)}</p>" if overlay.sampled < 1 else ""
    said += f"<p>Dashed: what {_drawn_from(overlay, expected.label, models)}</p>" if expected else ""
    unsure = max((curve.histogram.uncertain for curve in overlay.curves), default=0.0)
    if unsure and overlay.sampled == 1:
        said += f"<p>{text(UNSURE.format(percent(unsure)), 300)}</p>"
    return f"<table><tr>{head}</tr>{rows}</table>{said}"


def _row(curve: Curve, model: Model) -> str:
    found, start = curve.moments, curve.initial.std if curve.initial else math.nan
    outside = curve.histogram.outside
    near = "≈" if outside and curve.histogram.uncertain else ""
    ratio = found.std / start if start > 0 else math.nan
    counts = map(count, (found.zeros, found.nan, found.inf))
    cells = [*counts, near + count(outside), number(found.std), number(ratio)]
    return f"<tr>{model.row_header}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _drawn_from(overlay: Overlay, label: str, models: Models) -> str:
    initial = next(curve.initial for curve in overlay.curves if curve.label == label)
    if initial is None:
        return ""
    fans = f"fan-in {count(initial.fans[0])}, fan-out {count(initial.fans[1])}, " if initial.fans else ""
    source = "" if initial.source == "config" else ", the layer's default,"
    about = f"{initial.kind}{source} gave {models[label].short} to start with ({fans}std {number(initial.std)})."
    return text(about, 300)


def _settings(state: HistogramState) -> widgets.Box:
    bins = widgets.BoundedIntText(description="bins", min=10, max=500, step=10)
    clip = widgets.Dropdown(
        description="range", options=[("full" if not clip else f"{clip:g}–{100 - clip:g} %", clip) for clip in CLIPS]
    )
    density = widgets.Dropdown(description="y", options=[("counts", False), ("density", True)])
    log = widgets.Checkbox(description="log", indent=False)
    initial = widgets.Checkbox(description="initial", indent=False, tooltip="What the initializer gives")
    controls = {"bins": bins, "clip": clip, "density": density, "log": log, "initial": initial}
    for name, control in controls.items():
        link((state, name), (control, "value"))
        control.add_class(f"ww-set-{name}")
    box = widgets.Box([*controls.values()])
    box.add_class("ww-row")
    box.add_class("ww-settings")
    return box
