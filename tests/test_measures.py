"""The measures against numpy and scipy in float64, and against exact fractions where float64 runs out of room."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from weight_widgets.analysis import measures as module
from weight_widgets.analysis import moments as moments_module
from weight_widgets.analysis.measures import QUANTILES, Measures, axis_norms, measure
from weight_widgets.analysis.moments import Moments, merge, moments

SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
SMALLEST = 5e-324
LARGEST = 1.7976931348623157e308
RNG = np.random.default_rng(11)

thorough = settings(deadline=None, max_examples=200)


@st.composite
def tensors(draw: st.DrawFn, shapes: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> np.ndarray:
    """Any shape, type and magnitude; NaN and Inf among the values, constants and views that are not contiguous."""
    shape = draw(shapes)
    dtype = np.dtype(draw(st.sampled_from(["f2", "f4", "f8", "f8", "i1", "i8", "u1", "?"])))
    elements: st.SearchStrategy[float] | None = None
    if dtype.kind == "f":
        width = 8 * dtype.itemsize
        largest = float(np.finfo(dtype).max)
        reach = draw(st.sampled_from([0.0, 2.0**-10, 1.0, 2.0**10, largest]))
        elements = st.floats(-reach, reach, width=width)  # type: ignore[arg-type]
        if draw(st.booleans()):
            elements |= st.sampled_from([0.0, math.nan, math.inf, -math.inf])
    if elements is not None and draw(st.integers(0, 4)) == 0:
        return np.full(shape, draw(elements), dtype)
    values = draw(arrays(dtype, shape, elements=elements))
    return values.T if draw(st.booleans()) else values


def finite_of(values: np.ndarray) -> np.ndarray:
    flat = values.ravel().astype(np.float64)
    return flat[np.isfinite(flat)]


def tame(finite: np.ndarray) -> bool:
    """Whether numpy itself computes with fourth powers of these without running out of float64."""
    sizes = np.abs(finite[finite != 0])
    return not sizes.size or bool(sizes.max() < 1e60 and sizes.min() > 1e-60)


def root(square: Fraction) -> Fraction:
    """A square root to some 60 digits."""
    digits = 1 << 1400
    return Fraction(math.isqrt(square.numerator * digits**2 // square.denominator), digits)


def rounded(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def close(found: float, exact: Fraction, error: float = 0.0) -> bool:
    """Equal but for some last digits, or for `error`."""
    expected = rounded(exact)
    # Next to the end of float64 a last digit decides whether it is infinite.
    if math.inf in (abs(found), abs(expected)):
        return found * math.copysign(1, expected) > LARGEST * (1 - 1e-12) and abs(expected) > LARGEST * (1 - 1e-12)
    return abs(found - expected) <= 1e-12 * abs(expected) + error + SMALLEST


def merged(pieces: list[np.ndarray]) -> Moments:
    return reduce(merge, map(moments, pieces), Moments())


def quantile(ordered: list[Fraction], percent: float) -> Fraction:
    place = Fraction(str(percent)) / 100 * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def assert_counts(found: Moments, values: np.ndarray) -> None:
    flat = values.ravel().astype(np.float64)
    assert found.size == flat.size
    assert found.nan == np.isnan(flat).sum()
    assert found.inf == np.isinf(flat).sum()
    assert found.finite == np.isfinite(flat).sum()
    assert found.zeros == (flat == 0).sum()
    assert found.sparsity == pytest.approx(np.mean(flat == 0)) if flat.size else math.isnan(found.sparsity)


def assert_moments(found: Moments, values: np.ndarray) -> None:
    """Against exact fractions: values of any magnitude."""
    assert_counts(found, values)
    finite = finite_of(values)
    if not finite.size:
        names = ("minimum", "maximum", "mean", "std", "l1", "l2", "rms", "skew", "kurtosis")
        assert all(math.isnan(getattr(found, name)) for name in names)
        return
    assert (found.minimum, found.maximum) == (finite.min(), finite.max())
    numbers = [Fraction(value) for value in finite.tolist()]
    count = len(numbers)
    mean = sum(numbers, Fraction()) / count
    square = sum((number**2 for number in numbers), Fraction())
    second, third, fourth = (sum(((x - mean) ** power for x in numbers), Fraction()) / count for power in (2, 3, 4))
    std = root(second)
    # Rounding is relative to the largest value, not to a mean or a spread that happens to cancel.
    scale = float(np.abs(finite).max())
    assert close(found.mean, mean, 1e-15 * scale)
    assert found.minimum <= found.mean <= found.maximum
    assert close(found.std, std, 1e-15 * scale)
    assert close(found.l1, sum(map(abs, numbers), Fraction()))
    assert close(found.l2, root(square))
    assert close(found.rms, root(square / count))
    if found.minimum == found.maximum:
        assert found.std == 0
        assert math.isnan(found.skew)
        assert math.isnan(found.kurtosis)
    elif std > Fraction(scale) / 10**13:
        error = 1e-14 * rounded(Fraction(scale) / std) + 1e-12
        skew, kurtosis = third / (second * std), fourth / second**2 - 3
        assert close(found.skew, skew, error * count)
        assert close(found.kurtosis, kurtosis, error * count * (1 + abs(rounded(kurtosis))))


def assert_order(found: Measures, values: np.ndarray, near_zero: float) -> None:
    finite = finite_of(values)
    if not finite.size:
        assert np.isnan([*found.quantiles, found.near_zero_threshold]).all()
        assert found.near_zeros == 0
        return
    ordered = [Fraction(value) for value in sorted(finite.tolist())]
    gap = float(np.abs(finite).max())
    for percent, value in zip(QUANTILES, found.quantiles, strict=True):
        assert close(value, quantile(ordered, percent), 1e-15 * gap)
    assert all(low <= high for low, high in itertools.pairwise(found.quantiles))
    assert found.near_zero_threshold == near_zero * found.rms
    assert found.near_zeros == ((np.abs(finite) < found.near_zero_threshold) | (finite == 0)).sum()


def assert_as_numpy_and_scipy(found: Measures, finite: np.ndarray) -> None:
    scale = np.abs(finite).max()
    assert found.mean == pytest.approx(finite.mean(), rel=1e-12, abs=1e-14 * scale)
    assert found.std == pytest.approx(finite.std(), rel=1e-12, abs=1e-14 * scale)
    assert found.l1 == pytest.approx(np.linalg.norm(finite, 1), rel=1e-12)
    assert found.l2 == pytest.approx(np.linalg.norm(finite), rel=1e-12)
    assert found.rms == pytest.approx(np.sqrt(np.mean(finite**2)), rel=1e-12)
    np.testing.assert_allclose(found.quantiles, np.percentile(finite, QUANTILES), rtol=1e-12, atol=1e-14 * scale)
    if finite.std() > 1e-6 * scale:
        assert found.skew == pytest.approx(stats.skew(finite), rel=1e-8, abs=1e-7)
        assert found.kurtosis == pytest.approx(stats.kurtosis(finite), rel=1e-8, abs=1e-7)


class TestAnyTensor:
    @thorough
    @given(tensors(), st.sampled_from([0.0, 1e-3, 0.5, 2.0]), st.sampled_from([1, 7, 1 << 17]))
    def test_whole(self, values: np.ndarray, near_zero: float, piece: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(moments_module, "PIECE", piece)
            patch.setattr(module, "RUN", 3 * piece)
            found = measure(values, near_zero)
        assert_moments(found, values)
        assert_order(found, values, near_zero)

    @thorough
    @given(tensors())
    def test_as_numpy_and_scipy(self, values: np.ndarray) -> None:
        finite = finite_of(values)
        assume(finite.size and tame(finite))
        assert_as_numpy_and_scipy(measure(values), finite)

    @thorough
    @given(tensors(), st.lists(st.integers(0, 200), max_size=5))
    def test_in_pieces_of_any_size(self, values: np.ndarray, cuts: list[int]) -> None:
        flat = values.ravel()
        assert_moments(merged(np.split(flat, sorted(min(cut, flat.size) for cut in cuts))), values)

    @thorough
    @given(tensors(), tensors())
    def test_merging_has_no_side(self, a: np.ndarray, b: np.ndarray) -> None:
        both = np.concatenate([a.ravel().astype(np.float64), b.ravel().astype(np.float64)])
        assert_moments(merge(moments(a), moments(b)), both)
        assert_moments(merge(moments(b), moments(a)), both)

    @given(tensors())
    def test_is_left_as_it_was(self, values: np.ndarray) -> None:
        before = values.copy()
        values.flags.writeable = False
        measure(values)
        np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize(
    "draw",
    [
        lambda size: RNG.normal(3, 0.1, size),
        lambda size: RNG.laplace(size=size),
        lambda size: RNG.exponential(size=size) * (RNG.random(size) < 0.3),
    ],
    ids=["normal", "laplace", "sparse"],
)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_large_tensors_as_numpy_and_scipy(dtype: str, draw: Callable[[int], np.ndarray]) -> None:
    values = draw(3 * moments_module.RUN + 17).astype(dtype)
    assert_as_numpy_and_scipy(measure(values), values.astype(np.float64))


def test_memory_is_that_of_one_copy_in_the_tensors_own_type() -> None:
    values = RNG.normal(size=(1 << 11, 1 << 11)).astype("f4")
    tracemalloc.start()
    try:
        measure(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * values.nbytes


class TestMagnitudes:
    @pytest.mark.parametrize("size", [SMALLEST, 1e-308, 1e-300, 1e-160, 1e160, 1e300, 1e308])
    def test_a_factor_changes_nothing_but_the_size(self, size: float) -> None:
        values = np.array([-1.0, 0.0, 1.0, 1.0])
        plain, found = measure(values), measure(values * size)
        assert (found.skew, found.kurtosis) == pytest.approx((plain.skew, plain.kurtosis))
        for name in ("mean", "std", "l2", "rms"):
            assert getattr(found, name) == pytest.approx(getattr(plain, name) * size, rel=1e-12, abs=SMALLEST)

    def test_zeros_do_not_hide_tiny_values_in_another_piece(self) -> None:
        found = merge(moments(np.zeros(3)), moments(np.full(1, 1e-300)))
        assert found.l2 == pytest.approx(1e-300, abs=0)
        assert found.std == pytest.approx(1e-300 * math.sqrt(3) / 4, abs=0)

    def test_ends_of_float64(self) -> None:
        found = measure(np.array([-LARGEST, LARGEST]))
        assert (found.mean, found.std, found.rms) == (0.0, LARGEST, LARGEST)
        assert found.quantiles[QUANTILES.index(50)] == 0.0
        assert found.quantiles[QUANTILES.index(25)] == pytest.approx(-LARGEST / 2)
        # Beyond float64, and so is the true value.
        assert (found.l1, found.l2) == (math.inf, math.inf)

    def test_half_precision_does_not_overflow(self) -> None:
        found = measure(np.full(1000, 60000, np.float16))
        assert found.mean == 60000 - 60000 % 32
        assert found.std == 0
        assert found.l2 == pytest.approx(found.mean * math.sqrt(1000))

    def test_a_spread_far_from_zero_is_not_lost(self) -> None:
        """The textbook formula, mean of squares less square of mean, gives rubbish here."""
        values = 1e9 + np.tile([-1.0, 1.0], 5000)
        for found in (moments(values), merged(np.split(values, 10))):
            assert found.std == pytest.approx(1.0)
            assert (found.skew, found.kurtosis) == pytest.approx((0.0, -2.0), abs=1e-6)

    def test_a_spread_that_is_rounding_has_no_skew(self) -> None:
        values = np.array([1.0, 1.0, np.nextafter(1.0, 2.0)])
        assert math.isnan(measure(values).skew)
        with pytest.warns(RuntimeWarning, match="Precision loss"):
            assert math.isnan(stats.skew(values))

    def test_equal_values_that_do_not_add_up_exactly(self) -> None:
        for found in (measure(np.full(1_000_003, 0.1)), merged(np.array_split(np.full(1001, 0.1), 7))):
            assert (found.mean, found.std) == (0.1, 0.0)
            assert math.isnan(found.skew)
            assert math.isnan(found.kurtosis)
        assert set(measure(np.full(1001, 0.1)).quantiles) == {0.1}


class TestNearZeros:
    VALUES = np.array([0.0, 1e-4, -1e-4, 1e-2, -1.0, 1.0, math.nan, math.inf])

    @pytest.mark.parametrize(("near_zero", "expected"), [(0.0, 1), (1e-4, 1), (1e-3, 3), (1e-1, 4), (10.0, 6)])
    def test_are_a_share_of_the_root_mean_square(self, near_zero: float, expected: int) -> None:
        found = measure(self.VALUES, near_zero)
        assert found.near_zeros == expected
        assert found.near_zero_threshold == pytest.approx(near_zero * math.sqrt(2.00010002 / 6))

    def test_the_bound_itself_is_not_near_zero(self) -> None:
        assert measure(np.array([2.0, -2.0]), 1.0).near_zeros == 0

    def test_zeros_are_even_where_there_is_nothing_else(self) -> None:
        found = measure(np.zeros((3, 4), np.float32))
        assert (found.near_zeros, found.zeros, found.near_zero_threshold) == (12, 12, 0.0)


def test_nothing_at_all() -> None:
    nothing = measure(np.empty((0, 3), np.float32))
    assert (nothing.size, nothing.finite, nothing.near_zeros) == (0, 0, 0)
    assert math.isnan(nothing.mean)
    assert math.isnan(nothing.sparsity)


def test_infinities_of_both_signs_are_counted() -> None:
    found = measure(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 2.0]))
    assert (found.inf, found.nan, found.zeros) == (2, 1, 2)
    assert (found.minimum, found.maximum, found.sparsity) == (0.0, 2.0, pytest.approx(2 / 6))


class TestAxisNorms:
    @thorough
    @given(st.data())
    def test_every_choice_of_axes(self, data: st.DataObject) -> None:
        values = data.draw(tensors())
        axes = data.draw(st.permutations(range(values.ndim)))
        keep = tuple(axes[: data.draw(st.integers(0, values.ndim))])
        signed = tuple(axis - values.ndim * data.draw(st.integers(0, 1)) for axis in keep)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "PIECE", data.draw(st.sampled_from([1, 5, 1 << 17])))
            found = axis_norms(values, signed)
        assert found.dtype == np.float64
        assert found.shape == tuple(values.shape[axis] for axis in keep)
        for place in np.ndindex(found.shape):
            index: list[slice | int] = [slice(None)] * values.ndim
            for axis, step in zip(keep, place, strict=True):
                index[axis] = step
            finite = finite_of(np.asarray(values[tuple(index)]))
            if finite.size:
                square = sum((Fraction(value) ** 2 for value in finite.tolist()), Fraction())
                assert close(float(found[place]), root(square))
            else:
                assert math.isnan(found[place])

    def test_units_filters_and_heads_as_numpy(self) -> None:
        kernel = RNG.normal(size=(3, 3, 40, 70)).astype("f4")
        exact = kernel.astype("f8")
        np.testing.assert_allclose(axis_norms(kernel, (3,)), np.linalg.norm(exact.reshape(-1, 70), axis=0))
        np.testing.assert_allclose(axis_norms(kernel, (2, 3)), np.sqrt(np.square(exact).sum((0, 1))))
        np.testing.assert_allclose(axis_norms(kernel, (3, 2)), np.sqrt(np.square(exact).sum((0, 1))).T)
        np.testing.assert_allclose(axis_norms(kernel, ()), np.linalg.norm(exact))
        np.testing.assert_array_equal(axis_norms(kernel, (0, 1, 2, 3)), np.abs(exact))

    def test_small_units_beside_large_ones(self) -> None:
        np.testing.assert_allclose(axis_norms(np.array([[3e300, 3e-300], [4e300, 4e-300]]), (1,)), [5e300, 5e-300])

    def test_a_norm_beyond_float64_is_infinite(self) -> None:
        assert axis_norms(np.full((4, 1), LARGEST), (1,)).tolist() == [math.inf]

    def test_a_last_piece_without_a_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "PIECE", 2)
        found = axis_norms(np.array([[3.0, -4.0, math.nan], [math.nan, math.inf, math.nan]]), (0,))
        np.testing.assert_array_equal(found, [5.0, math.nan])

    def test_no_such_axis(self) -> None:
        with pytest.raises(IndexError):
            axis_norms(np.ones((2, 3)), (2,))
