"""Large tensors counted in cells against numpy on all of their values, and what is kept of them."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import ipywidgets as widgets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from seen import TIMEOUT, having, of_kind, write_model

import weight_widgets as ww
from weight_widgets.analysis import distribution as module
from weight_widgets.analysis.cells import Cells, count_cells
from weight_widgets.analysis.distribution import Counted, Exact, distribution
from weight_widgets.analysis.moments import moments
from weight_widgets.reading.tensors import Tensor
from weight_widgets.state.looks import kept

RNG = np.random.default_rng(23)
SIZE = 200_000
NORMAL = RNG.standard_normal(SIZE)
FINE = {
    "float16": NORMAL.astype(np.float16),
    "float32": NORMAL.astype(np.float32),
    "float64": NORMAL,
    "uniform": RNG.uniform(-1, 1, SIZE).astype(np.float32),
    "heavy tails": RNG.standard_cauchy(SIZE),
    "positive": np.exp(NORMAL).astype(np.float32),
    "some zeros": np.where(RNG.random(SIZE) < 0.04, 0, NORMAL).astype(np.float32),
    "int16": (NORMAL * 9000).astype(np.int16),
}
COARSE = {
    "gammas": (1 + 1e-4 * NORMAL).astype(np.float32),
    "constant": np.full(SIZE, 0.5),
    "two values": np.where(NORMAL > 0, 1.0, -1.0),
    "half zeros": np.where(NORMAL > 0, NORMAL, 0),
    "beyond float32": NORMAL * 1e300,
    "denormal in float32": NORMAL * 1e-41,
}


def cells_of(values: np.ndarray) -> Cells:
    return Cells(count_cells(values), float(values.min()), float(values.max()))


def assert_nearly(found: Any, values: np.ndarray, edges: np.ndarray) -> None:
    """Cumulated counts differ by no more than what shares a cell with the edge; in all by no more than it says."""
    wide = values.astype(np.float64)
    exact = np.histogram(wide, edges)[0]
    assert found.counts.sum() + found.outside == values.size
    moved = np.abs(np.cumsum(found.counts - exact)).max() / values.size
    assert moved <= found.uncertain + 1e-12
    # Far less in practice.
    assert np.abs(found.counts - exact).sum() / 2 / values.size < 0.03


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("bins", [10, 120, 500])
def test_histograms_of_cells(name: str, bins: int) -> None:
    values = FINE[name]
    cells = cells_of(values)
    assert cells.fine
    found = Counted(cells, moments(values))
    assert found.span(0) == (values.min(), values.max())
    assert_nearly(found.histogram(np.linspace(*found.span(0), bins + 1)), values, np.linspace(*found.span(0), bins + 1))
    low, high = np.percentile(values.astype(np.float64), [1, 99])
    clipped = found.span(1)
    assert clipped is not None
    spread = np.subtract(*np.percentile(values.astype(np.float64), [75, 25]))
    np.testing.assert_allclose(clipped, (low, high), rtol=2**-7, atol=1e-3 * spread)
    assert_nearly(found.histogram(np.linspace(low, high, bins + 1)), values, np.linspace(low, high, bins + 1))


@pytest.mark.parametrize("name", COARSE)
def test_values_that_cells_cannot_tell_apart(name: str) -> None:
    assert not cells_of(COARSE[name]).fine


ELEMENTS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(arrays(np.float32, array_shapes(max_dims=1, max_side=30), elements=ELEMENTS), min_size=1, max_size=5))
@settings(max_examples=60)
def test_cells_add_up_in_any_order(parts: list[np.ndarray]) -> None:
    whole = cells_of(np.concatenate(parts))
    for order in itertools.islice(itertools.permutations(parts), 3):
        total, *others = map(cells_of, order)
        for other in others:
            total += other
        np.testing.assert_array_equal(total.counts, whole.counts)
        assert (total.low, total.high, total.size) == (whole.low, whole.high, whole.size)


@given(arrays(np.float32, array_shapes(max_dims=1, max_side=50), elements=ELEMENTS), st.floats(0, 100))
def test_what_lies_below(values: np.ndarray, percent: float) -> None:
    cells = cells_of(values)
    wide = values.astype(np.float64)
    ends = np.unique(wide)[1:-1]
    below = cells.below(ends)
    assert (np.diff(below) >= 0).all()
    for end, count in zip(ends, below, strict=True):
        assert abs(count - (wide < end).sum()) <= cells.uncertain(np.array([end]))
    (found,) = cells.quantiles(np.array([percent]))
    assert cells.low <= found <= cells.high


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 1000 elements on a tensor is large."""
    monkeypatch.setattr(module, "EXACT_SIZE", 1000)


def never() -> None:
    """Nobody cancels."""


