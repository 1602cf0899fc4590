"""The parts pane: a small histogram for each gate, head or filter, the ticked models overlaid in each."""

from __future__ import annotations

import bqplot
import ipywidgets as widgets
import numpy as np
from traitlets import link

from ..display import visible
from ..state import ExplorerState, PartsLook, PartsState, Quiet
from ..state.looks.parts import Panel, Strip
from . import plain
from .axes import single, vertical_axis
from .controls import settings_row
from .export import Export, Key, Plate, Plot, exporting
from .figure_box import FigureBox
from .figures import plain_figure
from .in_words import parts_in_words
from .pane import Pane
from .style import NEUTRAL, UNSURE, Models, count, number, percent, text

__all__ = ["PartsPane"]

# One figure holds all: a panel is a unit square of it. Eight figures would be seventy widgets more.
LEFT, RIGHT = 0.04, 0.96
BASE, TOP = 0.26, 0.8
ACROSS = 6
HEIGHT, ROW_HEIGHT = 300, 96
# Of the exported picture.
WIDTH = 900
MAX_TITLE = 18
FADED, FILL = 0.55, 0.18


class PartsPane(Pane):
    """A small histogram for each gate, head, filter or unit of the ticked models."""

    key = "parts"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _parts(state.parts, models)


def _parts(state: PartsState, models: Models) -> widgets.Box:
    """The pane; a row a tensor, a column a part."""
    scales = {"x": bqplot.LinearScale(min=0.0, max=1.0), "y": bqplot.LinearScale(min=-1.0, max=0.0)}
    bars = {label: _bars(scales, model.colour) for label, model in models.items()}
    ground = bqplot.Lines(x=[], y=[], scales=scales, colors=[NEUTRAL], stroke_width=1, opacities=[FADED])
    titles, lows, highs = (_label(scales, align) for align in ("start", "start", "end"))
    axis = vertical_axis(scales["y"])
    figure = plain_figure(
        [ground, *bars.values(), titles, lows, highs],
        [axis],
        {"top": 4, "bottom": 8, "left": 122, "right": 8},
        f"{HEIGHT}px",
    )
    box = FigureBox(figure, drawn=False)
    said = plain.HTML(classes="ww-note")
    pager = _Pager(state)

    def draw(_: object = None) -> None:
        look = state.result
        placed = _placed(look)
        rows = max((row for row, *_ in placed), default=0) + 1
        columns = max((column for _, column, *_ in placed), default=0) + 1
        box.drawn = bool(placed)
        figure.layout.height = f"{max(HEIGHT, rows * ROW_HEIGHT)}px"
        scales["x"].max, scales["y"].min = float(columns), -float(rows)
        for label, mark in bars.items():
            outlines = [
                _outline(row, column, panel, label) for row, column, _, panel in placed if label in panel.histograms
            ]
            mark.visible = bool(outlines)
            with mark.hold_sync():
                # bqplot gives each line its own, and full opacity where the list is too short.
                mark.fill_opacities = [FILL] * len(outlines)
                mark.x = single(np.stack([x for x, _ in outlines])) if outlines else []
                mark.y = single(np.stack([y for _, y in outlines])) if outlines else []
        _write(titles, [(c + LEFT, -r - 0.13, visible(panel.part)) for r, c, _, panel in placed])
        _write(lows, [(c + LEFT, -r - 0.92, number(strip.edges[0])) for r, c, strip, _ in placed])
        _write(highs, [(c + RIGHT, -r - 0.92, number(strip.edges[-1])) for r, c, strip, _ in placed])
        ground.visible = bool(placed)
        with ground.hold_sync():
            ground.x, ground.y = _grounds(placed)
        _name_strips(axis, placed)
        box.describe(parts_in_words(look, models))
        said.value = text(_words(look), 600) if look else ""
        pager.show(look)

    heading = plain.Box([plain.HTML("<h3>Parts</h3>"), pager.box], classes="ww-heading")
    pane = plain.VBox([heading, box, said], classes="ww-pane ww-parts")
    state.observe(draw, "result")
    draw()
    export = Export(
        "parts",
        lambda: state.result.pick.address if state.result else "",
        lambda: _plate(state.result, figure, models),
    )
    return exporting(pane, export)


def _plate(look: PartsLook | None, figure: bqplot.Figure, models: Models) -> Plate | None:
    if look is None or not _placed(look):
        return None
    shown = {label for strip in look.strips for panel in strip.panels for label in panel.histograms}
    keys = [Key(model.colour, model.name) for label, model in models.items() if label in shown]
    return Plate(look.pick.address, [Plot(figure, WIDTH, bare=True)], keys, _words(look))


Placed = list[tuple[int, int, Strip, Panel]]


def _placed(look: PartsLook | None) -> Placed:
    """Row and column of each panel: a strip a row, or a single one folded into several."""
    strips = look.strips if look else ()
    if len(strips) == 1:
        return [(*divmod(place, ACROSS), strips[0], panel) for place, panel in enumerate(strips[0].panels)]
    return [
        (row, column, strip, panel) for row, strip in enumerate(strips) for column, panel in enumerate(strip.panels)
    ]


