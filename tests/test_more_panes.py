"""The panes that show parts, spectra and rows of a table: what they draw, when they work, and when they do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bqplot
import h5py
import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from seen import ATTRIBUTES, HOSTILE, TAGS, TIMEOUT, Page, Wire, everything, grid_rows, having, hostile, of_kind

import weight_widgets as ww
from weight_widgets.analysis import decomposition
from weight_widgets.analysis.tables import weights_table
from weight_widgets.processes import parent
from weight_widgets.state.looks import tables

GATES = ["input", "forget", "cell", "output"]
LSTMS = ("sequence_lstm", "sequence_lstm_dropout")


@pytest.fixture
def lstms(models: Path) -> Iterator[ww.WeightExplorer]:
    explorer = ww.compare(*(models / f"{name}.h5" for name in LSTMS))
    explorer.selection.layer = "lstm_1"
    assert explorer.wait(TIMEOUT)
    yield explorer
    explorer.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


class TestParts:
    def test_nothing_is_read_for_a_pane_that_is_not_shown(self, lstms: ww.WeightExplorer) -> None:
        assert lstms.parts.result is None
        assert [one for one in everything(lstms) if "ww-parts" in getattr(one, "_dom_classes", ())] == []

    def test_counts_are_numpys_on_the_edges_of_all(self, lstms: ww.WeightExplorer, models: Path) -> None:
        lstms.parts.shown = True
        assert lstms.wait(TIMEOUT)
        strips = {strip.title: strip for strip in lstms.parts.result.strips}
        assert [*strips] == ["kernel", "recurrent_kernel", "bias"]
        for name, strip in strips.items():
            stored = {label: _stored(models / f"{label}.h5", name) for label in LSTMS}
            values = [array.astype(np.float64) for array in stored.values()]
            edges = np.linspace(min(map(np.min, values)), max(map(np.max, values)), 41)
            np.testing.assert_allclose(strip.edges, edges)
            assert [panel.part for panel in strip.panels] == GATES
            for place, panel in enumerate(strip.panels):
                for label, array in zip(LSTMS, values, strict=True):
                    part = np.split(array, 4, axis=-1)[place]
                    np.testing.assert_array_equal(panel.histograms[label].counts, np.histogram(part, edges)[0])

    def test_a_hidden_pane_leaves_the_page_and_is_not_computed(self, lstms: ww.WeightExplorer) -> None:
        lstms.parts.shown = True
        assert lstms.wait(TIMEOUT)
        pane = having(lstms, "ww-parts")
        lstms.parts.shown = False
        assert pane not in [*everything(lstms)]
        before = lstms.parts.result
        lstms.selection.layer = "output"
        assert lstms.wait(TIMEOUT)
        assert lstms.parts.result is before
        lstms.parts.shown = True
        assert lstms.wait(TIMEOUT)
        assert lstms.parts.result.pick.layer == "output"

    def test_units_come_in_pages(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.arange(60.0).reshape(2, 30), "wide": np.ones((2, 90))})
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        look = explorer.parts.result
        assert (look.pages, look.parts) == (3, 30)
        explorer.parts.page = 2
        assert explorer.wait(TIMEOUT)
        names = [panel.part for strip in explorer.parts.result.strips for panel in strip.panels]
        assert names == [f"unit {number}" for number in range(24, 30)]
        assert "assumed" in having(explorer, "ww-parts").children[-1].value
        # Another layer begins with its first.
        explorer.selection.layer = "wide"
        assert explorer.wait(TIMEOUT)
        assert explorer.parts.result.page == 0

    def test_what_has_no_parts_says_so(self, explore: Any) -> None:
        explorer = explore(a={"flat": np.ones(5)})
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        pane = having(explorer, "ww-parts")
        assert explorer.parts.result.strips == ()
        assert of_kind(pane, bqplot.Figure) == []
        assert Page(pane.children[-1].value).text


def _stored(path: Path, name: str) -> np.ndarray:
    found: list[np.ndarray] = []
    with h5py.File(path) as file:
        file["model_weights/lstm_1"].visititems(
            lambda at, item: found.append(item[()]) if at.endswith(f"/{name}") else None
        )
    (values,) = found
    return values


class TestSpectrum:
    def test_is_not_computed_unasked(self, lstms: ww.WeightExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decomposition, "start", None)
        lstms.spectrum.shown = True
        lstms.selection.tensor = "recurrent_kernel"
        assert lstms.wait(TIMEOUT)
        assert lstms.spectrum.result is None

    def test_belongs_to_what_was_picked(self, lstms: ww.WeightExplorer, models: Path) -> None:
        lstms.compute_spectrum()
        assert lstms.wait(TIMEOUT)
        found = dict(lstms.spectrum.result.found)
        for label in LSTMS:
            values = np.linalg.svd(_stored(models / f"{label}.h5", "kernel").astype(np.float64), compute_uv=False)
            np.testing.assert_allclose(found[label].singular_values, values, atol=1e-12)
        lstms.selection.part = "forget"
        assert lstms.spectrum.result is None
        assert lstms.spectrum.progress == ""

    def test_of_what_has_none_says_why(self, lstms: ww.WeightExplorer) -> None:
        lstms.spectrum.shown = True
        lstms.selection.tensor = "bias"
        lstms.compute_spectrum()
        assert lstms.wait(TIMEOUT)
        pane = having(lstms, "ww-spectrum")
        assert of_kind(pane, bqplot.Figure) == []
        assert "bias acts on each unit by itself: it is no matrix" in "".join(
            Page(one.value).text for one in of_kind(pane, widgets.HTML)
        )

    @pytest.mark.parametrize("end", ["cancel", "another choice", "close"])
    def test_its_process_is_ended_at_once(self, end: str, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        started: list[Any] = []

        def start(*arguments: Any) -> Any:
            started.append(parent.start(*arguments))
            return started[-1]

        monkeypatch.setattr(decomposition, "start", start)
        # Half a minute of work.
        explorer = explore(a={"dense": np.ones((4096, 4096), np.float16), "small": np.eye(2)})
        explorer.spectrum.shown = True
        explorer.compute_spectrum()
        until(lambda: "%" in explorer.spectrum.progress or " s of about " in explorer.spectrum.progress)
        assert started[0].poll() is None
        if end == "cancel":
            cancel = next(one for one in of_kind(explorer, widgets.Button) if one.description == "Cancel")
            cancel.click()
        elif end == "another choice":
            explorer.selection.layer = "small"
        else:
            explorer.close()
        until(lambda: started[0].poll() is not None)
        assert explorer.spectrum.result is None
        assert explorer._state.status.problems == ()
        if end != "close":
            assert explorer.spectrum.progress == ""

    def test_too_large_a_one_is_a_line(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decomposition, "MAX_BYTES", 1 << 20)
        explorer = explore(a={"dense": np.ones((9, 9))})
        explorer.compute_spectrum()
        assert explorer.wait(TIMEOUT)
        assert "Choose a part of the tensor" in explorer._state.status.problems[0]
        explorer.selection.part = "unit 3"
        assert explorer._state.status.problems == () or explorer.wait(TIMEOUT)
        assert explorer._state.status.problems == ()


class TestTable:
    @pytest.mark.parametrize("scope", ["tensor", "parts", "layer", "model"])
    def test_scopes_are_rows_of_the_frame(
        self, scope: str, lstms: ww.WeightExplorer, models: Path, tmp_path: Path
    ) -> None:
        lstms.table.scope = scope
        lstms.selection.tensor = "recurrent_kernel"
        assert lstms.wait(TIMEOUT)
        frame = weights_table(*(models / f"{name}.h5" for name in LSTMS), parts=scope == "parts")
        chosen = {
            "tensor": (frame.layer == "lstm_1") & (frame.tensor == "recurrent_kernel"),
            "parts": (frame.layer == "lstm_1") & (frame.tensor == "recurrent_kernel"),
            "layer": frame.layer == "lstm_1",
            "model": frame.layer != "",
        }[scope]
        keys = ["checkpoint", "layer", "tensor", "part"]
        expected = frame[chosen].set_index(keys)["l2"].to_dict()
        rows = {tuple(row[key] for key in keys): row["l2"] for row in lstms.table.result.rows}
        assert rows == expected
        assert len(grid_rows(lstms)) == len(expected)
        # In a file they are found by the same columns.
        lstms.export("table", tmp_path / "table.csv")
        saved = pd.read_csv(tmp_path / "table.csv", keep_default_na=False).rename(columns={"model": "checkpoint"})
        assert ("part" in saved) == (scope == "parts")
        assert saved.assign(part=saved.get("part", "")).set_index(keys)["l2"].to_dict() == expected

    def test_a_row_leads_to_what_it_is_about(self, lstms: ww.WeightExplorer) -> None:
        lstms.table.scope = "parts"
        assert lstms.wait(TIMEOUT)
        grid = having(lstms, "ww-table")
        place = next(place for place, row in enumerate(lstms.table.result.rows) if row["part"] == "cell")
        grid.selected = place
        assert (lstms.selection.tensor, lstms.selection.part) == ("kernel", "cell")
        lstms.table.scope = "model"
        assert lstms.wait(TIMEOUT)
        place = next(place for place, row in enumerate(lstms.table.result.rows) if row["layer"] == "output")
        grid.selected = place
        assert lstms.selection.layer == "output"
        assert lstms.wait(TIMEOUT)
        assert lstms.table.result.rows[grid.selected]["layer"] == "output"

    def test_a_long_one_is_cut_and_says_so(self, explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MAX_ROWS", 25)
        explorer = explore(a={"dense": np.ones((2, 30))}, b={"dense": np.ones((2, 30))})
        explorer.table.scope = "parts"
        assert explorer.wait(TIMEOUT)
        assert len(grid_rows(explorer)) == 25
        said = "".join(Page(one.value).text for one in of_kind(explorer, widgets.HTML))
        assert "The first 25 rows; weights_table gives all of them." in said


def test_parts_beyond_the_dropdown_are_reached_by_number(explore: Any) -> None:
    explorer = explore(a={"dense": np.ones((2, 3000)), "small": np.ones((2, 3))})
    chooser, field = having(explorer, "ww-choose-part"), having(explorer, "ww-part-number")
    assert field.layout.display is None
    assert len(chooser.options) < 3001
    field.value = 2999
    assert explorer.selection.part == "unit 2999"
    assert chooser.value == "unit 2999"
    explorer.selection.part = "unit 7"
    assert field.value == 7
    explorer.selection.layer = "small"
    assert field.layout.display == "none"
    assert explorer.wait(TIMEOUT)


def test_all_panes_of_many_models_send_small_messages(tmp_path: Path, wire: Wire) -> None:
    labels = [f"model {place}" for place in range(8)]
    generator = np.random.default_rng(3)
    sources = {
        label: {
            "lstm/kernel": generator.normal(size=(200, 512)),
            "lstm/recurrent_kernel": generator.normal(size=(128, 512)),
            "lstm/bias": generator.normal(size=512),
            "dense/kernel": generator.normal(size=(512, 900)),
        }
        for label in labels
    }
    explorer = ww.compare(sources)
    explorer.parts.shown = explorer.spectrum.shown = True
    explorer.parts.bins, explorer.table.scope = 200, "parts"
    for layer in ("dense", "lstm"):
        wire.sizes.clear()
        explorer.selection.layer = layer
        assert explorer.wait(TIMEOUT)
        explorer.compute_spectrum()
        assert explorer.wait(TIMEOUT)
        assert explorer._state.status.problems == ()
        # Less than the outlines alone would mean that nothing was caught.
        assert sum(wire.sizes) > 8 * 4 * 200 * 4 * 2
        assert max(wire.sizes) <= 300_000
    explorer.close()


def test_hostile_names_stay_text_in_every_pane(wire: Wire) -> None:
    explorer = ww.compare(*(hostile(name, np.ones((place + 2, 3))) for place, name in enumerate(HOSTILE[:4])))
    explorer.parts.shown = explorer.spectrum.shown = True
    explorer.table.scope = "model"
    for name in HOSTILE:
        explorer.selection.layer = name
        assert explorer.wait(TIMEOUT)
        explorer.compute_spectrum()
        assert explorer.wait(TIMEOUT)
        pages = [Page(one.value) for one in of_kind(explorer, widgets.HTML)]
        assert set().union(*(page.tags for page in pages)) <= TAGS
        assert set().union(*(page.attributes for page in pages)) <= ATTRIBUTES
        assert any(HOSTILE[0] in page.text for page in pages)
        shown = [*_texts(explorer)]
        assert shown
        assert all(word.isprintable() and len(word) < 600 for word in shown)
    explorer.close()


def _texts(explorer: ww.WeightExplorer) -> Iterator[str]:
    """What figures and the table's leaf write, which is text and no HTML."""
    for label in of_kind(explorer, bqplot.Label):
        yield from label.text
    for axis in of_kind(explorer, bqplot.Axis):
        yield axis.label
        yield from axis.tick_labels.values()
    for row in grid_rows(explorer):
        yield from row.values()