@pytest.mark.usefixtures("small")
class TestTensors:
    @staticmethod
    def tensor(values: np.ndarray) -> Tensor:
        return ww.open_checkpoint({"layer/kernel": values})["layer"]["kernel"]

    @pytest.mark.parametrize("name", FINE)
    def test_that_are_large_are_counted(self, name: str) -> None:
        values = FINE[name].reshape(400, 500)
        found = distribution(self.tensor(values), never)
        assert isinstance(found, Counted)
        exact = moments(values)
        assert found.moments.std == pytest.approx(exact.std, rel=1e-12)
        assert (found.moments.minimum, found.moments.maximum) == (exact.minimum, exact.maximum)
        assert found.nbytes <= 1 << 20

    @pytest.mark.parametrize("name", COARSE)
    def test_that_cells_cannot_show_are_kept(self, name: str) -> None:
        found = distribution(self.tensor(COARSE[name].reshape(400, 500)), never)
        assert isinstance(found, Exact)
        np.testing.assert_array_equal(found.values.ravel(), COARSE[name])

    def test_leave_out_nan_and_inf(self) -> None:
        values = FINE["float32"].copy()
        values[:30], values[30:50] = np.nan, np.inf
        found = distribution(self.tensor(values.reshape(400, 500)), never)
        assert isinstance(found, Counted)
        assert (found.moments.nan, found.moments.inf, found.cells.size) == (30, 20, SIZE - 50)
        assert_nearly(found.histogram(np.linspace(-5, 5, 51)), values[50:], np.linspace(-5, 5, 51))

    def test_can_be_given_up_between_blocks(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "m.h5", {"dense": np.ones((3000, 2000), np.float32)})
        tensor = ww.open_checkpoint(path)["dense"]["kernel"]
        calls = []

        def check() -> None:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            distribution(tensor, check)
        assert len(calls) == 3


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is read of tensors, whole or in part; nothing for an empty piece."""
    found: list[Any] = []
    read = Tensor.read

    def noted(tensor: Tensor, *index: Any) -> np.ndarray:
        values = read(tensor, *index)
        if values.size:
            found.append(tensor.name)
        return values

    monkeypatch.setattr(Tensor, "read", noted)
    return iter([found]).__next__()


@pytest.mark.usefixtures("small")
class TestKept:
    def test_other_bins_and_ranges_need_no_file(self, explore: Any, reads: list[Any]) -> None:
        explorer = explore(a={"dense": NORMAL.reshape(400, 500)}, b={"dense": NORMAL.reshape(400, 500) / 2})
        explorer.table.shown = explorer.heatmap.shown = False
        reads.clear()
        explorer.histogram.bins, explorer.histogram.clip = 33, 1.0
        assert explorer.wait(TIMEOUT)
        assert explorer.histogram.result.curves[0].histogram.counts.size == 33
        assert reads == []

    def test_a_rewritten_file_is_not_answered_from_before(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "m.h5", {"dense": np.ones((40, 50)), "other": np.ones((40, 50))})
        explorer = ww.compare(path)
        assert explorer.wait(TIMEOUT)
        with h5py.File(path, "r+") as file:
            file["dense/kernel"][:] = 2.0
        os.utime(path, ns=(1, 1))
        explorer.histogram.bins = 33
        assert explorer.wait(TIMEOUT)
        assert explorer.histogram.result.curves == ()
        assert any("was rewritten" in problem for problem in explorer._state.status.problems)
        explorer.close()

    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept._kept.clear()
        monkeypatch.setattr(kept, "MAX_BYTES", 3 * 800)
        checkpoint = ww.open_checkpoint({f"l{number}/kernel": np.ones((10, 10)) for number in range(5)})
        tensors = [layer["kernel"] for layer in checkpoint.values()]
        for tensor in (*tensors[:3], tensors[0], *tensors[3:]):
            kept._distribution(tensor, never)
        # The one that was asked for again stays, the oldest two are gone.
        assert [*kept._kept] == [tensors[0], *tensors[3:]]

    def test_goes_with_the_checkpoint(self) -> None:
        kept._kept.clear()
        checkpoint = ww.open_checkpoint({"l/kernel": np.ones((10, 10))})
        kept._distribution(checkpoint["l"]["kernel"], never)
        assert len(kept._kept) == 1
        del checkpoint
        gc.collect()
        assert len(kept._kept) == 0

    def test_exact_counts_on_request(self, explore: Any) -> None:
        values = NORMAL.astype(np.float32).reshape(400, 500)
        explorer = explore(a={"dense": values, "small": np.ones((2, 2))})
        button = having(explorer, "ww-exact")
        said = "".join(one.value for one in of_kind(explorer, widgets.HTML))
        assert "may stand in a neighbouring bin" in said
        assert button.layout.display is None
        button.click()
        assert explorer.wait(TIMEOUT)
        found = explorer.histogram.result.curves[0].histogram
        np.testing.assert_array_equal(found.counts, np.histogram(values.astype(np.float64), found.edges)[0])
        assert found.uncertain == 0
        assert button.layout.display == "none"
        explorer.selection.layer = "small"
        assert explorer.wait(TIMEOUT)
        assert explorer.histogram.exact is False
