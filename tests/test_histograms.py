"""Histograms and their edges against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.histograms import histogram, joint_range, round_up, shared_edges

REAL = st.floats(-(2**100), 2**100, width=32)
ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)
TENSORS = arrays("f4", array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6), elements=ANY)


class TestEdges:
    @given(REAL, REAL, st.integers(1, 500))
    def test_rise_and_hold_the_range(self, a: float, b: float, bins: int) -> None:
        low, high = min(a, b), max(a, b)
        edges = shared_edges(low, high, bins)
        assert edges.shape == (bins + 1,)
        assert edges.dtype == np.float64
        assert (np.diff(edges) > 0).all()
        assert edges[0] <= low <= high <= edges[-1]

    @pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-30, -1e30, 5e-324])
    @pytest.mark.parametrize("bins", [10, 500])
    def test_a_constant_stands_inside_its_own_window(self, value: float, bins: int) -> None:
        edges = shared_edges(value, value, bins)
        assert (np.diff(edges) > 0).all()
        assert edges[0] < value < edges[-1]
        assert histogram(np.full(7, value), edges).counts.sum() == 7

    @given(REAL, st.integers(0, 3), st.integers(10, 500))
    def test_neighbouring_floats_can_be_told_apart(self, value: float, steps: int, bins: int) -> None:
        high = value
        for _ in range(steps):
            high = float(np.nextafter(high, np.inf))
        edges = shared_edges(value, high, bins)
        assert (np.diff(edges) > 0).all()
        assert histogram(np.array([value, high]), edges).counts.sum() == 2


class TestHistogram:
    @given(TENSORS, REAL, REAL, st.integers(1, 50))
    def test_counts_are_numpys_and_no_finite_value_is_lost(
        self, values: np.ndarray, a: float, b: float, bins: int
    ) -> None:
        edges = shared_edges(min(a, b), max(a, b), bins)
        found = histogram(values, edges)
        flat = values.ravel().astype(np.float64)
        flat = flat[np.isfinite(flat)]
        np.testing.assert_array_equal(found.counts, np.histogram(flat, edges)[0])
        assert found.counts.sum() + found.outside == flat.size
        assert found.outside == np.count_nonzero((flat < edges[0]) | (flat > edges[-1]))

    @given(TENSORS, st.integers(1, 50))
    def test_on_its_own_range_everything_finite_is_counted(self, values: np.ndarray, bins: int) -> None:
        finite = values[np.isfinite(values)].astype("f8")
        found = (finite.min(), finite.max()) if finite.size else None
        edges = shared_edges(*(found or (0.0, 0.0)), bins)
        counted = histogram(values, edges)
        assert counted.outside == 0
        assert counted.counts.sum() == np.isfinite(values).sum()

    @given(arrays("f4", st.integers(0, 60), elements=ANY), st.lists(st.integers(0, 60), max_size=4))
    def test_pieces_add_up_to_the_whole(self, values: np.ndarray, cuts: list[int]) -> None:
        edges = shared_edges(-10.0, 10.0, 13)
        pieces = np.split(values, sorted(min(cut, values.size) for cut in cuts))
        total = histogram(pieces[0], edges)
        for piece in pieces[1:]:
            total = total + histogram(piece, edges)
        whole = histogram(values, edges)
        np.testing.assert_array_equal(total.counts, whole.counts)
        assert total.outside == whole.outside

    def test_other_edges_do_not_add(self) -> None:
        with pytest.raises(ValueError, match="different edges"):
            histogram(np.ones(2), shared_edges(0, 1, 10)) + histogram(np.ones(2), shared_edges(0, 2, 10))

    def test_the_last_bin_holds_its_upper_edge(self) -> None:
        assert histogram(np.array([0.0, 1.0, 2.0]), shared_edges(0, 2, 2)).counts.tolist() == [1, 2]

    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8", "u1", "?"])
    def test_every_dtype(self, dtype: str) -> None:
        values = np.array([[0, 1], [1, 0]]).astype(dtype)
        assert histogram(values, shared_edges(0, 1, 2)).counts.tolist() == [2, 2]

    def test_density_integrates_to_one(self) -> None:
        values = np.random.default_rng(1).normal(size=1000)
        edges = shared_edges(-1, 1, 37)
        np.testing.assert_allclose(histogram(values, edges).density, np.histogram(values, edges, density=True)[0])
        assert (histogram(np.empty(0), edges).density == 0).all()


class TestRange:
    def test_of_nothing(self) -> None:
        assert joint_range([]) == (0.0, 0.0)

    def test_joint(self) -> None:
        assert joint_range([(0.0, 2.0), (-1.0, 1.0)]) == (-1.0, 2.0)

    @pytest.mark.parametrize(
        ("value", "rounded"),
        [(0.0, 1.0), (1.0, 1.0), (0.1234, 0.13), (99.1, 100.0), (0.31, 0.31), (250.0, 250.0), (251.0, 260.0)],
    )
    def test_limits_are_rounded_up_to_two_digits(self, value: float, rounded: float) -> None:
        assert round_up(value) == pytest.approx(rounded)

    @given(st.floats(min_value=0, max_value=1e308, exclude_min=True))
    @example(5e-324)
    def test_a_limit_is_never_too_small(self, value: float) -> None:
        assert value * (1 - 1e-9) <= round_up(value)
        assert round_up(value) <= value * 1.11 + 1e-322
