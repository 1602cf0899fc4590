"""One pass over two tensors against numpy on all of their values."""

from __future__ import annotations

import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.analysis import pair_summary, passes
from weight_widgets.analysis.pair_summary import JOINT_BINS, summarise_pair
from weight_widgets.analysis.rasters import raster
from weight_widgets.reading.tensors import Tensor

RNG = np.random.default_rng(41)
SHAPE = (300, 400)
A = RNG.normal(size=SHAPE)


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def odd(values: np.ndarray) -> np.ndarray:
    changed = values.astype(np.float32)
    changed[0, :9], changed[1, 3], changed[1, 4] = np.nan, np.inf, -np.inf
    return changed


PAIRS = {
    "near": (A.astype("f4"), (A + 1e-3 * RNG.normal(size=SHAPE)).astype("f4")),
    "apart": (A.astype("f4"), RNG.normal(size=SHAPE).astype("f4")),
    "equal": (A, A.copy()),
    "of two types": (A.astype("f2"), A),
    "not finite": (odd(A), odd(A[::-1])),
    "constant": (np.full(SHAPE, 0.5), np.full(SHAPE, 0.25)),
    "integers": (np.rint(9 * A).astype("i1"), np.rint(7 * A).astype("i1")),
}


def tensor_of(values: np.ndarray) -> Tensor:
    return ww.open_checkpoint({"layer/kernel": values})["layer"]["kernel"]


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"], autouse=True)
def small_pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "THREAD_SIZE", 1000)
    monkeypatch.setattr(passes, "THREADS", request.param)
    monkeypatch.setattr(pair_summary, "COUNT", 9000)


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_numpy(name: str) -> None:
    a, b = PAIRS[name]
    wide = a.astype(np.float64), b.astype(np.float64)
    known = np.isfinite(wide[0]) & np.isfinite(wide[1])
    one, other = (values[known] for values in wide)
    spans = [(float(values.min()), float(values.max())) for values in (one, other)]
    found = summarise_pair(tensor_of(a), tensor_of(b), *spans, never)

    change = np.linalg.norm(other - one) / np.linalg.norm(one)
    assert found.moments.relative_change == pytest.approx(change, rel=1e-6)
    assert found.moments.max_delta == pytest.approx(np.abs(other - one).max(), rel=1e-6)
    assert found.moments.equal == (wide[0] == wide[1]).sum()
    if one.std() and other.std():
        assert found.moments.pearson == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)

    with np.errstate(invalid="ignore"):
        delta = np.subtract(b, a, dtype=np.result_type(a, b, np.float32))
        expected = raster(delta)
    np.testing.assert_allclose(found.raster.mean, expected.mean, atol=1e-6)
    np.testing.assert_array_equal(found.raster.high, expected.high)
    finite = delta[np.isfinite(delta)].astype(np.float64)
    assert found.delta.size == finite.size
    if finite.min() < finite.max():
        edges = np.linspace(finite.min(), finite.max(), 41)
        counted = found.delta.histogram(edges)
        moved = np.abs(np.cumsum(counted.counts - np.histogram(finite, edges)[0])).max()
        assert moved <= counted.uncertain * finite.size + 1

    if all(low < high for low, high in spans):
        density = np.histogram2d(one, other, JOINT_BINS, spans)[0]
        # numpy itself puts a value that rounding moves over an edge on either side.
        assert np.abs(found.joint.counts - density).sum() <= 4
    assert found.joint.counts.sum() == one.size


def test_pairs_outside_of_the_spans_are_in_no_cell() -> None:
    a = np.linspace(-1, 1, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    found = summarise_pair(tensor_of(a), tensor_of(-a), (0.0, 0.5), (-0.25, 0.0), never)
    assert found.joint.counts.sum() == ((a >= 0) & (a <= 0.25)).sum()
