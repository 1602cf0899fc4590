"""The panes that compare B with A tensor by tensor and weight by weight: what they show, choose and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bqplot
import h5py
import ipywidgets as widgets
import numpy as np
import pytest
from scipy import stats
from seen import HOSTILE, TIMEOUT, Page, Wire, decode, grid_rows, having, hostile, of_kind

import weight_widgets as ww
from weight_widgets.panes.shades import DENSITY

RNG = np.random.default_rng(5)
MODELS = ("digits_baseline", "digits_finetuned")


@pytest.fixture
def digits(models: Path) -> Iterator[ww.WeightExplorer]:
    explorer = ww.compare(*(models / f"{name}.h5" for name in MODELS))
    explorer.comparison.shown = explorer.scatter.shown = True
    assert explorer.wait(TIMEOUT)
    yield explorer
    explorer.close()


def stored(path: Path) -> dict[str, np.ndarray]:
    """Every weight by layer and name, as h5py reads it."""
    found: dict[str, np.ndarray] = {}

    def take(at: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            steps = at.split("/")
            found[f"{steps[0]} · {steps[-1]}"] = item[()]

    with h5py.File(path) as file:
        file["model_weights"].visititems(take)
    return found


def rows(explorer: ww.WeightExplorer) -> list[dict[str, str]]:
    return grid_rows(explorer, "ww-compare-table")


def points(explorer: ww.WeightExplorer) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By colour; the ring around what is chosen is red."""
    marks = having(explorer, "ww-change-map").marks
    return {mark.colors[0]: (mark.x, mark.y) for mark in marks}


RING, KERNELS, OTHERS, EQUAL, NEVER = "#d1495b", "#1f77b4", "#8a8f98", "#2b9a66", "#c3871e"


