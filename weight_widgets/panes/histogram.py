"""The histogram pane: the ticked models overlaid on shared edges, one filled step line each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import bqplot
import ipywidgets as widgets
import numpy as np
from traitlets import link

from ..state import CLIPS, ExplorerState, HistogramState, Overlay
from ..state.looks import Curve
from . import plain
from .axes import horizontal_axis, powers, short_format, single, ticks, vertical_axis
from .bars import EMPTY_BIN, bar_heights
from .controls import settings_row
from .export import Export, Key, Plate, Plot, exporting
from .figure_box import FigureBox
from .figures import plain_figure
from .in_words import histogram_in_words
from .pane import Pane
from .sheet import Column, Row, Sheet, html_table
from .style import NEUTRAL, SAMPLED, UNSURE, Models, count, number, percent, text
from .zoom import Zoom

__all__ = ["HistogramPane"]

HEIGHT = "250px"
# Of the exported picture.
WIDTH = 520
EMPTY = np.empty(0)
# Pixels under the plot: a line for each ticked model, one above them, and room for the remark of most layers, so
# that nothing below jumps from one to the other.
LINE, REMARK = 17.5, 73
COLUMNS = (
    Column("model", "model"),
    Column("zeros", "zeros", format=count),
    Column("nan", "NaN", format=count),
    Column("inf", "Inf", format=count),
    Column("outside", "outside", format=count),
    Column("std", "std", format=number),
    Column("std_ratio", "÷ initial", format=number),
)


class Ground:
    """The scales and axes that all lines of the plot stand on."""

    def __init__(self) -> None:
        self.x = bqplot.LinearScale(min=0.0, max=1.0)
        self.linear = bqplot.LinearScale(min=0.0, max=1.0)
        self.logarithmic = bqplot.LogScale(min=EMPTY_BIN, max=1.0)
        self.across = horizontal_axis(self.x, label="weight", label_offset="2.4em")
        self.upwards = vertical_axis(self.linear, label_offset="3.4em")

    @property
    def y(self) -> bqplot.Scale:
        return self.upwards.scale

    def mark(self, seen: Sequence[tuple[float, float]]) -> None:
        """Put ticks along what is in sight of the weights."""
        ((low, high),) = seen
        with self.across.hold_sync():
            self.across.tick_format = short_format(max(abs(low), abs(high)))
            self.across.tick_values = ticks(low, high, most=6)

    def fit(self, zoom: Zoom, edges: np.ndarray, heights: Sequence[np.ndarray], log: bool, density: bool) -> None:
        """Make room for bars between `edges`. Set here, because bqplot would keep room for hidden lines as well."""
        zoom.fit((float(edges[0]), float(edges[-1])))
        self.mark([(self.x.min, self.x.max)])
        top = max(float(found.max()) for found in heights) or 1.0
        low = min(float(found.min()) for found in heights) if log else 0.0
        y = self.logarithmic if log else self.linear
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
    figure = plain_figure(
        [*lines.values(), initial],
        [ground.across, ground.upwards],
        {"top": 12, "bottom": 44, "left": 62, "right": 14},
        HEIGHT,
        padding_x=0.01,
    )
    figure.add_class("ww-histogram-figure")
    zoom = Zoom(figure, ground.x, seen=ground.mark)
    box = FigureBox(figure, scales=[ground.linear, ground.logarithmic])
    # With a layout of its own, as high as a line for each model.
    counts = plain.HTML(layout=widgets.Layout(), classes="ww-counts")
    exact = plain.Button(
        description="Count exactly", tooltip="Read the file again and count every weight in its bin", classes="ww-exact"
    )
    exact.on_click(lambda _: state.set_trait("exact", True))

    def draw(_: object = None) -> None:
        curves = state.result.curves if state.result else ()
        shown = {curve.label: curve.histogram for curve in curves}
        heights = {label: bar_heights(histogram, state.log, state.density) for label, histogram in shown.items()}
        expected = state.result.expected if state.result and state.initial else None
        start = bar_heights(expected.histogram, state.log, state.density) if expected else EMPTY
        if shown:
            drawn = [*heights.values()]
            if expected:
                # What is expected may be one tall bin: it gets no more room than half as much again as the models have.
                drawn.append(np.minimum(start, 1.5 * max(float(found.max()) for found in drawn)))
            ground.fit(zoom, next(iter(shown.values())).edges, drawn, state.log, state.density)
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
        box.describe(histogram_in_words(state.result, models))
        if state.result:
            counts.layout.min_height = f"{LINE * (len(state.result.pick.checkpoints) + 1) + REMARK}px"
        counts.value = _counts(state.result, models, state.initial) if state.result and curves else ""
        unsure = (
            state.result is not None and state.result.sampled == 1 and any(each.uncertain for each in shown.values())
        )
        plain.show(exact, unsure)

    state.observe(draw, ["result", "log", "density", "initial"])
    draw()
    settings = _settings(state)
    settings.children = [*settings.children, exact]
    pane = plain.VBox([plain.HTML("<h3>Histogram</h3>"), box, counts, settings, zoom], classes="ww-pane ww-histogram")
    export = Export(
        "histogram",
        lambda: state.result.pick.address if state.result else "",
        lambda: _plate(state, figure, models),
        lambda: _sheet(state.result, models) if state.result and state.result.curves else None,
    )
    return exporting(pane, export)


def _plate(state: HistogramState, figure: bqplot.Figure, models: Models) -> Plate | None:
    result = state.result
    if result is None or not result.curves:
        return None
    keys = [Key(models[curve.label].colour, models[curve.label].name) for curve in result.curves]
    return Plate(result.pick.address, [Plot(figure, WIDTH)], keys, " ".join(_remarks(result, models, state.initial)))


def _line(ground: Ground, colour: str) -> bqplot.Lines:
    scales = {"x": ground.x, "y": ground.y}
    return bqplot.Lines(
        x=[], y=[], scales=scales, colors=[colour], fill="bottom", fill_opacities=[0.18], stroke_width=1.3
    )


def _initial_line(ground: Ground) -> bqplot.Lines:
    """Above the models in a colour that none of them has, for it belongs to what was before."""
    scales = {"x": ground.x, "y": ground.y}
    return bqplot.Lines(x=[], y=[], scales=scales, colors=[NEUTRAL], line_style="dashed", stroke_width=1.6)


def _stand(lines: Iterable[bqplot.Lines], ground: Ground) -> None:
    for line in lines:
        line.scales = {"x": ground.x, "y": ground.y}


def _outline(line: bqplot.Lines, edges: np.ndarray, heights: np.ndarray) -> None:
    with line.hold_sync():
        line.x = single(np.repeat(edges, 2)[1:-1])
        line.y = single(np.repeat(heights, 2))


def _counts(overlay: Overlay, models: Models, initial: bool) -> str:
    """What the plot cannot show, and how far each standard deviation has moved from its start."""
    table = html_table(_sheet(overlay, models), [models[curve.label].row_header for curve in overlay.curves])
    return table + "".join(f"<p>{text(each, 300)}</p>" for each in _remarks(overlay, models, initial))


def _remarks(overlay: Overlay, models: Models, initial: bool) -> Iterator[str]:
    if overlay.sampled < 1:
        yield SAMPLED.format(percent(overlay.sampled))
    if initial and overlay.expected:
        yield f"Dashed: what {_drawn_from(overlay, overlay.expected.label, models)}"
    unsure = max((curve.histogram.uncertain for curve in overlay.curves), default=0.0)
    if unsure and overlay.sampled == 1:
        yield UNSURE.format(percent(unsure))


def _sheet(overlay: Overlay, models: Models) -> Sheet:
    return Sheet(COLUMNS, [_row(curve, models[curve.label].name) for curve in overlay.curves])


def _row(curve: Curve, name: str) -> Row:
    found, start = curve.moments, curve.initial.std if curve.initial else math.nan
    outside = curve.histogram.outside
    cells: dict[str, str | float | None] = {
        "model": name,
        "zeros": found.zeros,
        "nan": found.nan,
        "inf": found.inf,
        "outside": outside,
        "std": found.std,
        "std_ratio": found.std / start if start > 0 else math.nan,
    }
    return Row(cells, near=("outside",) if outside and curve.histogram.uncertain else ())


def _drawn_from(overlay: Overlay, label: str, models: Models) -> str:
    initial = next(curve.initial for curve in overlay.curves if curve.label == label)
    if initial is None:
        return ""
    fans = f"fan-in {count(initial.fans[0])}, fan-out {count(initial.fans[1])}, " if initial.fans else ""
    source = "" if initial.source == "config" else ", the layer's default,"
    return f"{initial.kind}{source} gave {models[label].short} to start with ({fans}std {number(initial.std)})."


def _settings(state: HistogramState) -> widgets.Box:
    bins = plain.BoundedIntText(description="bins", min=10, max=500, step=10)
    clip = plain.Dropdown(
        description="range", options=[("full" if not clip else f"{clip:g}–{100 - clip:g} %", clip) for clip in CLIPS]
    )
    density = plain.Dropdown(description="y", options=[("counts", False), ("density", True)])
    log = plain.Checkbox(description="log", indent=False)
    initial = plain.Checkbox(description="initial", indent=False)
    controls = {"bins": bins, "clip": clip, "density": density, "log": log, "initial": initial}
    for name, control in controls.items():
        link((state, name), (control, "value"))
        control.add_class(f"ww-set-{name}")
    return settings_row([*controls.values()])
