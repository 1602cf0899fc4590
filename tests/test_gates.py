"""Gates: what real Keras computes equals a computation from our parts by their names, whichever of them is changed.

The equations are those of Hochreiter and Schmidhuber (1997) with Gers' forget gate, of Cho et al. (2014), and of Shi et
al. (2015), as the layers' documentation states them. Every gate has a place of its own in them, so that two names
exchanged would show.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from real_layers import Saved, saved, sigmoid, with_added

LSTM = ("input", "forget", "cell", "output")
GRU = ("update", "reset", "candidate")
FORMATS = (".h5", ".keras")
Parts = dict[str, dict[str, np.ndarray]]
RNG = np.random.default_rng(3)


def parts_of(found: Saved, prefix: str = "") -> Parts:
    return {role: found.parts(f"{prefix}{role}") for role in ("kernel", "recurrent_kernel", "bias")}


def lstm(x: np.ndarray, parts: Parts, apply: Any = np.matmul, recur: Any = np.matmul) -> np.ndarray:
    """The last output; x has the shape (time, batch, …)."""
    h = c = None
    for step in x:
        z = {gate: apply(step, parts["kernel"][gate]) + parts["bias"][gate] for gate in LSTM}
        if h is not None:
            z = {gate: z[gate] + recur(h, parts["recurrent_kernel"][gate]) for gate in LSTM}
        new = sigmoid(z["input"]) * np.tanh(z["cell"])
        c = new if c is None else sigmoid(z["forget"]) * c + new
        h = sigmoid(z["output"]) * np.tanh(c)
    assert h is not None
    return h


def gru(x: np.ndarray, parts: Parts, reset_after: bool) -> np.ndarray:
    kernel, recurrent, bias = parts["kernel"], parts["recurrent_kernel"], parts["bias"]
    outer = {gate: bias[f"input bias/{gate}"] if reset_after else bias[gate] for gate in GRU}
    inner = {gate: bias[f"recurrent bias/{gate}"] if reset_after else 0.0 for gate in GRU}
    h = np.zeros((x.shape[1], recurrent["update"].shape[0]))
    for step in x:
        a = {gate: step @ kernel[gate] + outer[gate] for gate in GRU}
        update = sigmoid(a["update"] + h @ recurrent["update"] + inner["update"])
        reset = sigmoid(a["reset"] + h @ recurrent["reset"] + inner["reset"])
        if reset_after:
            state = reset * (h @ recurrent["candidate"] + inner["candidate"])
        else:
            state = (reset * h) @ recurrent["candidate"]
        h = update * h + (1 - update) * np.tanh(a["candidate"] + state)
    return h


def assert_agrees(found: Saved, x: np.ndarray, compute: Any, prefix: str = "") -> None:
    """As it is, and after each part of each weight was changed in Keras through our index."""
    parts = parts_of(found, prefix)
    before = np.array(found.layer(x))
    np.testing.assert_allclose(before, compute(parts), atol=2e-5)
    for role, own in parts.items():
        for part in own:
            index = found.index(f"{prefix}{role}", part)
            original = found.layer.get_weights()
            found.add(f"{prefix}{role}", index, 0.4)
            after = np.array(found.layer(x))
            assert np.abs(after - before).max() > 1e-4, (role, part)
            np.testing.assert_allclose(after, compute(parts | {role: with_added(own, part, 0.4)}), atol=2e-5)
            found.layer.set_weights(original)


@pytest.mark.parametrize("suffix", FORMATS)
def test_lstm(suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.LSTM(3, name="memory"), [(4, 5)], tmp_path / f"m{suffix}")
    x = RNG.normal(size=(2, 4, 5)).astype("f4")
    assert_agrees(found, x, lambda parts: lstm(x.swapaxes(0, 1), parts))


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru(reset_after: bool, keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.GRU(3, reset_after=reset_after, name="gates")
    found = saved(keras, layer, [(4, 5)], tmp_path / "m.h5")
    x = RNG.normal(size=(2, 4, 5)).astype("f4")
    assert_agrees(found, x, lambda parts: gru(x.swapaxes(0, 1), parts, reset_after))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutional_lstm(rank: int, keras: ModuleType, tmp_path: Path) -> None:
    kind = getattr(keras.layers, f"ConvLSTM{rank}D")
    layer = kind(2, 3, padding="same", recurrent_activation="sigmoid", name="cell")
    found = saved(keras, layer, [(3, *(4,) * rank, 2)], tmp_path / "m.keras")
    x = RNG.normal(size=(1, 3, *(4,) * rank, 2)).astype("f4")

    def convolve(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return np.array(keras.ops.conv(values.astype("f4"), kernel.astype("f4"), padding="same"))

    assert_agrees(found, x, lambda parts: lstm(x.swapaxes(0, 1), parts, convolve, convolve))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("given", [False, True])
def test_both_directions(given: bool, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    """A backward layer that is given keeps its name in Keras 3's legacy files."""
    backward = keras.layers.LSTM(2, go_backwards=True, name="back") if given else None
    layer = keras.layers.Bidirectional(keras.layers.LSTM(3), backward_layer=backward, merge_mode="concat", name="both")
    found = saved(keras, layer, [(4, 5)], tmp_path / f"m{suffix}")
    x = RNG.normal(size=(2, 4, 5)).astype("f4")
    steps = x.swapaxes(0, 1)
    fixed = {place: parts_of(found, f"{place}/") for place in ("forward", "backward")}
    for place in fixed:

        def compute(parts: Parts, place: str = place) -> np.ndarray:
            own = fixed | {place: parts}
            return np.concatenate([lstm(steps, own["forward"]), lstm(steps[::-1], own["backward"])], axis=1)

        assert_agrees(found, x, compute, f"{place}/")


def test_stacked_cells(keras: ModuleType, tmp_path: Path) -> None:
    cells = [keras.layers.LSTMCell(3), keras.layers.LSTMCell(2)]
    found = saved(keras, keras.layers.RNN(cells, name="stack"), [(4, 5)], tmp_path / "m.keras")
    x = RNG.normal(size=(2, 4, 5)).astype("f4")
    lower, upper = (parts_of(found, f"cell {number}/") for number in range(2))

    def outputs(parts: Parts) -> np.ndarray:
        steps = x.swapaxes(0, 1)
        return np.stack([lstm(steps[: end + 1], parts) for end in range(len(steps))])

    assert_agrees(found, x, lambda parts: lstm(outputs(parts), upper), "cell 0/")
    assert_agrees(found, x, lambda parts: lstm(outputs(lower), parts), "cell 1/")


def test_simple_rnn_has_units(keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.SimpleRNN(3, name="plain"), [(1, 5)], tmp_path / "m.h5")
    x = RNG.normal(size=(2, 1, 5)).astype("f4")
    before = np.array(found.layer(x))
    np.testing.assert_allclose(before, np.tanh(x[:, 0] @ found.whole("kernel") + found.whole("bias")), atol=1e-5)
    found.add("kernel", found.index("kernel", "unit 1"), 0.5)
    # At the first step nothing comes from the state: one unit alone moves.
    assert np.flatnonzero(np.abs(np.array(found.layer(x)) - before).max(axis=0) > 1e-6).tolist() == [1]
