"""Quantiles, histograms and counts of arrays of every kind in sorted runs, against numpy on all of their values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.measures import kept
from weight_widgets.analysis.moments import RUN, in_pieces
from weight_widgets.analysis.runs import SAMPLE, Runs

PERCENTS = (0.0, 0.1, 1.0, 25.0, 50.0, 99.9, 100.0)
SIZE = RUN + 4_321
RNG = np.random.default_rng(17)
NORMAL = RNG.standard_normal(SIZE)

ARRAYS = {
    "float16": NORMAL.astype(np.float16),
    "float32": NORMAL.astype(np.float32),
    "float64": NORMAL,
    "longdouble": NORMAL.astype(np.longdouble),
    "int8": RNG.integers(-128, 128, SIZE).astype(np.int8),
    "int64": RNG.integers(-(2**63), 2**63 - 1, SIZE),
    "uint64": RNG.integers(0, 2**64 - 1, SIZE, np.uint64),
    "bool": NORMAL > 1,
    "constant": np.full(SIZE, 0.1, np.float32),
    "two values": np.where(NORMAL > 0.3, 1.0, -1.0),
    "zeros of both signs": np.where(NORMAL > 0, 0.0, -0.0),
    "denormal in float32": NORMAL * 1e-43,
    "below float32": NORMAL * 1e-200,
    "beyond float32": NORMAL * 1e300,
    "heavy tails": RNG.standard_cauchy(SIZE) ** 7,
    "gammas": (1 + 1e-7 * NORMAL).astype(np.float32),
    "one cell in float32": 1 + 1e-12 * NORMAL,
    "ends of float64": np.where(NORMAL > 0, 1.7e308, -1.7e308),
}


def runs(values: np.ndarray, size: int = RUN) -> Runs:
    return kept(in_pieces(values.reshape(-1), size))[1]


def expected(values: np.ndarray) -> list[float]:
    """Interpolated by hand, because numpy's own distance of two numbers may overflow."""
    rising = np.sort(values).astype(np.float64)
    found = []
    for percent in PERCENTS:
        place = percent / 100 * (rising.size - 1)
        low, high = rising[math.floor(place)], rising[min(math.floor(place) + 1, rising.size - 1)]
        share = place - math.floor(place)
        found.append(float((1 - share) * low + share * high))
    return found


@pytest.mark.parametrize("name", ARRAYS)
def test_of_many(name: str) -> None:
    values = ARRAYS[name]
    before = values.copy()
    found = runs(values).quantiles(PERCENTS)
    assert found.dtype == np.float64
    scale = np.abs(values.astype(np.float64)).max()
    np.testing.assert_allclose(found, expected(values), rtol=1e-13, atol=1e-15 * scale)
    # It may be somebody's tensor.
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("percent", [0.0, 37.0, 100.0])
def test_as_numpy(percent: float) -> None:
    assert runs(NORMAL).quantiles([percent]).tolist() == [np.percentile(NORMAL, percent)]


def test_a_view_that_is_not_contiguous() -> None:
    values = np.stack([NORMAL, -NORMAL])[0, ::-1]
    np.testing.assert_array_equal(runs(values).quantiles(PERCENTS), runs(NORMAL).quantiles(PERCENTS))


def test_of_none_and_of_one() -> None:
    assert np.isnan(runs(np.empty(0)).quantiles(PERCENTS)).all()
    assert runs(np.array([3], np.int16)).quantiles(PERCENTS).tolist() == [3.0] * len(PERCENTS)


FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(arrays(np.float32, array_shapes(max_dims=1, max_side=40), elements=FINITE), st.integers(0, 2))
def test_few_values_that_come_often(values: np.ndarray, more: int) -> None:
    many = np.resize(values, SIZE + more)
    np.testing.assert_allclose(runs(many).quantiles(PERCENTS), expected(many), rtol=1e-13)


@given(
    arrays(np.float32, array_shapes(max_dims=1, max_side=40), elements=FINITE),
    st.lists(st.integers(1, 7 * SAMPLE), min_size=1, max_size=9),
)
def test_of_many_short_runs(values: np.ndarray, lengths: list[int]) -> None:
    pieces = [np.resize(np.roll(values, turn), length) for turn, length in enumerate(lengths)]
    whole = np.concatenate(pieces)
    found = kept(pieces)[1]
    assert found.size == whole.size
    np.testing.assert_allclose(found.quantiles(PERCENTS), expected(whole), rtol=1e-13)
    two = Runs(kept(pieces[:1])[1].runs) + Runs(kept(pieces[1:])[1].runs)
    np.testing.assert_array_equal(two.quantiles(PERCENTS), found.quantiles(PERCENTS))


@pytest.mark.parametrize("name", ARRAYS)
def test_histograms_are_numpys(name: str) -> None:
    wide = ARRAYS[name].astype(np.float64)
    for low, high in [(wide.min(), wide.max()), np.percentile(wide, [3, 90]), (wide[7], wide[7] + 1)]:
        if not 1e-12 * abs(high) < high / 2 - low / 2 < 1e307:
            continue
        edges = np.linspace(low, high, 62)
        found = runs(ARRAYS[name]).histogram(edges)
        np.testing.assert_array_equal(found.counts, np.histogram(wide, edges)[0])
        assert found.outside == wide.size - found.counts.sum()
        assert found.uncertain == 0


@given(arrays(np.float32, array_shapes(max_dims=1, max_side=40), elements=FINITE), st.floats(0, width=32))
def test_magnitudes_below_a_threshold(values: np.ndarray, threshold: float) -> None:
    assert runs(values, 7).within(threshold) == (np.abs(values.astype(np.float64)) < threshold).sum()


def test_values_that_are_the_ends_themselves() -> None:
    values = np.array([0.1, 0.2, 0.3, 0.2, 0.1], np.float32)
    ends = values[:3].astype(np.float64)
    assert runs(values, 2).below(ends).tolist() == [0, 2, 4]
    # Beside the float32 that is nearest to it lies a float64 that is larger, and one that is smaller.
    assert runs(values, 2).below(np.nextafter(ends, 1)).tolist() == [2, 4, 5]
    assert runs(values, 2).below(np.nextafter(ends, 0)).tolist() == [0, 2, 4]
