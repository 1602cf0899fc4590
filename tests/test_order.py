"""Quantiles of arrays of every kind, large enough to be counted in cells, against numpy's sorting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.order import CELLS, quantiles

PERCENTS = (0.0, 0.1, 1.0, 25.0, 50.0, 99.9, 100.0)
SIZE = CELLS + 4_321
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
    found = quantiles(values, PERCENTS)
    assert found.dtype == np.float64
    scale = np.abs(values.astype(np.float64)).max()
    np.testing.assert_allclose(found, expected(values), rtol=1e-13, atol=1e-15 * scale)
    # It may be somebody's tensor.
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("percent", [0.0, 37.0, 100.0])
def test_as_numpy(percent: float) -> None:
    assert quantiles(NORMAL, [percent]).tolist() == [np.percentile(NORMAL, percent)]


def test_a_view_that_is_not_contiguous() -> None:
    values = np.stack([NORMAL, -NORMAL])[0, ::-1]
    np.testing.assert_array_equal(quantiles(values, PERCENTS), quantiles(NORMAL, PERCENTS))


def test_of_none_and_of_one() -> None:
    assert np.isnan(quantiles(np.empty(0), PERCENTS)).all()
    assert quantiles(np.array([3], np.int16), PERCENTS).tolist() == [3.0] * len(PERCENTS)


FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(arrays(np.float32, array_shapes(max_dims=1, max_side=40), elements=FINITE), st.integers(0, 2))
def test_few_values_that_come_often(values: np.ndarray, more: int) -> None:
    many = np.resize(values, SIZE + more)
    np.testing.assert_allclose(quantiles(many, PERCENTS), expected(many), rtol=1e-13)
