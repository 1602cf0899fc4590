"""What one pass over a tensor tells, against numpy and scipy on all values; and what a second pass makes exact."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis import parallel, passes, summary
from weight_widgets.analysis.cells import Cells
from weight_widgets.analysis.comparison import pooled_difference
from weight_widgets.analysis.counting import Counted
from weight_widgets.analysis.exact import histogram_exactly, measure_exactly
from weight_widgets.analysis.measures import NEAR_ZERO, QUANTILES, measure
from weight_widgets.analysis.packing import pack_summary, unpack_summary
from weight_widgets.analysis.rasters import raster
from weight_widgets.analysis.summary import Summary, preview, summarise
from weight_widgets.errors import ChangedFileError
from weight_widgets.reading.tensors import Tensor
from weight_widgets.worker import Superseded

RNG = np.random.default_rng(23)
ROWS, COLUMNS = 400, 500
SIZE = ROWS * COLUMNS
NORMAL = RNG.standard_normal(SIZE)
# Of which the cells of float32's upper bits tell enough.
FINE = {
    "float16": NORMAL.astype(np.float16),
    "float32": NORMAL.astype(np.float32),
    "float64": NORMAL,
    "uniform": RNG.uniform(-1, 1, SIZE).astype(np.float32),
    "heavy tails": RNG.standard_cauchy(SIZE),
    "positive": np.exp(NORMAL).astype(np.float32),
    "negative": -np.exp(NORMAL).astype(np.float32),
    "half zeros": np.where(NORMAL > 0, NORMAL, 0).astype(np.float32),
    "both zeros": np.where(np.abs(NORMAL) < 0.4, np.where(NORMAL > 0, 0.0, -0.0), NORMAL).astype(np.float32),
    "bfloat16": (NORMAL.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32),
}
# Of which they do not: too near each other, too far apart, too few, too small or too large for float32.
COARSE = {
    "gammas": (1 + 1e-4 * NORMAL).astype(np.float32),
    "far from zero": (1e4 + NORMAL).astype(np.float32),
    "constant": np.full(SIZE, 0.1),
    "two values": np.where(NORMAL > 0, 1.0, -1.0),
    "zeros": np.zeros(SIZE, np.float32),
    "beyond float32": NORMAL * 1e300,
    "denormal in float32": NORMAL * 1e-41,
    "denormal float32": (NORMAL * 1e-41).astype(np.float32),
    "ends of float64": np.where(NORMAL > 0, 1.7e308, -1.7e308),
    "int8": np.clip(NORMAL * 40, -127, 127).astype(np.int8),
    "int32": (NORMAL * 90_000).astype(np.int32),
    "bool": NORMAL > 1,
    "one far away": np.append(0.5 + 1e-5 * NORMAL[1:], 1e6),
}
ALL = FINE | COARSE


def with_others(values: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[:30], changed[30:50], changed[50:55] = np.nan, np.inf, -np.inf
    return changed


ALL |= {
    "NaN and Inf": with_others(FINE["float32"]),
    "NaN and Inf among gammas": with_others(COARSE["gammas"]),
    "only NaN": np.full(SIZE, np.nan, np.float32),
    "only infinities": np.where(NORMAL > 0, np.inf, -np.inf),
}


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def tensor_of(values: np.ndarray) -> Tensor:
    return ww.open_checkpoint({"layer/kernel": values})["layer"]["kernel"]


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is a large tensor, looked at in small pieces."""
    monkeypatch.setattr(summary, "EXACT_SIZE", 1000)
    monkeypatch.setattr(summary, "RUN", 1000)
    monkeypatch.setattr(summary, "COUNT", 17_000)
    monkeypatch.setattr(passes, "THREAD_SIZE", 1000)
    monkeypatch.setattr(passes, "THREADS", request.param)