def _outline(row: int, column: int, panel: Panel, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The closed outline of a panel's histogram; the tallest bin of all models fills the panel."""
    histogram = panel.histograms[label]
    tallest = max(float(found.counts.max()) for found in panel.histograms.values()) or 1.0
    share = (histogram.edges - histogram.edges[0]) / (histogram.edges[-1] - histogram.edges[0])
    x = column + LEFT + (RIGHT - LEFT) * np.concatenate([share[:1], np.repeat(share, 2)[1:-1], share[-1:]])
    heights = np.concatenate([[0.0], np.repeat(histogram.counts / tallest, 2), [0.0]])
    return x, -(row + 1) + BASE + (TOP - BASE) * heights


def _grounds(placed: Placed) -> tuple[np.ndarray, np.ndarray]:
    """A line under each panel, and a tick where zero is; NaN in y alone lifts the pen."""
    x: list[float] = []
    y: list[float] = []
    for row, column, strip, _ in placed:
        base = -(row + 1) + BASE
        low, high = strip.edges[0], strip.edges[-1]
        if low < 0 < high:
            zero = column + LEFT + (RIGHT - LEFT) * float(-low / (high - low))
            x += [zero, zero, zero]
            y += [base, base - 0.06, np.nan]
        x += [column + LEFT, column + RIGHT, column + RIGHT]
        y += [base, base, np.nan]
    return single(np.array(x[:-1])), single(np.array(y[:-1]))


def _name_strips(axis: bqplot.Axis, placed: Placed) -> None:
    rows: dict[int, str] = {}
    for row, _, strip, _ in placed:
        if strip.title not in rows.values():
            rows[row] = strip.title
    at = [-(row + 0.5) for row in rows]
    axis.tick_labels = {str(place): visible(title, MAX_TITLE) for place, title in zip(at, rows.values(), strict=True)}
    axis.tick_values = at


def _bars(scales: dict[str, bqplot.Scale], colour: str) -> bqplot.Lines:
    return bqplot.Lines(x=[], y=[], scales=scales, colors=[colour], fill="inside", stroke_width=1.1)


def _label(scales: dict[str, bqplot.Scale], align: str) -> bqplot.Label:
    return bqplot.Label(
        x=[], y=[], text=[], scales=scales, align=align, default_size=11, font_weight="normal", colors=["#6b7280"]
    )


def _write(label: bqplot.Label, words: list[tuple[float, float, str]]) -> None:
    with label.hold_sync():
        label.x = np.array([x for x, _, _ in words])
        label.y = np.array([y for _, y, _ in words])
        label.text = [word for _, _, word in words]


class _Pager:
    """Which of the parts are shown, and in how many bins."""

    def __init__(self, state: PartsState) -> None:
        self._back, self._on = (plain.Button(description=sign, tooltip=hint) for sign, hint in _TURNS)
        self._page = plain.BoundedIntText(description="page", min=1, max=1, classes="ww-set-page")
        self._pages = plain.HTML()
        self._showing = Quiet()
        bins = plain.BoundedIntText(description="bins", min=10, max=200, step=10, classes="ww-set-bins")
        link((state, "bins"), (bins, "value"))
        self._back.on_click(lambda _: self._turn(state, -1))
        self._on.on_click(lambda _: self._turn(state, 1))
        self._page.observe(lambda change: self._go(state, change.new), "value")
        self.box = settings_row([self._back, self._page, self._pages, self._on, bins])

    def show(self, look: PartsLook | None) -> None:
        many = look is not None and look.pages > 1
        for widget in (self._back, self._page, self._pages, self._on):
            plain.show(widget, many)
        if look is None:
            return
        self._back.disabled, self._on.disabled = look.page == 0, look.page == look.pages - 1
        self._pages.value = f"of {count(look.pages)}"
        with self._showing:
            self._page.max = max(look.pages, self._page.value)
            self._page.value, self._page.max = look.page + 1, look.pages

    def _go(self, state: PartsState, page: int) -> None:
        if not self._showing:
            state.page = page - 1

    def _turn(self, state: PartsState, step: int) -> None:
        if state.result is not None:
            state.page = min(max(state.result.page + step, 0), state.result.pages - 1)


_TURNS = (("‹", "Parts before these"), ("›", "Parts after these"))


def _words(look: PartsLook) -> str:
    if not look.parts:
        return f"{look.pick.address} does not fall into parts."
    said = [
        f"{look.parts} parts. In a row all share one axis, from the smallest to the largest value of every ticked "
        "model; the tick under it is 0. Each panel is as high as its tallest bin."
    ]
    if look.uncertain:
        said.append(f"{UNSURE.format(percent(look.uncertain))} Choose a part above to count it exactly.")
    if look.assumed:
        said.append("What the parts are is assumed from names and shapes.")
    return " ".join(said)
