"""A table to sort and to filter in the page, whose columns can be chosen and one of whose rows can be selected."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import traitlets

from .bundles import bundle
from .messages import send_in_messages

__all__ = ["Column", "Grid", "Row"]

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


class Grid(anywidget.AnyWidget):
    """A leaf with a table; sorting, filtering and choosing columns need no kernel, and outlast an exchange of rows.

    Parameters
    ----------
    columns : sequence of Column
    empty : str
        What stands there while there is no row.

    Attributes
    ----------
    selected : int
        The place of the selected row in what was shown last; -1 for none.
    """

    _esm = bundle("grid.js")
    _css = bundle("grid.css")
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    # A trait for each column besides, since together they may pass 300 KB. They count only when all have its frame.
    table = traitlets.Dict().tag(sync=True)
    # The page may choose a row while others are on their way, so it says from which frame.
    choice = traitlets.Dict().tag(sync=True)
    selected = traitlets.Int(-1)

    def __init__(self, columns: Sequence[Column], empty: str = "Nothing to show.") -> None:
        self._columns = tuple(columns)
        self._frame = self._count = 0
        self.add_traits(**{f"column_{place}": traitlets.Dict().tag(sync=True) for place in range(len(columns))})
        described = [
            {
                "label": column.label,
                "hint": column.hint,
                "number": column.format is not None,
                "visible": column.visible or place == 0,
            }
            for place, column in enumerate(columns)
        ]
        super().__init__(columns=described, empty=empty)
        self.show(())

    def show(self, rows: Sequence[Row], selected: int = -1) -> None:
        """Exchange the rows, and select one of the new ones."""
        self._frame += 1
        self._count = len(rows)
        packed = {f"column_{place}": self._pack(column, rows) for place, column in enumerate(self._columns)}
        colours = [row.colour for row in rows] if any(row.colour for row in rows) else []
        send_in_messages(self, packed)
        with self.hold_sync():
            self.table = {"frame": self._frame, "count": len(rows), "colours": colours}
            self.selected = selected
            self._tell()

    def _pack(self, column: Column, rows: Sequence[Row]) -> dict[str, Any]:
        values = [row.cells.get(column.key) for row in rows]
        if column.format is None:
            texts = [UNAVAILABLE if value is None else str(value) for value in values]
            return {"frame": self._frame, "cells": texts, "keys": None}
        numbers = [math.nan if value is None else float(value) for value in values]
        texts = [
            UNAVAILABLE if math.isnan(number) else ("≈" if column.key in row.near else "") + column.format(value)
            for value, number, row in zip(values, numbers, rows, strict=True)
        ]
        return {"frame": self._frame, "cells": texts, "keys": np.array(numbers, "<f8").tobytes()}

    @traitlets.validate("selected")
    def _exists(self, proposal: Mapping[str, Any]) -> int:
        row: int = proposal["value"]
        if not -1 <= row < self._count:
            raise traitlets.TraitError(f"There is no row {row}: the table has {self._count}.")
        return row

    @traitlets.observe("selected")
    def _tell(self, _: object = None) -> None:
        self.choice = {"frame": self._frame, "row": self.selected}

    @traitlets.observe("choice")
    def _hear(self, _: object) -> None:
        if self.choice["frame"] == self._frame:
            self.selected = self.choice["row"]
        # One among rows that are gone is taken back.
        self._tell()
