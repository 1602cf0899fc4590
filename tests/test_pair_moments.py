"""Measures of two arrays of one shape, against plain float64 numpy and exact fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weight_widgets as ww
from weight_widgets.analysis.pairs import PairMoments, merge_pairs, pair_moments, tensor_pair_moments
from weight_widgets.errors import InputError

RNG = np.random.default_rng(5)


def root(square: Fraction) -> float:
    """The square root of what may be beyond float64 in either direction."""
    scale = (square.numerator.bit_length() - square.denominator.bit_length()) // 2 if square else 0
    return math.ldexp(math.sqrt(square / Fraction(4) ** scale), scale)


def expected(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """The measures in exact arithmetic."""
    pairs = [(x, y) for x, y in zip(a.reshape(-1).tolist(), b.reshape(-1).tolist(), strict=True)]
    known = [(Fraction(x), Fraction(y)) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
    found: dict[str, Any] = {
        "size": len(pairs),
        "finite": len(known),
        "equal": sum(x == y for x, y in pairs),
        "nan_a": sum(x != x for x, _ in pairs),
        "nan_b": sum(y != y for _, y in pairs),
        "identical": a.dtype == b.dtype and a.tobytes() == b.tobytes(),
    }
    if not known:
        return found
    norm_a, norm_b = root(sum(x * x for x, _ in known)), root(sum(y * y for _, y in known))
    delta = root(sum((y - x) ** 2 for x, y in known))
    means = [sum(side) / len(known) for side in zip(*known, strict=True)]
    spreads = [
        root(sum((value - mean) ** 2 for value in side))
        for side, mean in zip(zip(*known, strict=True), means, strict=True)
    ]
    product = sum(x * y for x, y in known)
    covariance = sum((x - means[0]) * (y - means[1]) for x, y in known)
    return found | {
        "norm_a": norm_a,
        "norm_b": norm_b,
        "norm_delta": delta,
        "mean_a": float(means[0]),
        "mean_b": float(means[1]),
        "max_delta": float(max(abs(y - x) for x, y in known)),
        "cosine": float(product / Fraction(norm_a) / Fraction(norm_b)) if norm_a and norm_b else math.nan,
        "pearson": float(covariance / Fraction(spreads[0]) / Fraction(spreads[1])) if all(spreads) else math.nan,
        "relative_change": delta / norm_a if norm_a else (math.inf if delta else 0.0),
        "symmetric_distance": delta / (norm_a / 2 + norm_b / 2) if norm_a or norm_b else 0.0,
    }


DTYPES = st.sampled_from(["float16", "float32", "float64", "int8", "uint8", "int32", "bool"])


@st.composite
def couples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
    kinds = draw(DTYPES), draw(DTYPES)

    def elements(kind: str) -> st.SearchStrategy[Any] | None:
        if not kind.startswith("float"):
            return None
        width = int(kind[5:])
        # Half of float64's range, lest a difference or a norm be beyond it.
        limit = 2.0**1020 if width == 64 else None
        wide = st.floats(-limit, limit) if limit else st.floats(width=width)  # type: ignore[arg-type]
        few = st.sampled_from([0.0, -0.0, 1.0, 0.5, math.nan, math.inf, -math.inf])
        return st.one_of(few, wide)

    a, b = (draw(arrays(kind, shape, elements=elements(kind))) for kind in kinds)
    if draw(st.booleans()):
        b = np.where(draw(arrays(bool, shape)), a, b.astype(a.dtype))
    return a, b


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
@given(couples())
def test_measures_are_those_of_exact_arithmetic(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = pair_moments(*pair)
    for name, value in expected(*pair).items():
        if name in ("cosine", "pearson") and not math.isnan(getattr(found, name)):
            assert getattr(found, name) == pytest.approx(value, abs=1e-6), name
        elif name == "pearson":
            # What varies by less than rounding is taken for constant.
            sides = [side.astype(np.float64).reshape(-1) for side in pair]
            assert math.isnan(value) or any(np.ptp(s[np.isfinite(s)]) <= 1e-12 * np.abs(s).max() for s in sides)
        elif name.startswith("mean"):
            norm = getattr(found, f"norm_{name[-1]}")
            assert getattr(found, name) == pytest.approx(value, abs=1e-6 * norm + 1e-300), name
        else:
            assert getattr(found, name) == pytest.approx(value, rel=1e-5, abs=1e-322, nan_ok=True), name


SCALES = [1.0, 1e-10, 1e-25, 1e-38, 1e-44, 1e15, 1e30]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("other", SCALES)
@pytest.mark.parametrize("offset", [0.0, 1.0, 30.0])
def test_many_elements_of_any_scale(scale: float, other: float, offset: float) -> None:
    noise = RNG.normal(size=(2, 3, 50_001))
    a = ((noise[0] + offset) * scale).astype(np.float32)
    b = ((noise[0] * 0.3 + noise[1] + offset) * other).astype(np.float32)
    found = pair_moments(a, b)
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    np.testing.assert_allclose(found.relative_change, np.linalg.norm(y - x) / np.linalg.norm(x), rtol=1e-5)
    np.testing.assert_allclose(found.cosine, x @ y / np.linalg.norm(x) / np.linalg.norm(y), atol=1e-6)
    np.testing.assert_allclose(found.pearson, np.corrcoef(x / scale, y / other)[0, 1], atol=1e-5)
    assert found.max_delta == pytest.approx(np.abs(y - x).max(), rel=1e-6)
    assert found.equal == np.count_nonzero(x == y)


@pytest.mark.parametrize("step", [1e-7, 1e-4, 1e-2])
def test_the_cosine_of_neighbours_is_exact_where_it_matters(step: float) -> None:
    a = RNG.normal(size=300_000).astype(np.float32)
    b = (a * (1 + step * RNG.normal(size=a.size))).astype(np.float32)
    x, y = a.astype(np.longdouble), b.astype(np.longdouble)
    exact = 1 - float(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))
    assert 1 - pair_moments(a, b).cosine == pytest.approx(exact, rel=1e-3, abs=1e-15)


class TestOneElement:
    @pytest.mark.parametrize("place", [0, 63, 64, 65_535, 65_536, 199_999])
    def test_that_moved_by_an_ulp_is_seen(self, place: int) -> None:
        a = RNG.normal(0.05, 0.2, size=200_000).astype(np.float32)
        b = a.copy()
        b[place] = np.nextafter(b[place], np.float32(9))
        found = pair_moments(a, b)
        assert not found.identical
        assert found.equal == a.size - 1
        assert found.max_delta == float(b[place]) - float(a[place])
        assert found.norm_delta == pytest.approx(found.max_delta)

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_that_is_not_finite_is_left_out(self, value: float) -> None:
        a = RNG.normal(size=70_000).astype(np.float32)
        b = RNG.normal(size=70_000).astype(np.float32)
        b[66_000] = value
        found = pair_moments(a, b)
        x, y = np.delete(a, 66_000).astype("f8"), np.delete(b, 66_000).astype("f8")
        assert found.finite == 69_999
        assert found.nan_b == math.isnan(value)
        assert found.cosine == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-12)

    def test_zero_and_minus_zero_are_equal_and_not_identical(self) -> None:
        found = pair_moments(np.array([0.0, 1.0], "f4"), np.array([-0.0, 1.0], "f4"))
        assert found.equal_share == 1
        assert not found.identical

    def test_the_same_nan_is_identical_and_not_equal(self) -> None:
        a = np.array([np.nan, 1.0], "f4")
        assert pair_moments(a, a.copy()).identical
        assert pair_moments(a, a.copy()).equal == 1
        other = a.copy()
        other.view(np.uint32)[0] ^= 1
        assert not pair_moments(a, other).identical


@given(couples(), st.integers(0, 30), st.integers(0, 30))
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
def test_pieces_merge_to_the_whole(pair: tuple[np.ndarray, np.ndarray], first: int, second: int) -> None:
    a, b = (side.reshape(-1) for side in pair)
    ends = sorted((0, min(first, a.size), min(second, a.size), a.size))
    cuts = [slice(start, stop) for start, stop in itertools.pairwise(ends)]
    found = reduce(merge_pairs, (pair_moments(a[cut], b[cut]) for cut in cuts), PairMoments())
    whole = pair_moments(a, b)
    for name, value in vars(whole).items():
        slack = 1e-6 * (getattr(whole, f"norm_{name[-1]}") if name[-2] == "_" and name[0] in "ms" else 1.0)
        assert getattr(found, name) == pytest.approx(value, rel=1e-5, abs=slack), name


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"shapes \(2, 3\) and \(3, 2\)"):
        pair_moments(np.ones((2, 3)), np.ones((3, 2)))


@pytest.mark.parametrize("kinds", [("f4", "f4"), ("f4", "f8"), ("f2", "f4")])
def test_tensors_are_read_in_pieces(kinds: tuple[str, str]) -> None:
    values = [RNG.normal(size=(700, 3000)).astype(kind) for kind in kinds]
    a, b = (ww.open_checkpoint({"layer/kernel": each})["layer"]["kernel"] for each in values)
    calls: list[float | None] = []
    found = tensor_pair_moments(a, b, lambda share=None: calls.append(share))
    assert len(calls) > 1
    x, y = (each.astype(np.float64).ravel() for each in values)
    assert found.cosine == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), abs=1e-7)
    assert found.size == x.size
    small = ww.open_checkpoint({"layer/kernel": values[0][:5]})["layer"]["kernel"]
    with pytest.raises(InputError, match=r"kernel of shape \(700, 3000\) and kernel of shape \(5, 3000\)"):
        tensor_pair_moments(a, small, calls.append)