class TestComparePane:
    def test_numbers_are_numpys(self, digits: ww.WeightExplorer, models: Path) -> None:
        a, b = (stored(models / f"{name}.h5") for name in MODELS)
        shown = rows(digits)
        assert {row["weight"] for row in shown} == a.keys()
        for row in shown:
            one, other = (side[row["weight"]].astype(np.float64).ravel() for side in (a, b))
            change = np.linalg.norm(other - one) / np.linalg.norm(one)
            assert row["status"] == ("same" if (one == other).all() else "changed")
            assert float(row["relative change"]) == pytest.approx(change, rel=5.1e-3)
            cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
            assert float(row["cosine"].replace("−", "-")) == pytest.approx(cosine, abs=5.1e-3)
            largest = np.abs(other - one).max()
            assert float(row["largest |B − A|"].replace("e−", "e-")) == pytest.approx(largest, rel=5.1e-3)

    def test_a_row_chooses_its_tensor_and_the_choice_its_row(self, digits: ww.WeightExplorer) -> None:
        grid = having(digits, "ww-compare-table")
        names = [row["weight"] for row in rows(digits)]
        grid.selected = names.index("dense_1 · bias")
        assert (digits.selection.layer, digits.selection.tensor) == ("dense_1", "bias")
        digits.selection.layer, digits.selection.tensor = "conv_2", "kernel"
        assert names[grid.selected] == "conv_2 · kernel"
        assert points(digits)[RING][0].tolist() == [names.index("conv_2 · kernel")]

    def test_rows_of_one_status(self, digits: ww.WeightExplorer) -> None:
        status = having(digits, "ww-set-status")
        everything = rows(digits)
        assert [value for _, value in status.options] == ["", "same", "changed"]
        status.value = "same"
        assert digits.comparison.status == "same"
        assert rows(digits) == [row for row in everything if row["status"] == "same"]
        assert {row["weight"].split(" · ")[0] for row in rows(digits)} == {"conv_1", "norm_1"}
        grid = having(digits, "ww-compare-table")
        grid.selected = 1
        assert f"{digits.selection.layer} · {digits.selection.tensor}" == rows(digits)[1]["weight"]

    def test_the_map_has_every_tensor_where_its_change_is(self, digits: ww.WeightExplorer, models: Path) -> None:
        a, b = (stored(models / f"{name}.h5") for name in MODELS)
        names = [row["weight"] for row in rows(digits)]
        found = points(digits)
        drawn = np.concatenate([found[colour][0] for colour in (KERNELS, OTHERS, EQUAL, NEVER)])
        assert sorted(drawn.tolist()) == [*range(len(names))]
        assert {names[int(place)] for place in found[KERNELS][0]} == {
            name for name in names if name.endswith("kernel") and (a[name] != b[name]).any()
        }
        assert {names[int(place)] for place in found[EQUAL][0]} == {
            name for name in names if (a[name] == b[name]).all()
        }
        for colour in (KERNELS, OTHERS):
            for place, height in zip(*found[colour], strict=True):
                one, other = (side[names[int(place)]].astype(np.float64) for side in (a, b))
                assert height == pytest.approx(np.linalg.norm(other - one) / np.linalg.norm(one), rel=1e-5)
        assert found[EQUAL][1].max() < min(found[KERNELS][1].min(), found[OTHERS][1].min())
        legend = Page(having(digits, "ww-compare").children[1].children[1].value).text
        assert f"{len(found[EQUAL][0])} equal, bit by bit" in legend

    def test_a_click_on_a_point_chooses_its_tensor(self, digits: ww.WeightExplorer) -> None:
        names = [row["weight"] for row in rows(digits)]
        kernels = next(mark for mark in having(digits, "ww-change-map").marks if mark.colors == [KERNELS])
        place = int(kernels.x[1])
        kernels._handle_custom_msgs(None, {"event": "element_click", "data": {"index": 1}}, None)
        assert f"{digits.selection.layer} · {digits.selection.tensor}" == names[place]

    def test_what_is_never_compared_is_called_out(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.eye(4), "gone": np.ones((3, 3, 3))}, b={"dense": 2 * np.eye(4)})
        explorer.comparison.shown = True
        assert explorer.wait(TIMEOUT)
        assert [(row["weight"], row["status"]) for row in rows(explorer)] == [
            ("dense · kernel", "changed"),
            ("gone · kernel", "removed"),
        ]
        assert points(explorer)[NEVER][0].tolist() == [1]
        assert rows(explorer)[1]["relative change"] == "n/a"

    def test_a_pair_by_hand(self, explore: Any) -> None:
        kernels = {name: RNG.normal(size=(6, 6)) for name in ("left", "right")}
        explorer = explore(a=kernels, b={"left": kernels["right"], "right": kernels["left"]})
        explorer.comparison.shown = True
        explorer.selection.layer = "left"
        assert explorer.wait(TIMEOUT)
        pane = having(explorer, "ww-compare")
        buttons = {one.description: one for one in of_kind(pane, widgets.Button)}
        opposite = having(pane, "ww-choose-opposite")
        assert opposite.value == explorer.alignment["b"].rows[0].b
        opposite.value = ("right", "kernel")
        buttons["Pair"].click()
        assert explorer.wait(TIMEOUT)
        (row,) = [row for row in rows(explorer) if row["weight"] == "left · kernel"]
        assert (row["status"], row["opposite in B"]) == ("same", "right · kernel (paired by hand)")
        raster = explorer.heatmap.result.contrast.rasters[1]
        np.testing.assert_allclose(raster.mean, kernels["left"], rtol=1e-6)
        buttons["Unpair"].click()
        assert explorer.wait(TIMEOUT)
        assert "removed" in {row["status"] for row in rows(explorer)}
        buttons["Align anew"].click()
        assert explorer.wait(TIMEOUT)
        assert {row["opposite in B"] for row in rows(explorer)} == {"the same name"}

    def test_whole_layers_are_paired_and_unpaired(self, models: Path) -> None:
        explorer = ww.compare(models / "sequence_lstm.h5", models / "sequence_lstm_dropout.h5")
        explorer.comparison.shown = True
        explorer.selection.layer, explorer.selection.tensor = "lstm_1", "bias"
        assert explorer.wait(TIMEOUT)
        pane = having(explorer, "ww-compare")
        buttons = {one.description: one for one in of_kind(pane, widgets.Button)}
        (whole,) = of_kind(pane, widgets.Checkbox)
        whole.value = True
        buttons["Unpair"].click()
        assert explorer.wait(TIMEOUT)
        (label,) = explorer.alignment
        alone = {row.a for row in explorer.alignment[label] if row.a and not row.b}
        assert alone == {("lstm_1", name) for name in ("kernel", "recurrent_kernel", "bias")}
        assert "lstm_1 (sequence_lstm_dropout)" in explorer.selection.layers
        having(pane, "ww-choose-opposite").value = ("lstm_1", "bias")
        buttons["Pair"].click()
        assert explorer.wait(TIMEOUT)
        assert {row.reason for row in explorer.alignment[label] if row.a and row.a[0] == "lstm_1"} == {"user"}
        assert explorer.verdicts[label].coverage == 1
        explorer.close()

    def test_what_is_equal_in_value_alone_is_told(self, explore: Any) -> None:
        values = np.arange(12.0).reshape(3, 4).astype("f4")
        explorer = explore(a={"dense": values}, b={"dense": values.astype("f8")})
        explorer.comparison.shown = True
        assert explorer.wait(TIMEOUT)
        legend = Page(having(explorer, "ww-compare").children[1].children[1].value).text
        assert "1 equal, some of them in value and not bit by bit" in legend

    def test_what_only_b_has_can_be_chosen_and_paired(self, explore: Any) -> None:
        explorer = explore(a={"dense": np.eye(4)}, b={"dense": np.eye(4), "more": np.ones((2, 3, 4))})
        explorer.comparison.shown = True
        assert explorer.wait(TIMEOUT)
        having(explorer, "ww-compare-table").selected = 1
        assert explorer.selection.layer == "more"
        pane = having(explorer, "ww-compare")
        having(pane, "ww-choose-opposite").value = ("dense", "kernel")
        next(one for one in of_kind(pane, widgets.Button) if one.description == "Pair").click()
        assert explorer.wait(TIMEOUT)
        assert rows(explorer)[0]["status"] == "reshaped"
        assert rows(explorer)[0]["shape"] == "4 × 4 → 2 × 3 × 4"

    def test_a_model_and_itself(self, digits: ww.WeightExplorer) -> None:
        digits.selection.other = "digits_baseline"
        assert digits.wait(TIMEOUT)
        pane = having(digits, "ww-compare")
        assert of_kind(pane, bqplot.Figure) == []
        assert "the same model" in Page(of_kind(pane, widgets.HTML)[-1].value).text

    def test_hostile_names_stay_text(self, wire: Wire) -> None:
        explorer = ww.compare(*(hostile(label, RNG.normal(size=(30, 20))) for label in HOSTILE[:2]))
        explorer.comparison.shown = explorer.scatter.shown = True
        assert explorer.wait(TIMEOUT)
        for name in HOSTILE:
            explorer.selection.layer = name
        assert explorer.wait(TIMEOUT)
        pages = [Page(one.value) for one in of_kind(having(explorer, "ww-compare"), widgets.HTML)]
        assert set().union(*(page.tags for page in pages)) <= {"h3", "span", "b"}
        assert {char for char in wire.seen if not char.isprintable()} <= {"\u200b"}
        explorer.close()

    def test_messages_of_many_tensors_stay_small(self, explore: Any, wire: Wire) -> None:
        def many(scale: float) -> Mapping[str, np.ndarray]:
            return {f"a_layer_with_a_long_name_{'x' * 30}_{place}": scale * np.eye(3) for place in range(1500)}

        explorer = explore(a=many(1.0), b=many(2.0))
        explorer.comparison.shown = True
        assert explorer.wait(TIMEOUT)
        assert len(rows(explorer)) == 1000
        assert "The first 1" in Page(of_kind(having(explorer, "ww-compare"), widgets.HTML)[-1].value).text
        assert max(wire.sizes) <= 300_000


