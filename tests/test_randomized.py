"""The largest singular values of large matrices, against matrices whose singular values are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from weight_widgets.analysis import decomposition
from weight_widgets.analysis.decomposition import SingularValues, singular_values
from weight_widgets.analysis.spectrum import spectrum

ROUNDING = {np.float64: 1e-10, np.float32: 1e-5}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 80 × 80 on a matrix is large."""
    monkeypatch.setattr(decomposition, "EXACT_WORK", 80**3)
    monkeypatch.setattr(decomposition, "RANK", 30)
    monkeypatch.setattr(decomposition, "NARROW", 80)


def matrix_of(values: np.ndarray, rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """A matrix with these singular values: reflections of a diagonal, on either side, in directions without pattern."""
    generator = np.random.default_rng(seed)
    matrix = np.zeros((rows, columns))
    matrix[range(values.size), range(values.size)] = values
    for _ in range(2):
        left, right = (generator.standard_normal(size) for size in (rows, columns))
        left, right = left / np.linalg.norm(left), right / np.linalg.norm(right)
        matrix -= np.outer(2 * left, left @ matrix)
        matrix -= np.outer(matrix @ right, 2 * right)
    return matrix


def falling(strong: int, total: int) -> np.ndarray:
    """Strong directions, and noise whose singular values lie on a quarter of a circle."""
    noise = np.sqrt(1 - np.linspace(0, 1, total - strong) ** 2)
    return np.concatenate([100 / np.sqrt(np.arange(1, strong + 1)), noise])


def assert_within_its_error(found: SingularValues, truth: np.ndarray, rounding: float) -> None:
    rank = len(found.values)
    assert found.method == "randomized"
    assert (found.values <= truth[:rank] * (1 + rounding)).all()
    assert (truth[:rank] <= np.sqrt(found.values**2 + found.error**2) * (1 + rounding)).all()
    # A bound that says something: no value is further off than the first one that was not asked for, times a few.
    assert truth[rank + decomposition.OVERSAMPLING] <= found.error < 5 * truth[rank]
    assert found.frobenius == pytest.approx(np.linalg.norm(truth), rel=rounding)


def test_the_matrices_are_what_they_say() -> None:
    truth = falling(20, 200)
    np.testing.assert_allclose(scipy.linalg.svdvals(matrix_of(truth, 300, 200)), truth, rtol=0, atol=1e-12)


@pytest.mark.parametrize("strong", [0, 10, 40])
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("shape", [(300, 200), (200, 300)])
@pytest.mark.usefixtures("small")
def test_within_its_error(shape: tuple[int, int], dtype: type, strong: int) -> None:
    """Also where more directions are strong than are asked for, and where none is."""
    truth = falling(strong, 200)
    progress: list[str] = []
    found = singular_values(matrix_of(truth, *shape, seed=strong).astype(dtype), progress=progress.append)
    assert len(found.values) == 30
    assert_within_its_error(found, truth, ROUNDING[dtype])
    # Directions that stand out are found as well as by the exact method.
    np.testing.assert_allclose(found.values[:strong], truth[: min(strong, 30)], rtol=ROUNDING[dtype])
    shares = [float(said.removesuffix(" %")) for said in progress if said.endswith(" %")]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 100


@pytest.mark.parametrize(
    ("dtype", "power"), [(np.float32, 110), (np.float32, -100), (np.float64, 1000), (np.float64, -900)]
)
@pytest.mark.usefixtures("small")
def test_very_large_and_very_small(dtype: type, power: int) -> None:
    """The error is found by way of high powers, for which such numbers leave no room."""
    truth = falling(10, 200)
    found = singular_values(np.ldexp(matrix_of(truth, 300, 200).astype(dtype), power))
    values, error, frobenius = (np.ldexp(number, -power) for number in (found.values, found.error, found.frobenius))
    assert_within_its_error(SingularValues(values, error, frobenius, found.method), truth, ROUNDING[dtype])


@pytest.mark.usefixtures("small")
def test_nothing_is_left_outside() -> None:
    """A matrix of a lower rank than is asked for is found whole, and the error says so."""
    truth = np.array([5.0, 3.0, 2.0])
    found = singular_values(matrix_of(truth, 100, 90))
    np.testing.assert_allclose(found.values[:3], truth, rtol=1e-12)
    np.testing.assert_allclose(found.values[3:], 0, atol=1e-12)
    assert found.error < 1e-6
    assert singular_values(np.zeros((100, 90))).error == 0


@pytest.mark.usefixtures("small")
def test_the_same_each_time() -> None:
    first, second = (singular_values(matrix_of(falling(10, 90), 100, 90)) for _ in range(2))
    assert (first.values == second.values).all()
    assert first.error == second.error


@pytest.mark.usefixtures("small")
def test_from_where_on() -> None:
    assert singular_values(np.eye(80)).method == "exact"
    assert singular_values(np.ones((640, 20))).method == "exact"
    assert singular_values(np.eye(81)).method == "randomized"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ROUNDING)
def test_beyond_4096(dtype: type) -> None:
    truth = falling(300, 4100)
    matrix = matrix_of(truth, 4200, 4100).astype(dtype)
    rounding = ROUNDING[dtype]
    assert_within_its_error(singular_values(matrix), truth, rounding)
    found = spectrum(matrix)
    assert found.spectral_norm == pytest.approx(truth[0], rel=rounding)
    assert found.frobenius_norm == pytest.approx(np.linalg.norm(truth), rel=rounding)
    assert found.stable_rank == pytest.approx((truth**2).sum() / truth[0] ** 2, rel=2 * rounding)
    assert found.error > 0
    assert np.isnan([found.effective_rank, found.alpha]).all()
    assert "of 4100 singular values the largest 256" in found.note
