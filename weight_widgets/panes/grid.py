"""A table to sort and to filter in the page, whose columns can be chosen and one of whose rows can be selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from .bundles import bundle
from .messages import send_in_messages
from .sheet import Column, Row, Sheet, cell_number, cell_text

__all__ = ["Grid"]


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
    # What the page shows of a frame: which columns, and the places of which rows; None for all as they came.
    sight = traitlets.Dict().tag(sync=True)

    def __init__(self, columns: Sequence[Column], empty: str = "Nothing to show.") -> None:
        self._columns = tuple(columns)
        self._rows: Sequence[Row] = ()
        self._frame = 0
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
        self._rows = tuple(rows)
        packed = {f"column_{place}": self._pack(column, rows) for place, column in enumerate(self._columns)}
        colours = [row.colour for row in rows] if any(row.colour for row in rows) else []
        send_in_messages(self, packed)
        with self.hold_sync():
            self.table = {"frame": self._frame, "count": len(rows), "colours": colours}
            self.selected = selected
            self._tell()

    @property
    def sheet(self) -> Sheet:
        """The columns and rows in sight, as the page last told: chosen, filtered and sorted there."""
        wanted = self.sight.get("columns") or [
            column.visible or not place for place, column in enumerate(self._columns)
        ]
        columns = [column for column, shown in zip(self._columns, wanted, strict=True) if shown]
        order = self.sight.get("order") if self.sight.get("frame") == self._frame else None
        return Sheet(columns, self._rows if order is None else [self._rows[place] for place in order])

    def _pack(self, column: Column, rows: Sequence[Row]) -> dict[str, Any]:
        texts = [cell_text(column, row) for row in rows]
        numbers = [cell_number(column, row) for row in rows] if column.format else None
        keys = None if numbers is None else np.array(numbers, "<f8").tobytes()
        return {"frame": self._frame, "cells": texts, "keys": keys}

    @traitlets.validate("selected")
    def _exists(self, proposal: Mapping[str, Any]) -> int:
        row: int = proposal["value"]
        if not -1 <= row < len(self._rows):
            raise traitlets.TraitError(f"There is no row {row}: the table has {len(self._rows)}.")
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