class TestScatterPane:
    def test_counts_are_numpys(self, digits: ww.WeightExplorer, models: Path) -> None:
        digits.selection.layer = "dense_1"
        assert digits.wait(TIMEOUT)
        one, other = (stored(models / f"{name}.h5")["dense_1 · kernel"].astype(np.float64) for name in MODELS)
        low, high = min(one.min(), other.min()), max(one.max(), other.max())
        expected, *_ = np.histogram2d(one.ravel(), other.ravel(), 128, ((low, high), (low, high)))
        joint = digits.scatter.result.found.joint
        assert joint.span_a == joint.span_b == pytest.approx((low, high))
        # A value that rounding puts on the other side of an edge may be one cell off.
        assert np.abs(joint.counts - expected).sum() <= 0.001 * one.size
        text = Page(of_kind(having(digits, "ww-scatter"), widgets.HTML)[-1].value)
        said = {row[0]: row[1] for row in text.rows}
        assert float(said["Pearson's correlation"]) == pytest.approx(
            stats.pearsonr(one.ravel(), other.ravel()).statistic, abs=5.1e-4
        )

    def test_the_picture_has_a_to_the_right_and_b_upwards(self, explore: Any) -> None:
        values = np.linspace(0, 1, 200).reshape(10, 20)
        explorer = explore(a={"dense": values}, b={"dense": values / 2})
        explorer.scatter.shown = True
        assert explorer.wait(TIMEOUT)
        (image,) = of_kind(having(explorer, "ww-scatter"), bqplot.Image)
        counts = explorer.scatter.result.found.joint.counts
        assert image.x.tolist() == image.y.tolist() == [0.0, 1.0]
        palette = {tuple(colour) for colour in DENSITY.tolist()}
        png = bytes(image.image.value)
        assert b"tRNS" in png
        pixels = decode(png, transparent=True)
        filled = np.array([[tuple(pixel) in palette for pixel in line] for line in pixels.tolist()])
        np.testing.assert_array_equal(filled, counts.T[::-1] > 0)
        lower_right = filled[64:, 64:].any()
        assert lower_right
        assert not filled[:63].any()

    def test_nan_and_infinity_are_said(self, explore: Any) -> None:
        values = RNG.normal(size=(20, 20))
        broken = values.copy()
        broken[0, :3] = np.nan, np.inf, -np.inf
        explorer = explore(a={"dense": values}, b={"dense": broken})
        explorer.scatter.shown = True
        assert explorer.wait(TIMEOUT)
        assert explorer.scatter.result.found.joint.counts.sum() == 397
        assert "3 pairs hold NaN or Inf" in Page(of_kind(having(explorer, "ww-scatter"), widgets.HTML)[-1].value).text

    @pytest.mark.parametrize(
        ("b", "why"),
        [
            ({"dense": np.ones((3, 5))}, "The shapes differ: 4 × 5 and 3 × 5"),
            ({"other": np.ones((3, 3, 3))}, "b has no dense · kernel"),
        ],
    )
    def test_why_there_is_none(self, b: Mapping[str, np.ndarray], why: str, explore: Any) -> None:
        explorer = explore(a={"dense": np.ones((4, 5))}, b=b)
        explorer.scatter.shown = True
        assert explorer.wait(TIMEOUT)
        pane = having(explorer, "ww-scatter")
        assert of_kind(pane, bqplot.Figure) == []
        assert why in Page(of_kind(pane, widgets.HTML)[-1].value).text

    @pytest.mark.parametrize("values", [np.float32(3), np.zeros((0, 3)), np.full((3, 3), np.nan), np.zeros((4, 4))])
    def test_odd_tensors(self, values: np.ndarray, explore: Any) -> None:
        explorer = explore(a={"dense": np.asarray(values)}, b={"dense": np.asarray(values)})
        explorer.scatter.shown = True
        assert explorer.wait(TIMEOUT)
        assert explorer._state.status.problems == ()

    def test_follows_parts(self, models: Path) -> None:
        explorer = ww.compare(models / "sequence_lstm.h5", models / "sequence_lstm_dropout.h5")
        explorer.scatter.shown = True
        explorer.selection.layer, explorer.selection.part = "lstm_1", "forget"
        assert explorer.wait(TIMEOUT)
        tensor = explorer.checkpoints["sequence_lstm"]["lstm_1"]["kernel"]
        assert explorer.scatter.result.found.joint.counts.sum() == tensor.size // 4
        explorer.close()
