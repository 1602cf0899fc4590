"""The overview: its rows, numbers and badges as the page is given them, and what is chosen there and elsewhere."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import traitlets
from seen import HOSTILE, TIMEOUT, Wire, hostile, of_kind, write_model

import weight_widgets as ww
from weight_widgets.analysis.overview import Overview, overview
from weight_widgets.display import visible
from weight_widgets.panes.overview_grid import OverviewGrid
from weight_widgets.reading.layouts.base import LayerConfig
from weight_widgets.state import Comparisons
from weight_widgets.state import overview as state_module
from weight_widgets.state.looks import Badge

RNG = np.random.default_rng(31)
DIGITS = ("baseline", "finetuned", "wide", "mlp")
UNKNOWN, NUMBER, ABSENT, UNDEFINED, EQUAL, CHANGED, CHANGED_UNDEFINED = range(7)
MODEL, LAYER, TENSOR, KERNEL = 0, 1, 2, 10


@dataclass(frozen=True)
class Cells:
    """What the page makes of the traits that have the present frame."""

    labels: list[str]
    notes: list[str]
    addresses: list[str]
    kinds: list[int]
    levels: list[int]
    numbers: np.ndarray
    states: np.ndarray

    def at(self, address: str) -> tuple[list[float], list[int]]:
        """The numbers and states of the row whose address begins so."""
        (row,) = [
            place
            for place, (kind, one) in enumerate(zip(self.kinds, self.addresses, strict=True))
            if kind & TENSOR and one.startswith(address)
        ]
        return self.numbers[row].tolist(), self.states[row].tolist()


def shown(sources: Mapping[str, Any]) -> ww.OverviewPane:
    """The overview alone, with all that it waits for."""
    pane = ww.OverviewPane(ww.Selection(sources))
    assert pane._state.wait(TIMEOUT)
    return pane


def grid_of(widget: Any) -> OverviewGrid:
    (grid,) = of_kind(widget, OverviewGrid)
    return grid


def cells(widget: Any) -> Cells:
    grid = grid_of(widget)
    outline, rows = grid.outline, range(0, grid.outline["count"], grid.page_rows)
    pages = [getattr(grid, f"outline_{page}") for page in range(len(rows))]
    values = [getattr(grid, f"values_{page}") for page in range(len(rows))]
    assert {page["frame"] for page in [*pages, *values, grid.shade, grid.badges]} == {outline["frame"]}
    assert {page["measure"] for page in [*values, grid.shade]} == {grid.measure}
    words = [row for page in pages for row in json.loads(page["texts"].decode())]
    numbers = np.frombuffer(b"".join(page["numbers"] for page in values), "<f4")
    states = np.frombuffer(b"".join(page["states"] for page in values), np.uint8)
    shape = outline["count"], len(grid.columns)
    assert len(words) == outline["count"]
    return Cells(
        *([row[place] for row in words] for place in range(3)),
        [*b"".join(page["kinds"] for page in pages)],
        [*b"".join(page["levels"] for page in pages)],
        numbers.reshape(shape),
        states.reshape(shape),
    )


def place(widget: Any, address: str) -> int:
    return next(number for number, one in enumerate(cells(widget).addresses) if one.startswith(address))


def tell(widget: Any, **traits: Any) -> None:
    """As the page does; rows of the present frame."""
    grid = grid_of(widget)
    framed = {
        name: {"frame": grid.outline["frame"], **value} if isinstance(value, dict) else value
        for name, value in traits.items()
    }
    grid.set_state(framed)


def chosen(widget: ww.WeightExplorer) -> tuple[str, str, str]:
    selection = widget.selection
    return selection.other, selection.layer, selection.tensor


def stored(path: Path) -> dict[str, np.ndarray]:
    """Every weight by layer and name, as h5py reads it."""
    found: dict[str, np.ndarray] = {}

    def take(at: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            steps = at.split("/")
            found[f"{steps[0]} · {steps[-1]}"] = item[()].astype(np.float64)

    with h5py.File(path) as file:
        file["model_weights"].visititems(take)
    return found


@pytest.fixture
def digits(models: Path) -> Iterator[ww.WeightExplorer]:
    explorer = ww.compare({name: models / f"digits_{name}.h5" for name in DIGITS})
    assert explorer.wait(TIMEOUT)
    yield explorer
    explorer.close()


@pytest.fixture
def opened() -> Iterator[Any]:
    """A function that opens an explorer of arrays in memory."""
    made: list[ww.WeightExplorer] = []

    def opened(**models: Mapping[str, Any]) -> ww.WeightExplorer:
        explorer = ww.compare({label: ww.open_checkpoint(arrays, label) for label, arrays in models.items()})
        made.append(explorer)
        assert explorer.wait(TIMEOUT)
        return explorer

    yield opened
    for explorer in made:
        explorer.close()


def change(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(b - a) / np.linalg.norm(a))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))


OF_ONE = {
    "std": np.std,
    "mean": np.mean,
    "rms": lambda values: np.sqrt(np.mean(values**2)),
    "max_abs": lambda values: np.abs(values).max(),
    "sparsity": lambda values: np.mean(values == 0),
    "non_finite": lambda values: np.sum(~np.isfinite(values)),
}


class TestNumbers:
    def test_of_a_pair_are_numpys(self, digits: ww.WeightExplorer, models: Path) -> None:
        """Of models that lack tensors, or have them in another shape, too."""
        files = [stored(models / f"digits_{name}.h5") for name in DIGITS]
        for measure, expected in (("relative_change", change), ("cosine", cosine)):
            digits.overview.measure = measure
            found = cells(digits)
            seen = set()
            for name, values in files[0].items():
                numbers, states = found.at(name)
                assert (numbers[0], states[0]) == (measure == "cosine", NUMBER)
                for column, other in enumerate(files[1:], 1):
                    if name not in other:
                        assert states[column] == ABSENT
                    elif other[name].shape != values.shape:
                        assert states[column] == CHANGED_UNDEFINED
                    else:
                        assert numbers[column] == pytest.approx(expected(values, other[name]), rel=1e-5, abs=1e-6)
                        assert states[column] == (EQUAL if (values == other[name]).all() else CHANGED)
                    assert math.isnan(numbers[column]) == (states[column] in (ABSENT, CHANGED_UNDEFINED))
                    seen.add(states[column])
            assert seen == {ABSENT, CHANGED_UNDEFINED, EQUAL, CHANGED}

    @pytest.mark.parametrize("measure", OF_ONE)
    def test_of_a_tensor_are_numpys(self, measure: str, digits: ww.WeightExplorer, models: Path) -> None:
        tell(digits, measure=measure)
        assert digits.overview.measure == measure
        found = cells(digits)
        for column, name in enumerate(DIGITS[:2]):
            for address, values in stored(models / f"digits_{name}.h5").items():
                numbers, states = found.at(address)
                assert numbers[column] == pytest.approx(float(OF_ONE[measure](values)), rel=1e-5, abs=1e-7)
                # How it is compared shows in every measure.
                assert column == 0 or states[column] in (EQUAL, CHANGED)

    def test_colours_end_where_kernels_do(self, opened: Any) -> None:
        kernels = {f"dense_{number}": RNG.normal(0, 0.1, (30, 30)) for number in range(20)}
        explorer = opened(a={name: {"kernel": values, "bias": 1e4 + values[0]} for name, values in kernels.items()})
        explorer.overview.measure = "std"
        shade = grid_of(explorer).shade
        spreads = [values.std() for values in kernels.values()]
        assert shade["low"] == 0
        assert shade["high"] == pytest.approx(np.percentile(spreads, 98))
        explorer.overview.measure = "mean"
        shade = grid_of(explorer).shade
        assert (
            shade["high"]
            == -shade["low"]
            == pytest.approx(np.percentile([abs(k.mean()) for k in kernels.values()], 98))
        )
        explorer.overview.measure = "non_finite"
        assert grid_of(explorer).shade["high"] > grid_of(explorer).shade["low"] == 0

    def test_nan_and_infinities(self, opened: Any) -> None:
        normal = RNG.normal(size=(4, 5))
        holes, nothing = normal.copy(), np.full((4, 5), np.nan)
        holes[0, :2] = np.nan, -np.inf
        models = {"same": normal, "holes": holes, "nothing": nothing, "zero": np.zeros((4, 5))}
        explorer = opened(
            a={name: {"kernel": values} for name, values in models.items()},
            b={name: {"kernel": values} for name, values in {**models, "zero": normal, "holes": holes + 1}.items()},
        )
        found = cells(explorer)
        assert found.at("same")[1] == [NUMBER, EQUAL]
        assert found.at("holes")[1] == [NUMBER, CHANGED]
        finite = holes[np.isfinite(holes)]
        assert found.at("holes")[0][1] == pytest.approx(change(finite, finite + 1), rel=1e-6)
        assert found.at("nothing")[1] == [NUMBER, UNDEFINED]
        assert found.at("zero") == ([0.0, math.inf], [NUMBER, CHANGED])
        assert math.isfinite(grid_of(explorer).shade["high"])
        explorer.overview.measure = "std"
        found = cells(explorer)
        assert found.at("nothing")[1] == [UNDEFINED, UNDEFINED]
        assert found.at("holes")[0][0] == pytest.approx(finite.std(), rel=1e-6)
        explorer.overview.measure = "non_finite"
        assert [cells(explorer).at(name)[0][0] for name in models] == [0, 2, 20, 0]

    def test_equal_in_value_alone_is_not_called_equal(self, opened: Any) -> None:
        values = RNG.integers(-8, 8, (5, 6)).astype(np.float32)
        explorer = opened(a={"dense": {"kernel": values}}, b={"dense": {"kernel": values.astype(np.float16)}})
        assert cells(explorer).at("dense") == ([0.0, 0.0], [NUMBER, NUMBER])

    def test_one_model(self, opened: Any) -> None:
        values = RNG.normal(size=(5, 6))
        explorer = opened(a={"dense": {"kernel": values}})
        assert {measure["key"] for measure in grid_of(explorer).measures} == OF_ONE.keys()
        assert cells(explorer).at("dense · kernel")[0] == [pytest.approx(values.std())]
        with pytest.raises(traitlets.TraitError):
            tell(explorer, measure="cosine")
        assert explorer.overview.measure == "std"


class TestRows:
    def test_are_a_tree_in_model_order(self, opened: Any) -> None:
        values = RNG.normal(size=(3, 4))
        explorer = opened(
            a={
                "stem": {"kernel": values, "bias": values[0]},
                "encoder/block/dense": {"kernel": values},
                "encoder/out": {"kernel": values},
                "head": {"kernel": values},
            },
            b={
                "stem": {"kernel": values},
                "encoder/block/norm": {"gamma": values[0]},
                "encoder/out": {"kernel": values},
                "head": {"kernel": values},
            },
        )
        found = cells(explorer)
        assert list(zip(found.levels, found.labels, found.kinds, strict=True)) == [
            (0, "stem", LAYER),
            (1, "kernel", KERNEL),
            (1, "bias", TENSOR),
            (0, "encoder", MODEL),
            (1, "block", MODEL),
            (2, "norm", LAYER),
            (3, "gamma", TENSOR),
            (2, "dense", LAYER),
            (3, "kernel", KERNEL),
            (1, "out", LAYER),
            (2, "kernel", KERNEL),
            (0, "head", LAYER),
            (1, "kernel", KERNEL),
        ]
        assert found.notes[found.labels.index("kernel")] == "3 × 4"
        assert found.addresses[found.labels.index("gamma")].startswith("encoder/block/norm · gamma")
        assert found.at("stem · bias")[1] == [NUMBER, ABSENT]

    def test_a_slash_in_a_name_is_none_between_models(self) -> None:
        """Where the configuration tells."""
        values = RNG.normal(size=(3, 4))
        checkpoint = ww.open_checkpoint({"block/conv": {"kernel": values}, "inner/a/b": {"kernel": values}}, "a")
        inner = LayerConfig("inner", "Functional", {}, (LayerConfig("a/b", "Dense", {}),))
        checkpoint.model = LayerConfig("m", "Functional", {}, (LayerConfig("block/conv", "Dense", {}), inner))
        explorer = ww.compare({"a": checkpoint})
        assert explorer.wait(TIMEOUT)
        found = cells(explorer)
        assert found.labels == ["block/conv", "kernel", "inner", "a/b", "kernel"]
        assert found.levels == [0, 1, 0, 1, 2]
        explorer.close()

    def test_hostile_names_stay_text_and_messages_small(self, wire: Wire) -> None:
        explorer = ww.compare(*(hostile(name, np.ones((place + 2, 3))) for place, name in enumerate(HOSTILE[:4])))
        assert explorer.wait(TIMEOUT)
        grid, found = grid_of(explorer), cells(explorer)
        assert len(found.labels) >= 2 * len(HOSTILE)
        assert max(found.levels) <= 16
        for text in [*found.labels, *found.notes, *found.addresses, *(column["label"] for column in grid.columns)]:
            assert text == visible(text, 120)
        assert visible(HOSTILE[3]) in found.labels
        assert max(wire.sizes) <= 300_000
        explorer.close()

    def test_the_longest_names_fit_into_a_message(self, wire: Wire) -> None:
        long = "\U00010348" * 200
        layers = {f"{place:04}{long}": {f"{long}{place}": np.ones(2)} for place in range(800)}
        pane = shown({"a": ww.open_checkpoint(layers, "a")})
        assert len(cells(pane).labels) == 1600
        assert 150_000 < max(wire.sizes) <= 300_000
        pane.close()

    def test_ten_thousand_rows_of_eight_models(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Comparisons, "begin", lambda _: None)
        kernels = RNG.normal(size=(3400, 3, 4)).astype(np.float32)
        opened = [
            ww.open_checkpoint(
                {
                    f"block_{place // 10}/dense_{place}": {"kernel": step * kernel, "bias": kernel[0]}
                    for place, kernel in enumerate(kernels)
                }
            )
            for step in (1, 2)
        ]
        pane = shown({f"m{number}": opened[number % 2] for number in range(8)})
        for measure, number in (("std", np.std), ("max_abs", lambda values, axis: np.abs(values).max(axis))):
            wire.sizes.clear()
            pane._state.overview.measure = measure
            found = cells(pane)
            assert len(found.labels) == 340 + 3 * 3400
            is_kernel = np.array(found.kinds) == KERNEL
            expected = number(kernels, axis=(1, 2))[:, None] * np.tile([1, 2], 4)
            assert np.allclose(found.numbers[is_kernel], expected, rtol=1e-5)
            assert (found.states[np.array(found.kinds) >= TENSOR] == NUMBER).all()
            assert (found.states[np.array(found.kinds) <= LAYER] == ABSENT).all()
            assert sum(wire.sizes) > 10_000 * 8 * 4
            assert max(wire.sizes) <= 300_000
        pane.close()

    def test_three_hundred_models(self, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Comparisons, "begin", lambda _: None)
        kernels = RNG.normal(size=(110, 2)).astype(np.float32)
        opened = ww.open_checkpoint({f"dense_{place}": {"kernel": kernel} for place, kernel in enumerate(kernels)})
        pane = shown({f"m{number}": opened for number in range(300)})
        pane._state.overview.measure = "std"
        found = cells(pane)
        assert len(found.labels) == 220
        assert np.allclose(found.numbers[np.array(found.kinds) >= TENSOR], kernels.std(axis=1)[:, None])
        assert 100_000 < max(wire.sizes) <= 300_000
        pane.close()


class TestChoosing:
    def test_a_row_chooses_its_tensor_and_a_column_model_b(self, digits: ww.WeightExplorer) -> None:
        tell(digits, choice={"row": place(digits, "dense_1 · bias"), "column": 2})
        assert chosen(digits) == ("wide", "dense_1", "bias")
        tell(digits, choice={"row": place(digits, "norm_1 · beta"), "column": 0})
        # Model A is no Model B.
        assert chosen(digits) == ("wide", "norm_1", "beta")
        assert grid_of(digits).choice["column"] == 0
        tell(digits, choice={"row": place(digits, "dense_2 · kernel"), "column": -1})
        assert chosen(digits) == ("wide", "dense_2", "kernel")
        assert digits.wait(TIMEOUT)
        assert digits.histogram.result.pick.layer == "dense_2"

    def test_it_follows_what_is_chosen_elsewhere(self, digits: ww.WeightExplorer) -> None:
        grid = grid_of(digits)
        digits.selection.layer, digits.selection.tensor = "conv_2", "kernel"
        assert grid.choice == {"frame": grid.outline["frame"], "row": place(digits, "conv_2 · kernel"), "column": 1}
        digits.selection.other = "mlp"
        assert grid.choice["column"] == 3

    @pytest.mark.parametrize("wanted", [{"row": 0}, {"row": -1}, {"row": 999}, {"frame": 0, "row": 2}])
    def test_what_cannot_be_chosen_is_taken_back(self, wanted: Any, digits: ww.WeightExplorer) -> None:
        before, grid = chosen(digits), grid_of(digits)
        tell(digits, choice={"column": 1, **wanted})
        assert chosen(digits) == before
        assert grid.choice["row"] == place(digits, "conv_1 · kernel")
        assert grid.choice["frame"] == grid.outline["frame"]

    def test_alignment(self, opened: Any) -> None:
        """Rows are other ones then, and what is chosen keeps its row."""
        first, second = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
        explorer = opened(
            a={"stem": {"kernel": first}, "tail": {"kernel": second}},
            b={"stem": {"kernel": first}, "other": {"kernel": second + 1}},
        )
        explorer.alignment["b"] = explorer.alignment["b"].unpair("tail")
        assert explorer.wait(TIMEOUT)
        found, grid = cells(explorer), grid_of(explorer)
        frame = grid.outline["frame"]
        assert found.at("tail · kernel")[1] == [NUMBER, ABSENT]
        explorer.selection.layer = "other"
        explorer.alignment["b"] = explorer.alignment["b"].pair("tail", "other")
        assert explorer.wait(TIMEOUT)
        found = cells(explorer)
        assert grid.outline["frame"] > frame
        assert found.labels == ["stem", "kernel", "tail ↔ other", "kernel"]
        assert found.at("tail")[0][1] == pytest.approx(change(second, second + 1), rel=1e-6)
        assert (explorer.selection.layer, grid.choice["row"]) == ("tail", 3)
        explorer.selection.reference = "b"
        assert explorer.wait(TIMEOUT)
        found = cells(explorer)
        assert found.labels == ["stem", "kernel", "other ↔ tail (pair assumed)", "kernel"]
        assert found.at("other")[0] == [pytest.approx(change(second + 1, second), rel=1e-6), 0.0]

    def test_a_sketch_is_drawn_of_what_is_asked_for(self, opened: Any) -> None:
        a, b = RNG.normal(size=(30, 40)), RNG.normal(size=(30, 40)) * 3
        explorer = opened(a={"x": {"kernel": a}}, b={"x": {"kernel": b}}, c={"y": {"bias": np.ones(3)}})
        row, grid = place(explorer, "x · kernel"), grid_of(explorer)
        tell(explorer, asked={"row": row})
        sketch = grid.sketch
        counts = np.frombuffer(sketch["counts"], "<f4").reshape(3, sketch["bins"])
        assert (sketch["frame"], sketch["row"]) == (grid.outline["frame"], row)
        assert sketch["spans"] == [b.min(), b.max()]
        assert counts[:2].max() == 1
        assert np.isnan(counts[2]).all()
        # The wider one has the shared bins for its own.
        expected = np.histogram(b, sketch["bins"])[0] / b.size
        assert np.allclose(counts[1] / counts[1].sum(), expected, atol=1e-6)
        # Of the narrower one bins are split, and no value goes lost.
        assert counts[0].sum() == pytest.approx(counts[1].sum(), rel=1e-5)
        edges = np.linspace(b.min(), b.max(), sketch["bins"] + 1)
        assert (
            np.abs(np.cumsum(counts[0]) / counts[0].sum() - np.mean(a[..., None] <= edges[1:], axis=(0, 1))).max()
            < 0.05
        )
        said = [[float(words) for words in text.split(" · std ")] for text in sketch["texts"][:2]]
        assert said[0] == pytest.approx([0, a.std()], rel=6e-3)
        assert said[1] == pytest.approx([change(a, b), b.std()], rel=6e-3)
        assert sketch["texts"][2] == "has no such tensor"
        tell(explorer, asked={"row": 0})
        assert grid.sketch is sketch


class TestBadges:
    def test_findings_stand_at_their_rows(self) -> None:
        folder = Path(__file__).parent / "fixtures" / "findings"
        names = ("healthy", "dead", "pruned")
        explorer = ww.compare({name: str(folder / f"{name}.keras") for name in names})
        assert explorer.wait(TIMEOUT)
        frame = ww.findings({name: str(folder / f"{name}.keras") for name in names})
        found, items = cells(explorer), grid_of(explorer).badges["items"]
        shown = {(found.addresses[row].split(" · ")[0], names[column], text) for row, column, text, _, _ in items}
        assert ("units", "dead", "2 dead units") in shown
        listed = frame[frame.severity != "n/a"]
        assert {(layer, name) for layer, name, _ in shown} == set(zip(listed.layer, listed.checkpoint, strict=True))
        severities = [severity for *_, severity, _ in items]
        assert severities == sorted(severities, reverse=True)
        assert all(words.partition(":")[0] in {*listed.rule} for *_, words in items)
        explorer.close()

    def test_very_many_are_cut(self, wire: Wire, opened: Any) -> None:
        grid = grid_of(opened(a={"x": {"kernel": np.ones((4, 4))}}))
        wire.sizes.clear()
        grid.show_badges([Badge(1, 0, "2 dead units", "warning", "層" * 200)] * 5000)
        assert 100 < len(grid.badges["items"]) < 5000
        assert max(wire.sizes) <= 300_000


class TestReading:
    def test_names_are_there_before_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        going = threading.Event()
        monkeypatch.setattr(state_module, "overview", lambda *given: going.wait(TIMEOUT) and overview(*given))
        values = RNG.normal(size=(3, 4))
        explorer = ww.compare({"a": ww.open_checkpoint({"x": {"kernel": values}}, "a")})
        assert explorer._state.overview.worker.wait(TIMEOUT)
        assert cells(explorer).at("x") == ([pytest.approx(math.nan, nan_ok=True)], [UNKNOWN])
        going.set()
        assert explorer.wait(TIMEOUT)
        assert cells(explorer).at("x")[1] == [NUMBER]
        assert explorer.overview.progress == ""
        explorer.close()

    def test_a_rewritten_file_is_a_line_and_no_number(self, tmp_path: Path) -> None:
        paths = {name: write_model(tmp_path / f"{name}.h5", {"x": RNG.normal(size=(3, 4))}) for name in "ab"}
        selection = ww.Selection(paths)
        write_model(paths["b"], {"x": RNG.normal(size=(5, 4)), "y": np.ones(3)})
        pane = ww.OverviewPane(selection)
        state = pane._state
        assert state.wait(TIMEOUT)
        state.overview.measure = "std"
        assert cells(pane).at("x")[1] == [NUMBER, UNDEFINED]
        assert any("b: its weights cannot be read" in note for note in state.overview.notes)
        pane.close()
        selection.close()

    def test_what_went_wrong_once_is_told_beside_the_rest_and_no_longer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise OSError("the disk is <gone>")

        paths = {name: write_model(tmp_path / f"{name}.h5", {"x": RNG.normal(size=(3, 4))}) for name in "ab"}
        selection = ww.Selection(paths)
        write_model(paths["b"], {"x": np.ones(3)})
        with monkeypatch.context() as patch:
            patch.setattr(state_module, "badges_of", broken)
            pane = ww.OverviewPane(selection)
            assert pane._state.wait(TIMEOUT)
        unread, failed = pane._state.overview.notes
        assert unread.startswith("b: its weights cannot be read")
        assert failed == "the overview could not be shown: the disk is <gone>"
        # Other names are looked at anew.
        selection.revision += 1
        assert pane._state.wait(TIMEOUT)
        assert pane._state.overview.notes == (unread,)
        selection.close()

    def test_very_much_is_read_when_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(state_module, "BEARABLE", 10)
        explorer = ww.compare({"a": ww.open_checkpoint({"x": {"kernel": RNG.normal(size=(3, 4))}}, "a")})
        assert explorer.wait(TIMEOUT)
        assert explorer.overview.stopped
        assert cells(explorer).at("x")[1] == [UNKNOWN]
        explorer.overview.begin()
        assert explorer.wait(TIMEOUT)
        assert cells(explorer).at("x")[1] == [NUMBER]
        assert not explorer.overview.stopped
        explorer.close()

    def test_hidden_it_reads_nothing_and_shown_it_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read = []

        def counted(found: ww.Checkpoint, check: Any) -> Overview:
            read.append(found.name)
            return overview(found, check)

        monkeypatch.setattr(state_module, "overview", counted)
        selection = ww.Selection({"a": ww.open_checkpoint({"x": {"kernel": RNG.normal(size=(3, 4))}}, "a")})
        table = ww.TablePane(selection)
        assert table._state.wait(TIMEOUT)
        assert read == []
        pane = ww.OverviewPane(selection)
        assert pane._state.wait(TIMEOUT)
        assert read == ["a"]
        pane.close()
        again = ww.OverviewPane(selection)
        assert again._state.wait(TIMEOUT)
        assert cells(again).at("x")[1] == [NUMBER]
        assert read == ["a"]
        selection.close()
