"""What a table holds: columns, rows, and the text of each cell, for the page and for files alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = ["UNAVAILABLE", "Column", "Row", "Sheet", "cell_number", "cell_text", "html_table"]

UNAVAILABLE = "n/a"


@dataclass(frozen=True)
class Column:
    """What stands in a column.

    Parameters
    ----------
    key : str
        Under which the rows have their cells.
    label : str
        Plain text, short.
    hint : str
        Plain text: what the column means.
    format : callable, optional
        From a number to its text. A column with one holds numbers, and is sorted by them; without, it holds text.
    visible : bool
        Whether it is shown at first; the first column of a grid always is.
    """

    key: str
    label: str
    hint: str = ""
    format: Callable[[Any], str] | None = None
    visible: bool = True


@dataclass(frozen=True)
class Row:
    """What stands in a row.

    Parameters
    ----------
    cells : mapping of str to str, float or None
        By the columns' keys. Texts are plain, and have been through `visible` where they come from a file. What is
        absent, None or NaN is shown as ``"n/a"``, and is last when sorted.
    colour : str
        Of the swatch in the first column, as CSS; none without.
    near : collection of str
        Keys of the columns whose number is not exact, which a ``"≈"`` tells.
    """

    cells: Mapping[str, str | float | None]
    colour: str = ""
    near: Collection[str] = ()


@dataclass(frozen=True)
class Sheet:
    """A table: the columns and the rows that are in sight, in their order."""

    columns: Sequence[Column]
    rows: Sequence[Row]


def cell_number(column: Column, row: Row) -> float:
    """The number in a cell of a column that has such; NaN where there is none."""
    value = row.cells.get(column.key)
    return math.nan if value is None else float(value)


def cell_text(column: Column, row: Row) -> str:
    """A cell as it is shown."""
    value = row.cells.get(column.key)
    if column.format is None:
        return UNAVAILABLE if value is None else str(value)
    if math.isnan(cell_number(column, row)):
        return UNAVAILABLE
    return ("≈" if column.key in row.near else "") + column.format(value)


def html_table(sheet: Sheet, row_headers: Sequence[str]) -> str:
    """The sheet as HTML, with these cells in the place of its first column."""
    columns = sheet.columns[1:]
    head = "".join(f"<th>{escape(column.label)}</th>" for column in columns)
    rows = (
        f"<tr>{header}{''.join(f'<td>{escape(cell_text(column, row))}</td>' for column in columns)}</tr>"
        for header, row in zip(row_headers, sheet.rows, strict=True)
    )
    return f"<table><tr><td></td>{head}</tr>{''.join(rows)}</table>"
