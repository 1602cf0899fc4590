"""A part of a heatmap that is looked at closely: read again from the file, against slices that h5py reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bqplot
import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import TIMEOUT, Wire, decode, final, having, of_kind, widgets_alive, write_model

import weight_widgets as ww
from weight_widgets.analysis.rasters import Raster
from weight_widgets.panes.crosshair import Crosshair
from weight_widgets.panes.shades import DIVERGING
from weight_widgets.reading import storage
from weight_widgets.state import Detail, Pick, Window
from weight_widgets.state.looks import look_at_pictures, look_closely
from weight_widgets.state.looks.windows import ROOM

RNG = np.random.default_rng(5)
# The last is read as a whole in none of the ways.
SHAPES = {"dense": (3000, 1500), "wide": (40, 70000), "conv": (3, 3, 700, 800), "small": (400, 500)}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("windows")
    return {
        label: write_model(
            folder / f"{label}.h5", {name: RNG.standard_normal(shape, "f4") for name, shape in SHAPES.items()}
        )
        for label in "ab"
    }


@pytest.fixture
def opened(paths: dict[str, Path]) -> dict[str, ww.Checkpoint]:
    return {label: ww.open_checkpoint(path) for label, path in paths.items()}


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def stored(path: Path, layer: str, window: Window) -> np.ndarray:
    """A window of a kernel as a matrix whose last axis runs across."""
    with h5py.File(path) as file:
        values = file[f"{layer}/kernel"][()].astype("f8")
    return values.reshape(-1, values.shape[-1])[window.top : window.bottom, window.left : window.right]


def closeup(
    opened: dict[str, ww.Checkpoint], layer: str, window: Window, tensor: str = "kernel", **settings: Any
) -> Detail | None:
    labels = [*opened]
    pick = Pick((*labels,), labels[0], labels[-1], layer, tensor, "")
    return look_closely(opened, final(look_at_pictures(opened, pick, never, **settings)), window, never)


def pooled(values: np.ndarray, cells: tuple[int, ...]) -> np.ndarray:
    """Means of blocks that begin at floor(i · size / cells), each taken by itself."""
    rows, columns = (
        [slice(i * size // count, (i + 1) * size // count) for i in range(count)]
        for size, count in zip(values.shape, cells, strict=True)
    )
    return np.array([[values[row, column].mean() for column in columns] for row in rows])


class TestExact:
    @pytest.mark.parametrize(
        ("layer", "window"),
        [
            ("dense", Window(0, 4, 0, 4)),
            ("dense", Window(1000, 1100, 700, 900)),
            ("dense", Window(2990, 3000, 1400, 1500)),
            ("dense", Window(17, 273, 1, 257)),
            ("wide", Window(0, 40, 33333, 33400)),
            ("conv", Window(2050, 2150, 20, 90)),
            ("conv", Window(6290, 6300, 790, 800)),
            ("small", Window(3, 250, 100, 200)),
        ],
    )
    def test_is_what_the_file_holds(
        self, layer: str, window: Window, opened: dict[str, ww.Checkpoint], paths: dict[str, Path]
    ) -> None:
        detail = closeup(opened, layer, window)
        assert detail is not None
        assert detail.exact
        assert detail.window.holds(window)
        assert detail.shows(window)
        a, b = (stored(path, layer, detail.window) for path in paths.values())
        for raster, expected in zip(detail.contrast.rasters, (a, b, b - a), strict=True):
            assert raster is not None
            np.testing.assert_allclose(raster.mean, expected, rtol=1e-6, atol=1e-7)
        assert detail.contrast.limit >= max(np.abs(a).max(), np.abs(b).max(), np.abs(b - a).max())

    def test_little_more_is_read_than_is_seen(
        self, opened: dict[str, ww.Checkpoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pick = Pick(("a",), "a", "a", "dense", "kernel", "")
        pictures = final(look_at_pictures(opened, pick, never))
        read: list[int] = []
        original = storage.read_into

        def counting(file: Any, offset: int, view: memoryview, path: Path) -> None:
            read.append(len(view))
            original(file, offset, view, path)

        monkeypatch.setattr(storage, "read_into", counting)
        assert look_closely(opened, pictures, Window(1000, 1010, 700, 720), never) is not None
        # A and B; a row is 6 kB, and the whole tensor 18 MB.
        assert 0 < sum(read) <= 2 * ROOM * 6000

    def test_it_can_be_cancelled(self, opened: dict[str, ww.Checkpoint]) -> None:
        pictures = final(look_at_pictures(opened, Pick(("a",), "a", "b", "dense", "kernel", ""), never))

        def cancelled(share: float | None = None) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            look_closely(opened, pictures, Window(0, 10, 0, 10), cancelled)


class TestPooled:
    @pytest.mark.parametrize(
        ("layer", "window"),
        [
            ("dense", Window(100, 1600, 50, 950)),
            ("dense", Window(0, 300, 0, 1500)),
            ("conv", Window(2000, 4000, 0, 700)),
            ("wide", Window(3, 20, 100, 30000)),
        ],
    )
    def test_cells_are_means_of_what_is_in_sight(
        self, layer: str, window: Window, opened: dict[str, ww.Checkpoint], paths: dict[str, Path]
    ) -> None:
        detail = closeup(opened, layer, window)
        assert detail is not None
        assert not detail.exact
        assert detail.window == window
        a, b = (stored(path, layer, window) for path in paths.values())
        for raster, expected in zip(detail.contrast.rasters, (a, b, b - a), strict=True):
            assert raster is not None
            assert max(raster.mean.shape) <= 256
            np.testing.assert_allclose(raster.mean, pooled(expected, raster.mean.shape), rtol=1e-4, atol=1e-6)

    def test_where_hardly_more_would_be_seen_nothing_is_read(self, opened: dict[str, ww.Checkpoint]) -> None:
        assert closeup(opened, "dense", Window(100, 2900, 100, 1400)) is None


class TestWaysToDraw:
    def test_by_norm_the_rows_are_in_that_order(self, opened: dict[str, ww.Checkpoint], paths: dict[str, Path]) -> None:
        known = {label: _dense(path) for label, path in paths.items()}
        detail = closeup(known, "layer", Window(0, 50, 0, 60), by_norm=True)
        assert detail is not None
        with h5py.File(paths["a"]) as file:
            kernel = file["small/kernel"][()]
        order = np.argsort(-np.linalg.norm(kernel.astype("f8"), axis=0), kind="stable")
        window = detail.window
        expected = kernel[:, order][window.top : window.bottom, window.left : window.right]
        raster = detail.contrast.rasters[0]
        assert raster is not None
        np.testing.assert_array_equal(raster.mean, expected)

    def test_of_a_part(self, opened: dict[str, ww.Checkpoint], tmp_path: Path, keras: ModuleType) -> None:
        inputs = keras.Input((5, 600))
        layer = keras.layers.LSTM(300, name="lstm")
        model = keras.Model(inputs, layer(inputs))
        model.save(tmp_path / "lstm.keras")
        both = {"a": ww.open_checkpoint(tmp_path / "lstm.keras")}
        pick = Pick(("a",), "a", "a", "lstm", "kernel", "forget")
        detail = look_closely(both, final(look_at_pictures(both, pick, never)), Window(400, 500, 100, 200), never)
        assert detail is not None
        window = detail.window
        forget = layer.get_weights()[0][:, 300:600]
        raster = detail.contrast.rasters[0]
        assert raster is not None
        np.testing.assert_array_equal(raster.mean, forget[window.top : window.bottom, window.left : window.right])

    def test_a_large_kernel_in_another_order_keeps_its_picture(self, paths: dict[str, Path]) -> None:
        known = {"a": _conv(paths["a"])}
        assert closeup(known, "layer", Window(0, 50, 0, 60)) is not None
        assert closeup(known, "layer", Window(0, 50, 0, 60), by_norm=True) is None

    def test_what_is_drawn_weight_by_weight_already_is_not_read_again(self) -> None:
        both = {"a": ww.open_checkpoint({"layer/kernel": np.ones((200, 250))})}
        assert closeup(both, "layer", Window(0, 10, 0, 10)) is None

    def test_a_smaller_b_ends_where_it_ends(self) -> None:
        a, b = RNG.normal(size=(900, 800)), RNG.normal(size=(450, 900))
        both = {"a": ww.open_checkpoint({"layer/kernel": a}), "b": ww.open_checkpoint({"layer/kernel": b})}
        detail = closeup(both, "layer", Window(400, 500, 700, 750))
        assert detail is not None
        window = detail.window
        left, right, difference = detail.contrast.rasters
        assert left is not None
        assert right is not None
        assert difference is None
        np.testing.assert_array_equal(left.mean, a[window.top : window.bottom, window.left : window.right])
        np.testing.assert_array_equal(right.mean, b[window.top : window.bottom, window.left : window.right])
        below = closeup(both, "layer", Window(700, 800, 0, 50))
        assert below is not None
        assert [raster is None for raster in below.contrast.rasters] == [False, True, True]


def _dense(path: Path) -> ww.Checkpoint:
    """A kernel of 400 × 500 whose units are known."""
    with h5py.File(path) as file:
        values = file["small/kernel"][()]
    return ww.open_checkpoint({"layer": {"kernel": values, "bias": np.zeros(500)}})


def _conv(path: Path) -> ww.Checkpoint:
    with h5py.File(path) as file:
        values = file["conv/kernel"][()]
    return ww.open_checkpoint({"layer": {"kernel": values, "bias": np.zeros(800)}})


sizes = st.integers(1, 3000)


@given(sizes, sizes, st.data())
def test_a_window_is_widened_around_what_is_in_sight(rows: int, columns: int, data: st.DataObject) -> None:
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    bottom, right = data.draw(st.integers(top + 1, rows)), data.draw(st.integers(left + 1, columns))
    window = Window(top, bottom, left, right)
    found = window.widened((rows, columns))
    assert found.holds(window)
    assert found.top >= 0
    assert found.left >= 0
    assert found.bottom <= rows
    assert found.right <= columns
    assert found == window if max(window.shape) > ROOM else max(found.shape) <= ROOM


class TestPane:
    @pytest.fixture
    def explorer(self, paths: dict[str, Path], wire: Wire) -> Iterator[ww.WeightExplorer]:
        explorer = ww.compare(paths)
        assert explorer.wait(TIMEOUT)
        yield explorer
        explorer.close()

    @staticmethod
    def figures(explorer: ww.WeightExplorer) -> list[bqplot.Figure]:
        return of_kind(having(explorer, "ww-pictures"), bqplot.Figure)[:3]

    def zoom(self, explorer: ww.WeightExplorer, window: Window) -> None:
        """What the browser sends of a zoom or a pan."""
        scales = self.figures(explorer)[0].marks[0].scales
        scales["x"].set_state({"min": float(window.left), "max": float(window.right)})
        scales["y"].set_state({"min": -float(window.bottom), "max": -float(window.top)})
        assert explorer.wait(TIMEOUT)

    def marks(self, explorer: ww.WeightExplorer) -> list[list[bqplot.Image]]:
        """For A, B and B − A the picture of everything and that of what is in sight."""
        return [[mark for mark in figure.marks if isinstance(mark, bqplot.Image)] for figure in self.figures(explorer)]

    def test_one_that_lasts_is_told(self, explorer: ww.WeightExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)
        monkeypatch.setattr("weight_widgets.worker.BETWEEN_REPORTS", 0.0)
        told: list[tuple[str, str]] = []
        explorer._state.observe(lambda change: told.append((change.new.reading, change.new.progress)), "status")
        self.zoom(explorer, Window(0, 1440, 0, 720))
        shares = [int(progress.split()[1]) for _, progress in told if progress]
        assert len(shares) > 2
        assert all(0 <= share <= 100 for share in shares)
        assert {reading for reading, progress in told if progress} == {"Reading dense · kernel …"}
        assert told[-1] == ("", "")

    def test_what_is_in_sight_is_drawn_sharp_over_the_rest(
        self, explorer: ww.WeightExplorer, paths: dict[str, Path]
    ) -> None:
        assert [close.visible for _, close in self.marks(explorer)] == [False] * 3
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        detail = explorer.heatmap.closeup
        assert detail is not None
        window = detail.window
        a, b = (stored(path, "dense", window) for path in paths.values())
        limit = detail.contrast.limit
        for (_, close), values in zip(self.marks(explorer), (a, b, b - a), strict=True):
            assert close.visible
            assert (close.x.tolist(), close.y.tolist()) == (
                [window.left, window.right],
                [-window.bottom, -window.top],
            )
            index = np.rint(values / limit * 127).astype(int) + 127
            shown = decode(close.image.value)[..., :3].astype(int)
            # B − A of float32 may round to the neighbouring colour.
            assert (np.abs(shown - DIVERGING[index]).sum(axis=2) > 12).sum() == 0
        assert "each cell is one weight" in having(explorer, "ww-layout").value

    def test_what_is_around_has_the_same_colours_for_the_same_values(self, explorer: ww.WeightExplorer) -> None:
        pictures = explorer.heatmap.result
        assert pictures is not None
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        detail = explorer.heatmap.closeup
        assert detail is not None
        assert detail.contrast.limit > pictures.contrast.limit
        for (whole, _), raster in zip(self.marks(explorer), pictures.contrast.rasters, strict=True):
            assert isinstance(raster, Raster)
            index = np.rint(raster.mean / detail.contrast.limit * 127).astype(int) + 127
            np.testing.assert_array_equal(decode(whole.image.value)[..., :3], DIVERGING[index])

    def test_the_crosshair_reads_what_is_in_sight(self, explorer: ww.WeightExplorer, paths: dict[str, Path]) -> None:
        crosshair = of_kind(explorer, Crosshair)[0]
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        rows, columns = crosshair.picture["rows"], crosshair.picture["columns"]
        assert rows["count"] == rows["cells"] <= 256
        window = Window(
            rows["start"],
            rows["start"] + rows["count"],
            columns["start"],
            columns["start"] + columns["count"],
        )
        for number, path in enumerate(paths.values()):
            raster = getattr(crosshair, f"raster_{number}")
            assert (raster["frame"], raster["planes"]) == (crosshair.picture["frame"], 1)
            values = np.frombuffer(raster["values"], "<f4").reshape(window.shape)
            np.testing.assert_array_equal(values, stored(path, "dense", window))

    def test_a_wide_view_says_how_many_weights_a_cell_has(self, explorer: ww.WeightExplorer) -> None:
        self.zoom(explorer, Window(0, 1440, 0, 720))
        assert "each cell is 10 × 5 weights" in having(explorer, "ww-layout").value

    def test_going_back_shows_everything(self, explorer: ww.WeightExplorer) -> None:
        before = [decode(whole.image.value) for whole, _ in self.marks(explorer)]
        said = having(explorer, "ww-layout").value
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        self.zoom(explorer, Window(0, 3000, 0, 1500))
        assert explorer.heatmap.window is None
        assert [close.visible for _, close in self.marks(explorer)] == [False] * 3
        assert having(explorer, "ww-layout").value == said
        for (whole, _), pixels in zip(self.marks(explorer), before, strict=True):
            np.testing.assert_array_equal(decode(whole.image.value), pixels)

    def test_a_small_pan_needs_nothing_new(self, explorer: ww.WeightExplorer) -> None:
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        detail = explorer.heatmap.detail
        self.zoom(explorer, Window(1010, 1110, 310, 390))
        assert explorer.heatmap.detail is detail
        self.zoom(explorer, Window(1400, 1500, 310, 390))
        assert explorer.heatmap.detail is not detail

    def test_another_model_is_seen_in_the_same_place(self, explorer: ww.WeightExplorer, paths: dict[str, Path]) -> None:
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        explorer.selection.reference = "b"
        assert explorer.wait(TIMEOUT)
        detail = explorer.heatmap.closeup
        assert detail is not None
        raster = detail.contrast.rasters[0]
        assert raster is not None
        np.testing.assert_array_equal(raster.mean, stored(paths["b"], "dense", detail.window))

    def test_another_layer_is_seen_as_a_whole(self, explorer: ww.WeightExplorer) -> None:
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        explorer.selection.layer = "small"
        assert explorer.wait(TIMEOUT)
        assert explorer.heatmap.closeup is None
        assert [close.visible for _, close in self.marks(explorer)] == [False] * 3

    @pytest.mark.parametrize("window", [Window(0, 256, 0, 256), Window(0, 1500, 0, 1400)], ids=["exact", "pooled"])
    def test_what_is_sent_is_small(self, window: Window, explorer: ww.WeightExplorer, wire: Wire) -> None:
        wire.sizes.clear()
        self.zoom(explorer, window)
        detail = explorer.heatmap.closeup
        assert detail is not None
        # Less than the values alone would mean that nothing was caught.
        assert sum(wire.sizes) > sum(4 * raster.mean.size for raster in detail.contrast.rasters if raster)
        assert sum(wire.sizes) <= 1 << 20
        assert max(wire.sizes) <= 300_000

    def test_nothing_piles_up(self, explorer: ww.WeightExplorer) -> None:
        self.zoom(explorer, Window(1000, 1100, 300, 380))
        before = widgets_alive()
        for step in range(1, 4):
            self.zoom(explorer, Window(1000 + 300 * step, 1100 + 300 * step, 300, 380))
        assert widgets_alive() == before


def test_a_file_that_was_rewritten_is_told_and_its_picture_goes(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.h5", {"dense": RNG.normal(size=(900, 900))})
    explorer = ww.compare(path)
    assert explorer.wait(TIMEOUT)
    explorer.heatmap.window = Window(0, 10, 0, 10)
    assert explorer.wait(TIMEOUT)
    assert explorer.heatmap.closeup is not None
    write_model(path, {"dense": RNG.normal(size=(900, 901))})
    explorer.heatmap.window = Window(500, 510, 500, 510)
    assert explorer.wait(TIMEOUT)
    assert explorer.heatmap.closeup is None
    problems = explorer._state.status.problems
    assert len(problems) == 1
    assert "the zoom could not be shown" in problems[0]
    assert "was rewritten" in problems[0]
    # With the view its problem goes.
    explorer.heatmap.window = None
    assert explorer._state.status.problems == ()
    explorer.close()
