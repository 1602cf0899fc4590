"""The spectrum pane: singular values of the ticked models, computed when they are asked for."""

from __future__ import annotations

import bqplot
import ipywidgets as widgets
import numpy as np

from ..analysis.spectrum import Spectrum
from ..state import ExplorerState, Spectra, SpectrumState
from . import plain
from .axes import horizontal_axis, powers, single, ticks, vertical_axis
from .export import Export, Key, Plate, Plot, exporting
from .figure_box import FigureBox
from .figures import plain_figure
from .in_words import spectrum_in_words
from .pane import Pane
from .runs import run_controls
from .sheet import Column, Row, Sheet, html_table
from .style import Models, count, number, text

__all__ = ["SpectrumPane"]

HEIGHT = "230px"
# Of the exported picture.
WIDTH = 620
# Smaller values, beside the largest, are rounding, and would only stretch the axis.
SMALLEST = 1e-8
HINT = (
    "Singular values of what is chosen, in each ticked model. They are found in a process of its own, which uses at "
    "most 4 GiB and can be cancelled."
)


class SpectrumPane(Pane):
    """Singular values, ranks and norms of what is chosen, computed when its button is pressed."""

    key = "spectrum"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _spectrum(state.spectrum, models)


def _spectrum(state: SpectrumState, models: Models) -> widgets.Box:
    """The pane, with a button to start and one to end the work."""
    x, y = bqplot.LinearScale(min=1.0, max=2.0), bqplot.LogScale(min=0.1, max=1.0)
    lines = {
        label: bqplot.Lines(x=[], y=[], scales={"x": x, "y": y}, colors=[model.colour], stroke_width=1.6)
        for label, model in models.items()
    }
    across = horizontal_axis(x, label="number", label_offset="2.4em", tick_format="d")
    upwards = vertical_axis(y, label="singular value", label_offset="3.6em", tick_format="~g")
    figure = plain_figure(
        list(lines.values()), [across, upwards], {"top": 8, "bottom": 42, "left": 66, "right": 14}, HEIGHT
    )
    box = FigureBox(figure, drawn=False)
    said = plain.HTML(classes="ww-counts")
    controls = run_controls(state, state.begin, state.cancel, "Compute", "Find the singular values")

    def draw(_: object = None) -> None:
        result = state.result
        drawn = {label: _drawable(found) for label, found in result.found} if result else {}
        drawn = {label: values for label, values in drawn.items() if values.size}
        box.drawn = bool(drawn)
        if drawn:
            low, high = min(values[-1] for values in drawn.values()), max(values[0] for values in drawn.values())
            length = max(values.size for values in drawn.values())
            x.max = float(max(length, 2))
            with y.hold_sync():
                y.min, y.max = low / 1.3, high * 1.3
            across.tick_values = np.unique(np.append(1, ticks(1, length, whole=True, most=8)))
            upwards.tick_values = powers(low / 1.3, high * 1.3)
        for label, line in lines.items():
            values = drawn.get(label, np.empty(0))
            line.visible = bool(values.size)
            with line.hold_sync():
                line.x, line.y = single(np.arange(1, values.size + 1)), single(values)
        box.describe(spectrum_in_words(result, drawn, models))
        said.value = _table(result, models) if result else f"<p>{text(HINT, 300)}</p>"

    heading = plain.Box([plain.HTML("<h3>Spectrum</h3>"), controls], classes="ww-heading")
    pane = plain.VBox([heading, box, said], classes="ww-pane ww-spectrum")
    state.observe(draw, "result")
    draw()
    export = Export(
        "spectrum",
        lambda: state.result.pick.address if state.result else "",
        lambda: _plate(state.result, figure, models),
        lambda: _sheet(state.result, models) if state.result and state.result.found else None,
    )
    return exporting(pane, export)


def _plate(spectra: Spectra | None, figure: bqplot.Figure, models: Models) -> Plate | None:
    drawn = [models[label] for label, found in spectra.found if _drawable(found).size] if spectra else []
    if spectra is None or not drawn:
        return None
    return Plate(spectra.pick.address, [Plot(figure, WIDTH)], [Key(model.colour, model.name) for model in drawn])


def _drawable(found: Spectrum) -> np.ndarray:
    values = found.singular_values
    return values[values > SMALLEST * values[0]] if values.size and values[0] > 0 else np.empty(0)


COLUMNS = (
    Column("model", "model"),
    Column("matrix", "matrix"),
    Column("spectral_norm", "spectral norm", format=number),
    Column("stable_rank", "stable rank", format=number),
    Column("effective_rank", "effective rank", format=number),
    Column("alpha", "alpha", format=number),
    Column("alpha_se", "± s.e.", format=number),
    Column("tail", "tail", format=count),
    Column("distance", "KS distance", format=number),
)


def _table(spectra: Spectra, models: Models) -> str:
    if not spectra.found:
        return ""
    notes = "".join(
        f"<p>{models[label].title}: {text(_note(found), 400)}</p>" for label, found in spectra.found if _note(found)
    )
    return html_table(_sheet(spectra, models), [models[label].row_header for label, _ in spectra.found]) + notes


def _sheet(spectra: Spectra, models: Models) -> Sheet:
    return Sheet(COLUMNS, [_row(found, models[label].name) for label, found in spectra.found])


def _row(found: Spectrum, name: str) -> Row:
    rows, columns = found.shape
    cells: dict[str, str | float | None] = {
        "model": name,
        "matrix": f"{rows} × {columns}",
        "spectral_norm": found.spectral_norm,
        "stable_rank": found.stable_rank,
        "effective_rank": found.effective_rank,
        "alpha": found.alpha,
        "alpha_se": found.alpha_se,
        "tail": found.tail or None,
        "distance": found.distance,
    }
    return Row(cells)


def _note(found: Spectrum) -> str:
    said = f"n/a: {found.note}." if found.note else ""
    if found.assumed:
        said += f" {found.assumed}."
    if found.method == "randomized":
        said += f" Randomised: a value s is at least s and at most √(s² + {number(found.error)}²)."
    return said.strip()
