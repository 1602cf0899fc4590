"""The fit of a power law against the package `powerlaw`, the authors' formulas written out, and laws that are known."""

from __future__ import annotations

import json
import math
import runpy
import warnings
from pathlib import Path
from random import Random

import numpy as np
import powerlaw
import pytest
import scipy.linalg
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weight_widgets.analysis.powerlaw import PowerLaw, fit_power_law

SPECTRA = Path(__file__).parent / "spectra"
MATRICES = json.loads((SPECTRA / "weightwatcher.json").read_text(encoding="utf-8"))["matrices"]
make_matrix = runpy.run_path(str(SPECTRA / "make_weightwatcher.py"))["make_matrix"]

# A part in a million between two values leaves ten digits of what is computed from their logarithms' difference.
POSITIVE = st.integers(1, 10**6).map(lambda number: number / 1000)


def pareto(seed: int, size: int, alpha: float, xmin: float) -> np.ndarray:
    return xmin * np.random.default_rng(seed).uniform(size=size) ** (-1 / (alpha - 1))


def broken(seed: int) -> np.ndarray:
    """A law from 3 on, and below it values that follow none."""
    return np.concatenate([np.random.default_rng(seed).uniform(0.5, 3, 400), pareto(seed, 600, 2.5, 3.0)])


SAMPLES = {
    "law": pareto(0, 300, 2.2, 1.0),
    "steep law": pareto(1, 300, 7.0, 1.0),
    "shallow law": pareto(2, 300, 1.3, 1e-6),
    "law from 3 on": broken(3),
    "lognormal": np.random.default_rng(4).lognormal(0, 1.5, 250),
    "exponential": np.random.default_rng(5).exponential(1e5, 250),
    "uniform": np.random.default_rng(6).uniform(1, 2, 80),
    "three": np.array([1.0, 2.0, 5.0]),
}


def written_out(values: np.ndarray, xmin: float) -> tuple[float, float]:
    """Exponent and distance for one xmin, as in the authors' plfit.m."""
    z = sorted(value for value in values.ravel().tolist() if value >= xmin)
    slope = len(z) / math.fsum(math.log(value / xmin) for value in z)
    distance = max(abs(1 - (xmin / value) ** slope - below / len(z)) for below, value in enumerate(z))
    return 1 + slope, distance


def fitted(values: np.ndarray) -> PowerLaw:
    found = fit_power_law(values)
    assert found is not None
    return found


def eigenvalues(name: str) -> np.ndarray:
    matrix = make_matrix(MATRICES[name]["recipe"]).astype(np.float64)
    values = scipy.linalg.svdvals(matrix)
    return values[: np.linalg.matrix_rank(matrix)] ** 2


def assert_same_as_the_package(values: np.ndarray) -> None:
    with warnings.catch_warnings():
        # It divides by 0 at candidates that it does not take.
        warnings.simplefilter("ignore")
        # By itself it takes no exponent above 3.
        theirs = powerlaw.Fit(values, parameter_ranges={"alpha": (1, None)}, verbose=0)
    ours = fitted(values)
    assert ours.alpha == pytest.approx(theirs.alpha, rel=1e-9)
    assert ours.se == pytest.approx(theirs.sigma, rel=1e-9)
    assert ours.distance == pytest.approx(theirs.D, rel=1e-9)
    assert (ours.xmin, ours.tail) == (theirs.xmin, theirs.n_tail)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "three"])
def test_samples_as_the_package(name: str) -> None:
    assert_same_as_the_package(SAMPLES[name])


@pytest.mark.parametrize("name", MATRICES)
def test_eigenvalues_as_the_package(name: str) -> None:
    assert_same_as_the_package(eigenvalues(name))


@pytest.mark.parametrize("name", SAMPLES)
def test_formulas(name: str) -> None:
    values = SAMPLES[name]
    law = fitted(values)
    alpha, distance = written_out(values, law.xmin)
    assert law.alpha == pytest.approx(alpha, rel=1e-12)
    assert law.distance == pytest.approx(distance, rel=1e-9)
    assert law.tail == (values >= law.xmin).sum()
    assert law.se == pytest.approx((alpha - 1) / math.sqrt(law.tail), rel=1e-12)


@given(arrays(np.float64, st.integers(2, 40), elements=POSITIVE))
def test_no_start_is_better(values: np.ndarray) -> None:
    """Of all values but the largest; ties included."""
    candidates = np.unique(values)[:-1]
    assume(candidates.size)
    law = fitted(values)
    alpha, distance = written_out(values, law.xmin)
    assert law.xmin in candidates
    assert law.alpha == pytest.approx(alpha, rel=1e-7)
    assert law.distance == pytest.approx(distance, abs=1e-9)
    assert law.distance <= min(written_out(values, xmin)[1] for xmin in candidates) + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_a_known_law_is_found(seed: int) -> None:
    law = fitted(broken(seed))
    assert abs(law.alpha - 2.5) < 4 * law.se
    # Only the values from 3 on follow it.
    assert 2.5 < law.xmin < 6
    assert law.distance < 0.05


@given(st.sampled_from(list(SAMPLES)), st.integers(-300, 300), st.randoms())
def test_neither_scale_nor_order_nor_shape_matters(name: str, power: int, shuffler: Random) -> None:
    values = SAMPLES[name]
    shuffled = values.tolist()
    shuffler.shuffle(shuffled)
    law, scaled = fitted(values), fitted(np.reshape(shuffled, (1, -1)) * 2.0**power)
    assert scaled.alpha == pytest.approx(law.alpha, rel=1e-9)
    assert scaled.distance == pytest.approx(law.distance, rel=1e-9)
    assert (scaled.xmin, scaled.tail) == (law.xmin * 2.0**power, law.tail)


@pytest.mark.parametrize("power", [0.5, 2.0])
def test_powers_of_a_law(power: float) -> None:
    """x² has half the slope of x."""
    law, other = fitted(SAMPLES["law"]), fitted(SAMPLES["law"] ** power)
    assert other.alpha - 1 == pytest.approx((law.alpha - 1) / power, rel=1e-9)
    assert other.distance == pytest.approx(law.distance, rel=1e-9)
    assert other.tail == law.tail


@pytest.mark.parametrize("values", [[], [2.0], [3.0, 3.0, 3.0]])
def test_fewer_than_two_different_values(values: list[float]) -> None:
    assert fit_power_law(np.array(values)) is None


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_computed_in_float64(dtype: type) -> None:
    values = np.round(SAMPLES["law from 3 on"] * 1000).astype(dtype)
    assert fit_power_law(values) == fit_power_law(values.astype(np.float64))


def test_values_as_near_as_numbers_can_be() -> None:
    """No sum of logarithms loses the digits that they differ in."""
    law = fitted(np.array([1.0, np.nextafter(1.0, 2.0)]))
    assert law.alpha == pytest.approx(1 + 2 / np.spacing(1.0))
    # 1 − exp(−2), where half of the values are below.
    assert law.distance == pytest.approx(0.5 - math.exp(-2))
