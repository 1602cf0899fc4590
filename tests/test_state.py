"""The selection, the choosers bound to it, and the explorer's state: what is asked for, shown and said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import ipywidgets as widgets
import numpy as np
import pytest
from seen import final, of_kind
from traitlets import All, TraitError

import weight_widgets as ww
from weight_widgets.analysis.passes import Check
from weight_widgets.state import ExplorerState, Pick, Selection
from weight_widgets.state import explorer as explorer_module
from weight_widgets.state.selection import find

FIXTURES = Path(__file__).parent / "fixtures" / "keras3"
TIMEOUT = 30.0


@pytest.fixture
def opened() -> dict[str, ww.Checkpoint]:
    """Two of one kind, and one with other layers that shares the name `dense_1` with neither."""
    return {
        "first": ww.open_checkpoint(FIXTURES / "recurrent.keras"),
        "twin": ww.open_checkpoint(FIXTURES / "recurrent.h5"),
        "nested": ww.open_checkpoint(FIXTURES / "nested.keras"),
    }


@pytest.fixture
def selection(opened: dict[str, ww.Checkpoint]) -> Selection:
    return Selection(opened)


@pytest.fixture
def state(opened: dict[str, ww.Checkpoint], tmp_path: Path) -> Iterator[ExplorerState]:
    (tmp_path / "bad.h5").write_text("no HDF5")
    state = watched(opened, tmp_path / "bad.h5")
    yield state
    state.close()


def watched(*sources: Any) -> ExplorerState:
    """The state of checkpoints of which somebody sees three panes."""
    state = ExplorerState.of(Selection(*sources))
    for pane in (state.histogram, state.heatmap, state.table):
        pane.seen = 1
    return state


def state_of(selection: Selection) -> tuple[str, str, str]:
    return selection.layer, selection.tensor, selection.part


class TestSelection:
    def test_starts_with_all_of_them_and_the_references_first_layer(self, selection: Selection) -> None:
        assert selection.pick == Pick(("first", "twin", "nested"), "first", "twin", "tokens", "embeddings", "")

    def test_another_reference_leaves_model_b_to_the_first(self, opened: dict[str, ww.Checkpoint]) -> None:
        selection = Selection(opened, reference="nested")
        assert (selection.reference, selection.other) == ("nested", "first")
        assert selection.layer == "encoder/dense_1"

    def test_a_single_checkpoint_is_compared_with_itself(self, opened: dict[str, ww.Checkpoint]) -> None:
        selection = Selection({"first": opened["first"]})
        assert (selection.reference, selection.other) == ("first", "first")

    @pytest.mark.parametrize(
        ("trait", "value"),
        [
            ("reference", "nobody"),
            ("other", ""),
            ("layer", "lstm_9"),
            ("layer", ""),
            ("tensor", "kernel"),
            ("part", "forget"),
            ("checkpoints", ("first", "nobody")),
            ("layer", 3),
        ],
    )
    def test_what_does_not_exist_is_refused_and_changes_nothing(
        self, trait: str, value: object, selection: Selection
    ) -> None:
        before = selection.pick
        with pytest.raises(TraitError):
            setattr(selection, trait, value)
        assert selection.pick == before

    def test_a_refusal_says_what_there_is(self, selection: Selection) -> None:
        with pytest.raises(TraitError, match=r"no tensor 'kernel' here; choose one of 'embeddings'"):
            selection.tensor = "kernel"

    def test_checkpoints_keep_their_order(self, selection: Selection) -> None:
        selection.checkpoints = ("nested", "first")
        assert selection.checkpoints == ("first", "nested")
        selection.checkpoints = ()
        assert selection.checkpoints == ()

    def test_layers_of_all_in_model_order(self, selection: Selection) -> None:
        nested = ["encoder/dense_1", "encoder/norm", "encoder/dense_2", "dense_1"]
        assert [name for name in selection.layers if name not in nested] == [
            "tokens",
            "conv",
            "memory",
            "gru_after",
            "gru",
        ]
        assert [name for name in selection.layers if name in nested] == nested

    def test_a_layer_that_some_lack_is_told(self, selection: Selection) -> None:
        assert selection.lacking("memory") == ["nested"]
        assert selection.lacking("dense_1") == ["first", "twin"]
        assert selection.layer_title("dense_1") == "Dense"

    def test_a_tensor_and_a_part_stay_where_the_new_layer_has_them(self, selection: Selection) -> None:
        selection.layer, selection.tensor = "gru_after", "kernel"
        selection.part = "reset"
        selection.layer = "gru"
        assert state_of(selection) == ("gru", "kernel", "reset")

    def test_what_may_be_gone_is_chosen_at_once_or_not_at_all(self, selection: Selection) -> None:
        layer = "memory"
        assert selection.choose(layer, "kernel", "forget")
        assert state_of(selection) == (layer, "kernel", "forget")
        for gone in (("none", "kernel"), (layer, "none"), (layer, "kernel", "none")):
            assert not selection.choose(*gone)
            assert state_of(selection) == (layer, "kernel", "forget")
        assert selection.choose(layer, "recurrent_kernel")
        assert state_of(selection) == (layer, "recurrent_kernel", "forget")
        assert selection.choose(layer, "kernel", "")
        assert state_of(selection) == (layer, "kernel", "")

    def test_a_part_that_the_new_layer_lacks_is_left(self, selection: Selection) -> None:
        selection.layer, selection.tensor = "memory", "kernel"
        selection.part = "forget"
        selection.layer = "gru"
        assert state_of(selection) == ("gru", "kernel", "")

    def test_a_tensor_that_the_new_layer_lacks_is_left_for_its_first(self, selection: Selection) -> None:
        selection.layer, selection.tensor = "memory", "recurrent_kernel"
        selection.part = "forget"
        selection.layer = "tokens"
        assert state_of(selection) == ("tokens", "embeddings", "")

    def test_a_part_that_the_new_tensor_lacks_is_left(self, selection: Selection) -> None:
        selection.layer, selection.tensor = "gru_after", "bias"
        selection.part = "input bias/reset"
        selection.tensor = "kernel"
        assert state_of(selection) == ("gru_after", "kernel", "")

    def test_observers_never_see_a_pick_that_does_not_exist(self, selection: Selection) -> None:
        seen: list[Pick] = []

        def check(_: object) -> None:
            pick = selection.pick
            seen.append(pick)
            assert pick.tensor in selection.tensors
            assert pick.part in ("", *selection.parts)
            assert any(find(checkpoint, pick) is not None for checkpoint in selection.aligned.values())

        selection.observe(check, All)
        for name in ("memory", "dense_1", "gru", "encoder/norm", "gru_after", "tokens"):
            selection.layer = name
            for tensor in selection.tensors:
                selection.tensor = tensor
                for part in selection.parts:
                    selection.part = part
        assert {pick.layer for pick in seen} == {"memory", "dense_1", "gru", "encoder/norm", "gru_after", "tokens"}

    def test_finds_the_tensor_in_each_checkpoint_that_has_it(self, selection: Selection) -> None:
        selection.layer, selection.tensor, selection.part = "memory", "kernel", "forget"
        found = selection.find("twin")
        assert found is not None
        assert found.shape == (5, 3)
        assert selection.find("nested") is None

    def test_an_address_in_words(self, selection: Selection) -> None:
        selection.layer, selection.tensor = "memory", "kernel"
        assert selection.pick.address == "memory · kernel"
        selection.part = "forget"
        assert selection.pick.address == "memory · kernel · forget"


def choosers(box: widgets.Widget) -> dict[str, widgets.Widget]:
    """Every dropdown and tick below a box by what stands beside it."""
    found: dict[str, widgets.Widget] = {}
    for child in getattr(box, "children", ()):
        if isinstance(child, (widgets.Dropdown, widgets.Checkbox)):
            found[child.description] = child
        found.update(choosers(child))
    return found


class TestChoosers:
    @pytest.fixture
    def models(self, opened: dict[str, ww.Checkpoint], selection: Selection) -> dict[str, widgets.Widget]:
        return choosers(ww.ModelChooser(selection))

    @pytest.fixture
    def layers(self, opened: dict[str, ww.Checkpoint], selection: Selection) -> dict[str, widgets.Widget]:
        return choosers(ww.LayerChooser(selection))

    def test_there_is_one_for_each(self, models: dict[str, object], layers: dict[str, object]) -> None:
        assert list(models) == ["first", "twin", "nested", "Model A", "Model B"]
        assert list(layers) == ["Layer", "Tensor", "Part"]

    def test_dropdowns_move_the_selection(
        self, models: dict[str, widgets.Widget], layers: dict[str, widgets.Widget], selection: Selection
    ) -> None:
        models["Model A"].value = "twin"
        models["Model B"].value = "nested"
        layers["Layer"].value = "memory"
        layers["Tensor"].value = "recurrent_kernel"
        layers["Part"].value = "cell"
        models["first"].value = False
        assert selection.pick == Pick(("twin", "nested"), "twin", "nested", "memory", "recurrent_kernel", "cell")

    def test_the_selection_moves_dropdowns(
        self, models: dict[str, widgets.Widget], layers: dict[str, widgets.Widget], selection: Selection
    ) -> None:
        selection.layer, selection.tensor = "gru_after", "bias"
        selection.part = "recurrent bias/update"
        selection.reference, selection.other = "nested", "first"
        selection.checkpoints = ("nested",)
        assert {name: chooser.value for name, chooser in {**models, **layers}.items()} == {
            "first": False,
            "twin": False,
            "nested": True,
            "Model A": "nested",
            "Model B": "first",
            "Layer": "gru_after",
            "Tensor": "bias",
            "Part": "recurrent bias/update",
        }

    def test_a_new_layer_brings_its_tensors_and_parts(
        self, layers: dict[str, widgets.Widget], selection: Selection
    ) -> None:
        layers["Layer"].value = "memory"
        assert [value for _, value in layers["Tensor"].options] == ["kernel", "recurrent_kernel", "bias"]
        assert layers["Tensor"].value == selection.tensor == "kernel"
        assert layers["Part"].options[0] == ("all", "")
        assert [value for _, value in layers["Part"].options] == ["", "input", "forget", "cell", "output"]
        layers["Tensor"].value = "bias"
        layers["Part"].value = "output"
        layers["Layer"].value = "encoder/norm"
        assert [value for _, value in layers["Tensor"].options] == ["gamma", "beta", "moving_mean", "moving_variance"]
        assert [value for _, value in layers["Part"].options] == [""]
        assert selection.part == layers["Part"].value == ""

    def test_exchanging_options_chooses_nothing(self, layers: dict[str, widgets.Widget], selection: Selection) -> None:
        """A new list of options makes a dropdown select its first: that must not reach the selection."""
        selection.layer, selection.tensor = "memory", "bias"
        seen: list[str] = []
        selection.observe(lambda _: seen.append(selection.tensor), All)
        selection.layer = "gru"
        assert set(seen) == {"bias"}
        assert layers["Tensor"].value == "bias"

    def test_a_layer_that_some_lack_is_offered_and_marked(self, layers: dict[str, widgets.Widget]) -> None:
        labels = {value: label for label, value in layers["Layer"].options}
        assert labels["memory"] == "memory · LSTM — not in nested"
        assert labels["dense_1"] == "dense_1 · Dense — not in 2 of the models"

    def test_what_all_have_is_not_marked(self, opened: dict[str, ww.Checkpoint]) -> None:
        del opened["nested"]
        chooser = choosers(ww.LayerChooser(Selection(opened)))["Layer"]
        assert [label for label, _ in chooser.options] == [
            "tokens · Embedding",
            "conv · Conv1D",
            "memory · LSTM",
            "gru_after · GRU",
            "gru · GRU",
        ]

    def test_long_and_strange_names_are_shown_harmlessly(self, opened: dict[str, ww.Checkpoint]) -> None:
        label = "a\nb" + "x" * 100
        selection = Selection({label: opened["first"]})
        shown, value = choosers(ww.ModelChooser(selection))["Model A"].options[0]
        assert value == label
        assert len(shown) <= 60
        assert "\n" not in shown


class TestExplorerState:
    def test_shows_the_first_layer_and_says_so(self, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        for pane in (state.histogram, state.heatmap, state.table):
            assert pane.result is not None
            assert pane.result.pick == state.selection.pick
        assert state.status.shown == "Showing tokens · embeddings"
        assert state.status.reading == ""

    def test_a_failure_stays_in_the_status(self, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        assert "bad.h5" in state.status.problems[0]
        state.selection.layer = "memory"
        assert state.wait(TIMEOUT)
        assert "bad.h5" in state.status.problems[0]

    def test_a_model_without_the_layer_is_said_and_the_others_shown(self, state: ExplorerState) -> None:
        state.selection.layer = "memory"
        assert state.wait(TIMEOUT)
        assert "nested has no memory · kernel" in state.status.problems
        assert state.table.result is not None
        assert [row["checkpoint"] for row in state.table.result.rows] == ["first", "twin"]
        assert state.histogram.result is not None
        assert [curve.label for curve in state.histogram.result.curves] == ["first", "twin"]
        state.selection.checkpoints = ("first", "twin")
        assert state.wait(TIMEOUT)
        assert not any("nested" in problem for problem in state.status.problems)

    def test_what_is_being_read_is_said_at_once(self, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        seen: list[str] = []
        state.observe(lambda change: seen.append(change.new.reading), "status")
        state.selection.layer = "gru"
        assert seen[0] == "Reading gru · kernel …"
        assert state.wait(TIMEOUT)
        assert state.status.reading == ""

    def test_rapid_changes_end_on_the_last(self, state: ExplorerState) -> None:
        for name in [*state.selection.layers] * 6:
            state.selection.layer = name
        state.selection.layer = "gru"
        assert state.wait(TIMEOUT)
        results = (state.histogram.result, state.heatmap.result, state.table.result)
        assert {result.pick.layer for result in results if result is not None} == {"gru"}
        assert state.status.shown.startswith("Showing gru · ")

    @pytest.mark.parametrize("pane", ["histogram", "heatmap", "table"])
    def test_an_error_in_drawing_is_a_line_too(self, pane: str, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)

        def broken(_: object) -> None:
            raise RuntimeError("no ink")

        getattr(state, pane).observe(broken, "result")
        state.selection.layer = "memory"
        assert state.wait(TIMEOUT)
        assert f"memory · kernel: the {pane} could not be shown: no ink" in state.status.problems

    def test_a_file_that_changes_meanwhile_is_a_line_and_the_others_stay(self, tmp_path: Path) -> None:
        path = tmp_path / "live.h5"
        path.write_bytes((FIXTURES / "recurrent.h5").read_bytes())
        opened = {"live": ww.open_checkpoint(path), "still": ww.open_checkpoint(FIXTURES / "recurrent.keras")}
        state = watched(opened)
        assert state.wait(TIMEOUT)
        path.write_bytes((FIXTURES / "nested.h5").read_bytes())
        state.selection.layer = "memory"
        assert state.wait(TIMEOUT)
        assert [str(path) in problem for problem in state.status.problems] == [True]
        assert "was rewritten" in state.status.problems[0]
        assert state.table.result is not None
        assert [(row["checkpoint"], row["mean"] is None) for row in state.table.result.rows] == [
            ("live", True),
            ("still", False),
        ]
        state.close()

    def test_other_shapes_have_no_difference_and_that_is_said(self, tmp_path: Path) -> None:
        opened = {"a": dense(tmp_path / "a.h5", (4, 3)), "b": dense(tmp_path / "b.h5", (4, 5))}
        state = watched(opened)
        assert state.wait(TIMEOUT)
        assert state.status.problems == (
            "dense · kernel: a is 4 × 3 and b is 4 × 5, so there is no difference to show",
        )
        assert state.heatmap.result is not None
        assert state.heatmap.result.contrast.rasters[2] is None
        state.close()

    @pytest.mark.parametrize(
        ("change", "redone"),
        [
            (lambda state: setattr(state.histogram, "bins", 30), {"histogram"}),
            (lambda state: setattr(state.histogram, "clip", 1.0), {"histogram"}),
            (lambda state: setattr(state.histogram, "log", True), set()),
            (lambda state: setattr(state.selection, "other", "nested"), {"heatmap"}),
            (lambda state: setattr(state.selection, "reference", "twin"), {"heatmap", "histogram"}),
            (lambda state: setattr(state.selection, "checkpoints", ("first",)), {"histogram", "table"}),
            (lambda state: setattr(state.selection, "layer", "gru"), {"histogram", "heatmap", "table"}),
        ],
        ids=["bins", "clip", "log", "other", "reference", "checkpoints", "layer"],
    )
    def test_only_what_a_change_concerns_is_computed_anew(
        self, change: Callable[[ExplorerState], None], redone: set[str], state: ExplorerState
    ) -> None:
        assert state.wait(TIMEOUT)
        before = {name: getattr(state, name).result for name in ("histogram", "heatmap", "table")}
        change(state)
        assert state.wait(TIMEOUT)
        assert {name for name, result in before.items() if getattr(state, name).result is not result} == redone

    @pytest.mark.parametrize(("name", "value"), [("bins", 9), ("bins", 501), ("clip", 2.0)])
    def test_settings_out_of_bounds_are_refused(self, name: str, value: float, state: ExplorerState) -> None:
        with pytest.raises(TraitError):
            setattr(state.histogram, name, value)

    def test_a_selection_and_its_results_agree_with_numpy(self, state: ExplorerState) -> None:
        state.selection.layer, state.selection.tensor, state.selection.part = "memory", "kernel", "forget"
        state.histogram.bins = 10
        assert state.wait(TIMEOUT)
        with np.load(FIXTURES / "recurrent.npz") as truth:
            values = truth["memory|kernel"][:, 3:6].astype("f8")
        assert state.histogram.result is not None
        np.testing.assert_array_equal(state.histogram.result.curves[0].histogram.counts, np.histogram(values, 10)[0])
        assert state.table.result is not None
        assert state.table.result.rows[0]["mean"] == pytest.approx(values.mean())
        assert state.heatmap.result is not None
        a, _, delta = state.heatmap.result.contrast.rasters
        assert a is not None
        np.testing.assert_array_equal(a.mean, values)
        assert delta is not None
        assert not delta.mean.any()


class Held:
    """A look at a table that stops half-way when it is told to, and says so; it begins with a preview."""

    def __init__(self) -> None:
        self.hold, self.reached, self.go = False, threading.Event(), threading.Event()
        self._look = explorer_module.LOOKS["table"]

    def __call__(self, opened: Any, pick: Pick, check: Check, **settings: Any) -> Iterator[Any]:
        found = final(self._look(opened, pick, check, **settings))
        yield found
        if self.hold:
            check(0.43)
            self.reached.set()
            while not self.go.wait(0.01):
                check()
        yield found


class TestWhatLasts:
    @pytest.fixture
    def held(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)
        held = Held()
        monkeypatch.setitem(explorer_module.LOOKS, "table", held)
        yield held
        held.go.set()

    def test_says_how_far_it_is(self, held: Held, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        held.hold = True
        said: list[tuple[str, str]] = []
        state.observe(lambda change: said.append((change.new.reading, change.new.progress)), "status")
        state.selection.layer = "memory"
        assert held.reached.wait(TIMEOUT)
        assert said[-1] == ("Reading memory · kernel …", "table 43 %")
        # The preview is there already.
        assert state.table.result is not None
        assert state.table.result.pick.layer == "memory"
        held.go.set()
        assert state.wait(TIMEOUT)
        assert said[-1] == ("", "")

    def test_can_be_cancelled(self, held: Held, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        line = ww.StatusLine(state.selection)
        held.hold = True
        state.selection.layer = "memory"
        assert held.reached.wait(TIMEOUT)
        (cancel,) = of_kind(line, widgets.Button)
        assert cancel.layout.display is None
        cancel.click()
        assert state.wait(TIMEOUT)
        assert cancel.layout.display == "none"
        assert (state.status.shown, state.status.reading, state.status.progress) == (
            "Cancelled: memory · kernel",
            "",
            "",
        )
        # A later choice is shown as ever.
        held.hold = False
        state.selection.layer = "gru"
        assert state.wait(TIMEOUT)
        assert state.status.shown == "Showing gru · kernel"
        assert state.table.result is not None
        assert state.table.result.pick.layer == "gru"

    def test_what_was_there_before_a_cancelled_choice_does_not_stay(self, held: Held, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        held.hold = True
        state.selection.layer = "memory"
        assert held.reached.wait(TIMEOUT)
        # The worker is in the middle of this look, and has not come to any of the next choice.
        state.selection.layer = "gru"
        state.cancel()
        assert state.wait(TIMEOUT)
        assert [pane.result for pane in (state.histogram, state.heatmap, state.table)] == [None, None, None]
        assert not any("memory" in problem for problem in state.status.problems)

    def test_a_setting_that_is_cancelled_leaves_the_pane_as_it_was(self, held: Held, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        before = state.table.result, state.histogram.result
        held.hold = True
        state.table.scope = "layer"
        assert held.reached.wait(TIMEOUT)
        state.cancel()
        assert state.wait(TIMEOUT)
        assert state.table.result is not None
        assert state.table.result.pick == state.selection.pick
        assert state.histogram.result is before[1]

    def test_with_nothing_to_cancel_nothing_is_said(self, state: ExplorerState) -> None:
        assert state.wait(TIMEOUT)
        before = state.status
        state.cancel()
        assert state.status == before


def dense(path: Path, shape: tuple[int, ...]) -> ww.Checkpoint:
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"kernel"]
        file["dense/kernel"] = np.ones(shape, "f4")
    return ww.open_checkpoint(path)
