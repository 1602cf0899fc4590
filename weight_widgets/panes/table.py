"""The table pane: the measures of the ticked models, to sort, to filter and to choose from."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import ipywidgets as widgets
from traitlets import link

from ..analysis.tables import MEASURED, NEAR
from ..display import visible
from ..state import SCOPES, ExplorerState, Quiet, Selection, Table, TableState
from .columns import COLUMNS
from .export import Export, exporting
from .grid import Grid
from .pane import Pane
from .sheet import Row
from .style import SAMPLED, Models, count, number, percent, text

__all__ = ["TablePane"]

ROUNDED = (
    "Large tensors are read once, and their weights counted in cells. Quantiles, L1, near zeros, skew and kurtosis (≈) "
    "are as if each weight were moved within its cell: by at most 0.8 % of itself, or 1/65,536 of the range."
)
TITLES = {"tensor": "this tensor", "parts": "its parts", "layer": "the layer", "model": "all layers"}
MET = {True: "met", False: "not met", None: "not checked"}


class TablePane(Pane):
    """All measures of what is chosen in the ticked models, to sort, to filter and to choose from."""

    key = "table"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _table(state.table, state.selection, models)


def _table(state: TableState, selection: Selection, models: Models) -> widgets.Box:
    """The pane; its numbers carry three significant digits. Selecting a row chooses what it is about."""
    grid = Grid(COLUMNS, "No ticked model has this tensor.")
    grid.add_class("ww-table")
    rules = widgets.HTML()
    rules.add_class("ww-note")
    scope = widgets.Dropdown(description="rows", options=[(TITLES[name], name) for name in SCOPES])
    scope.add_class("ww-set-scope")
    link((state, "scope"), (scope, "value"))
    exact = widgets.Button(description="Compute exactly", tooltip="Read the files again, with all values in order")
    exact.add_class("ww-exact")
    exact.on_click(lambda _: state.set_trait("exact", True))
    chosen = ""
    drawing = Quiet()

    def draw(_: object = None) -> None:
        table = state.result
        rows = table.rows if table else ()
        with drawing:
            grid.show(
                [Row(_cells(row, table.scope), models[row["checkpoint"]].colour, _near(row, table)) for row in rows]
                if table
                else [],
                _place(table, chosen) if table else -1,
            )
        # Until something is known it would say that no model has this tensor.
        grid.layout.display = None if table else "none"
        rules.value = "".join(_said(table, models)) if table else ""
        exact.layout.display = None if table and table.near and table.sampled == 1 else "none"

    def choose(_: object) -> None:
        nonlocal chosen
        if drawing or grid.selected < 0 or state.result is None:
            return
        row = state.result.rows[grid.selected]
        chosen = row["checkpoint"]
        if not selection.choose(row["layer"], row["tensor"], row["part"]):
            # The names were exchanged, and rows under the new ones are on their way.
            draw()

    def _cells(row: Mapping[str, Any], scope: str) -> dict[str, Any]:
        cells = dict(row)
        cells["model"] = models[row["checkpoint"]].name
        cells["weight"] = _weight(row, scope)
        cells["shape"] = " × ".join(map(str, row["shape"])) or "scalar"
        cells["type"] = visible(row["stored"] or row["dtype"]) + (", dequantised" if row["dequantised"] else "")
        cells["constraint_met"] = MET[row["constraint_met"]] if row["constraint"] else None
        return cells

    state.observe(draw, "result")
    grid.observe(choose, "selected")
    draw()
    heading = widgets.Box([widgets.HTML("<h3>Table</h3>"), scope, exact])
    heading.add_class("ww-heading")
    pane = widgets.VBox([heading, grid, rules])
    pane.add_class("ww-pane")
    export = Export(
        "table",
        lambda: _about(state.result) if state.result else "",
        table=lambda: grid.sheet if state.result and state.result.rows else None,
    )
    return exporting(pane, export)


def _about(table: Table) -> str:
    """What the rows have in common."""
    pick = table.pick
    return {"model": "", "layer": pick.layer}.get(table.scope, pick.address)


def _weight(row: Mapping[str, Any], scope: str) -> str:
    names = (row["layer"], row["tensor"]) if scope == "model" else (row["tensor"], row["part"])
    return " · ".join(visible(name) for name in names if name) + (" (assumed)" if row["assumed"] else "")


def _near(row: Mapping[str, Any], table: Table) -> Collection[str]:
    """The columns of a row whose numbers are not exact."""
    if not row["near"]:
        return ()
    return NEAR if table.sampled == 1 else (*MEASURED, "std_ratio")


def _place(table: Table, label: str) -> int:
    """The row of what is picked, in the model whose row was chosen last."""
    pick = table.pick
    wanted = (label, pick.layer, pick.tensor, pick.part)
    found = ((row["checkpoint"], row["layer"], row["tensor"], row["part"]) for row in table.rows)
    return next((place for place, row in enumerate(found) if row == wanted), -1)


def _said(table: Table, models: Models) -> Iterator[str]:
    """What does not fit into the table."""
    if table.sampled < 1:
        yield f"<div>{text(SAMPLED.format(percent(table.sampled)), 300)}</div>"
    elif table.near:
        yield f"<div>{text(ROUNDED, 300)}</div>"
    if table.cut:
        yield f"<div>The first {count(len(table.rows))} rows; weights_table gives all of them.</div>"
    yield from _rules(table, models)


def _rules(table: Table, models: Models) -> Iterator[str]:
    """What the configuration says the picked tensor is held to, a line a model."""
    pick = table.pick
    for row in table.rows:
        if (row["layer"], row["tensor"]) != (pick.layer, pick.tensor) or row["part"]:
            continue
        said = []
        if row["regularizer"]:
            value = row["penalty"]
            adds = "is not computed" if value is None or math.isnan(value) else f"adds {number(value)} to the loss"
            said.append(f"{row['regularizer']} {adds}")
        if row["constraint"]:
            said.append(f"{row['constraint']} {MET[row['constraint_met']]}: {row['constraint_text']}")
        if said:
            yield f"<div>{models[row['checkpoint']].title}: {text('; '.join(said), 400)}</div>"
