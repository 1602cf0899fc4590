"""What the panes draw and send: pixels decoded independently, curves, tables, and the size of every message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bqplot
import h5py
import ipywidgets as widgets
import numpy as np
import pytest
from seen import (
    ATTRIBUTES,
    HOSTILE,
    TAGS,
    TIMEOUT,
    Page,
    Wire,
    decode,
    everything,
    grid_rows,
    having,
    hostile,
    of_kind,
    write_model,
)

import weight_widgets as ww
from weight_widgets.panes.axes import ticks
from weight_widgets.panes.crosshair import Crosshair
from weight_widgets.panes.hints import HINTS
from weight_widgets.panes.png import encode
from weight_widgets.panes.shades import DIVERGING
from weight_widgets.panes.shell import Shell
from weight_widgets.panes.style import (
    MODEL_COLOURS,
    count,
    models_by_label,
    number,
    percent,
    text,
)

BLUE, WHITE, RED = (tuple(DIVERGING[place].tolist()) for place in (0, 127, 254))
GREY = (0x80, 0x80, 0x80)
RNG = np.random.default_rng(11)


class TestPng:
    def test_ends_and_middle_of_the_palette(self) -> None:
        pixels = decode(encode(np.array([[-2.0, 0.0, 2.0], [-9.0, -0.0, 9.0]]), 2.0, DIVERGING))
        assert [tuple(pixel) for pixel in pixels.reshape(-1, 3).tolist()] == [BLUE, WHITE, RED, BLUE, WHITE, RED]

    def test_blue_is_negative_and_red_positive(self) -> None:
        negative, positive = decode(encode(np.array([[-0.5, 0.5]]), 1.0, DIVERGING))[0].astype(int)
        assert negative[2] > negative[0]
        assert positive[0] > positive[2]

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_what_is_no_number_is_grey_and_its_neighbours_are_not(self, value: float) -> None:
        pixels = decode(encode(np.array([[1.0, value, 1.0]]), 1.0, DIVERGING))
        assert [tuple(pixel) for pixel in pixels[0].tolist()] == [RED, GREY, RED]
        assert GREY not in {tuple(colour) for colour in DIVERGING.tolist()}

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 5), (256, 256)])
    def test_one_pixel_for_each_value_in_its_place(self, shape: tuple[int, int]) -> None:
        values = RNG.normal(size=shape)
        pixels = decode(encode(values, 3.0, DIVERGING))
        index = np.rint(np.clip(values / 3.0, -1, 1) * 127).astype(int) + 127
        np.testing.assert_array_equal(pixels[..., :3], DIVERGING[index])

    def test_equal_distances_from_zero_are_equally_far_from_white(self) -> None:
        values = np.linspace(0, 1, 50)[None]
        one, other = (
            decode(encode(sign * values, 1.0, np.repeat(np.arange(255)[:, None], 3, 1).astype("u1")))
            for sign in (1, -1)
        )
        np.testing.assert_array_equal(one[..., 0] - 127.0, 127.0 - other[..., 0])


class TestStyle:
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1.00"),
            (-0.012345, "−0.0123"),
            (1234.5, "1.23e3"),
            (1e-9, "1.00e-9".replace("-", "−")),
            (123.4, "123"),
            (float("nan"), "n/a"),
            (float("inf"), "Inf"),
            (float("-inf"), "−Inf"),
        ],
    )
    def test_numbers(self, value: float, words: str) -> None:
        assert number(value) == words

    def test_signs_counts_and_shares(self) -> None:
        assert number(0.5, sign=True) == "+0.500"
        assert count(1234567) == "1\u2009234\u2009567"
        assert percent(0.125) == "12.5 %"
        assert percent(float("nan")) == "n/a"

    def test_names_are_text(self) -> None:
        assert text("<b>&\"'\0") == "&lt;b&gt;&amp;&quot;&#x27;␀"

    def test_a_models_colour_goes_with_its_place(self) -> None:
        models = models_by_label(str(place) for place in range(9))
        assert [model.colour for model in models.values()] == [*MODEL_COLOURS, MODEL_COLOURS[0]]

    def test_models_that_look_alike_are_numbered(self) -> None:
        labels = ["caf\u00e9", "cafe\u0301", *(f"sweep_of_learning_rates_{seed}_with_dropout" for seed in "ab")]
        models = models_by_label(labels)
        assert list(models) == labels
        assert [model.name for model in models.values()][:2] == ["caf\u00e9", "caf\u00e9 (2)"]
        assert len({model.name for model in models.values()}) == len({model.short for model in models.values()}) == 4

    @pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 7.9), (0.0, 25088.0), (1e-9, 3e-9), (0.0, 3.0)])
    def test_ticks_are_few_round_and_inside(self, low: float, high: float) -> None:
        found = ticks(low, high)
        assert 2 <= len(found) <= 6
        assert ((found >= low - 1e-9 * (high - low)) & (found <= high + 1e-9 * (high - low))).all()
        np.testing.assert_allclose(np.diff(found), np.diff(found)[0])
        assert (ticks(low, high, whole=True) % 1 == 0).all()


class TestHistogramPane:
    @staticmethod
    def lines(explorer: ww.WeightExplorer) -> list[bqplot.Lines]:
        return having(explorer, "ww-histogram-figure").marks

    def test_draws_the_outline_of_the_bins(self, explore: Any) -> None:
        a, b = RNG.normal(size=(20, 30)).astype("f4"), RNG.normal(2, 1, size=(20, 30)).astype("f4")
        explorer = explore(a={"dense": a}, b={"dense": b})
        explorer.histogram.bins = 40
        assert explorer.wait(TIMEOUT)
        edges = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 41)
        for line, values, colour in zip(self.lines(explorer), (a, b), MODEL_COLOURS, strict=False):
            counts = np.histogram(values.astype("f8"), edges)[0]
            np.testing.assert_allclose(line.x, np.repeat(edges, 2)[1:-1], rtol=1e-6)
            np.testing.assert_array_equal(line.y, np.repeat(counts, 2))
            assert line.x.dtype == line.y.dtype == np.float32
            assert line.colors == [colour]
            assert line.visible

    def test_density_integrates_to_one(self, explore: Any) -> None:
        explorer = explore(a={"dense": RNG.normal(size=(30, 30))})
        explorer.histogram.density = True
        line = self.lines(explorer)[0]
        assert np.sum((line.x[1::2] - line.x[::2]) * line.y[::2]) == pytest.approx(1.0, rel=1e-5)

    def test_empty_bins_stay_on_a_logarithmic_axis(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.array([[0.0, 0.0, 0.0, 10.0]])})
        explorer.histogram.log = True
        line = self.lines(explorer)[0]
        assert (line.y > 0).all()
        assert line.y.max() == 3
        assert isinstance(line.scales["y"], bqplot.LogScale)
        assert line.scales["y"].min <= line.y.min()
        explorer.histogram.log = False
        assert not isinstance(line.scales["y"], bqplot.LogScale)
        assert line.y.min() == 0

    @pytest.mark.parametrize("lost", [(None, None), (3.0, 3.0)])
    def test_a_zoom_into_nothing_is_undone(self, lost: Any, explore: Any) -> None:
        explorer = explore(a={"dense": np.array([[0.0, 8.0]])})
        scale = self.lines(explorer)[0].scales["x"]
        scale.set_state({"min": lost[0], "max": lost[1]})
        assert (scale.min, scale.max) == (0.0, 8.0)
        (picture,) = {image.scales["x"] for image in TestHeatmapPane.pictures(explorer)}
        picture.set_state({"min": lost[0], "max": lost[1]})
        assert (picture.min, picture.max) == (0.0, 2.0)

    def test_who_is_not_ticked_is_not_drawn(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.ones((2, 2))}, b={"dense": np.ones((2, 2))})
        explorer.selection.checkpoints = ("b",)
        assert explorer.wait(TIMEOUT)
        assert [line.visible for line in self.lines(explorer)[:2]] == [False, True]

    def test_what_a_histogram_cannot_show_stands_beside_it(self, explore: Any) -> None:
        values = np.array([[0.0, -0.0, np.nan, np.inf, -np.inf, 1.0]], "f4")
        explorer = explore(a={"dense": values}, b={"dense": np.ones((1, 6))})
        page = Page(having(explorer, "ww-counts").value)
        assert page.rows == [
            ["", "zeros", "NaN", "Inf", "outside", "std", "÷ initial"],
            ["a", "2", "1", "2", "0", "0.471", "n/a"],
            ["b", "0", "0", "0", "0", "0", "n/a"],
        ]


class TestHeatmapPane:
    @staticmethod
    def pictures(explorer: ww.WeightExplorer) -> list[bqplot.Image]:
        figures = [having(explorer, f"ww-heatmap-{end}") for end in TestHeatmapPane.ends(explorer)]
        return [figure.marks[0] for figure in figures]

    @staticmethod
    def ends(explorer: ww.WeightExplorer) -> list[str]:
        names = {
            name.removeprefix("ww-heatmap-")
            for one in everything(explorer)
            for name in getattr(one, "_dom_classes", ())
            if name.startswith("ww-heatmap-")
        }
        return [next(name for name in names if name.endswith(f"-{end}")) for end in ("a", "b", "delta")]

    def test_a_b_and_the_difference_on_one_scale(self, explore: Any) -> None:
        a, b = RNG.normal(size=(5, 7)).astype("f4"), RNG.normal(size=(5, 7)).astype("f4")
        explorer = explore(a={"dense": a}, b={"dense": b})
        limit = explorer.heatmap.result.contrast.limit
        assert limit >= max(np.abs(a).max(), np.abs(b).max(), np.abs(b - a).max())
        for image, values in zip(self.pictures(explorer), (a, b, b - a), strict=True):
            index = np.rint(values.astype("f8") / limit * 127).astype(int) + 127
            np.testing.assert_array_equal(decode(image.image.value)[..., :3], DIVERGING[index])
            assert image.visible
            assert np.ptp(image.x) == 7
            assert np.ptp(image.y) == 5

    def test_nan_is_grey_and_said(self, explore: Any) -> None:
        a = np.ones((3, 3), "f4")
        a[1, 2] = np.nan
        explorer = explore(a={"dense": a}, b={"dense": np.ones((3, 3), "f4")})
        greys = [(decode(image.image.value) == GREY).all(axis=2) for image in self.pictures(explorer)]
        assert [grey.sum() for grey in greys] == [1, 0, 1]
        assert greys[0][1, 2]
        assert "NaN or Inf, 1 cells of A and 0 of B" in having(explorer, "ww-layout").value

    def test_models_of_different_width_keep_their_own_gates_and_are_seen_whole(self, tmp_path: Path) -> None:
        for label, units in (("small", 4), ("large", 8)):
            with h5py.File(tmp_path / f"{label}.h5", "w") as file:
                file.attrs["layer_names"] = ["lstm"]
                file["lstm/kernel"] = np.ones((3, 4 * units), "f4")
                file["lstm/recurrent_kernel"] = np.ones((units, 4 * units), "f4")
                file["lstm"].attrs["weight_names"] = ["kernel", "recurrent_kernel"]
        explorer = ww.compare(tmp_path / "small.h5", tmp_path / "large.h5")
        assert explorer.wait(TIMEOUT)
        figures = of_kind(having(explorer, "ww-pictures"), bqplot.Figure)
        lines = [set(np.asarray(figure.marks[-1].x).tolist()) for figure in figures[:2]]
        assert lines == [{4.0, 8.0, 12.0}, {8.0, 16.0, 24.0}]
        scale = figures[0].marks[0].scales["x"]
        assert (scale.min, scale.max) == (0.0, 32.0)
        crosshair = of_kind(explorer, Crosshair)[0]
        assert [getattr(crosshair, f"raster_{place}")["planes"] for place in range(3)] == [1, 0, 0]
        explorer.close()

    def test_the_view_stays_while_the_shape_does_and_never_leaves_the_picture(self, explore: Any) -> None:
        values = RNG.normal(size=(30, 40))
        explorer = explore(a={"dense": values, "tall": values.T}, b={"dense": values, "tall": values.T})
        scale = self.pictures(explorer)[0].scales["x"]
        scale.min, scale.max = 10.0, 20.0
        explorer.selection.other = "a"
        assert explorer.wait(TIMEOUT)
        assert (scale.min, scale.max) == (10.0, 20.0)
        # What a drag beyond the edge sends.
        scale.set_state({"min": 36.0, "max": 46.0})
        assert (scale.min, scale.max) == (30.0, 40.0)
        scale.set_state({"min": -3.0, "max": 7.0})
        assert (scale.min, scale.max) == (0.0, 10.0)
        scale.min, scale.max = -500.0, 700.0
        assert (scale.min, scale.max) == (0.0, 40.0)
        explorer.selection.layer = "tall"
        assert explorer.wait(TIMEOUT)
        assert (scale.min, scale.max) == (0.0, 30.0)

    def test_another_shape_is_seen_whole_at_once(self, explore: Any) -> None:
        explorer = explore(a={"dense": RNG.normal(size=(600, 600)), "other": RNG.normal(size=(300, 700))})
        windows: list[Any] = []
        explorer.heatmap.observe(lambda change: windows.append(change.new), "window")
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert windows == []

    def test_pooling_is_said(self, explore: Any) -> None:
        explorer = explore(a={"dense": RNG.normal(size=(600, 600))}, b={"dense": RNG.normal(size=(600, 600))})
        rows, columns = decode(self.pictures(explorer)[0].image.value).shape[:2]
        assert max(rows, columns) <= 256
        said = having(explorer, "ww-layout").value
        assert f"{rows} × {columns} cells" in said
        assert "600 × 600: input (rows) × unit (columns)" in said

    def test_a_missing_one_is_not_drawn(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.ones((2, 2))}, b={"other": np.ones(3)})
        assert [image.visible for image in self.pictures(explorer)] == [True, False, False]
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert [image.visible for image in self.pictures(explorer)] == [False, True, False]

    @pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (3, 3, 2, 4), (2, 2, 2, 2, 3)])
    def test_every_rank_is_drawn_without_a_problem(self, shape: tuple[int, ...], explore: Any) -> None:
        values = np.asarray(RNG.normal(size=shape))
        explorer = explore(a={"layer": values}, b={"layer": values})
        assert explorer._state.status.problems == ()
        image = self.pictures(explorer)[0]
        assert image.visible is bool(values.size)
        if values.size:
            assert decode(image.image.value)[..., 0].size == values.size


class TestTable:
    def test_numbers_are_numpys(self, explore: Any) -> None:
        values = RNG.normal(size=(40, 30)).astype("f4")
        values[0] = 0
        explorer = explore(a={"dense": values}, b={"dense": np.array([[np.nan, np.inf]])})
        cells, second = grid_rows(explorer)
        exact = values.astype("f8")
        assert cells["shape"] == "40 × 30"
        assert cells["dtype"] == "float32"
        assert cells["parameters"] == "1\u2009200"
        assert cells["sparsity"] == "2.50 %"
        expected = {
            "mean": exact.mean(),
            "std": exact.std(),
            "min": exact.min(),
            "max": exact.max(),
            "L2 norm": np.linalg.norm(exact),
        }
        for column, value in expected.items():
            assert float(cells[column].replace("−", "-")) == pytest.approx(value, rel=5e-3)
        assert (second["mean"], second["NaN"], second["Inf"]) == ("n/a", "1", "1")

    def test_nobody_has_it(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.ones((2, 2))}, b={"other": np.ones(3)})
        explorer.selection.checkpoints = ("b",)
        assert explorer.wait(TIMEOUT)
        assert grid_rows(explorer) == []
        assert "No ticked model has this tensor" in having(explorer, "ww-table").empty


def test_hostile_names_stay_text_and_can_all_be_chosen(wire: Wire) -> None:
    explorer = ww.compare(*(hostile(name, np.ones((2, place + 1))) for place, name in enumerate(HOSTILE)))
    assert explorer.wait(TIMEOUT)
    for trait in ("layer", "reference"):
        chooser = having(explorer, f"ww-choose-{trait}")
        labels = [label for label, _ in chooser.options]
        assert len(set(labels)) == len(HOSTILE)
        assert all(label.isprintable() and len(label) < 100 for label in labels)
        for index, name in enumerate(HOSTILE):
            chooser.index = index
            assert getattr(explorer.selection, trait) == name
    explorer.selection.other = HOSTILE[0]
    for name in HOSTILE:
        explorer.selection.layer = name
        assert explorer.wait(TIMEOUT)
        pages = [Page(one.value) for one in of_kind(explorer, widgets.HTML)]
        assert set().union(*(page.tags for page in pages)) <= TAGS
        assert set().union(*(page.attributes for page in pages)) <= ATTRIBUTES
        assert sum(HOSTILE[0] in page.text for page in pages) >= 3
    # Hosts typeset what stands between dollars beside a tick.
    assert not any("$" in tick.description or "\\" in tick.description for tick in of_kind(explorer, widgets.Checkbox))
    assert wire.sizes
    assert max(wire.sizes) <= 300_000
    # ipywidgets has an invisible placeholder of its own.
    sent = wire.seen.replace('"placeholder": "\u200b"', "")
    assert {char for char in sent if not char.isprintable()} == set()
    explorer.close()


class TestRemarks:
    @pytest.fixture
    def remark(self, tmp_path: Path) -> Any:
        """A function that gives the remark on a file with so many links, which are not followed; None without one."""
        made: list[ww.WeightExplorer] = []

        def remark(links: int, optimizer: int = 0, notes: Sequence[str] = ()) -> Page | None:
            path = write_model(tmp_path / "<b>.h5", {"dense": np.ones((2, 2))})
            with h5py.File(path, "a") as file:
                for number in range(links):
                    file[f"<i>{number}"] = h5py.SoftLink("/dense")
                for number in range(optimizer):
                    file[f"optimizer_weights/{number}"] = np.ones(3)
            checkpoint = ww.open_checkpoint(path)
            checkpoint.notes = tuple(notes)
            made.append(ww.compare(checkpoint))
            found = [
                one for one in everything(made[-1]) if "ww-remark" in getattr(one, "_dom_classes", ()) and one.value
            ]
            return Page(found[0].value) if found else None

        yield remark
        for explorer in made:
            explorer.close()

    def test_none_where_nothing_is_to_be_said(self, remark: Any) -> None:
        assert remark(0, optimizer=2) is None

    def test_each_path_with_its_reason(self, remark: Any) -> None:
        page = remark(1)
        assert page.text == "<b>: 1 thing left out/<i>0 a link; links are not followed"
        assert page.tags == {"details", "summary", "span", "ul", "li", "b"}

    def test_remarks_and_the_optimizer(self, remark: Any) -> None:
        page = remark(0, optimizer=14, notes=["The file holds <fewer> weights than its configuration says."])
        assert page.text == (
            "<b>: 1 remarkThe file holds <fewer> weights than its configuration says."
            "Optimizer state, kept apart: 14 tensors"
        )

    def test_a_long_list_is_cut(self, remark: Any) -> None:
        page = remark(1512, notes=["One.", "Two."])
        assert page.text.startswith("<b>: 2 remarks, 1\u2009512 things left outOne.Two.")
        assert page.text.endswith("followedand 1\u2009312 more")
        assert page.text.count("links are not followed") == 200


def test_the_table_says_what_the_file_holds(explore: Any) -> None:
    explorer = explore(a={"dense": np.ones((2, 2), "f4")})
    checkpoint = explorer.checkpoints["a"]
    tensor = checkpoint["dense"]["kernel"]

    def dtype(**stored: Any) -> str:
        layer = replace(checkpoint["dense"], tensors={"kernel": replace(tensor, **stored)})
        checkpoint.layers = {"dense": layer}
        explorer.selection.checkpoints = ()
        explorer.selection.checkpoints = ("a",)
        assert explorer.wait(TIMEOUT)
        return grid_rows(explorer)[0]["dtype"]

    assert dtype() == "float32"
    assert dtype(stored="bfloat16") == "bfloat16"
    assert dtype(stored="int8", codes=tensor) == "int8, dequantised"


SIZES = {
    "exact": ((256, 256), "f4"),
    "square": ((1000, 1000), "f4"),
    "tall": ((25088, 64), "f4"),
    "wide": ((64, 5000), "f4"),
    "double": ((300, 300), "f8"),
    "kernel": ((3, 3, 64, 100), "f4"),
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wire")
    return [
        write_model(
            folder / f"model_{place}.h5",
            {name: RNG.standard_normal(shape, dtype="f4").astype(dtype) for name, (shape, dtype) in SIZES.items()},
        )
        for place in range(4)
    ]


class TestWire:
    @pytest.mark.parametrize("layer", SIZES)
    def test_a_pick_is_small(self, layer: str, paths: list[Path], wire: Wire) -> None:
        explorer = ww.compare(*paths)
        explorer.histogram.bins = 500
        explorer.selection.layer = next(name for name in SIZES if name != layer)
        assert explorer.wait(TIMEOUT)
        wire.sizes.clear()
        explorer.selection.layer = layer
        assert explorer.wait(TIMEOUT)
        assert explorer._state.status.problems == ()
        assert {pane.result.pick.layer for pane in (explorer.histogram, explorer.heatmap, explorer.table)} == {layer}
        # Less than the rasters alone would mean that nothing was caught.
        rasters = explorer.heatmap.result.contrast.rasters
        assert sum(wire.sizes) > sum(4 * raster.mean.size for raster in rasters)
        assert sum(wire.sizes) <= 1 << 20
        assert max(wire.sizes) <= 300_000
        explorer.close()

    def test_a_picture_that_is_replaced_is_closed(self, paths: list[Path], wire: Wire) -> None:
        """Otherwise each pick would leave three images behind in the page."""
        explorer = ww.compare(*paths)
        assert explorer.wait(TIMEOUT)
        images = [one.image for one in of_kind(explorer, bqplot.Image)]
        explorer.selection.layer = "double"
        assert explorer.wait(TIMEOUT)
        fresh = [one.image for one in of_kind(explorer, bqplot.Image)]
        replaced = [old for old, new in zip(images, fresh, strict=True) if old is not new]
        assert len(replaced) == 3
        assert all(image.comm is None for image in replaced)
        explorer.close()


CONTROLS = (
    widgets.Dropdown,
    widgets.Checkbox,
    widgets.Text,
    widgets.IntText,
    widgets.BoundedIntText,
    widgets.FloatText,
)


def test_every_control_has_a_hint_and_every_hint_a_control(explore: Any, tmp_path: Path) -> None:
    explorer = explore(a={"dense": np.ones((2, 2))}, b={"dense": np.ones((2, 2))})
    picker = ww.CheckpointPicker(tmp_path, ww.compare, ww.demo)

    def hints(widget: widgets.Widget, above: tuple[str, ...] = ()) -> Iterator[tuple[widgets.Widget, list[str]]]:
        """Each control with the classes that tell its hint, as the page finds them: its own, or around it."""
        classes = (*above, *getattr(widget, "_dom_classes", ()))
        if isinstance(widget, CONTROLS):
            yield widget, [name for name in classes if name in HINTS]
        for child in getattr(widget, "children", ()):
            yield from hints(child, classes)

    for name in ("parts", "comparison", "scatter", "spectrum", "findings"):
        getattr(explorer, name).shown = True
    assert explorer.wait(TIMEOUT)
    found = dict(hints(explorer))
    assert [widget for widget, names in found.items() if len(names) != 1] == []
    named = {name for names in [*found.values(), *dict(hints(picker)).values()] for name in names}
    assert named == HINTS.keys()
    assert {shell.hints == HINTS for shell in of_kind(explorer, Shell)} == {True}
    picker.close()
