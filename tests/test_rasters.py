"""Rasters against plain loops over their cells."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.rasters import EXACT_SIDE, Pooling, cells, raster, spans


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
    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1"])
    def test_a_large_matrix_is_pooled(self, shape: tuple[int, int], dtype: str) -> None:
        matrix = (np.random.default_rng(3).normal(size=shape) * 20).astype(dtype)
        found = raster(matrix)
        assert not found.exact
        assert found.shape == shape
        mean, low, high = naive_raster(matrix, *found.mean.shape)
        # Rows of float32 are summed as such, some at a time.
        scale = 1e-6 if dtype in ("f2", "f4") else 1e-12
        np.testing.assert_allclose(found.mean, mean, rtol=scale, atol=scale * np.abs(matrix).max())
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

    def test_sums_beyond_float32_are_no_infinities(self) -> None:
        found = raster(np.full((600, 600), 3e38, np.float32))
        np.testing.assert_allclose(found.mean, np.float64(np.float32(3e38)))

    def test_the_extremes_of_a_cell_leave_nan_out(self) -> None:
        matrix = np.ones((600, 600), np.float32)
        matrix[0, 0], matrix[1, 1] = np.nan, 5.0
        found = raster(matrix)
        assert (found.low[0, 0], found.high[0, 0]) == (1.0, 5.0)


class TestPooling:
    """Pieces of every length, from every place on, give what the whole matrix gives."""

    SHAPES = ((257, 3), (3, 700), (1, 1000), (300, 300), (997, 113), (2, 5000))

    @given(st.sampled_from(SHAPES), st.data())
    @settings(max_examples=60, deadline=None)
    def test_pieces_and_shares_merge_to_the_whole(self, shape: tuple[int, int], data: st.DataObject) -> None:
        matrix = np.random.default_rng(5).normal(size=shape)
        flat = matrix.reshape(-1)
        cuts = sorted(data.draw(st.lists(st.integers(0, flat.size), max_size=3)))
        length = data.draw(
            st.sampled_from([1, 17, 977, flat.size]) if flat.size < 3000 else st.sampled_from([977, 10**6])
        )
        total = Pooling(shape)
        for start, stop in itertools.pairwise([0, *cuts, flat.size]):
            share = Pooling(shape, start)
            for place in range(start, stop, length):
                piece = flat[place : min(place + length, stop)]
                low, high, added = share.add(piece)
                assert (low, high) == (piece.min(), piece.max())
                assert added == pytest.approx(piece.sum(), abs=1e-9)
            total.merge(share)
        found, whole = total.raster(), naive_raster(matrix, *cells(*shape))
        np.testing.assert_allclose(found.mean, whole[0], atol=1e-12)
        np.testing.assert_array_equal(found.low, whole[1])
        np.testing.assert_array_equal(found.high, whole[2])
