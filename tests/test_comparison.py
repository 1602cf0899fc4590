"""Several arrays on common ground: shared edges, shared colour limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.comparison import contrast, overlay
from weight_widgets.analysis.runs import Runs
from weight_widgets.analysis.summary import summarise_values
from weight_widgets.errors import InputError

RNG = np.random.default_rng(7)


def values_of(array: np.ndarray) -> Runs:
    return summarise_values(array).values


class TestOverlay:
    def test_counts_are_numpys_on_the_joint_range(self) -> None:
        a, b = RNG.normal(size=(40, 30)).astype("f4"), RNG.normal(2, 3, size=500)
        found = overlay({"a": values_of(a), "b": values_of(b)}, bins=50)
        edges = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 51)
        for name, values in (("a", a), ("b", b)):
            np.testing.assert_array_equal(found[name].edges, edges)
            np.testing.assert_array_equal(found[name].counts, np.histogram(values.astype("f8"), edges)[0])
            assert found[name].outside == 0

    @pytest.mark.parametrize("clip", [0.1, 1.0, 5.0])
    def test_a_clipped_range_counts_what_it_leaves_out(self, clip: float) -> None:
        a, b = RNG.normal(size=3000), RNG.normal(1, 2, size=4000)
        found = overlay({"a": values_of(a), "b": values_of(b)}, bins=20, clip=clip)
        ends = np.percentile(a, [clip, 100 - clip]), np.percentile(b, [clip, 100 - clip])
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        assert found["a"].edges[[0, -1]].tolist() == pytest.approx([low, high])
        for name, values in (("a", a), ("b", b)):
            assert found[name].outside == np.count_nonzero((values < low) | (values > high))
            assert found[name].counts.sum() + found[name].outside == values.size
        assert found["b"].outside > 0

    def test_one_wild_value_does_not_squeeze_a_clipped_histogram(self) -> None:
        values = np.append(RNG.normal(size=5000), 1e6)
        assert overlay({"a": values_of(values)}, bins=10, clip=0.1)["a"].edges[-1] < 10

    @pytest.mark.parametrize(
        "values", [np.empty(0), np.full(4, np.nan), np.array([np.inf, -np.inf])], ids=["empty", "NaN", "Inf"]
    )
    @pytest.mark.parametrize("clip", [0.0, 1.0])
    def test_without_a_finite_value(self, values: np.ndarray, clip: float) -> None:
        found = overlay({"a": values_of(values)}, bins=10, clip=clip)["a"]
        assert np.isfinite(found.edges).all()
        assert found.counts.sum() == found.outside == 0

    def test_a_range_that_float64_cannot_measure_is_refused_in_words(self) -> None:
        with pytest.raises(InputError, match=r"from -1\.7e\+308 to 1\.7e\+308, which is wider"):
            overlay({"a": values_of(np.array([1.7e308, -1.7e308, 1.0]))}, 10)

    def test_nothing_ticked(self) -> None:
        assert overlay({}, bins=10) == {}

    def test_an_empty_one_takes_the_others_edges(self) -> None:
        found = overlay({"a": values_of(np.full(3, np.nan)), "b": values_of(np.array([1.0, 2.0]))}, bins=10)
        assert found["a"].edges[[0, -1]].tolist() == [1.0, 2.0]


def limit_of(*arrays_: np.ndarray) -> float:
    return max(float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in arrays_)


class TestContrast:
    @given(
        array_shapes(min_dims=2, max_dims=2, max_side=8).flatmap(
            lambda shape: st.tuples(*[arrays("f4", shape, elements=st.floats(-(2**60), 2**60, width=32))] * 2)
        )
    )
    def test_the_three_pictures_and_their_limit(self, pair: tuple[np.ndarray, np.ndarray]) -> None:
        a, b = pair
        found = contrast(a, b)
        expected = a, b, b - a
        for raster, values in zip(found.rasters, expected, strict=True):
            assert raster is not None
            np.testing.assert_array_equal(raster.mean, values)
        reach = limit_of(*expected)
        assert found.limit >= reach * (1 - 1e-9)
        assert found.limit <= reach * 1.11 or reach == 0

    def test_all_zero_has_a_limit_to_divide_by(self) -> None:
        assert contrast(np.zeros((2, 2)), np.zeros((2, 2))).limit == 1.0

    @pytest.mark.parametrize("value", [5e-324, 1e-310, 1e-300, 1e-45, 1e300, 1.7e308])
    def test_the_limit_is_a_positive_number_for_values_of_any_size(self, value: float) -> None:
        limit = contrast(np.array([[value]]), np.array([[value]])).limit
        assert np.isfinite(limit)
        assert limit >= value * (1 - 1e-9)

    @pytest.mark.parametrize("dtype", ["float16", "uint8", "int8", "bool", "int64"])
    def test_the_difference_does_not_wrap(self, dtype: str) -> None:
        a, b = np.array([[1, 0, 100]]).astype(dtype), np.array([[0, 1, 3]]).astype(dtype)
        raster = contrast(a, b).rasters[2]
        assert raster is not None
        np.testing.assert_array_equal(raster.mean, b.astype("f8") - a.astype("f8"))

    def test_half_precision_difference_does_not_overflow(self) -> None:
        a, b = np.full((1, 1), -60000, "f2"), np.full((1, 1), 60000, "f2")
        raster = contrast(a, b).rasters[2]
        assert raster is not None
        assert raster.mean[0, 0] == float(b[0, 0]) - float(a[0, 0])

    def test_a_difference_of_infinities_is_not_shown_as_a_number(self) -> None:
        a = np.array([[np.inf, np.inf, 1.0, np.nan]])
        b = np.array([[np.inf, 1.0, np.inf, 1.0]])
        raster = contrast(a, b).rasters[2]
        assert raster is not None
        assert not np.isfinite(raster.mean).any()
        assert contrast(a, b).limit == 1.0

    def test_other_shapes_have_no_difference(self) -> None:
        found = contrast(np.ones((2, 2)), np.full((3, 2), 5.0))
        assert found.rasters[2] is None
        assert found.limit == 5.0

    def test_what_is_not_there_is_none(self) -> None:
        assert contrast(None, np.ones((2, 2))).rasters[::2] == (None, None)
        assert contrast(None, None).rasters == (None, None, None)
        assert contrast(None, None).limit == 1.0