def finite_of(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)].astype(np.float64)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("name", ALL)
class TestLarge:
    def test_what_holds_exactly(self, name: str) -> None:
        values = ALL[name].reshape(ROWS, COLUMNS)
        found = summarise(tensor_of(values), never).moments
        assert (found.size, found.nan) == (SIZE, np.isnan(values).sum())
        assert (found.inf, found.zeros) == (np.isinf(values).sum(), (values == 0).sum())
        finite = finite_of(values)
        if finite.size:
            assert (found.minimum, found.maximum) == (finite.min(), finite.max())
            scale = np.abs(finite).max() or 1.0
            assert found.mean == pytest.approx((finite / scale).mean() * scale, abs=1e-7 * scale)
            assert found.std == pytest.approx((finite / scale).std() * scale, rel=1e-5, abs=1e-12 * scale)
            assert found.rms == pytest.approx(np.sqrt(np.mean((finite / scale) ** 2)) * scale, rel=1e-7)
        else:
            assert math.isnan(found.mean)

    def test_what_is_near(self, name: str) -> None:
        values = ALL[name]
        found = summarise(tensor_of(values.reshape(ROWS, COLUMNS)), never)
        finite = finite_of(values)
        if not finite.size:
            assert found.values.size == 0
            return
        scale = np.abs(finite).max() or 1.0
        scaled = finite / scale
        assert found.moments.total * (found.moments.unit / scale) == pytest.approx(np.abs(scaled).sum(), rel=1e-4)
        if scaled.std() > 1e-6:
            assert found.moments.skew == pytest.approx(stats.skew(scaled), rel=2e-3, abs=1e-3)
            assert found.moments.kurtosis == pytest.approx(stats.kurtosis(scaled), rel=3e-3, abs=3e-3)
        near = found.measures(NEAR_ZERO)
        step = (
            2.0**-7 * np.abs(np.percentile(scaled, QUANTILES)) * scale + (finite.max() / 2 - finite.min() / 2) * 2**-15
        )
        # Where the value of the rank is far from the next, either is as good.
        low, high = (np.quantile(finite, np.array(QUANTILES) / 100, method=side) for side in ("lower", "higher"))
        assert (np.array(near.quantiles) >= low - step).all()
        assert (np.array(near.quantiles) <= high + step).all()

    @pytest.mark.parametrize("bins", [10, 500])
    def test_histograms(self, name: str, bins: int) -> None:
        values = ALL[name].reshape(ROWS, COLUMNS)
        finite = finite_of(values)
        found = summarise(tensor_of(values), never)
        span = found.values.span(0)
        if not finite.size:
            assert span is None
            return
        assert span == (finite.min(), finite.max())
        for low, high in (span, found.values.span(1)):
            if not 0 < high - low < math.inf:
                continue
            edges = np.linspace(low, high, bins + 1)
            expected = np.histogram(finite, edges)[0]
            nearly = found.values.histogram(edges)
            assert nearly.counts.sum() + nearly.outside == finite.size
            # Cumulated counts are wrong by no more than what shares a cell with an edge.
            assert np.abs(np.cumsum(nearly.counts - expected)).max() <= nearly.uncertain * finite.size + 1
            exactly = histogram_exactly(tensor_of(values), edges, never)
            np.testing.assert_array_equal(exactly.counts, expected)

    def test_exactly_on_request(self, name: str) -> None:
        values = ALL[name].reshape(ROWS, COLUMNS)
        found, expected = measure_exactly(tensor_of(values), NEAR_ZERO, never), measure(values)
        for field in ("size", "nan", "inf", "zeros", "minimum", "maximum", "near_zeros"):
            np.testing.assert_equal(getattr(found, field), getattr(expected, field), field)
        np.testing.assert_allclose(found.quantiles, expected.quantiles, rtol=1e-13)
        for field in ("mean", "std", "rms", "l1", "l2", "skew", "kurtosis", "near_zero_threshold"):
            size = abs(expected.maximum) if field == "mean" and math.isfinite(expected.maximum) else 1e-6
            np.testing.assert_allclose(
                getattr(found, field), getattr(expected, field), 1e-8, 1e-12 * size, err_msg=field
            )

    def test_the_picture(self, name: str) -> None:
        values = ALL[name].reshape(ROWS, COLUMNS)
        with np.errstate(invalid="ignore"):
            found, expected = summarise(tensor_of(values), never).raster, raster(values)
        assert found is not None
        scale = np.abs(finite_of(values)).max(initial=0.0)
        if scale < 1e300:
            np.testing.assert_allclose(found.mean / (scale or 1), expected.mean / (scale or 1), atol=1e-6)
        np.testing.assert_array_equal(found.low, expected.low)
        np.testing.assert_array_equal(found.high, expected.high)

    def test_comes_back_from_plain_arrays(self, name: str) -> None:
        found = summarise(tensor_of(ALL[name].reshape(ROWS, COLUMNS)), never)
        again = unpack_summary(pack_summary(found))
        np.testing.assert_equal(vars(again.measures(NEAR_ZERO)), vars(found.measures(NEAR_ZERO)))
        for one, other in zip(again.raster.planes, found.raster.planes, strict=True):
            np.testing.assert_array_equal(one, other)
        assert (again.raster.shape, again.share, again.exact) == (found.raster.shape, 1.0, found.exact)


