"""The overview: every layer of every model as rows, a column for each model, coloured by the chosen measure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from traitlets.utils.bunch import Bunch

from ..display import visible
from ..state import MEASURES, ExplorerState, Glance, Measure, OverviewState, Selection, Sketch
from ..state.looks import ABSENT, EQUAL, UNKNOWN, Badge, Outline, page_rows
from .bundles import bundle
from .export import Export, exporting
from .messages import MESSAGE_BYTES, send_in_messages
from .pane import Pane
from .shades import PALETTES
from .sheet import Column, Row, Sheet
from .style import Models, number, percent

__all__ = ["OverviewGrid", "OverviewPane"]

# What is said of a model besides the chosen measure.
BESIDE = next(measure for measure in MEASURES if measure.key == "std")


class OverviewGrid(anywidget.AnyWidget):
    """A leaf with all rows; scrolling, searching, sorting and filtering need no kernel.

    Parameters
    ----------
    columns : sequence of dict
        ``label`` and ``colour`` of each model.
    measures : sequence of Measure
    most : int
        Rows that there may ever be.

    Attributes
    ----------
    measure : str
        Key of one of the measures.
    chosen : tuple of (int, int)
        Row and column; −1 for none.
    wanted : int
        The row that the page wants a sketch of; −1 for none.
    progress : str
    """

    _esm = bundle("overview.js")
    _css = bundle("overview.css")
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    measures = traitlets.List(traitlets.Dict()).tag(sync=True)
    palettes = traitlets.Dict().tag(sync=True)
    pages = traitlets.Int().tag(sync=True)
    page_rows = traitlets.Int().tag(sync=True)
    # A trait for each page besides, since together they may pass 300 KB. They count only when all have its frame.
    outline = traitlets.Dict().tag(sync=True)
    measure = traitlets.Unicode().tag(sync=True)
    shade = traitlets.Dict().tag(sync=True)
    progress = traitlets.Unicode().tag(sync=True)
    badges = traitlets.Dict().tag(sync=True)
    # The page may choose a row while others are on their way, so it says from which frame.
    choice = traitlets.Dict().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    sketch = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Tuple((-1, -1))
    wanted = traitlets.Int(-1)

    def __init__(self, columns: Sequence[Mapping[str, str]], measures: Sequence[Measure], most: int) -> None:
        self._frame = self._version = self._count = 0
        rows = page_rows(len(columns))
        pages = -(-most // rows)
        names = [f"{name}_{page}" for page in range(pages) for name in ("outline", "values")]
        self.add_traits(**{name: traitlets.Dict().tag(sync=True) for name in names})
        super().__init__(
            columns=list(columns),
            measures=[_described(measure) for measure in measures],
            palettes={name: palette.tobytes() for name, palette in PALETTES.items()},
            pages=pages,
            page_rows=rows,
            measure=measures[0].key,
        )
        self.show_choice(-1, -1)

    def show_rows(self, outline: Outline) -> None:
        """Exchange the rows."""
        self._frame += 1
        self._count, page = len(outline), self.page_rows
        packed = {
            f"outline_{start // page}": {
                "frame": self._frame,
                "texts": texts,
                "kinds": outline.kinds[start : start + page].tobytes(),
                "levels": outline.levels[start : start + page].tobytes(),
            }
            for start, texts in zip(range(0, self._count, page), outline.texts, strict=True)
        }
        send_in_messages(self, packed)
        self.outline = {"frame": self._frame, "count": self._count}

    def show_numbers(
        self, measure: str, numbers: np.ndarray, states: np.ndarray, limits: tuple[float, float], first: int = 0
    ) -> None:
        """Exchange the numbers, those of the page with row `first` before the others.

        Parameters
        ----------
        measure : str
        numbers, states : numpy.ndarray
            Shape (rows, models).
        limits : tuple of float
            Of the colours.
        """
        self._version += 1
        with np.errstate(over="ignore"):
            narrow = numbers.astype("<f4")
        with self.hold_sync():
            self.measure = measure
            self.shade = {
                "frame": self._frame,
                "measure": measure,
                "low": limits[0],
                "high": limits[1],
                "version": self._version,
            }
        page = self.page_rows
        starts = sorted(range(0, self._count, page), key=lambda start: abs(start + page // 2 - first))
        send_in_messages(
            self,
            {
                f"values_{start // page}": {
                    "frame": self._frame,
                    "measure": measure,
                    "numbers": narrow[start : start + page].tobytes(),
                    "states": states[start : start + page].tobytes(),
                }
                for start in starts
            },
        )

    def show_badges(self, badges: Sequence[Badge]) -> None:
        """Exchange what is found: as many as fit, the first before the others."""
        items, room = [], MESSAGE_BYTES
        for badge in badges:
            item = [badge.row, badge.column, badge.text, badge.severity, badge.words]
            room -= len(json.dumps(item))
            if room < 0:
                break
            items.append(item)
        self.badges = {"frame": self._frame, "items": items}

    def show_choice(self, row: int, column: int) -> None:
        """Mark a row, and a model in it."""
        self.chosen = row, column
        self._tell()

    def show_sketch(self, row: int, sketch: Sketch, texts: Sequence[str]) -> None:
        """Draw histograms beside a row, with a line for each model."""
        self.sketch = {
            "frame": self._frame,
            "row": row,
            "bins": sketch.counts.shape[1],
            "counts": sketch.counts.astype("<f4").tobytes(),
            "spans": [sketch.low, sketch.high],
            "texts": list(texts),
        }

    def _tell(self) -> None:
        row, column = self.chosen
        self.choice = {"frame": self._frame, "row": row, "column": column}

    @traitlets.validate("measure")
    def _exists(self, proposal: Mapping[str, Any]) -> str:
        key: str = proposal["value"]
        if key not in [measure["key"] for measure in self.measures]:
            raise traitlets.TraitError(f"There is no measure {key!r} here.")
        return key

    @traitlets.observe("choice")
    def _hear(self, _: object) -> None:
        if self.choice["frame"] == self._frame:
            self.chosen = self.choice["row"], self.choice["column"]
        # One among rows that are gone is taken back.
        self._tell()

    @traitlets.observe("asked")
    def _hear_question(self, _: object) -> None:
        self.wanted = self.asked["row"] if self.asked["frame"] == self._frame else -1


class OverviewPane(Pane):
    """Every layer of every model on one screen: a row for each tensor, coloured by the chosen measure."""

    key = "overview"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _overview(state.overview, state.selection, models)


def _overview(state: OverviewState, selection: Selection, models: Models) -> widgets.Box:
    """The pane. Choosing a row chooses its tensor, and choosing a model in it makes that Model B."""
    grid = OverviewGrid(
        [{"label": model.short, "colour": model.colour} for model in models.values()], state.measures, state.most_rows
    )
    labels = list(models)
    button = widgets.Button(description="Read all weights", tooltip="There is much to read, so it waits for you")
    drawn: Glance | None = None
    busy = False

    def draw(_: object = None) -> None:
        nonlocal drawn
        glance = state.result
        if glance is None:
            return
        before, drawn = drawn, glance
        fresh = before is None or before.outline is not glance.outline
        if fresh:
            grid.show_rows(glance.outline)
            follow()
        if fresh or before is None or before.badges != glance.badges:
            grid.show_badges(glance.badges)
        draw_numbers()

    def draw_numbers(_: object = None) -> None:
        if drawn is None:
            return
        numbers, states = drawn.numbers(state.chosen_measure)
        limits = drawn.limits(state.chosen_measure, numbers)
        grid.show_numbers(state.measure, numbers, states, limits, max(grid.chosen[0], 0))
        draw_sketch()

    def draw_sketch(_: object = None) -> None:
        sketch = state.sketch(grid.wanted)
        if drawn is not None and sketch is not None:
            numbers, states = drawn.numbers(state.chosen_measure)
            texts = [
                _in_words(state.chosen_measure, numbers[grid.wanted, place], states[grid.wanted, place], sketch, label)
                for place, label in enumerate(labels)
            ]
            grid.show_sketch(grid.wanted, sketch, texts)

    def follow(change: Bunch | None = None) -> None:
        """Mark what is chosen."""
        nonlocal busy
        if busy or drawn is None:
            return
        # A model that was pointed at stays marked, also where it is Model A and no other became Model B.
        column = grid.chosen[1]
        if column < 0 or (change is not None and change.name == "other"):
            column = labels.index(selection.other)
        busy = True
        try:
            grid.show_choice(drawn.outline.row_of(selection.layer, selection.tensor), column)
        finally:
            busy = False

    def take(_: object) -> None:
        nonlocal busy
        row, column = grid.chosen
        if busy or drawn is None:
            return
        busy = True
        try:
            state.choose(row, labels[column] if 0 <= column < len(labels) else "")
        finally:
            busy = False
        # What cannot be chosen is taken back.
        follow()

    def offer(_: object = None) -> None:
        button.layout.display = None if state.stopped else "none"

    button.on_click(lambda _: state.begin())
    traitlets.link((state, "measure"), (grid, "measure"))
    traitlets.dlink((state, "progress"), (grid, "progress"))
    state.observe(draw, "result")
    state.observe(draw_numbers, "measure")
    state.observe(offer, "stopped")
    selection.observe(follow, ["layer", "tensor", "other"])
    grid.observe(take, "chosen")
    grid.observe(draw_sketch, "wanted")
    offer()
    draw()
    pane = widgets.VBox([button, grid])
    pane.add_class("ww-overview-pane")
    export = Export(
        "overview",
        lambda: state.chosen_measure.label,
        table=lambda: _sheet(drawn, state.chosen_measure, models) if drawn else None,
    )
    return exporting(pane, export)


def _sheet(glance: Glance, measure: Measure, models: Models) -> Sheet:
    """A row for each tensor, whatever is searched and folded in the page; a column for each model."""
    names = {label: f"{measure.label} of {model.name}" for label, model in models.items()}
    columns = [Column("layer", "layer"), Column("tensor", "tensor")]
    columns += [Column(name, name, format=partial(_number, measure)) for name in names.values()]
    numbers, _ = glance.numbers(measure)
    rows = []
    for place, (layer, tensor) in enumerate(glance.outline.addresses):
        if glance.outline.is_tensor(place):
            cells = {"layer": visible(layer), "tensor": visible(tensor)}
            rows.append(Row(cells | dict(zip(names.values(), numbers[place].tolist(), strict=True))))
    return Sheet(columns, rows)


def _described(measure: Measure) -> dict[str, Any]:
    return {
        "key": measure.key,
        "label": measure.label,
        "hint": measure.hint,
        "palette": "diverging" if measure.signed else "sequential",
        "percent": measure.percent,
        "signed": measure.signed,
        "own": measure.own,
    }


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
