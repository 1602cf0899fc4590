"""Histograms and rasters against numpy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.sketches import (
    EXACT_SIDE,
    cells,
    finite_range,
    histogram,
    joint_range,
    raster,
    round_up,
    shared_edges,
    spans,
)

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
        found = finite_range(values)
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
    def test_percentiles_are_numpys(self) -> None:
        values = np.append(np.random.default_rng(1).normal(size=999), [np.nan, np.inf])
        assert finite_range(values, 5.0) == tuple(np.percentile(values[:999], [5, 95]))

    def test_of_nothing(self) -> None:
        assert finite_range(np.array([np.nan, np.inf])) is None
        assert finite_range(np.empty((0, 3))) is None
        assert joint_range([]) == (0.0, 0.0)

    def test_joint(self) -> None:
        assert joint_range([(0.0, 2.0), (-1.0, 1.0)]) == (-1.0, 2.0)

    def test_integers(self) -> None:
        assert finite_range(np.array([-128, 127], "i1")) == (-128.0, 127.0)

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


def naive_raster(matrix: np.ndarray, down: int, across: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, min and max of each cell, one cell after the other."""
    rows, columns = matrix.shape
    mean, low, high = (np.empty((down, across)) for _ in range(3))
    for i in range(down):
        for j in range(across):
            cell = matrix[
                i * rows // down : (i + 1) * rows // down, j * columns // across : (j + 1) * columns // across
            ].astype(np.float64)
            mean[i, j], low[i, j], high[i, j] = cell.mean(), cell.min(), cell.max()
    return mean, low, high


class TestRaster:
    @given(
        arrays(
            st.sampled_from(["f2", "f4", "f8", "i1", "i8", "?"]),
            array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9),
        )
    )
    def test_a_small_matrix_is_shown_weight_by_weight(self, matrix: np.ndarray) -> None:
        found = raster(matrix)
        assert found.exact
        assert found.shape == matrix.shape
        assert found.planes == (found.mean,)
        assert found.mean.dtype == np.float64
        np.testing.assert_array_equal(found.mean, matrix.astype(np.float64))

    @pytest.mark.parametrize("shape", [(256, 256), (1, 256), (256, 1), (1, 1)])
    def test_up_to_256_in_both_directions_is_exact(self, shape: tuple[int, int]) -> None:
        assert raster(np.ones(shape)).exact

    @pytest.mark.parametrize(
        "shape", [(257, 3), (3, 257), (1, 1000), (1000, 1), (300, 300), (288, 144), (997, 613), (5000, 4), (600, 256)]
    )
    @pytest.mark.parametrize("dtype", ["f2", "f4", "i1"])
    def test_a_large_matrix_is_pooled(self, shape: tuple[int, int], dtype: str) -> None:
        matrix = (np.random.default_rng(3).normal(size=shape) * 20).astype(dtype)
        found = raster(matrix)
        assert not found.exact
        assert found.shape == shape
        mean, low, high = naive_raster(matrix, *found.mean.shape)
        np.testing.assert_allclose(found.mean, mean, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(found.low, low)
        np.testing.assert_array_equal(found.high, high)
        assert len(found.planes) == 3

    @settings(max_examples=20)
    @given(st.integers(0, 299), st.integers(0, 399), st.sampled_from([np.nan, np.inf, -np.inf]))
    def test_a_cell_that_holds_nan_or_inf_shows_it(self, row: int, column: int, value: float) -> None:
        matrix = np.zeros((300, 400), "f4")
        matrix[row, column] = value
        found = raster(matrix)
        assert np.count_nonzero(~np.isfinite(found.mean)) == 1
        down, across = np.argwhere(~np.isfinite(found.mean))[0]
        starts = spans(300, found.mean.shape[0]), spans(400, found.mean.shape[1])
        assert starts[0][down] <= row < np.append(starts[0], 300)[down + 1]
        assert starts[1][across] <= column < np.append(starts[1], 400)[across + 1]
        assert found.reach == 0.0

    def test_opposite_infinities_in_a_cell_are_not_a_number(self) -> None:
        matrix = np.zeros((600, 600))
        matrix[0, 0], matrix[1, 1] = np.inf, -np.inf
        assert not np.isfinite(raster(matrix).mean[0, 0])

    @given(st.integers(1, 10**7), st.integers(1, 10**7))
    @example(25088, 64)
    @example(64, 25088)
    @example(257, 256)
    @example(1, 10**7)
    @example(10**7, 1)
    def test_cells_are_few_and_never_more_than_weights(self, rows: int, columns: int) -> None:
        down, across = cells(rows, columns)
        assert 1 <= down <= min(rows, EXACT_SIDE)
        assert 1 <= across <= min(columns, EXACT_SIDE)
        planes = 1 if (down, across) == (rows, columns) else 3
        assert 4 * planes * down * across <= 300_000

    @given(st.integers(1, 300), st.integers(1, 300))
    def test_spans_cover_everything_once(self, size: int, count: int) -> None:
        count = min(size, count)
        starts = spans(size, count)
        widths = np.diff(np.append(starts, size))
        assert starts[0] == 0
        assert widths.sum() == size
        assert set(widths) <= {size // count, -(-size // count)}

    def test_empty(self) -> None:
        assert raster(np.empty((0, 4))).mean.shape == (0, 4)
        assert raster(np.empty((0, 4))).reach == 0.0

    @pytest.mark.parametrize("shape", [(0, 1000), (1000, 0)])
    def test_empty_along_one_side_and_long_along_the_other(self, shape: tuple[int, int]) -> None:
        assert raster(np.empty(shape)).mean.size == 0
