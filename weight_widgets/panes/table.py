"""The table pane: one row a model for the chosen tensor."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from ..state import Table, TableState
from .style import Models, count, number, percent, text

__all__ = ["table_pane"]

COLUMNS = ("model", "shape", "dtype", "parameters", "mean", "std", "min", "max", "L2 norm", "sparsity", "NaN", "Inf")


def table_pane(state: TableState, models: Models) -> widgets.HTML:
    """The pane; its numbers carry three significant digits."""
    pane = widgets.HTML()
    pane.add_class("ww-table")

    def draw(_: object = None) -> None:
        pane.value = "" if state.result is None else _html(state.result, models)

    state.observe(draw, "result")
    draw()
    return pane


def _html(table: Table, models: Models) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    body = "".join(_row(cells) for cells in _cells(table, models))
    why = "No ticked model has this tensor." if table.pick.checkpoints else "No model is ticked."
    empty = "" if table.rows else f'<tr><th colspan="{len(COLUMNS)}">{why}</th></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{empty}</tbody></table>"


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'


def _cells(table: Table, models: Models) -> list[list[str]]:
    rows = []
    for row in table.rows:
        measures = row.measures
        shape, dtype = _shape(row.shape), text(row.dtype)
        # Where there is no room for columns of their own the style sheet shows these under the name.
        cells = [f"{models[row.label].title}<small>{shape} {dtype}</small>", shape, dtype]
        if measures is None:
            cells += ["n/a"] * (len(COLUMNS) - len(cells))
        else:
            cells += [
                count(measures.size),
                number(measures.mean, sign=True),
                number(measures.std),
                number(measures.minimum, sign=True),
                number(measures.maximum, sign=True),
                number(measures.l2),
                percent(measures.sparsity),
                count(measures.nan),
                count(measures.inf),
            ]
        rows.append(cells)
    return rows


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "scalar"
