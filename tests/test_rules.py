"""The rules of findings on arrays, against scipy, plain numpy and real steps of Keras."""

from __future__ import annotations

import itertools
import math
from types import ModuleType

import numpy as np
import pytest
import scipy.stats

from weight_widgets.analysis.findings.gradients import gradients_of, silent_steps, untouched_rows, update_ratio
from weight_widgets.analysis.findings.normalization import firing_rates, small_gammas
from weight_widgets.analysis.findings.redundancy import twins
from weight_widgets.analysis.findings.sparsity import near_share, small_units, zeros_of
from weight_widgets.analysis.findings.stability import are_one_run, jumps, relative_step
from weight_widgets.analysis.findings.untrained import is_forgetful_start, is_fresh_normalization, orthogonality
from weight_widgets.analysis.findings.values import farthest
from weight_widgets.analysis.pairs import pair_moments

RNG = np.random.default_rng(0)


class TestGradients:
    def test_inputs_that_are_always_zero_do_not_count(self) -> None:
        velocity = RNG.random((6, 5)) + 0.5
        velocity[[0, 3]] = 0
        velocity[:, 2] = 0
        found = gradients_of(velocity)
        assert found.always_zero == 2
        assert [*np.flatnonzero(found.second < 1e-6)] == [2]
        assert np.median(found.second[found.second > 0]) == pytest.approx(1)

    def test_the_bias_speaks_for_a_unit(self) -> None:
        velocity = np.ones((4, 3))
        velocity[:, 1] = 0
        assert gradients_of(velocity, bias_velocity=np.array([1, 0.5, 1])).second[1] > 0.01

    def test_most_units_may_be_dead(self) -> None:
        velocity = np.zeros((4, 9))
        velocity[:, 7] = 3.0
        found = gradients_of(velocity)
        assert found.typical == 3
        assert np.count_nonzero(found.second == 0) == 8

    def test_none_has_any(self) -> None:
        found = gradients_of(np.zeros((4, 3)), np.zeros((4, 3)))
        assert found.typical == 0
        assert not found.second.any()

    def test_the_first_moment_fades_by_its_decay(self) -> None:
        velocity, momentum = np.ones((2, 2)), np.array([[1.0, 0.9**200], [0.5, 0.0]])
        first = gradients_of(velocity, momentum).first
        assert first == pytest.approx([1, 0.9**200])
        assert silent_steps(first[1], 0.9) == pytest.approx(200)
        assert silent_steps(0.0, 0.9) == math.inf

    def test_untouched_rows(self) -> None:
        velocity = np.ones((5, 2))
        velocity[[1, 4]] = 0
        assert [*untouched_rows(velocity, None)] == [1, 4]
        momentum = np.zeros((5, 2))
        momentum[4, 0] = -1
        assert [*untouched_rows(velocity, momentum)] == [1]
        assert untouched_rows(np.zeros((5, 2)), None).size == 0

    def test_the_last_step_is_the_one_that_keras_made(self, keras: ModuleType) -> None:
        optimizer = keras.optimizers.Adam(0.03)
        variable = keras.Variable(RNG.normal(size=(4, 3)).astype("float32"))
        for _ in range(5):
            before = np.array(variable)
            optimizer.apply([RNG.normal(size=(4, 3)).astype("float32")], [variable])
        after = np.array(variable)
        slots = {each.name.rpartition("_")[2]: np.array(each) for each in optimizer.variables if each.shape}
        ratio = update_ratio(after, slots["momentum"], slots["velocity"], 0.03, iteration=5)
        assert ratio == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(after), rel=1e-4)


class TestChannels:
    def test_firing_rates_are_those_of_a_normal_distribution(self) -> None:
        gamma, beta = RNG.normal(size=50), RNG.normal(size=50)
        np.testing.assert_allclose(firing_rates(gamma, beta), scipy.stats.norm.sf(0, beta, np.abs(gamma)), rtol=1e-9)
        assert firing_rates(None, np.array([-6.0])) == pytest.approx(scipy.stats.norm.cdf(-6), rel=1e-9)
        assert firing_rates(np.array([3.0]), None) == 0.5

    def test_a_gamma_of_zero_leaves_the_shift_alone(self) -> None:
        rates = firing_rates(np.zeros(3), np.array([-1.0, 1.0, 0.0]))
        assert rates[:2].tolist() == [0, 1]
        assert math.isnan(rates[2])

    def test_small_gammas(self) -> None:
        assert [*small_gammas(np.array([1, -1e-4, 1, 0.5, 0]), 1e-3)] == [1, 4]
        assert small_gammas(np.array([1e-6, 2e-6, 1e-6]), 1e-3).size == 0
        assert [*small_gammas(np.zeros(2), 1e-3)] == [0, 1]


