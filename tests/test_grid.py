"""The table leaf: what travels to the page, in which messages, and which row is selected."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
import traitlets
from comms import catch

from weight_widgets.panes.grid import Grid
from weight_widgets.panes.sheet import Column, Row
from weight_widgets.panes.style import count, number

COLUMNS = (
    Column("tensor", "Tensor", "Layer and weight"),
    Column("size", "Parameters", format=count),
    Column("mean", "Mean", format=partial(number, sign=True), visible=False),
)


@dataclass
class Wire:
    """The states that were sent, and how many bytes each message had."""

    states: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()

    def take(kind: str, data: Any, buffers: Any) -> None:
        if kind == "comm_msg" and data["method"] == "update":
            wire.states.append(data["state"])
            encoded = json.dumps(data, ensure_ascii=False).encode()
            wire.sizes.append(len(encoded) + sum(memoryview(buffer).nbytes for buffer in buffers or ()))

    catch(monkeypatch, take)
    return wire


def shown(rows: int = 3) -> Grid:
    grid = Grid(COLUMNS)
    grid.show([Row({"tensor": f"layer_{row}", "size": 10 * row, "mean": -row / 7}) for row in range(rows)])
    return grid


def keys(grid: Grid, place: int) -> list[float]:
    column: Mapping[str, Any] = getattr(grid, f"column_{place}")
    return np.frombuffer(column["keys"], "<f8").tolist()


def press(grid: Grid, frame: int, row: int) -> None:
    """Choose a row as the page does."""
    grid.set_state({"choice": {"frame": frame, "row": row}})


class TestCells:
    def test_numbers_are_shown_as_formatted_and_sorted_in_full_precision(self) -> None:
        grid = Grid(COLUMNS)
        grid.show([Row({"tensor": "a/kernel", "size": 12345, "mean": -1 / 3}), Row({"size": 7, "mean": math.inf})])
        assert grid.column_1["cells"] == ["12\u2009345", "7"]
        assert grid.column_2["cells"] == ["−0.333", "Inf"]
        assert keys(grid, 1) == [12345.0, 7.0]
        assert keys(grid, 2) == [-1 / 3, math.inf]

    def test_keys_are_little_endian(self) -> None:
        grid = Grid(COLUMNS)
        grid.show([Row({"size": 1})])
        assert grid.column_1["keys"] == b"\0\0\0\0\0\0\xf0\x3f"

    def test_texts_travel_as_they_are_and_have_no_keys(self) -> None:
        grid = Grid(COLUMNS)
        grid.show([Row({"tensor": "<img src=x onerror=alert(1)>"})])
        assert grid.column_0["cells"] == ["<img src=x onerror=alert(1)>"]
        assert grid.column_0["keys"] is None

    @pytest.mark.parametrize("cells", [{}, {"size": None, "mean": None}, {"size": math.nan, "mean": np.float32("nan")}])
    def test_what_is_undefined_is_no_number(self, cells: Mapping[str, float | None]) -> None:
        grid = Grid(COLUMNS)
        grid.show([Row({"tensor": None, **cells})])
        assert [grid.column_0["cells"], grid.column_1["cells"], grid.column_2["cells"]] == [["n/a"]] * 3
        assert np.isnan([*keys(grid, 1), *keys(grid, 2)]).all()

    def test_colours_are_sent_only_where_there_are_any(self) -> None:
        grid = Grid(COLUMNS)
        grid.show([Row({}, "#1f77b4"), Row({})])
        assert grid.table["colours"] == ["#1f77b4", ""]
        grid.show([Row({}), Row({})])
        assert grid.table["colours"] == []

    def test_columns_say_what_they_are_and_the_first_is_always_there(self) -> None:
        first, *others = Grid([Column("a", "A", visible=False), *COLUMNS[1:]]).columns
        assert first == {"label": "A", "hint": "", "number": False, "visible": True}
        assert [(column["number"], column["visible"]) for column in others] == [(True, True), (True, False)]


class TestMessages:
    def test_none_is_large_for_a_thousand_rows_of_long_names(self, wire: Wire) -> None:
        columns = [Column(f"t{place}", f"T{place}") for place in range(3)]
        columns += [Column(f"n{place}", f"N{place}", format=number) for place in range(22)]
        values = np.random.default_rng(3).normal(size=(1000, 22)).tolist()
        name = "\\" * 24 + "層" * 24
        rows = [
            Row({**{f"t{p}": name for p in range(3)}, **{f"n{p}": v for p, v in enumerate(row)}}, "#1f77b4")
            for row in values
        ]
        Grid(columns).show(rows)
        assert sum(wire.sizes) > 300_000
        assert max(wire.sizes) < 300_000

    def test_a_small_table_takes_two(self, wire: Wire) -> None:
        grid = shown()
        wire.states.clear()
        grid.show([Row({"tensor": "other"})], selected=0)
        assert [sorted(state) for state in wire.states] == [["column_0", "column_1", "column_2"], ["choice", "table"]]

    def test_everything_of_an_exchange_has_its_frame_and_the_table_comes_last(self, wire: Wire) -> None:
        grid = shown()
        before = grid.table["frame"]
        wire.states.clear()
        grid.show([])
        sent = {name: value["frame"] for state in wire.states for name, value in state.items()}
        assert set(sent.values()) == {before + 1}
        assert set(sent) == {"column_0", "column_1", "column_2", "table", "choice"}
        assert "table" in wire.states[-1]

    def test_two_grids_do_not_share_columns(self) -> None:
        wide, narrow = shown(), Grid(COLUMNS[:1])
        assert wide.has_trait("column_2")
        assert not narrow.has_trait("column_1")


class TestSelection:
    def test_none_at_first_and_after_an_exchange(self) -> None:
        grid = shown()
        assert grid.selected == -1
        grid.selected = 2
        grid.show([Row({"tensor": "other"})])
        assert grid.selected == -1
        assert grid.choice == {"frame": grid.table["frame"], "row": -1}

    def test_python_tells_the_page(self, wire: Wire) -> None:
        grid = shown()
        wire.states.clear()
        grid.selected = 1
        assert wire.states == [{"choice": {"frame": grid.table["frame"], "row": 1}}]

    def test_the_page_tells_python_once(self) -> None:
        grid = shown()
        heard: list[int] = []
        grid.observe(lambda change: heard.append(change["new"]), "selected")
        press(grid, grid.table["frame"], 2)
        press(grid, grid.table["frame"], -1)
        assert heard == [2, -1]

    def test_one_among_rows_that_are_gone_is_taken_back(self, wire: Wire) -> None:
        grid = shown()
        gone = grid.table["frame"]
        grid.show([Row({"tensor": "a"}), Row({"tensor": "b"})], selected=1)
        wire.states.clear()
        press(grid, gone, 0)
        assert grid.selected == 1
        assert wire.states[-1] == {"choice": {"frame": gone + 1, "row": 1}}

    def test_an_exchange_can_keep_one_without_a_moment_of_none(self) -> None:
        grid = shown()
        grid.selected = 2
        heard: list[int] = []
        grid.observe(lambda change: heard.append(change["new"]), "selected")
        grid.show([Row({"tensor": f"layer_{row}"}) for row in range(9)], selected=7)
        assert heard == [7]

    @pytest.mark.parametrize("row", [-2, 3])
    def test_there_must_be_such_a_row(self, row: int) -> None:
        grid = shown(3)
        with pytest.raises(traitlets.TraitError, match="the table has 3"):
            grid.selected = row
        assert grid.selected == -1


class TestSight:
    """What is exported of a table: the columns and rows in sight, as the page told."""

    def test_columns_and_rows_are_those_that_the_page_shows(self) -> None:
        grid = shown()
        assert [column.key for column in grid.sheet.columns] == ["tensor", "size"]
        assert [row.cells["size"] for row in grid.sheet.rows] == [0, 10, 20]
        frame = grid.table["frame"]
        grid.set_state({"sight": {"frame": frame, "order": [2, 0], "columns": [True, False, True]}})
        assert [column.key for column in grid.sheet.columns] == ["tensor", "mean"]
        assert [row.cells["size"] for row in grid.sheet.rows] == [20, 0]

    def test_an_order_of_other_rows_is_none_of_these(self) -> None:
        grid = shown()
        grid.set_state({"sight": {"frame": grid.table["frame"], "order": [2, 0], "columns": [True, True, True]}})
        grid.show([Row({"tensor": "new", "size": 1})])
        assert [row.cells["tensor"] for row in grid.sheet.rows] == ["new"]
        assert len(grid.sheet.columns) == 3
