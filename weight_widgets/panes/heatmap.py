"""The heatmap pane: A, B and B − A, one figure each, with linked pan and zoom and one colour scale."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bqplot
import ipywidgets as widgets
import numpy as np

from ..analysis.comparison import Contrast
from ..analysis.rasters import Raster
from ..reading.arrangements import MATRIX
from ..reading.structure import Matrix
from ..state import ExplorerState, HeatmapState, Pick, Pictures, Quiet, Window
from . import plain
from .axes import horizontal_axis, short_format, vertical_axis
from .captions import caption
from .controls import settings_row
from .crosshair import Crosshair
from .export import Export, Plate, Plot, exporting
from .figure_box import FigureBox
from .figures import plain_figure, replace_image
from .in_words import picture_in_words
from .limits import colour_settings
from .pane import Pane
from .png import encode
from .shades import DIVERGING
from .sight import Sight
from .style import Models, text

__all__ = ["HeatmapPane"]

HEIGHT = "290px"
BAR_WIDTH = 74
# Of a plot and a colour bar in the exported picture, without the margins of the first.
WIDTH = 250
# More separators than this would hide the picture.
MAX_SEPARATORS = 48
MARGIN = {"top": 6, "bottom": 40, "left": 8, "right": 11}
FIRST_MARGIN = {**MARGIN, "left": 64}


NOTHING = Pictures(Pick((), "", "", "", "", ""), Contrast((None, None, None), 1.0), (None, None, None), False, ())


@dataclass(frozen=True)
class Picture:
    """The widgets of one of the three pictures."""

    title: widgets.HTML
    figure: bqplot.Figure
    box: FigureBox
    image: bqplot.Image
    closeup: bqplot.Image
    separators: bqplot.Lines


class HeatmapPane(Pane):
    """Model A, Model B and B − A as pictures that pan and zoom together, on one colour scale."""

    key = "heatmap"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _heatmap(state.heatmap, models)


def _heatmap(state: HeatmapState, models: Models) -> widgets.Box:
    """The pane; under the pictures stands how the tensor is laid out, and what the crosshair reads."""
    sight = Sight()
    key = uuid.uuid4().hex[:8]
    classes = [f"ww-heatmap-{key}-{place}" for place in ("a", "b", "delta")]
    pictures = [_picture(sight, name, first=not number) for number, name in enumerate(classes)]
    sight.attach([picture.figure.axes[0] for picture in pictures], pictures[0].figure.axes[1])
    bar, colour_limits = _colour_bar()
    crosshair = Crosshair(sight.x, sight.y, classes)
    layout = plain.HTML(classes="ww-layout")
    bringing = Quiet()

    def draw(_: object = None) -> None:
        result, closeup = state.result or NOTHING, state.closeup
        # One colour scale for what is sharp and for what is around it.
        shown = closeup.contrast if closeup else result.contrast
        limit = state.shown_limit
        sharp, window = (shown.rasters, closeup.window) if closeup else (NOTHING.contrast.rasters, None)
        drawn = zip(pictures, result.contrast.rasters, sharp, result.matrices, strict=True)
        for picture, whole, part, matrix in drawn:
            _paint(picture.image, whole, limit)
            _paint(picture.closeup, part, limit, window)
            _separate(picture.separators, whole, matrix)
        sides = [result.matrix, result.matrix if result.alike else result.matrices[1], result.matrix]
        with bringing:
            sight.fit(sides, result.shape, state.window)
        colour_limits.min, colour_limits.max = -limit, limit
        a, b = models.get(result.pick.reference), models.get(result.pick.other)
        names = [a.name, b.name, f"{b.name} − {a.name}"] if a and b else []
        for picture, name, raster in zip(pictures, names, shown.rasters, strict=False):
            picture.box.describe(picture_in_words(name, raster, limit, window))
        titles = (f"A {a.title if a else ''}", f"B {b.title if b else ''}", "B − A")
        for picture, title in zip(pictures, titles, strict=True):
            picture.title.value = title
        layout.value = text(caption(result, closeup, limit), 600) if state.result else ""
        crosshair.show(result.matrix, _readable(result, shown.rasters), names, window, result.shape)

    def follow(_: object) -> None:
        with bringing:
            sight.show(state.window)

    def look(_: object) -> None:
        # Only what the user has brought into sight is news.
        if not bringing:
            state.window = sight.window

    def show_all(_: object) -> None:
        state.window = None
        with bringing:
            # What is in sight may lack less than a cell.
            sight.show(None, anew=True)

    state.observe(draw, ["result", "detail", "limit"])
    state.observe(follow, "window")
    for scale in (sight.x, sight.y):
        scale.observe(look, ["min", "max"])
    draw()
    columns = [plain.VBox([picture.title, picture.box], classes="ww-picture") for picture in pictures]
    row = plain.Box([*columns, bar], classes="ww-pictures")
    pane = plain.VBox([_heading(state, show_all), row, layout, crosshair], classes="ww-pane ww-heatmap")
    figures = [picture.figure for picture in pictures]
    export = Export(
        "heatmap",
        lambda: state.result.pick.address if state.result else "",
        lambda: _plate(state, [*figures, bar], models),
    )
    return exporting(pane, export)


def _plate(state: HeatmapState, figures: Sequence[bqplot.Figure], models: Models) -> Plate | None:
    """The pictures that there are, with the colour bar."""
    result = state.result
    if result is None or result.matrix is None or not all(result.matrix.shape):
        return None
    pick = result.pick
    titles = (f"A {models[pick.reference].name}", f"B {models[pick.other].name}", "B − A")
    shown = [raster is not None for raster in result.contrast.rasters]
    panels = [
        # The first has the row axis.
        Plot(figure, WIDTH + figure.fig_margin["left"], title)
        for place, (figure, title) in enumerate(zip(figures, titles, strict=False))
        if shown[place] or not place
    ]
    return Plate(
        pick.address, [*panels, Plot(figures[-1], BAR_WIDTH)], note=caption(result, state.closeup, state.shown_limit)
    )


def _readable(result: Pictures, shown: Sequence[Raster | None]) -> list[Raster | None]:
    """Of what is shown that which the axes of A speak of: not a B that has others, or another shape."""
    whole = result.contrast.rasters if result.alike else (result.contrast.rasters[0], None, None)
    matrix = result.matrix
    return [
        raster if matrix is not None and each is not None and each.shape == matrix.shape else None
        for raster, each in zip(shown, whole, strict=True)
    ]


def _heading(state: HeatmapState, show_all: Callable[[object], None]) -> widgets.Box:
    reset = plain.Button(description="Reset view", tooltip="Show the whole picture again, like a double click")
    reset.on_click(show_all)
    # What every tensor has comes first: the rest may come and go, and take a line of its own.
    always = settings_row([*colour_settings(state), reset])
    return plain.Box([plain.HTML("<h3>Heatmap</h3>"), always, _ways(state)], classes="ww-heading")


def _ways(state: HeatmapState) -> widgets.Box:
    """How the tensor is drawn, as far as it can be drawn in more than one way."""
    way = plain.Dropdown(description="as", options=[MATRIX])
    position = plain.BoundedIntText(description="no.", min=0, max=0)
    by_norm = plain.Checkbox(description="by norm", indent=False)
    controls = {"way": way, "position": position, "by_norm": by_norm}
    for name, control in controls.items():
        control.add_class(f"ww-set-{name}")
    showing = Quiet()

    def show(_: object = None) -> None:
        result = state.result or NOTHING
        # What the tensor cannot be drawn as stays the user's wish for the next that can.
        with showing:
            if tuple(way.options) != result.ways:
                way.options = result.ways
            way.value = result.way
            low, high = result.positions
            position.min, position.max = min(low, position.value), max(high, position.value)
            position.value = result.position
            position.min, position.max = low, high
            by_norm.description = f"{result.unit}s by norm" if result.unit else "by norm"
            by_norm.value = state.by_norm
        plain.show(way, len(result.ways) > 1)
        plain.show(position, result.positions[0] < result.positions[1])
        plain.show(by_norm, bool(result.unit))

    def take(name: str, value: object) -> None:
        if not showing:
            setattr(state, name, value)

    for name, control in controls.items():
        control.observe(lambda change, name=name: take(name, change.new), "value")
    state.observe(show, ["result", "by_norm"])
    show()
    return settings_row([*controls.values()])


def _picture(sight: Sight, name: str, first: bool) -> Picture:
    x, y = sight.x, sight.y
    scales = {"x": x, "y": y}
    image = bqplot.Image(image=_pixels(np.zeros((1, 1)), 1.0), scales=scales, x=[0.0, 1.0], y=[-1.0, 0.0])
    closeup = bqplot.Image(image=_pixels(np.zeros((1, 1)), 1.0), scales=scales, x=[0.0, 1.0], y=[-1.0, 0.0])
    separators = bqplot.Lines(x=[], y=[], scales=scales, colors=["#000000"], opacities=[0.45], stroke_width=1)
    axes = [horizontal_axis(x, tick_format="d", label_offset="2.4em")]
    if first:
        axes.append(vertical_axis(y, tick_format="d", label_offset="4em"))
    figure = plain_figure([image, closeup, separators], axes, FIRST_MARGIN if first else MARGIN, HEIGHT)
    figure.interaction = bqplot.PanZoom(scales={"x": [x], "y": [y]})
    figure.add_class(name)
    title = plain.HTML(classes="ww-picture-title")
    return Picture(title, figure, FigureBox(figure), image, closeup, separators)


def _paint(image: bqplot.Image, raster: Raster | None, limit: float, window: Window | None = None) -> None:
    """Draw the raster of a window, or of everything."""
    image.visible = raster is not None and raster.mean.size > 0
    if raster is None or not image.visible:
        return
    rows, columns = raster.shape
    top, left = (window.top, window.left) if window else (0, 0)
    place = [float(left), float(left + columns)], [-float(top + rows), -float(top)]
    pixels = encode(raster.mean, limit, DIVERGING)
    if pixels == image.image.value and place == (image.x.tolist(), image.y.tolist()):
        return
    replace_image(image, pixels, *place)


def _separate(separators: bqplot.Lines, raster: Raster | None, matrix: Matrix | None) -> None:
    separators.visible = raster is not None and raster.mean.size > 0
    if raster is None or matrix is None or not separators.visible:
        return
    rows, columns = raster.shape
    down, across = (_between(step, count) for step, count in zip(matrix.separations, raster.shape, strict=True))
    # NaN in y alone lifts the pen; bqplot places the line's label at the last point, so none ends it.
    x = np.concatenate([np.repeat(across, 3), np.tile([0.0, columns, columns], len(down))])[:-1]
    y = np.concatenate([np.tile([0.0, -rows, np.nan], len(across)), _lifted(-down)])[:-1]
    with separators.hold_sync():
        separators.x, separators.y = x.astype(np.float32), y.astype(np.float32)


def _lifted(heights: np.ndarray) -> np.ndarray:
    return np.stack([heights, heights, np.full_like(heights, np.nan)], axis=1).ravel()


def _between(step: int, count: int) -> np.ndarray:
    """Where the separators of a side are; none where they would hide the picture."""
    return np.arange(step, count, step, dtype=np.float64) if step and count // step <= MAX_SEPARATORS else np.empty(0)


def _pixels(values: np.ndarray, limit: float) -> widgets.Image:
    return plain.Image(value=encode(values, limit, DIVERGING), format="png")


def _colour_bar() -> tuple[bqplot.Figure, bqplot.LinearScale]:
    """The palette with an axis of its own (bqplot's ColorAxis needs 200 px more height than its bar gets)."""
    across, limits = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=-1.0, max=1.0)
    ramp = np.linspace(-1.0, 1.0, len(DIVERGING))[::-1, None]
    image = bqplot.Image(image=_pixels(ramp, 1.0), scales={"x": across, "y": limits}, x=[0.0, 1.0], y=[-1.0, 1.0])
    axis = vertical_axis(limits, "right")
    figure = plain_figure([image], [axis], {**MARGIN, "left": 4, "right": 56}, HEIGHT, width=f"{BAR_WIDTH}px")
    figure.add_class("ww-colour-bar")

    def stretch(_: object) -> None:
        image.y = [limits.min, limits.max]
        axis.tick_format = short_format(limits.max)
        axis.tick_values = np.linspace(limits.min, limits.max, 5)

    limits.observe(stretch, ["min", "max"])
    stretch(None)
    return figure, limits