@pytest.mark.usefixtures("large")
class TestCells:
    @pytest.mark.parametrize("name", FINE)
    def test_of_the_upper_bits_are_fine(self, name: str) -> None:
        found = summarise(tensor_of(FINE[name].reshape(ROWS, COLUMNS)), never).values
        assert isinstance(found, Cells)
        assert found.fine
        edges = np.linspace(*found.span(0), 121)
        wrong = np.abs(found.histogram(edges).counts - np.histogram(FINE[name].astype(np.float64), edges)[0]).sum()
        assert wrong / 2 / SIZE < 0.03

    @pytest.mark.parametrize("name", ["bfloat16", "int8", "bool", "zeros"])
    def test_of_few_digits_are_single_values(self, name: str) -> None:
        found = summarise(tensor_of(ALL[name].reshape(ROWS, COLUMNS)), never)
        assert found.exact
        expected = measure(ALL[name])
        np.testing.assert_allclose(found.moments.l1, expected.l1, rtol=1e-12)
        np.testing.assert_allclose(found.measures(0.5).quantiles, expected.quantiles, rtol=1e-13)
        assert found.measures(0.5).near_zeros == measure(ALL[name], 0.5).near_zeros

    @pytest.mark.parametrize("name", ["gammas", "two values", "beyond float32", "denormal in float32"])
    def test_of_one_width_tell_apart_what_float32_does_not(self, name: str) -> None:
        found = summarise(tensor_of(COARSE[name].reshape(ROWS, COLUMNS)), never).values
        edges = np.linspace(*found.span(0), 34)
        assert found.histogram(edges).uncertain < 0.01

    ELEMENTS = st.floats(allow_nan=False, allow_infinity=False, width=32, allow_subnormal=True) | st.sampled_from(
        [0.0, -0.0, 1e-45, -1e-45, 0.5]
    )

    @given(
        st.lists(arrays(np.float32, array_shapes(max_dims=1, max_side=30), elements=ELEMENTS), min_size=1, max_size=5)
    )
    @settings(max_examples=80, deadline=None)
    def test_add_up_in_any_order(self, parts: list[np.ndarray]) -> None:
        def counted(piece: np.ndarray) -> Counted:
            found = Counted(200)
            found.add(piece, float(piece.min()), float(piece.max()), float(piece.sum(dtype=np.float64)))
            return found

        whole = np.concatenate(parts).astype(np.float64)
        for order in itertools.islice(itertools.permutations(parts), 3):
            merged, *others = map(counted, order)
            for other in others:
                merged.merge(other)
            cells = merged.cells
            assert (cells.low, cells.high, cells.size) == (whole.min(), whole.max(), whole.size)
            assert merged.counts.zeros == (whole == 0).sum()
            ends = np.unique(np.append(whole, [0.0, 0.25]))
            below = cells.below(ends)
            assert (np.diff(below) >= -1e-9).all()
            for end, count in zip(ends, below, strict=True):
                assert abs(count - (whole < end).sum()) <= cells.uncertain(np.array([end])) + 1e-9


class TestSmall:
    """Up to two million elements all is exact."""

    @pytest.mark.parametrize("name", ALL)
    def test_as_numpy(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summary, "RUN", 7000)
        monkeypatch.setattr(passes, "THREAD_SIZE", 1000)
        values = ALL[name].reshape(ROWS, COLUMNS)
        found = summarise(tensor_of(values), never)
        assert found.exact
        np.testing.assert_allclose(found.measures(NEAR_ZERO).quantiles, measure(values).quantiles, rtol=1e-13)
        assert found.measures(NEAR_ZERO).near_zeros == measure(values).near_zeros
        assert found.raster is not None

    @pytest.mark.parametrize("shape", [(), (0,), (0, 5), (3,), (1, 1), (2, 3, 4)])
    def test_of_any_shape(self, shape: tuple[int, ...]) -> None:
        values = np.ones(shape, np.float32)
        found = summarise(tensor_of(values), never)
        assert found.moments.size == values.size
        assert found.values.size == values.size

    def test_kernels_of_any_rank_have_the_picture_of_their_matrix(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summary, "RUN", 5000)
        values = RNG.normal(size=(3, 3, 64, 96)).astype(np.float32)
        found = summarise(tensor_of(values), never)
        np.testing.assert_allclose(found.raster.mean, raster(values.reshape(-1, 96)).mean, atol=1e-6)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[np.ndarray], Tensor]:
    def stored(values: np.ndarray) -> Tensor:
        return ww.open_checkpoint(write_model(tmp_path / "m.h5", {"dense": values}))["dense"]["kernel"]

    return stored


