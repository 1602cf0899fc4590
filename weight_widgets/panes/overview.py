"""The overview: every layer of every model as rows, a column for each model, coloured by the chosen measure."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets
import traitlets
from traitlets.utils.bunch import Bunch

from ..display import visible
from ..state import MEASURES, ExplorerState, Glance, Measure, OverviewState, Quiet, Selection, Sketch
from ..state.looks import ABSENT, EQUAL, UNKNOWN
from . import plain
from .export import MAX_CELL, Export, exporting
from .overview_grid import OverviewGrid
from .pane import Pane
from .sheet import Column, Row, Sheet
from .style import Models, number, percent

__all__ = ["OverviewPane"]

# What is said of a model besides the chosen measure.
BESIDE = next(measure for measure in MEASURES if measure.key == "std")


class OverviewPane(Pane):
    """Every layer of every model on one screen: a row for each tensor, coloured by the chosen measure."""

    key = "overview"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _Overview(state.overview, state.selection, models).box


class _Overview:
    """Choosing a row chooses its tensor, and choosing a model in it makes that Model B."""

    def __init__(self, state: OverviewState, selection: Selection, models: Models) -> None:
        self._state, self._selection, self._models = state, selection, models
        self._labels = list(models)
        columns = [{"label": model.short, "colour": model.colour} for model in models.values()]
        self._grid = OverviewGrid(columns, state.measures, state.most_rows)
        self._button = plain.Button(
            description="Read all weights", tooltip="There is much to read, so it waits for you"
        )
        self._drawn: Glance | None = None
        # What is set on one side comes back from the other, and is known already.
        self._choosing = Quiet()
        self._observe()
        self._offer()
        self._draw()
        pane = plain.VBox([self._button, self._grid], classes="ww-overview-pane")
        self.box = exporting(pane, Export("overview", lambda: state.chosen_measure.label, table=self._sheet))

    def _observe(self) -> None:
        state, grid = self._state, self._grid
        self._button.on_click(lambda _: state.begin())
        traitlets.link((state, "measure"), (grid, "measure"))
        traitlets.dlink((state, "progress"), (grid, "progress"))
        state.observe(self._draw, "result")
        state.observe(self._draw_numbers, "measure")
        state.observe(self._offer, "stopped")
        self._selection.observe(self._follow, ["layer", "tensor", "other"])
        grid.observe(self._take, "chosen")
        grid.observe(self._draw_sketch, "wanted")

    def _draw(self, _: object = None) -> None:
        glance = self._state.result
        if glance is None:
            return
        before, self._drawn = self._drawn, glance
        fresh = before is None or before.outline is not glance.outline
        if fresh:
            self._grid.show_rows(glance.outline)
            self._follow()
        if fresh or before is None or before.badges != glance.badges:
            self._grid.show_badges(glance.badges)
        self._draw_numbers()

    def _draw_numbers(self, _: object = None) -> None:
        if self._drawn is None:
            return
        measure = self._state.chosen_measure
        numbers, states = self._drawn.numbers(measure)
        limits = self._drawn.limits(measure, numbers)
        self._grid.show_numbers(measure.key, numbers, states, limits, max(self._grid.chosen[0], 0))
        self._draw_sketch()

    def _draw_sketch(self, _: object = None) -> None:
        row, measure = self._grid.wanted, self._state.chosen_measure
        sketch = self._state.sketch(row)
        if self._drawn is not None and sketch is not None:
            numbers, states = self._drawn.numbers(measure)
            cells = zip(numbers[row], states[row], self._labels, strict=True)
            texts = [_in_words(measure, value, state, sketch, label) for value, state, label in cells]
            self._grid.show_sketch(row, sketch, texts)

    def _follow(self, change: Bunch | None = None) -> None:
        """Mark what is chosen."""
        if self._choosing or self._drawn is None:
            return
        # A model that was pointed at stays marked, also where it is Model A and no other became Model B.
        column = self._grid.chosen[1]
        if column < 0 or (change is not None and change.name == "other"):
            column = self._labels.index(self._selection.other)
        with self._choosing:
            row = self._drawn.outline.row_of(self._selection.layer, self._selection.tensor)
            self._grid.show_choice(row, column)

    def _take(self, _: object) -> None:
        """Choose what was chosen in the page."""
        row, column = self._grid.chosen
        if self._choosing or self._drawn is None:
            return
        with self._choosing:
            self._state.choose(row, self._labels[column] if 0 <= column < len(self._labels) else "")
        # What cannot be chosen is taken back.
        self._follow()

    def _offer(self, _: object = None) -> None:
        plain.show(self._button, self._state.stopped)

    def _sheet(self) -> Sheet | None:
        return _sheet(self._drawn, self._state.chosen_measure, self._models) if self._drawn else None


def _sheet(glance: Glance, measure: Measure, models: Models) -> Sheet:
    """A row for each tensor, whatever is searched and folded in the page; a column for each model."""
    keys = [f"{measure.key} of {model.name}" for model in models.values()]
    labels = [f"{measure.label} of {model.name}" for model in models.values()]
    columns = [Column("layer", "layer"), Column("tensor", "tensor")]
    columns += [Column(key, label, format=partial(_number, measure)) for key, label in zip(keys, labels, strict=True)]
    numbers, _ = glance.numbers(measure)
    rows = []
    for place, (layer, tensor) in enumerate(glance.outline.addresses):
        if glance.outline.is_tensor(place):
            cells = {"layer": visible(layer, MAX_CELL), "tensor": visible(tensor, MAX_CELL)}
            rows.append(Row(cells | dict(zip(keys, numbers[place].tolist(), strict=True))))
    return Sheet(columns, rows)


def _in_words(measure: Measure, value: float, state: int, sketch: Sketch, label: str) -> str:
    """What is known of one model's tensor, the chosen measure first."""
    if state == ABSENT:
        return "has no such tensor"
    said = [_number(measure, value) if state != UNKNOWN else "…"]
    if state == EQUAL:
        said.append("equal, bit by bit")
    beside = sketch.numbers.get(label, {})
    if beside and measure is not BESIDE:
        said.append(f"{BESIDE.label} {_number(BESIDE, beside[BESIDE.key])}")
    return " · ".join(said)


def _number(measure: Measure, value: float) -> str:
    return percent(value) if measure.percent else number(value, sign=measure.signed)
