"""The state of an explorer as JSON: kept, given back to others, and refused where it makes no sense."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bqplot
import numpy as np
import pytest
from seen import TIMEOUT, having, of_kind, write_model, write_models
from traitlets import TraitError

import weight_widgets as ww
from weight_widgets.state import Window, comparisons

SHAPES = {"first": (30, 20), "second": (300, 400), "third": (30, 20)}
NONSENSE: list[tuple[Any, str]] = [
    ([1], "a state is a mapping"),
    ({}, "the version None"),
    ({"version": 2}, "the version 2"),
    ({"version": "9" * 10**5}, "the version '9{30,40}…9{30,40}';"),
    ({"version": 1, "zoom": {}}, "no 'zoom'"),
    ({"version": 1, "selection": "first"}, r"state\['selection'\] is a mapping"),
    ({"version": 1, "selection": {"layer": 3}}, r"state\['selection'\]\['layer'\] is a name"),
    ({"version": 1, "selection": {"checkpoints": "ab"}}, "a list of labels"),
    ({"version": 1, "selection": {"revision": 3}}, "no 'revision'"),
    ({"version": 1, "panes": {"table": 3}}, r"state\['panes'\]\['table'\] is a mapping"),
    ({"version": 1, "panes": {"histogram": {"bins": 10**6}}}, r"\['histogram'\]\['bins'\] cannot be 1000000"),
    ({"version": 1, "panes": {"histogram": {"log": "yes"}}}, r"\['log'\] cannot be 'yes'"),
    ({"version": 1, "panes": {"heatmap": {"limit": -1.0}}}, "a number above 0"),
    ({"version": 1, "panes": {"heatmap": {"limit": float("nan")}}}, "a number above 0"),
    ({"version": 1, "panes": {"heatmap": {"window": [1, 2, 3]}}}, "four whole numbers"),
    *(
        ({"version": 1, "panes": {"heatmap": {"window": window}}}, "four whole numbers")
        for window in ([5, 2, 1, 0], [-5, 3, 0, 2], [0, 0, 0, 0], [0, 2, 3, 3])
    ),
    ({"version": 1, "alignments": {"b": {"rows": []}}}, "no alignment that to_json wrote"),
    ({"version": 1, "alignments": {"b": {1, 2}}}, r"\['alignments'\]\['b'\] is nothing that JSON can hold"),
    ({"version": 1, "alignments": {"b": {(1,): 2}}}, "nothing that JSON can hold"),
]


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    return write_models(tmp_path, "abc", SHAPES)


@pytest.fixture
def explore(paths: dict[str, Path]) -> Iterator[Callable[..., ww.WeightExplorer]]:
    made: list[ww.WeightExplorer] = []

    def make(*labels: str, **settings: Any) -> ww.WeightExplorer:
        made.append(ww.compare({label: paths[label] for label in labels}, **settings))
        assert made[-1].wait(TIMEOUT)
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def sight(explorer: ww.WeightExplorer) -> list[float]:
    """The ends of both scales of the pictures."""
    figure = of_kind(having(explorer, "ww-pictures"), bqplot.Figure)[0]
    scales = figure.marks[0].scales
    return [scales["x"].min, scales["x"].max, scales["y"].min, scales["y"].max]


def change(explorer: ww.WeightExplorer) -> None:
    explorer.selection.reference, explorer.selection.other = "b", "c"
    explorer.selection.checkpoints = ("a", "c")
    explorer.alignment["c"] = explorer.alignment["c"].pair("first", "third")
    explorer.selection.layer = "second"
    explorer.histogram.shown, explorer.histogram.bins, explorer.histogram.log = False, 33, True
    explorer.table.scope = "layer"
    explorer.parts.shown = True
    explorer.heatmap.limit = 0.5
    assert explorer.wait(TIMEOUT)
    figure = of_kind(having(explorer, "ww-pictures"), bqplot.Figure)[0]
    figure.marks[0].scales["x"].set_state({"min": 100.0, "max": 150.0})
    figure.marks[0].scales["y"].set_state({"min": -80.0, "max": -40.0})
    assert explorer.wait(TIMEOUT)


def test_what_was_kept_comes_back(explore: Callable[..., ww.WeightExplorer], tmp_path: Path) -> None:
    first = explore("a", "b", "c")
    change(first)
    kept = tmp_path / "state.json"
    kept.write_text(json.dumps(first.state))
    # Each is called as it is in Python.
    assert all(isinstance(getattr(first, key).shown, bool) for key in first.state["panes"])
    second = explore("a", "b", "c", state=kept)
    assert second.state == first.state
    assert second._state.status.problems == ()
    assert (second.selection.reference, second.selection.checkpoints) == ("b", ("a", "c"))
    assert [row.b for row in second.alignment["c"] if row.reason == "user"] == [("third", "kernel")]
    # What is hidden is not computed, and the window is in sight and read.
    assert second.histogram.result is None
    assert second.table.result.scope == "layer"
    assert sight(second) == [100.0, 150.0, -80.0, -40.0]
    assert second.heatmap.closeup.exact
    # Into one that shows something else already, too; and there a picture of another shape is seen whole again.
    third = explore("a", "b", "c")
    third.state = first.state
    assert third.wait(TIMEOUT)
    assert third.state == first.state
    assert sight(third) == [100.0, 150.0, -80.0, -40.0]
    third.selection.layer = "third"
    assert third.wait(TIMEOUT)
    assert sight(third) == [0.0, 20.0, -30.0, 0.0]
    assert third.heatmap.limit == 0.5
    # A part of it changes that part.
    third.state = {"version": 1, "panes": {"table": {"scope": "model"}}}
    assert (third.table.scope, third.selection.layer, third.heatmap.limit) == ("model", "third", 0.5)


def test_what_is_not_there_is_said_and_the_rest_restored(explore: Callable[..., ww.WeightExplorer]) -> None:
    first = explore("a", "b", "c")
    change(first)
    state = first.state
    state["selection"]["layer"] = "fourth<b>"
    state["panes"]["trend"] = {"shown": True}
    state["panes"]["table"]["colour"] = "red"
    state["panes"]["overview"]["measure"] = "cosine"
    second = explore("a", state=state)
    problems = "\n".join(second._state.status.problems)
    for said in ("model 'b'", "model 'c'", "'fourth<b>'", "pane 'trend'", "no setting 'colour'", "no 'cosine'"):
        assert said in problems
    assert "alignment of 'c'" in problems
    assert "<b>" not in having(second, "ww-problems").value
    assert (second.selection.layer, second.selection.checkpoints) == ("first", ("a",))
    assert (second.table.scope, second.heatmap.limit, second.histogram.log) == ("layer", 0.5, True)
    # It is about what was restored, and no longer once something else is chosen.
    second.selection.layer = "second"
    assert second.wait(TIMEOUT)
    assert second._state.status.problems == ()


def test_of_other_models_those_that_are_here_stay_overlaid(explore: Callable[..., ww.WeightExplorer]) -> None:
    wanted = {"version": 1, "selection": {"checkpoints": ["x", "y"]}}
    explorer = explore("a", "b", state=wanted)
    assert explorer.selection.checkpoints == ("a", "b")
    assert len(explorer._state.status.problems) == 2
    explorer.state = {"version": 1, "selection": {"checkpoints": []}}
    assert explorer.selection.checkpoints == ()


def test_a_window_that_does_not_lie_in_the_picture_is_told(explore: Callable[..., ww.WeightExplorer]) -> None:
    def of(*window: int) -> dict[str, Any]:
        return {"version": 1, "panes": {"heatmap": {"window": list(window)}}}

    outside = "not restored: the window [0, 1000000000, 0, 20] does not lie in the picture of 30 × 20"
    whole = [0.0, 20.0, -30.0, 0.0]
    # Before there are pictures, and while there are.
    explorer = explore("a", state=of(0, 10**9, 0, 20))
    for _ in range(2):
        assert (explorer._state.status.problems, explorer.heatmap.window) == ((outside,), None)
        assert sight(explorer) == whole
        explorer.state = of(3, 9, 2, 8)
        assert explorer._state.status.problems == ()
        assert sight(explorer) == [2.0, 8.0, -9.0, -3.0]
        explorer.heatmap.window = None
        explorer.state = of(0, 10**9, 0, 20)
    with pytest.raises(TraitError, match="does not lie in the picture of 30 × 20"):
        explorer.heatmap.window = Window(0, 31, 0, 20)
    # What is all of it is no window.
    explorer.heatmap.window = Window(0, 30, 0, 20)
    assert explorer.heatmap.window is None
    second = explore("a", state=of(0, 30, 0, 20))
    assert (second.heatmap.window, second._state.status.problems) == (None, ())


def test_a_reference_that_is_given_is_the_one(explore: Callable[..., ww.WeightExplorer]) -> None:
    first = explore("a", "b", "c")
    change(first)
    second = explore("a", "b", "c", state=first.state, reference="a")
    assert (second.selection.reference, second.selection.other, second.selection.layer) == ("a", "c", "second")
    # Pairs of other models say nothing of these.
    assert {row.reason for row in second.alignment["c"]} == {"name"}
    assert second._state.status.problems == ("not restored: the alignment of 'c': it is with another reference",)
    # Nothing is compared with itself unasked.
    third = explore("a", "b", "c", state=first.state, reference="c")
    assert (third.selection.reference, third.selection.other) == ("c", "a")


def test_what_was_not_restored_is_told_until_somebody_chooses(
    explore: Callable[..., ww.WeightExplorer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As of models with many tensors: other names arrive from the background.
    monkeypatch.setattr(comparisons, "QUICK", 0)
    values = np.random.default_rng(8).normal(size=(30, 20)).astype("f4")
    paths = [write_model(tmp_path / f"{name}.h5", {name: values}) for name in ("one", "two")]
    state = {"version": 1, "selection": {"other": "gone", "layer": "two"}}
    explorer = ww.compare(*paths, state=state)
    assert explorer.wait(TIMEOUT)
    assert explorer.selection.layer == "one"
    assert explorer.selection.revision > 0
    assert explorer._state.status.problems == ("not restored: there is no model 'gone' here",)
    explorer.selection.checkpoints = ("one",)
    assert explorer.wait(TIMEOUT)
    assert explorer._state.status.problems == ()
    explorer.close()


def test_what_makes_no_sense_changes_nothing(explore: Callable[..., ww.WeightExplorer]) -> None:
    explorer = explore("a", "b")
    before = explorer.state
    for state, said in NONSENSE:
        if isinstance(state, dict) and isinstance(state.get("selection", {}), dict):
            # Though other parts of it make sense.
            state = {**state, "selection": {"layer": "third", "other": "a", **state.get("selection", {})}}
        with pytest.raises(ww.WeightWidgetsError, match=said):
            explorer.state = state
        assert explorer.state == before


def test_a_file_that_is_none(paths: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ww.WeightWidgetsError, match="no such file"):
        ww.compare(paths, state=tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ww.WeightWidgetsError, match="holds no state as JSON"):
        ww.compare(paths, state=str(tmp_path / "bad.json"))
