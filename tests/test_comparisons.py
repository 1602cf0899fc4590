"""How models are aligned and compared in the background: what is shown of it, when, and what goes wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from seen import HOSTILE, TIMEOUT, Page, Wire, having, hostile, of_kind, write_model

import weight_widgets as ww
from weight_widgets.analysis import cache
from weight_widgets.analysis.twins import Tolerance, Twin
from weight_widgets.errors import InputError
from weight_widgets.panes import pane as pane_module
from weight_widgets.panes.overview_grid import OverviewGrid
from weight_widgets.reading import files
from weight_widgets.state import Comparisons
from weight_widgets.state import comparisons as comparisons_module
from weight_widgets.state import explorer as explorer_module
from weight_widgets.state import overview as overview_module
from weight_widgets.state.looks import kept

RNG = np.random.default_rng(11)
KERNELS = {"in": RNG.normal(size=(20, 30)), "mid": RNG.normal(size=(30, 40)), "out": RNG.normal(size=(40, 10))}
MOVED = {name: values + 0.01 * RNG.normal(size=values.shape) for name, values in KERNELS.items()}


def named(kernels: Mapping[str, np.ndarray], *names: str) -> dict[str, np.ndarray]:
    return {name: values.astype("f4") for name, values in zip(names, kernels.values(), strict=True)}


def first() -> dict[str, np.ndarray]:
    return named(KERNELS, "dense", "dense_1", "dense_2")


def second() -> dict[str, np.ndarray]:
    return named(MOVED, "dense_5", "dense_6", "dense_7")


BOTH = {"a": first, "b": second}


@pytest.fixture
def renamed(explore: Any) -> ww.WeightExplorer:
    """One model, and the same trained a little further under names that Keras counted on."""
    explorer: ww.WeightExplorer = explore(a=first(), b=second())
    return explorer


@pytest.fixture
def comparisons() -> Iterator[Comparisons]:
    layers = {label: {name: {"kernel": one} for name, one in make().items()} for label, make in BOTH.items()}
    found = Comparisons({label: ww.open_checkpoint(arrays, label) for label, arrays in layers.items()})
    yield found
    found.close()


def picture_of_b(explorer: ww.WeightExplorer) -> np.ndarray:
    raster = explorer.heatmap.result.contrast.rasters[1]
    assert raster is not None
    return np.asarray(raster.mean)


def lines(explorer: ww.WeightExplorer) -> list[str]:
    box = having(explorer, "ww-verdict-lines")
    return [Page(line.value).text for line in box.children if line.layout.display != "none"]


class TestExplorer:
    def test_a_layer_shows_its_opposite_of_the_other_model(self, renamed: ww.WeightExplorer) -> None:
        assert list(renamed.selection.layers) == ["dense", "dense_1", "dense_2"]
        renamed.selection.layer = "dense_1"
        assert renamed.wait(TIMEOUT)
        np.testing.assert_allclose(picture_of_b(renamed), MOVED["mid"], atol=1e-6)
        assert renamed._state.status.problems == ()
        chooser = having(renamed, "ww-choose-layer")
        assert "dense_1 ↔ dense_6" in dict(zip(*list(zip(*chooser.options, strict=True))[::-1], strict=True))["dense_1"]

    def test_another_reference_gives_its_names_and_stays_with_the_tensor(self, renamed: ww.WeightExplorer) -> None:
        renamed.selection.layer = "dense_1"
        renamed.selection.reference, renamed.selection.other = "b", "a"
        assert (renamed.selection.layer, list(renamed.selection.layers)) == (
            "dense_6",
            ["dense_5", "dense_6", "dense_7"],
        )
        assert renamed.wait(TIMEOUT)
        np.testing.assert_allclose(picture_of_b(renamed), KERNELS["mid"], atol=1e-6)
        assert [*renamed.verdicts] == ["a"]

    def test_every_pane_follows_an_alignment_by_hand(self, renamed: ww.WeightExplorer) -> None:
        alignment = renamed.alignment["b"]
        renamed.alignment["b"] = alignment.unpair("dense_1")
        assert renamed.wait(TIMEOUT)
        assert list(renamed.selection.layers) == ["dense", "dense_6", "dense_1", "dense_2"]
        assert renamed.verdicts["b"].coverage < 1
        renamed.selection.layer = "dense_1"
        assert renamed.wait(TIMEOUT)
        assert renamed.heatmap.result.contrast.rasters[1] is None
        assert [curve.label for curve in renamed.histogram.result.curves] == ["a"]
        # What was chosen is gone with the names: it is where its tensor went.
        renamed.selection.layer = "dense_6"
        del renamed.alignment["b"]
        assert renamed.selection.layer == "dense_1"
        assert renamed.wait(TIMEOUT)
        assert renamed.alignment["b"] == alignment
        assert renamed.verdicts["b"].coverage == 1

    def test_a_row_of_the_table_under_a_name_that_is_gone_is_taken_back(
        self, renamed: ww.WeightExplorer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        renamed.table.scope = "model"
        assert renamed.wait(TIMEOUT)
        going, look = threading.Event(), explorer_module.LOOKS["table"]
        monkeypatch.setitem(
            explorer_module.LOOKS, "table", lambda *given, **settings: going.wait(TIMEOUT) and look(*given, **settings)
        )
        renamed.selection.reference = "b"
        grid, rows = having(renamed, "ww-table"), renamed.table.result.rows
        grid.selected = next(place for place, row in enumerate(rows) if row["layer"] == "dense_2")
        assert (renamed.selection.layer, rows[grid.selected]["layer"]) == ("dense_5", "dense")
        going.set()
        assert renamed.wait(TIMEOUT)
        assert renamed.table.result.rows[grid.selected]["layer"] == "dense_5"

    def test_an_alignment_goes_through_json(self, renamed: ww.WeightExplorer) -> None:
        mine = renamed.alignment["b"].unpair("dense")
        renamed.alignment["b"] = ww.Alignment.from_json(mine.to_json())
        assert renamed.alignment["b"] == mine

    @pytest.mark.parametrize("alignment", [ww.Alignment(()), None, "dense"])
    def test_what_is_no_alignment_of_the_two_is_refused(self, alignment: Any, renamed: ww.WeightExplorer) -> None:
        before = renamed.alignment["b"]
        with pytest.raises(InputError):
            renamed.alignment["b"] = alignment
        assert renamed.alignment["b"] == before

    @pytest.mark.parametrize("label", ["a", "nobody"])
    def test_only_other_models_have_an_alignment(self, label: str, renamed: ww.WeightExplorer) -> None:
        with pytest.raises(KeyError, match="there are: 'b'"):
            renamed.alignment[label]
        assert [*renamed.alignment] == ["b"]

    def test_names_that_agree_change_nothing(self, explore: Any) -> None:
        explorer = explore(a=named(KERNELS, "x", "y", "z"), b=named(MOVED, "x", "y", "z"))
        assert explorer.selection.revision == 0
        assert explorer.selection.aligned["b"]["y"] is explorer.checkpoints["b"]["y"]

    def test_a_model_alone_has_no_verdict(self, explore: Any) -> None:
        explorer = explore(a=first())
        assert dict(explorer.verdicts) == {}
        assert having(explorer, "ww-verdicts").layout.display == "none"


class TestVerdicts:
    def test_a_sentence_for_each_other_model(self, explore: Any) -> None:
        strangers = {name: RNG.normal(size=values.shape) for name, values in KERNELS.items()}
        explorer = explore(
            a=first(), same=named(KERNELS, "p", "q", "r"), moved=second(), stranger=named(strangers, "k", "l", "m")
        )
        assert {label: found.weights for label, found in explorer.verdicts.items()} == {
            "same": "renamed",
            "moved": "shared origin",
            "stranger": "no trace of one",
        }
        said = lines(explorer)
        assert len(said) == 3
        for line, label in zip(said, ("same", "moved", "stranger"), strict=True):
            verdict = ww.verdict(explorer.checkpoints["a"], explorer.checkpoints[label])
            assert line.startswith(f"{label} against a: {verdict.sentence}")
            assert all(sentence in line for sentence in verdict.evidence)
        assert ["One of the two is enough" in line for line in said] == [True, False, False]

    def test_it_does_not_wait_for_a_pane_or_keep_one_waiting(
        self, models: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def held(*arguments: Any) -> Any:
            begun.set()
            assert go_on.wait(TIMEOUT)
            return look(*arguments)

        look = comparisons_module.look_at_relation
        monkeypatch.setattr(comparisons_module, "look_at_relation", held)
        explorer = ww.compare(models / "digits_baseline.h5", models / "digits_dropout.h5")
        try:
            assert begun.wait(TIMEOUT)
            # Pictures came first.
            assert explorer.heatmap.result is not None
            assert dict(explorer.verdicts) == {}
            explorer.selection.layer = "dense_1"
            assert explorer._state.wait_for_panes(TIMEOUT)
            assert explorer.heatmap.result.pick.layer == "dense_1"
            assert "is not compared yet" in lines(explorer)[0]
        finally:
            go_on.set()
        assert explorer.wait(TIMEOUT)
        assert explorer.verdicts["digits_dropout"].weights == "no trace of one"
        explorer.close()

    def test_it_can_be_stopped_and_begun_again(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def held(a: Any, b: Any, alignment: Any, check: Callable[..., None]) -> Any:
            begun.set()
            assert go_on.wait(TIMEOUT)
            check()
            return look(a, b, alignment, check)

        look = comparisons_module.look_at_relation
        monkeypatch.setattr(comparisons_module, "look_at_relation", held)
        explorer = ww.compare(models / "digits_baseline.h5", models / "digits_dropout.h5")
        buttons = {one.description: one for one in of_kind(having(explorer, "ww-verdicts"), widgets.Button)}
        assert begun.wait(TIMEOUT)
        assert buttons["Stop"].layout.display is None
        buttons["Stop"].click()
        go_on.set()
        assert explorer.wait(TIMEOUT)
        assert dict(explorer.verdicts) == {}
        assert (buttons["Stop"].layout.display, buttons["Compare"].layout.display) == ("none", None)
        buttons["Compare"].click()
        assert explorer.wait(TIMEOUT)
        assert [*explorer.verdicts] == ["digits_dropout"]
        assert buttons["Compare"].layout.display == "none"
        explorer.close()

    def test_very_much_is_not_read_unasked(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(comparisons_module, "BEARABLE", 10)
        explorer = ww.compare(models / "digits_baseline.h5", models / "digits_dropout.h5")
        assert explorer.wait(TIMEOUT)
        assert dict(explorer.verdicts) == {}
        buttons = {one.description: one for one in of_kind(having(explorer, "ww-verdicts"), widgets.Button)}
        buttons["Compare"].click()
        assert explorer.wait(TIMEOUT)
        assert [*explorer.verdicts] == ["digits_dropout"]
        explorer.close()

    def test_what_was_asked_for_is_not_asked_for_again(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (comparisons_module, overview_module):
            monkeypatch.setattr(module, "BEARABLE", 10)
        selection = ww.Selection(models / "digits_baseline.h5", models / "digits_dropout.h5")
        pane = ww.OverviewPane(selection)
        state = pane._state
        assert state.wait(TIMEOUT)
        assert (state.overview.stopped, state.comparisons.stopped) == (True, True)
        state.overview.begin()
        state.comparisons.begin()
        assert state.wait(TIMEOUT)
        pane.close()
        ww.OverviewPane(selection)
        assert state.wait(TIMEOUT)
        assert (state.overview.stopped, state.comparisons.stopped) == (False, False)
        # Of another reference nothing is known, and who asked for it once has not changed his mind.
        selection.reference = "digits_dropout"
        assert state.wait(TIMEOUT)
        assert [*state.comparisons.relations] == ["digits_baseline"]
        selection.close()

    def test_what_goes_wrong_is_a_sentence(self, renamed: ww.WeightExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise OSError("the disk is <gone>")

        monkeypatch.setattr(comparisons_module, "look_at_relation", broken)
        renamed.alignment["b"] = renamed.alignment["b"].unpair("dense")
        assert renamed.wait(TIMEOUT)
        assert lines(renamed) == ["b could not be compared: the disk is <gone>"]
        monkeypatch.undo()
        renamed.alignment["b"] = renamed.alignment["b"].pair("dense", "dense_5")
        assert renamed.wait(TIMEOUT)
        assert "Shared origin" in lines(renamed)[0]

    def test_a_rewritten_file_is_told(self, tmp_path: Path) -> None:
        paths = [write_model(tmp_path / f"{label}.h5", make()) for label, make in BOTH.items()]
        opened = [ww.open_checkpoint(path) for path in paths]
        write_model(paths[1], {name: 2 * values for name, values in second().items()})
        explorer = ww.compare(*opened)
        assert explorer.wait(TIMEOUT)
        (line,) = lines(explorer)
        assert "rewritten" in line or "cannot be read" in line
        explorer.close()

    def test_nan_is_undetermined(self, explore: Any) -> None:
        explorer = explore(a=first(), b={name: np.full_like(values, np.nan) for name, values in first().items()})
        assert explorer.verdicts["b"].weights == "undetermined"

    def test_names_of_models_and_layers_stay_text(self, wire: Wire) -> None:
        explorer = ww.compare(*(hostile(name, RNG.normal(size=(20, 30 + place))) for place, name in enumerate(HOSTILE)))
        assert explorer.wait(TIMEOUT)
        assert len(explorer.verdicts) == len(HOSTILE) - 1
        pages = [Page(line.value) for line in having(explorer, "ww-verdict-lines").children]
        assert set().union(*(page.tags for page in pages)) == {"details", "summary", "ul", "li", "b", "span"}
        assert max(wire.sizes) <= 300_000
        explorer.close()


class TestManyLayers:
    def test_a_thousand_without_common_names_are_aligned_behind_the_first_pictures(self, tmp_path: Path) -> None:
        values = RNG.normal(size=(1000, 8, 8)).astype("f4")
        paths = [
            write_model(tmp_path / f"{word}.h5", {f"{word}_{place}": each for place, each in enumerate(values)})
            for word in ("foo", "bar")
        ]
        explorer = ww.compare(*paths)
        assert explorer.wait(TIMEOUT)
        assert list(explorer.selection.layers) == [f"foo_{place}" for place in range(1000)]
        assert explorer.selection.aliases("foo_700") == ["bar_700"]
        assert explorer.verdicts["bar"].weights == "renamed"
        explorer.close()

    @pytest.fixture
    def opened(self) -> list[ww.Checkpoint]:
        """Two of so many layers that they are aligned in the background."""
        values = RNG.normal(size=(300, 8, 8)).astype("f4")
        models = ({f"{word}_{place}": {"kernel": each} for place, each in enumerate(values)} for word in ("foo", "bar"))
        return [ww.open_checkpoint(model, label) for model, label in zip(models, "ab", strict=True)]

    def test_the_first_rows_are_sent_before_anything_is_aligned(
        self, opened: list[ww.Checkpoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []

        def told(what: str, do: Callable[..., Any]) -> Callable[..., Any]:
            return lambda *given: (seen.append(what), do(*given))[1]

        monkeypatch.setattr(OverviewGrid, "show_rows", told("rows", OverviewGrid.show_rows))
        monkeypatch.setattr(comparisons_module, "align", told("aligned", comparisons_module.align))
        explorer = ww.compare(*opened)
        assert explorer.wait(TIMEOUT)
        # Under the names of A they are other rows.
        assert seen == ["rows", "aligned", "rows"]
        explorer.close()

    def test_a_cell_shows_the_rows_before_anything_is_aligned(
        self, opened: list[ww.Checkpoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun: list[bool] = []
        align = Comparisons.align
        monkeypatch.setattr(Comparisons, "align", lambda self: (begun.append(True), align(self))[1])

        monkeypatch.setattr(pane_module, "FIRST_LOOK", TIMEOUT)

        async def notebook() -> None:
            explorer = ww.compare(*opened)
            explorer.picture()
            assert explorer.overview.named
            assert not begun
            # Nor was anything made of all addresses of a model: there may be tens of thousands.
            assert not any("tensors" in vars(one) for one in opened)
            # The cell has ended.
            await asyncio.sleep(0)
            assert begun
            assert explorer.wait(TIMEOUT)
            assert explorer.verdicts["b"].weights == "renamed"
            explorer.close()

        asyncio.run(notebook())

    def test_rows_that_do_not_come_are_not_waited_for(
        self, opened: list[ww.Checkpoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(overview_module, "look_at_outline", lambda *_: 1 / 0)
        explorer = ww.compare(*opened)
        assert explorer.wait(TIMEOUT)
        assert explorer.verdicts["b"].weights == "renamed"
        explorer.close()

    @pytest.mark.parametrize("pane", [ww.LayerChooser, ww.HistogramPane])
    def test_a_pane_without_rows_is_aligned_as_well(self, opened: list[ww.Checkpoint], pane: Any) -> None:
        alone = pane(selection := ww.Selection(*opened))
        assert alone._state.wait(TIMEOUT)
        assert selection.aliases("foo_7") == ["bar_7"]
        selection.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs were measured each time."""
    found: list[int] = []

    def counted(pairs: Any, *rest: Any) -> Any:
        found.append(len(pairs))
        return twins(pairs, *rest)

    twins = kept.twins
    monkeypatch.setattr(kept, "twins", counted)
    return found