class TestValues:
    def test_the_farthest_in_robust_deviations(self) -> None:
        values = RNG.normal(size=1001)
        values[17] = -80
        distance, place = farthest(values)
        spread = scipy.stats.median_abs_deviation(values, scale="normal")
        assert place == 17
        assert distance == pytest.approx(abs(-80 - np.median(values)) / spread, rel=1e-9)

    def test_without_spread_there_is_no_distance(self) -> None:
        assert math.isnan(farthest(np.array([0, 0, 0, 5.0]))[0])
        assert math.isnan(farthest(np.empty(0))[0])

    def test_zeros_in_whole_units_rows_and_anywhere(self) -> None:
        matrix = RNG.normal(size=(10, 8))
        matrix[:, 3] = 0
        matrix[2] = 0
        matrix[5, 5] = 0
        found = zeros_of(matrix)
        assert [*found.units], [*found.rows] == ([3], [2])
        assert found.share == pytest.approx(18 / 80)
        assert found.within == pytest.approx(17 / 80)

    def test_near_zeros_and_small_units(self) -> None:
        values = np.array([1.0, -1.0, 1e-5, 0.0])
        assert near_share(values) == 0.25
        assert [*small_units(np.array([1, 2, 1e-3, 0, 3.0]), 0.01)] == [2]


class TestUntrained:
    def test_the_start_of_an_lstm(self) -> None:
        bias = np.repeat([0.0, 1.0, 0.0, 0.0], 3)
        assert is_forgetful_start(bias)
        for place in range(12):
            changed = bias.copy()
            changed[place] += 1e-7
            assert not is_forgetful_start(changed)
        assert not is_forgetful_start(np.zeros(12))
        assert not is_forgetful_start(np.zeros((2, 12)))

    def test_a_fresh_normalisation(self) -> None:
        one, zero = np.ones(3), np.zeros(3)
        assert is_fresh_normalization(one, zero, zero, one)
        assert is_fresh_normalization(None, None, zero, one)
        assert not is_fresh_normalization(one, zero, zero, one * 0.99)
        assert not is_fresh_normalization(one, zero + 1e-9, zero, one)

    @pytest.mark.parametrize("shape", [(6, 24), (24, 6), (5, 5)])
    def test_orthogonality_of_keras_own(self, keras: ModuleType, shape: tuple[int, int]) -> None:
        drawn = np.array(keras.initializers.Orthogonal(gain=2.0, seed=1)(shape))
        assert orthogonality(drawn, 2.0) < 1e-6
        drawn[0, 0] += 1e-3
        assert orthogonality(drawn, 2.0) > 1e-5


class TestTwins:
    def test_are_those_of_all_pairs(self) -> None:
        matrix = RNG.normal(size=(7, 40))
        matrix[:, 9] = matrix[:, 4] * (1 + 1e-5)
        matrix[:, 30] = -matrix[:, 2]
        matrix[:, [5, 6]] = 0
        found = {(twin.unit, twin.other, twin.mirrored) for twin in twins(matrix, 1e-3)}
        assert found == {(9, 4, False), (30, 2, True)}

    def test_a_multiple_is_no_copy(self) -> None:
        matrix = RNG.normal(size=(7, 3))
        matrix[:, 2] = 2 * matrix[:, 0]
        assert twins(matrix, 1e-3) == []

    def test_few_inputs_say_nothing(self) -> None:
        assert twins(np.ones((2, 5)), 1e-3) == []
        assert len(twins(np.ones((4, 5)), 1e-3)) == 4


class TestStability:
    def test_relative_steps(self) -> None:
        a, b = RNG.normal(size=9), RNG.normal(size=9)
        assert relative_step(pair_moments(a, b)) == pytest.approx(np.linalg.norm(b - a) / np.linalg.norm(a))
        assert relative_step(pair_moments(a, a)) == 0
        assert math.isnan(relative_step(pair_moments(np.zeros(3), np.ones(3))))
        assert math.isnan(relative_step(pair_moments(np.ones(2), np.array([1, np.nan]))))

    def test_large_first_steps_are_no_jump(self) -> None:
        assert jumps([0.9, 0.3, 0.1, 0.05, 0.05, 0.04], 4) == []

    def test_a_jump_and_what_follows_it(self) -> None:
        assert jumps([0.1, 0.1, 0.1, 0.8, 0.7, 0.1], 4) == [(3, pytest.approx(0.4))]

    def test_steps_that_are_not_known(self) -> None:
        """A kernel that starts at 0 has no first step, and its second is the largest of any healthy run."""
        assert jumps([math.nan, 0.9, 0.2, 0.1, 0.05, 0.05, 0.05], 4) == []
        assert [place for place, _ in jumps([math.nan, 0.1, 0.1, 0.1, 0.9, math.nan], 4)] == [4]

    def test_what_rested_before_has_no_median(self) -> None:
        assert jumps([0.0, 0.0, 0.0, 0.0, 0.3], 4) == []
        assert jumps([0.1, 0.1, 0.9], 4) == []

    def test_different_starts_are_no_run(self) -> None:
        starts = RNG.normal(size=(6, 500))
        steps = [relative_step(pair_moments(a, b)) for a, b in itertools.pairwise(starts)]
        assert not are_one_run(steps)
        assert are_one_run([0.3, 0.1, 0.05, 0.05])
