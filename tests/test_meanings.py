"""What gates are for, seen in real Keras: each has an effect that no other has, so that no two names can be swapped."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from compiled import compiled
from real_layers import Saved, saved

RNG = np.random.default_rng(6)
# More than any gate can withstand: the sigmoid of it is 0 or 1 in float32.
PUSH = 1000.0
LSTM_WEIGHTS = (("kernel", ""), ("recurrent_kernel", ""), ("bias", ""))
GRU_WEIGHTS = {
    False: LSTM_WEIGHTS,
    True: (*LSTM_WEIGHTS[:2], ("bias", "input bias/"), ("bias", "recurrent bias/")),
}


class Recurrent:
    """One step of a recurrent layer from states of our choice.

    The input and the output before are positive, so that a push on any weight of a gate pushes the gate that way.
    """

    def __init__(self, found: Saved, inputs: tuple[int, ...], state: tuple[int, ...]) -> None:
        self.found = found
        self.call = compiled(found.layer)
        self.original = found.layer.get_weights()
        self.variables = {name: self.variable(name) for name in found.read}
        self.x = np.ones((1, 1, *inputs), "f4")
        self.output = RNG.uniform(0.2, 0.8, (1, *state)).astype("f4")
        self.cell = RNG.uniform(0.5, 1.5, (1, *state)).astype("f4")
        self.empty = np.zeros_like(self.cell)

    def variable(self, name: str) -> Any:
        """The layer's own weight, known by its values."""
        stored = self.found.read[name].read()
        (found,) = [each for each in self.found.layer.weights if np.array_equal(each, stored)]
        return found

    def push(self, *pushes: tuple[tuple[str, str], str, float]) -> None:
        """Push these gates, by one of their weights each, and no others."""
        self.found.layer.set_weights(self.original)
        for (name, row), gate, amount in pushes:
            values = np.array(self.variables[name])
            values[self.found.index(name, f"{row}{gate}")] += amount
            self.variables[name].assign(values)

    def step(self, *states: np.ndarray) -> list[np.ndarray]:
        """The states afterwards."""
        _, *after = self.call(self.x, initial_state=[*states])
        return [np.array(state) for state in after]


@pytest.fixture(scope="class", params=["LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"])
def lstm(request: pytest.FixtureRequest, keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Recurrent:
    rank = 0 if request.param == "LSTM" else int(request.param[-2])
    window: dict[str, Any] = {"kernel_size": 2, "padding": "same"} if rank else {}
    layer = getattr(keras.layers, request.param)(2, return_state=True, name="memory", **window)
    path = tmp_path_factory.mktemp("lstm") / "m.keras"
    places = (3,) * rank
    return Recurrent(saved(keras, layer, [(1, *places, 4)], path), (*places, 4), (*places, 2))


@pytest.mark.parametrize("weight", LSTM_WEIGHTS, ids="".join)
class TestLongShortTermMemory:
    def test_the_input_gate_lets_nothing_into_an_empty_cell(self, lstm: Recurrent, weight: tuple[str, str]) -> None:
        lstm.push((weight, "input", -PUSH))
        assert not lstm.step(lstm.output, lstm.empty)[1].any()

    def test_the_forget_gate_empties_the_cell(self, lstm: Recurrent, weight: tuple[str, str]) -> None:
        lstm.push((weight, "forget", -PUSH))
        full, empty = (lstm.step(lstm.output, cell)[1] for cell in (lstm.cell, lstm.empty))
        np.testing.assert_array_equal(full, empty)
        lstm.push((weight, "forget", PUSH))
        full, empty = (lstm.step(lstm.output, cell)[1] for cell in (lstm.cell, lstm.empty))
        np.testing.assert_allclose(full, empty + lstm.cell, atol=1e-6)

    def test_the_candidate_is_what_an_empty_cell_takes(self, lstm: Recurrent, weight: tuple[str, str]) -> None:
        taken = []
        for amount in (PUSH, -PUSH):
            lstm.push((weight, "cell", amount))
            taken.append(lstm.step(lstm.output, lstm.empty)[1])
        assert (taken[0] > 0).all()
        np.testing.assert_array_equal(taken[0], -taken[1])

    def test_the_output_gate_hides_the_cell(self, lstm: Recurrent, weight: tuple[str, str]) -> None:
        lstm.push()
        _, before = lstm.step(lstm.output, lstm.cell)
        lstm.push((weight, "output", -PUSH))
        hidden, cell = lstm.step(lstm.output, lstm.cell)
        assert not hidden.any()
        np.testing.assert_array_equal(cell, before)
        lstm.push((weight, "output", PUSH))
        np.testing.assert_allclose(lstm.step(lstm.output, lstm.cell)[0], np.tanh(before), atol=1e-6)


@pytest.fixture(scope="class", params=[True, False], ids=["reset after", "reset before"])
def gru(request: pytest.FixtureRequest, keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Recurrent:
    layer = keras.layers.GRU(3, reset_after=request.param, return_state=True, name="gated")
    path = tmp_path_factory.mktemp("gru") / "m.h5"
    return Recurrent(saved(keras, layer, [(1, 4)], path), (4,), (3,))


class TestGatedRecurrentUnit:
    @pytest.fixture
    def weights(self, gru: Recurrent) -> tuple[tuple[str, str], ...]:
        return GRU_WEIGHTS[gru.found.layer.reset_after]

    def test_the_update_gate_keeps_the_state(self, gru: Recurrent, weights: tuple[tuple[str, str], ...]) -> None:
        for weight in weights:
            gru.push((weight, "update", PUSH))
            np.testing.assert_array_equal(gru.step(gru.output)[0], gru.output)

    def test_the_candidate_is_what_is_not_kept(self, gru: Recurrent, weights: tuple[tuple[str, str], ...]) -> None:
        for weight in weights:
            up, down = (self.pushed(gru, weight, amount) for amount in (PUSH, -PUSH))
            kept = 1 - (up - down) / 2
            assert ((kept > 0) & (kept < 1)).all()
            np.testing.assert_allclose(up + down, 2 * kept * gru.output, atol=1e-6)

    def test_the_reset_gate_hides_the_state_from_the_candidate(
        self, gru: Recurrent, weights: tuple[tuple[str, str], ...]
    ) -> None:
        for weight in weights:
            before = self.pushed(gru, weight, -PUSH, gate="reset")
            for own in weights:
                gru.push((weight, "reset", -PUSH), (own, "candidate", PUSH))
                hidden = own in (("recurrent_kernel", ""), ("bias", "recurrent bias/"))
                assert np.array_equal(gru.step(gru.output)[0], before) == hidden, own

    def pushed(self, gru: Recurrent, weight: tuple[str, str], amount: float, gate: str = "candidate") -> np.ndarray:
        gru.push((weight, gate, amount))
        return gru.step(gru.output)[0]
