"""The comparison pane: B against A tensor by tensor, as a map and as a table, and the editor of the alignment."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from ..analysis.alignment import Address
from ..analysis.comparing import STATUSES, ComparedRow, numbers_of
from ..display import visible
from ..state import ExplorerState, Quiet, Relation, Selection
from . import plain
from .change_map import ChangeMap
from .export import Export, Plate, Plot, exporting
from .grid import Grid
from .pair_editor import PairEditor, address_in_words
from .pane import Pane
from .sheet import Column, Row
from .style import Models, count, number, pair_in_words, percent, text
from .toggles import Holding

__all__ = ["ComparePane"]

# More than anybody reads in a page; `compare_table` has them all.
MAX_ROWS = 1000
MAX_NAME = 60
# Of the exported map.
MAP_WIDTH = 820

COLUMNS = (
    Column("weight", "weight", "The tensor, under the name of Model A where that has it"),
    Column("opposite", "opposite in B", "The tensor of Model B, and why it stands there"),
    Column("status", "status", "Whether every value is equal; reshaped, added and removed are never compared"),
    Column("shape", "shape"),
    Column("relative_change", "relative change", "‖B − A‖ / ‖A‖", number),
    Column("cosine", "cosine", "⟨A, B⟩ / ‖A‖‖B‖", number),
    Column("null", "if independent", "The range that holds the cosine of 95 % of independent pairs"),
    Column("equal_share", "equal", "Share of elements of equal value", percent),
    Column("max_abs", "largest |B − A|", "", number),
    Column("symmetric_distance", "symmetric", "2 ‖B − A‖ / (‖A‖ + ‖B‖), from 0 to 2", number, visible=False),
    Column("pearson", "Pearson", "Pearson's correlation", number, visible=False),
    Column("wasserstein", "Wasserstein-1", "Distance of the distributions of the values", number, visible=False),
    Column(
        "unit_distance",
        "unit norms",
        "Symmetric distance of the sorted norms of the units: their order has no say",
        number,
        visible=False,
    ),
    Column("role", "role", visible=False),
    Column("size", "parameters", "Number of elements", count, visible=False),
    Column("nan_a", "NaN in A", "Elements that are not a number", count, visible=False),
    Column("nan_b", "NaN in B", "Elements that are not a number", count, visible=False),
)
REASONS = {
    "name": "by name",
    "renamed": "renamed",
    "order": "by order",
    "shape": "by shape",
    "user": "paired by hand",
}
ITSELF = "Model A and Model B are the same model. Choose another as Model B."


class ComparePane(Pane):
    """Every tensor of Model B beside the one opposite it in Model A, as a map and as a table."""

    key = "comparison"
    waits = False

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _compare(state, models)


def _compare(state: ExplorerState, models: Models) -> widgets.Box:
    """The pane. A click on a row or on a point of the map chooses the tensor."""
    selection, comparisons, settings = state.selection, state.comparisons, state.comparison
    grid = Grid(COLUMNS, "No tensor has this status.")
    grid.add_class("ww-compare-table")
    title, note = plain.HTML(classes="ww-picture-title"), plain.HTML(classes="ww-note")
    status = plain.Dropdown(description="rows", options=[("all", "")], classes="ww-set-status")
    editor = PairEditor(comparisons)
    # The rows of the relation that are in the table, and where each tensor stands in the explorer.
    listed: list[int] = []
    places: list[Address] = []
    drawing = Quiet()

    def relation() -> Relation | None:
        found: Relation | None = comparisons.relations.get(selection.other)
        return found

    def draw(_: object = None) -> None:
        nonlocal listed, places
        if not settings.seen:
            return
        found = relation()
        rows = found.rows if found else ()
        view = selection.aligned[selection.other]
        places = [row.row.a or view.place_of(row.row.b or ("", "")) for row in rows]
        listed = [number for number, row in enumerate(rows) if settings.status in ("", row.status)][:MAX_ROWS]
        with drawing:
            _offer(status, rows, settings.status)
            grid.show([Row(_cells(rows[number], places[number])) for number in listed])
        changes.show(rows, [visible(address_in_words(place), MAX_NAME) for place in places])
        a, b = models[selection.reference], models[selection.other]
        title.value = f"A {a.title} &nbsp; B {b.title}"
        note.value = text(_note(state, rows, len(listed)), 600)
        body.children = body.held if rows else [note]
        follow()

    def follow(_: object = None) -> None:
        """Mark what is chosen."""
        if not settings.seen:
            return
        found = relation()
        chosen = selection.layer, selection.tensor
        place = places.index(chosen) if chosen in places else -1
        with drawing:
            grid.selected = listed.index(place) if place in listed else -1
        changes.mark(place)
        alignment = comparisons.alignments.get(selection.other)
        editor.show(selection.other, alignment, found.rows[place].row if found and place >= 0 else None)

    def choose(place: int) -> None:
        selection.choose(*places[place])

    def take(_: object) -> None:
        if not drawing and grid.selected >= 0:
            choose(listed[grid.selected])

    def filter_by(change: Any) -> None:
        if not drawing:
            settings.status = change.new

    changes = ChangeMap(choose)
    body = Holding([changes.box, changes.legend, grid, editor.box, note])
    heading = plain.Box([plain.HTML("<h3>Compare</h3>"), title, status], classes="ww-heading")
    pane = plain.VBox([heading, body], classes="ww-pane ww-compare")
    grid.observe(take, "selected")
    status.observe(filter_by, "value")
    settings.observe(draw, ["seen", "status"])
    selection.observe(draw, ["other", "revision"])
    selection.observe(follow, ["layer", "tensor"])
    comparisons.observe(draw, ["relations", "problems", "running", "stopped"])
    draw()
    export = Export(
        "comparison",
        lambda: _pair(selection, models),
        lambda: _plate(changes, _pair(selection, models)) if relation() else None,
        lambda: grid.sheet if relation() else None,
    )
    return exporting(pane, export)


def _pair(selection: Selection, models: Models) -> str:
    return pair_in_words(models, selection.reference, selection.other)


def _plate(changes: ChangeMap, pair: str) -> Plate:
    return Plate(pair, [Plot(changes.figure, MAP_WIDTH, without=(changes.ring,))], changes.keys)


def _offer(status: widgets.Dropdown, rows: Sequence[ComparedRow], chosen: str) -> None:
    """The statuses that there are, each with how many rows have it."""
    found = Counter(row.status for row in rows)
    options = [(f"all ({count(len(rows))})", "")]
    options += [(f"{name} ({count(found[name])})", name) for name in STATUSES if found[name] or name == chosen]
    with status.hold_sync():
        status.options = options
        status.value = chosen


def _note(state: ExplorerState, rows: Sequence[ComparedRow], listed: int) -> str:
    comparisons, other = state.comparisons, state.selection.other
    if other == comparisons.reference:
        return ITSELF
    if rows:
        cut = f" The first {count(listed)} rows; compare_table gives all of them." if listed == MAX_ROWS else ""
        bad = [row.error for row in rows if row.error]
        return f"{f'Not readable: {bad[0]}' if bad else ''}{cut}".strip()
    if other in comparisons.problems:
        return f"They could not be compared: {comparisons.problems[other]}"
    return "They are being compared …" if comparisons.running else "They are not compared yet: press Compare on top."


def _cells(row: ComparedRow, place: Address) -> dict[str, Any]:
    aligned = row.row
    numbers = numbers_of(row.twin)
    low, high = numbers["null_low"], numbers["null_high"]
    ranged = low is not None and not math.isnan(low)
    shapes = [
        " × ".join(map(str, shape)) or "scalar" for shape in (aligned.shape_a, aligned.shape_b) if shape is not None
    ]
    return {
        **numbers,
        "weight": visible(address_in_words(place), MAX_NAME),
        "opposite": _opposite(row),
        "status": "not readable" if row.error else row.status,
        "shape": " → ".join(dict.fromkeys(shapes)),
        "null": f"{number(low, 2)} … {number(high, 2)}" if ranged else None,
        "role": visible(row.role),
        "size": row.size,
    }


def _opposite(row: ComparedRow) -> str | None:
    aligned = row.row
    if aligned.b is None:
        return "nothing"
    if aligned.a is None:
        return f"{visible(address_in_words(aligned.b), MAX_NAME)} (only there)"
    assumed = ", assumed" if aligned.assumed else ""
    if aligned.a == aligned.b:
        return f"the same name{assumed}" if aligned.reason != "user" else "paired by hand"
    return f"{visible(address_in_words(aligned.b), MAX_NAME)} ({REASONS.get(aligned.reason, '')}{assumed})"
