"""The measures against numpy in float64, whole and merged from pieces."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.measures import Measures, measure, measure_blocks, merge

SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
FLOATS = st.sampled_from([np.float16, np.float32, np.float64])
# Away from the ends of float64, whose squares overflow in numpy too.
NUMBERS = {np.float16: 16, np.float32: 32, np.float64: 32}


@st.composite
def tensors(draw: st.DrawFn) -> np.ndarray:
    """Any shape, NaN and Inf among the values, constants and integers too."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["float", "constant", "int8", "int64", "uint8", "bool"]))
    if kind in ("float", "constant"):
        dtype = draw(FLOATS)
        values = st.floats(width=NUMBERS[dtype], allow_nan=True, allow_infinity=True)
        return (
            np.full(shape, draw(values), dtype) if kind == "constant" else draw(arrays(dtype, shape, elements=values))
        )
    return draw(arrays(np.dtype(kind), shape))


def assert_agree(measures: Measures, values: np.ndarray) -> None:
    flat = values.ravel().astype(np.float64)
    finite = flat[np.isfinite(flat)]
    assert measures.size == flat.size
    assert measures.nan == np.isnan(flat).sum()
    assert measures.inf == np.isinf(flat).sum()
    assert measures.finite == finite.size
    assert measures.zeros == (flat == 0).sum()
    if not flat.size:
        assert math.isnan(measures.sparsity)
    else:
        assert measures.sparsity == pytest.approx(np.mean(flat == 0))
    if not finite.size:
        for value in (measures.minimum, measures.maximum, measures.mean, measures.std, measures.l2):
            assert math.isnan(value)
        return
    assert measures.minimum == finite.min()
    assert measures.maximum == finite.max()
    # Rounding is relative to the largest value, not to a mean or a spread that happens to cancel.
    scale = np.abs(finite).max()
    assert measures.mean == pytest.approx(finite.mean(), rel=1e-12, abs=1e-13 * scale)
    assert measures.std == pytest.approx(finite.std(), rel=1e-9, abs=1e-12 * scale)
    assert measures.l2 == pytest.approx(np.linalg.norm(finite), rel=1e-9)


@given(tensors())
def test_a_whole_tensor(values: np.ndarray) -> None:
    assert_agree(measure(values), values)


@given(tensors(), st.lists(st.integers(0, 200), max_size=5))
def test_pieces_of_any_size_merge_to_the_whole(values: np.ndarray, cuts: list[int]) -> None:
    flat = values.ravel()
    pieces = np.split(flat, sorted(min(cut, flat.size) for cut in cuts))
    assert_agree(measure_blocks(pieces), values)


@given(tensors(), tensors())
def test_merging_has_no_side(a: np.ndarray, b: np.ndarray) -> None:
    one, other = merge(measure(a), measure(b)), merge(measure(b), measure(a))
    assert (one.size, one.nan, one.inf, one.zeros) == (other.size, other.nan, other.inf, other.zeros)
    np.testing.assert_allclose([one.minimum, one.maximum], [other.minimum, other.maximum])
    both = np.concatenate([a.ravel().astype(np.float64), b.ravel().astype(np.float64)])
    assert_agree(one, both)
    assert_agree(other, both)


def test_nothing_at_all() -> None:
    nothing = measure_blocks([])
    assert (nothing.size, nothing.finite) == (0, 0)
    assert math.isnan(nothing.mean)


def test_half_precision_does_not_overflow() -> None:
    values = np.full(1000, 60000, np.float16)
    measures = measure(values)
    assert measures.mean == 60000 - 60000 % 32
    assert measures.std == 0
    assert measures.l2 == pytest.approx(measures.mean * math.sqrt(1000))


def test_a_spread_far_from_zero_is_not_lost() -> None:
    """The textbook formula, mean of squares less square of mean, gives rubbish here."""
    values = 1e9 + np.tile([-1.0, 1.0], 5000)
    assert measure(values).std == pytest.approx(1.0)
    assert measure_blocks(np.split(values, 10)).std == pytest.approx(1.0)


def test_infinities_of_both_signs_are_counted() -> None:
    measures = measure(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 2.0]))
    assert (measures.inf, measures.nan, measures.zeros) == (2, 1, 2)
    assert (measures.minimum, measures.maximum, measures.sparsity) == (0.0, 2.0, pytest.approx(2 / 6))