def test_what_was_measured_is_not_read_again(comparisons: Comparisons, asked: list[int]) -> None:
    comparisons.refer_to("a")
    comparisons.begin()
    assert comparisons.worker.wait(TIMEOUT)
    before = comparisons.relations["b"]
    comparisons.put("b", comparisons.alignments["b"].unpair("dense"))
    assert comparisons.worker.wait(TIMEOUT)
    assert asked == [3, 0]
    assert [row.twin for row in comparisons.relations["b"].rows if row.twin] == [row.twin for row in before.rows[1:]]
    # Another reference, and back: what the user said is still known, and what it led to.
    comparisons.refer_to("b")
    assert comparisons.worker.wait(TIMEOUT)
    assert [*comparisons.relations] == ["a"]
    comparisons.refer_to("a")
    assert comparisons.alignments["b"].rows[0].status == "removed"
    assert [*comparisons.relations] == ["b"]


def test_twins_of_large_tensors_are_found_again_on_disk(
    tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was written just now is not kept otherwise.
    monkeypatch.setattr(files, "SETTLING", -1)
    kernel = RNG.normal(size=(1100, 1000)).astype("f4")
    opened = []
    for label, values in (("a", kernel), ("b", kernel + np.float32(0.5))):
        path = write_model(tmp_path / f"{label}.h5", {"dense": values})
        opened.append(ww.open_checkpoint(path)["dense"]["kernel"])
    measured = [*kept.twins_of([(opened[0], opened[1])], Tolerance(), lambda: None)]
    cache._memory.clear()
    assert [*kept.twins_of([(opened[0], opened[1])], Tolerance(), lambda: None)] == measured
    assert asked == [1, 0]
    assert isinstance(measured[0], Twin)
    assert measured[0].moments.max_delta == pytest.approx(0.5, rel=1e-6)


def test_closing_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    aligned: list[object] = []
    align = comparisons_module.align
    monkeypatch.setattr(comparisons_module, "align", lambda a, b: aligned.append(a) or align(a, b))
    layers = {f"layer_{place}": {"kernel": np.ones((2, 2), "f4")} for place in range(300)}

    async def scenario() -> None:
        explorer = ww.compare(*(ww.open_checkpoint(layers, label) for label in "ab"))
        explorer.close()
        await asyncio.sleep(0)
        assert explorer._state.comparisons.worker.wait(TIMEOUT)

    asyncio.run(scenario())
    assert aligned == []