class TestStored:
    def test_takes_little_memory(self, stored: Callable[[np.ndarray], Tensor]) -> None:
        values = RNG.standard_normal((12_000, 2000), dtype=np.float32)
        tensor = stored(values)
        summarise(tensor, never)
        for act in (lambda: summarise(tensor, never), lambda: pooled_difference(tensor, tensor, never)):
            tracemalloc.start()
            act()
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert most < min(64 << 20, values.nbytes / 2)

    def test_can_be_given_up_between_pieces(self, stored: Callable[[np.ndarray], Tensor]) -> None:
        tensor = stored(np.ones((5000, 2000), np.float32))
        calls: list[Any] = []

        def check(share: float | None = None) -> None:
            calls.append(share)
            if len(calls) == 7:
                raise Superseded

        with pytest.raises(Superseded):
            summarise(tensor, check)
        # One more in each thread that was in the middle of a piece.
        assert len(calls) <= 7 + parallel.THREADS

    def test_says_how_far_it_is(self, stored: Callable[[np.ndarray], Tensor]) -> None:
        shares: list[float] = []
        summarise(stored(np.ones((5000, 2000), np.float32)), lambda share=None: shares.append(share))
        assert shares[0] == 0
        assert 0.8 < max(shares) <= 1

    @pytest.mark.usefixtures("large")
    def test_a_file_that_is_rewritten_meanwhile_gives_no_mixed_numbers(
        self, stored: Callable[[np.ndarray], Tensor], tmp_path: Path
    ) -> None:
        tensor = stored(np.ones((2000, 400)))
        calls: list[Any] = []

        def check(share: float | None = None) -> None:
            calls.append(share)
            if len(calls) == 5:
                write_model(tmp_path / "m.h5", {"dense": np.zeros((2000, 400)), "more": np.zeros(3)})

        with pytest.raises(ChangedFileError):
            summarise(tensor, check)

    @pytest.mark.usefixtures("large")
    def test_the_difference_of_two_is_numpys(self, stored: Callable[[np.ndarray], Tensor]) -> None:
        a = RNG.normal(size=(700, 300)).astype(np.float32)
        b = (a + RNG.normal(size=a.shape) * 1e-3).astype(np.float16)
        found = pooled_difference(stored(a), tensor_of(b), never)
        expected = raster(b.astype(np.float32) - a)
        np.testing.assert_allclose(found.mean, expected.mean, atol=1e-8)
        np.testing.assert_array_equal(found.low, expected.low)
        np.testing.assert_array_equal(found.high, expected.high)


class TestPreview:
    def test_is_of_rows_in_every_band(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summary, "PREVIEW_SIZE", 1000)
        monkeypatch.setattr(summary, "SAMPLE_SIZE", 1000)
        values = np.arange(4000.0)[:, np.newaxis] + RNG.normal(size=(4000, 300))
        tensor = tensor_of(values)
        found = preview(tensor, never)
        assert isinstance(found, Summary)
        assert not found.exact
        whole = summarise(tensor, never)
        assert found.share == pytest.approx(found.moments.size / values.size)
        assert found.raster.shape == whole.raster.shape
        assert found.raster.mean.shape == whole.raster.mean.shape
        # Each row of cells holds rows whose values lie near each other.
        np.testing.assert_allclose(found.raster.mean, whole.raster.mean, atol=4000 / len(whole.raster.mean))
        np.testing.assert_allclose(found.moments.mean, whole.moments.mean, rtol=0.02)

    @pytest.mark.parametrize("shape", [(10, 10), (3, 200_000), (200, 300)])
    def test_is_not_worth_it(self, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summary, "PREVIEW_SIZE", 1000)
        assert preview(tensor_of(np.ones(shape)), never) is None
