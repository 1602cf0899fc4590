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
from . import plain
from .columns import COLUMNS
from .export import MAX_CELL, Export, exporting
from .grid import Grid
from .pane import Pane
from .sheet import Column, Row, Sheet
from .style import SAMPLED, Models, count, number, percent, text

__all__ = ["TablePane"]

ROUNDED = (
    "Large tensors are read once, and their weights counted in cells. Quantiles, L1, near zeros, skew and kurtosis (≈) "
    "are as if each weight were moved within its cell: by at most 0.8 % of itself, or 1/65,536 of the range."
)
# In files they stand apart, whatever all rows have in common: a program finds a weight by them.
ADDRESS = tuple(Column(key, key) for key in ("layer", "tensor", "part", "assumed"))
TITLES = {"tensor": "this tensor", "parts": "its parts", "layer": "the layer", "model": "all layers"}
MET = {True: "met", False: "not met", None: "not checked"}


class TablePane(Pane):
    """All measures of what is chosen in the ticked models, to sort, to filter and to choose from."""

    key = "table"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        view = _View(state.table, state.selection, models)
        return exporting(view.box, Export("table", lambda: _about(state.table.result), table=lambda: view.sheet))


class _View:
    """The pane's widgets; numbers carry three significant digits. Selecting a row chooses what it is about."""

    def __init__(self, state: TableState, selection: Selection, models: Models) -> None:
        self._state, self._selection, self._models = state, selection, models
        self._grid = Grid(COLUMNS, "No ticked model has this tensor.")
        self._grid.add_class("ww-table")
        self._rules = plain.HTML(classes="ww-note")
        self._exact = plain.Button(
            description="Compute exactly", tooltip="Read the files again, with all values in order", classes="ww-exact"
        )
        # The model whose row was chosen last.
        self._chosen = ""
        self._drawing = Quiet()
        heading = plain.Box([plain.HTML("<h3>Table</h3>"), _scope(state), self._exact], classes="ww-heading")
        self.box = plain.VBox([heading, self._grid, self._rules], classes="ww-pane")
        state.observe(self._draw, "result")
        self._grid.observe(self._choose, "selected")
        self._exact.on_click(lambda _: state.set_trait("exact", True))
        self._draw()

    @property
    def sheet(self) -> Sheet | None:
        """What is in the table, with the address of each row in columns of its own; None while that is nothing."""
        result = self._state.result
        return _addressed(self._grid.sheet) if result and result.rows else None

    def _draw(self, _: object = None) -> None:
        table, models = self._state.result, self._models
        rows = [_row(row, table, models) for row in table.rows] if table else []
        with self._drawing:
            self._grid.show(rows, _place(table, self._chosen) if table else -1)
        # Until something is known it would say that no model has this tensor.
        plain.show(self._grid, table)
        self._rules.value = "".join(_said(table, models)) if table else ""
        plain.show(self._exact, table and table.near and table.sampled == 1)

    def _choose(self, _: object) -> None:
        table, place = self._state.result, self._grid.selected
        if self._drawing or place < 0 or table is None:
            return
        row = table.rows[place]
        self._chosen = row["checkpoint"]
        if not self._selection.choose(row["layer"], row["tensor"], row["part"]):
            # The names were exchanged, and rows under the new ones are on their way.
            self._draw()


def _scope(state: TableState) -> widgets.Dropdown:
    scope = plain.Dropdown(
        description="rows", options=[(TITLES[name], name) for name in SCOPES], classes="ww-set-scope"
    )
    link((state, "scope"), (scope, "value"))
    return scope


def _row(row: Mapping[str, Any], table: Table, models: Models) -> Row:
    model = models[row["checkpoint"]]
    cells = dict(row)
    cells["model"] = model.name
    cells["weight"] = _weight(row, table.scope)
    cells |= {key: visible(row[key], MAX_CELL) for key in ("layer", "tensor", "part")}
    cells["assumed"] = "yes" if row["assumed"] else "no"
    cells["shape"] = " × ".join(map(str, row["shape"])) or "scalar"
    cells["type"] = visible(row["stored"] or row["dtype"]) + (", dequantised" if row["dequantised"] else "")
    cells["constraint_met"] = MET[row["constraint_met"]] if row["constraint"] else None
    return Row(cells, model.colour, _near(row, table))


def _addressed(sheet: Sheet) -> Sheet:
    """With what makes up the name of the weight, as far as any row has it, in the place of that name."""
    address = [column for column in ADDRESS if any(row.cells[column.key] not in ("", "no") for row in sheet.rows)]
    columns: list[Column] = []
    for column in sheet.columns:
        columns += address if column.key == "weight" else [column]
    return Sheet(columns, sheet.rows)


def _about(table: Table | None) -> str:
    """What the rows have in common."""
    if table is None:
        return ""
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
