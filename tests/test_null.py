"""The range that holds the cosine of independent pairs, against simulated pairs and against permutations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.analysis.null import cosine_null, merge_nulls, null_sums, to_rows
from weight_widgets.analysis.pairs import pair_moments

DRAWS = 2000
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

VALUES: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "heavy tails": lambda rng, shape: rng.standard_t(5, shape),
    "units of unequal norm": lambda rng, shape: rng.normal(size=shape) * np.exp(rng.normal(0, 0.4, (1, shape[1]))),
}


def covered(pairs: Callable[[], tuple[np.ndarray, np.ndarray]], draws: int = DRAWS) -> float:
    """The share of pairs whose cosine lies in their range."""
    hits = 0
    for _ in range(draws):
        a, b = pairs()
        low, high = cosine_null(null_sums(a, b), pair_moments(a, b))
        cosine = float(np.vdot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))
        hits += low <= cosine <= high
    return hits / draws


@pytest.mark.slow
class TestCoverage:
    """95 % ± 2 of independent pairs, with a fixed seed."""

    @pytest.mark.parametrize("values", VALUES)
    @pytest.mark.parametrize("shape", [(64, 32), (27, 16), (25, 8), (9, 40), (200, 10), (150, 64)])
    @pytest.mark.parametrize("offset", [0.0, 0.7])
    def test_rows_of_unequal_scale_and_mean(self, values: str, shape: tuple[int, int], offset: float) -> None:
        rng = np.random.default_rng(1)
        scales = np.exp(rng.normal(size=(shape[0], 1)))
        means = offset * rng.normal(size=(shape[0], 1))

        def draw() -> np.ndarray:
            return np.asarray(scales * (VALUES[values](rng, shape) + means))

        assert covered(lambda: (draw(), draw())) == pytest.approx(0.95, abs=0.02)

    def test_rows_that_go_together(self) -> None:
        rng = np.random.default_rng(2)
        basis = rng.normal(size=(80, 6))

        def draw() -> np.ndarray:
            return np.asarray(basis @ rng.normal(size=(6, 40)) + 0.3 * rng.normal(size=(80, 40)))

        assert covered(lambda: (draw(), draw())) == pytest.approx(0.95, abs=0.02)

    def test_independent_scales_of_either(self) -> None:
        rng = np.random.default_rng(3)

        def draw() -> np.ndarray:
            return np.asarray(np.exp(rng.normal(size=(60, 1))) * rng.normal(size=(60, 24)))

        assert covered(lambda: (draw(), draw())) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("shape", [(30, 12), (100, 24), (40, 200)])
def test_the_range_is_that_of_random_orders_of_the_units(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    scales = np.exp(rng.normal(size=(shape[0], 1)))
    a, b = (scales * (rng.normal(size=shape) + 0.5) for _ in range(2))
    orders = [rng.permutation(shape[1]) for _ in range(4000)]
    cosines = [float(np.vdot(a, b[:, order])) / np.linalg.norm(a) / np.linalg.norm(b) for order in orders]
    low, high = cosine_null(null_sums(a, b), pair_moments(a, b))
    deviation = float(np.std(cosines))
    assert (low + high) / 2 == pytest.approx(np.mean(cosines), abs=0.1 * deviation)
    assert (high - low) / 2 / 1.96 == pytest.approx(deviation, rel=0.15)


def test_a_common_origin_does_not_widen_it_to_hide_itself() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=(500, 16))
    b = 0.5 * a + math.sqrt(0.75) * rng.normal(size=a.shape)
    _, high = cosine_null(null_sums(a, b), pair_moments(a, b))
    assert high < 0.1 < 0.4 < pair_moments(a, b).cosine


def test_means_of_rows_are_expected_to_agree() -> None:
    rng = np.random.default_rng(6)
    a, b = (rng.normal(1, 0.1, size=(50, 20)) for _ in range(2))
    low, high = cosine_null(null_sums(a, b), pair_moments(a, b))
    # 0.99 is what the means alone give.
    assert 0.985 < low < high < 0.995


@pytest.mark.parametrize("units", [12, 100])
def test_pieces_merge_to_the_whole(units: int) -> None:
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 90, units)).astype("f4")
    merged = merge_nulls(null_sums(a[:31], b[:31]), null_sums(a[31:], b[31:]))
    pair = pair_moments(a, b)
    np.testing.assert_allclose(cosine_null(merged, pair), cosine_null(null_sums(a, b), pair), rtol=1e-6)


@pytest.mark.parametrize(("shape", "why"), [((30, 3), "units"), ((2, 8), "weights"), ((0, 5), "nothing")])
def test_too_little_has_none(shape: tuple[int, int], why: str) -> None:
    a, b = np.random.default_rng(8).normal(size=(2, *shape))
    assert np.isnan(cosine_null(null_sums(a, b), pair_moments(a, b))).all(), why


def test_nan_has_none() -> None:
    a, b = np.random.default_rng(9).normal(size=(2, 30, 30))
    found = null_sums(a, b)
    b[3, 4] = np.nan
    assert np.isnan(cosine_null(found, pair_moments(a, b))).all()
    assert np.isnan(cosine_null(None, pair_moments(a, a))).all()


class TestRows:
    def test_of_an_lstm_are_inputs_and_gates(self, models: object) -> None:
        tensor = ww.open_checkpoint(f"{models}/sequence_lstm.h5")["lstm_1"]["kernel"]
        values = tensor.read()
        units = values.shape[1] // 4
        rows = to_rows(values, tensor.structure)
        assert rows is not None
        np.testing.assert_array_equal(rows, values.reshape(-1, units))
        # Pieces along the first dimension are pieces of it.
        piece = to_rows(values[2:5], tensor.structure)
        assert piece is not None
        np.testing.assert_array_equal(piece, rows[8:20])

    def test_of_a_transposed_convolution_have_its_filters_across(self, keras: object) -> None:
        model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2DTranspose(5, 2, name="up")])  # type: ignore[attr-defined]
        tensor = ww.open_checkpoint(model)["up"]["kernel"]
        values = tensor.read()
        rows = to_rows(values, tensor.structure)
        assert rows is not None
        np.testing.assert_array_equal(rows, np.moveaxis(values, 2, 3).reshape(-1, 5))

    def test_of_one_dimension_are_none(self, models: object) -> None:
        tensor = ww.open_checkpoint(f"{models}/sequence_lstm.h5")["lstm_1"]["bias"]
        assert to_rows(tensor.read(), tensor.structure) is None
