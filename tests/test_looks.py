"""What the histogram, the table and the spectrum are given, against numpy and scipy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_layer import RNG, Save, never, normal, picked, saver, superseded, units
from scipy import stats
from seen import final

import weight_widgets as ww
from weight_widgets.state.looks import look_at_histograms, look_at_spectra, look_at_table, tables
from weight_widgets.state.selection import Pick
from weight_widgets.worker import Superseded


@pytest.fixture
def save(tmp_path: Path) -> Save:
    return saver(tmp_path)


LIMIT = math.sqrt(6 / (20 + 30))
DRAWN: dict[str, tuple[Any, Any]] = {
    "GlorotUniform": ("glorot_uniform", stats.uniform(-LIMIT, 2 * LIMIT)),
    "HeNormal": ("he_normal", stats.truncnorm(-2, 2, 0, math.sqrt(2 / 20) / stats.truncnorm(-2, 2).std())),
    "RandomNormal": (
        {"class_name": "RandomNormal", "config": {"mean": 0.5, "stddev": 0.25}},
        stats.norm(0.5, 0.25),
    ),
}


class TestHistograms:
    @pytest.mark.parametrize("clip", [0.0, 5.0])
    @pytest.mark.parametrize("name", DRAWN)
    def test_the_initial_curve_is_scipys(self, name: str, clip: float, save: Save) -> None:
        initializer, distribution = DRAWN[name]
        kernel = distribution.rvs((20, 30), random_state=3)
        kernel[0, :2] = np.nan, np.inf
        opened = {"a": save("Dense", {"kernel": kernel}, kernel_initializer=initializer)}
        look = final(look_at_histograms(opened, picked(opened), never, 40, clip))
        assert look.expected is not None
        found = look.expected.histogram
        np.testing.assert_array_equal(found.edges, look.curves[0].histogram.edges)
        np.testing.assert_allclose(found.counts, 598 * np.diff(distribution.cdf(found.edges)), atol=1e-9)
        initial = look.curves[0].initial
        assert initial is not None
        assert (initial.mean, initial.std) == pytest.approx((distribution.mean(), distribution.std()))

    def test_the_area_under_it_is_that_under_the_histogram(self, save: Save) -> None:
        kernel = RNG.uniform(-LIMIT, LIMIT, (20, 30))
        # The edges reach beyond all that the initializer gives.
        kernel[0, :2] = -2 * LIMIT, 3 * LIMIT
        opened = {"a": save("Dense", {"kernel": kernel})}
        look = final(look_at_histograms(opened, picked(opened), never, 64, 0.0))
        assert look.expected is not None
        areas = [
            float(np.sum(found.counts * np.diff(found.edges)))
            for found in (look.expected.histogram, look.curves[0].histogram)
        ]
        assert areas == pytest.approx([600 * 5 * LIMIT / 64] * 2)
        assert (look.expected.histogram.outside, look.curves[0].histogram.outside) == (0, 0)

    def test_of_a_class_that_is_not_known_there_is_none(self, save: Save) -> None:
        kernel = normal(4, 3)
        told = {
            "bias of another length": save("Dense", {"kernel": kernel, "bias": normal(4)}),
            "other units": save("Dense", {"kernel": kernel}, units=4),
            "another weight": save("Dense", {"kernel": kernel, "mask": kernel}),
            "Keras' own": save("Dense", {"kernel": kernel, "bias": normal(3)}),
        }
        curves = final(look_at_histograms(told, picked(told), never, 20, 0.0)).curves
        assert [curve.label for curve in curves if curve.initial is not None] == ["Keras' own"]
        table = ww.weights_table(told).query("tensor == 'kernel' and initializer != ''")
        assert [*table.checkpoint] == ["Keras' own"]

    def test_it_belongs_to_model_a_or_else_to_the_first_that_tells(self, save: Save) -> None:
        told = {label: save("Dense", {"kernel": normal(4, 3)}, kernel_initializer="he_normal") for label in "bc"}
        opened = {"a": ww.open_checkpoint({"layer/kernel": normal(4, 3)}), **told}

        def owner(ticked: str, reference: str) -> str | None:
            pick = Pick((*ticked,), reference, reference, "layer", "kernel", "")
            expected = final(look_at_histograms(opened, pick, never, 20, 0.0)).expected
            return expected and expected.label

        assert [owner("abc", reference) for reference in "abc"] == ["b", "b", "c"]
        assert owner("ab", "c") == "b"
        assert owner("a", "b") is None


class TestTables:
    @pytest.mark.parametrize(("most", "cut"), [(9, True), (10, True), (11, False), (12, False)])
    def test_only_one_with_more_rows_says_that_it_is_cut(
        self, most: int, cut: bool, save: Save, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = {"a": save("Dense", {"kernel": normal(2, 10)})}
        monkeypatch.setattr(tables, "MAX_ROWS", most)
        table = final(look_at_table(opened, picked(opened), never, "parts"))
        assert [row["part"] for row in table.rows] == ["", *units(10)][:most]
        assert table.cut is cut

    def test_the_rows_of_one_tensor_stand_together(self, save: Save) -> None:
        tensors = {"kernel": normal(2, 3), "bias": normal(3)}
        opened = {
            "a": save("Dense", tensors),
            "b": save("Dense", {"kernel": tensors["kernel"]}),
            "c": ww.open_checkpoint({"layer/kernel": normal(2, 3), "layer/bias": normal(3), "last/kernel": normal(4)}),
        }
        pick = Pick(("a", "b", "c"), "a", "b", "layer", "bias", "")
        rows = {}
        for scope in ("tensor", "layer", "model"):
            found = final(look_at_table(opened, pick, never, scope)).rows
            rows[scope] = [(row["layer"], row["tensor"], row["checkpoint"]) for row in found]
        kernels = [("layer", "kernel", label) for label in "abc"]
        biases = [("layer", "bias", label) for label in "ac"]
        assert rows == {
            "tensor": biases,
            "layer": [*kernels, *biases],
            "model": [*kernels, *biases, ("last", "kernel", "c")],
        }

    def test_a_picked_part_is_a_row_of_its_own(self, save: Save) -> None:
        kernel = normal(4, 3)
        opened = {"a": save("Dense", {"kernel": kernel})}
        (row,) = final(look_at_table(opened, picked(opened, part="unit 1"), never, "tensor")).rows
        assert row["part"] == "unit 1"
        assert row["l2"] == pytest.approx(np.linalg.norm(kernel[:, 1]))


class TestSpectra:
    def test_one_after_the_other_and_a_line_for_who_gives_none(self, save: Save) -> None:
        kernels = {label: normal(7, 4) for label in ("a", "b")}
        opened = {label: save("Dense", {"kernel": kernel}) for label, kernel in kernels.items()}
        opened["<c>"] = ww.open_checkpoint({"other/kernel": normal(3, 3)})
        opened["d"] = save("Dense", {"kernel": np.full((3, 3), np.nan)})
        told: list[str] = []
        look = look_at_spectra(opened, picked(opened), never, told.append)
        assert [label for label, _ in look.found] == ["a", "b", "d"]
        for label, found in look.found[:2]:
            values = np.linalg.svd(kernels[label], compute_uv=False)
            np.testing.assert_allclose(found.singular_values, values, rtol=1e-10)
        assert look.notes == ("<c> has no layer · kernel",)
        readings = [words for words in told if words.endswith(": reading")]
        assert readings == ["a (1 of 4): reading", "b (2 of 4): reading", "d (4 of 4): reading"]

    def test_of_a_part(self, save: Save) -> None:
        kernel = normal(5, 12)
        opened = {"a": save("LSTM", {"kernel": kernel})}
        ((_, found),) = look_at_spectra(opened, picked(opened, part="cell"), never, lambda _: None).found
        np.testing.assert_allclose(found.singular_values, np.linalg.svd(kernel[:, 6:9], compute_uv=False), rtol=1e-10)

    def test_nobody_waits_any_more(self, save: Save) -> None:
        opened = {"a": save("Dense", {"kernel": normal(4, 3)})}
        with pytest.raises(Superseded):
            look_at_spectra(opened, picked(opened), superseded, lambda _: None)
