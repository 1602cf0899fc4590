"""Attention heads: what real Keras computes equals a computation from our parts, whichever head is changed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from real_layers import Saved, saved, sigmoid, softmax, with_added

import weight_widgets as ww

RNG = np.random.default_rng(4)
PLACES = ("query", "key", "value", "output")
Parts = dict[str, dict[str, np.ndarray]]


def attention(x: np.ndarray, y: np.ndarray, parts: Parts, last_bias: np.ndarray, shared: int) -> np.ndarray:
    """Vaswani et al. (2017): the sum of what each head gives; query head j uses the keys of head j // shared."""
    total = last_bias
    heads = [name for name in parts["query/kernel"] if name.startswith("head")]
    for number, head in enumerate(heads):
        own = f"head {number // shared}"
        query = x @ parts["query/kernel"][head] + parts["query/bias"][head]
        key = y @ parts["key/kernel"][own] + parts["key/bias"][own]
        value = y @ parts["value/kernel"][own] + parts["value/bias"][own]
        given = softmax(query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])) @ value
        if "gate/kernel" in parts:
            given = given * sigmoid(x @ parts["gate/kernel"][head] + parts["gate/bias"][head])
        total = total + given @ parts["output/kernel"][head]
    return total


def assert_agrees(found: Saved, x: np.ndarray, y: np.ndarray, shared: int, places: tuple[str, ...]) -> None:
    names = [
        f"{place}/{role}" for place in places for role in ("kernel", "bias") if (place, role) != ("output", "bias")
    ]
    parts = {name: found.parts(name) for name in names}
    bias = found.whole("output/bias")
    before = outputs(found, x, y)
    np.testing.assert_allclose(before, attention(x, y, parts, bias, shared), atol=2e-5)
    for name, own in parts.items():
        for head in (head for head in own if head.startswith("head")):
            original = found.layer.get_weights()
            found.add(name, found.index(name, head), 0.4)
            after = outputs(found, x, y)
            expected = attention(x, y, parts | {name: with_added(own, head, 0.4)}, bias, shared)
            np.testing.assert_allclose(after, expected, atol=3e-5, err_msg=f"{name} {head}")
            if name != "key/bias":
                # Softmax does not see what is added to all scores alike.
                assert np.abs(after - before).max() > 1e-4, (name, head)
            found.layer.set_weights(original)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("gate", [False, True])
def test_multi_head_attention(gate: bool, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.MultiHeadAttention(3, 4, value_dim=4 if gate else 2, use_gate=gate, name="heads")
    found = saved(keras, layer, [(5, 6), (7, 6)], tmp_path / f"m{suffix}")
    x, y = RNG.normal(size=(2, 5, 6)).astype("f4"), RNG.normal(size=(2, 7, 6)).astype("f4")
    assert [*found.read["query/kernel"].parts] == ["head 0", "head 1", "head 2"]
    assert_agrees(found, x, y, 1, (*PLACES, "gate") if gate else PLACES)


def outputs(found: Saved, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Asked for its scores as well, Keras 3.15 on jax takes the way that knows values of another size than the keys'.
    return np.array(found.layer(x, y, return_attention_scores=True)[0])


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".weights.h5"])
def test_outputs_of_several_axes(suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.MultiHeadAttention(2, 4, output_shape=(3, 5), name="heads")
    x = keras.Input((5, 6))
    model = keras.Model(x, layer(x, x))
    generator = np.random.default_rng(8)
    layer.set_weights([generator.normal(size=weight.shape) for weight in layer.weights])
    (model.save_weights if suffix == ".weights.h5" else model.save)(tmp_path / f"m{suffix}")
    (read,) = ww.open_checkpoint(tmp_path / f"m{suffix}").values()
    kernel, bias = read["output/kernel"], read["output/bias"]
    assert kernel.shape == (2, 4, 3, 5)
    assert [*kernel.parts] == ["head 0", "head 1"]
    assert kernel.structure.matrix.shape == (8, 15)
    assert bias.structure.doubt == ""
    given = RNG.normal(size=(1, 5, 6)).astype("f4")
    before = np.array(layer(given, given))
    changed = kernel.read()
    changed[kernel.structure.part(0)[1]] = 0
    layer.set_weights([changed if weight.shape == changed.shape else weight.numpy() for weight in layer.weights])
    # What is left is what head 1 gives.
    parts = {name: tensor.read().astype(np.float64) for name, tensor in read.items()}
    projected = {
        name: np.einsum("bti,id->btd", given, parts[f"{name}/kernel"][:, 1]) + parts[f"{name}/bias"][1]
        for name in ("query", "key", "value")
    }
    scored = softmax(projected["query"] @ projected["key"].swapaxes(1, 2) / 2)
    expected = np.einsum("btd,dop->btop", scored @ projected["value"], parts["output/kernel"][1]) + parts["output/bias"]
    np.testing.assert_allclose(layer(given, given), expected, atol=1e-4)
    assert np.abs(before - expected).max() > 0.1


def scores(found: Saved, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array(found.layer(x, y, return_attention_scores=True)[1])


def moved_heads(before: np.ndarray, after: np.ndarray) -> list[int]:
    return np.flatnonzero(np.abs(after - before).max(axis=(0, 2, 3)) > 1e-6).tolist()


@pytest.mark.parametrize("name", ["query/kernel", "key/kernel", "query/bias"])
def test_a_head_changes_its_own_scores_alone(name: str, keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.MultiHeadAttention(3, 4, name="heads"), [(5, 6), (7, 6)], tmp_path / "m.h5")
    x, y = RNG.normal(size=(2, 5, 6)).astype("f4"), RNG.normal(size=(2, 7, 6)).astype("f4")
    before, original = scores(found, x, y), found.layer.get_weights()
    for number in range(3):
        found.add(name, found.index(name, f"head {number}"), 0.4)
        assert moved_heads(before, scores(found, x, y)) == [number]
        found.layer.set_weights(original)


@pytest.mark.parametrize("gate", [False, True])
def test_grouped_query_attention(gate: bool, keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.GroupQueryAttention(4, 6, 2, use_gate=gate, name="shared")
    found = saved(keras, layer, [(5, 6), (7, 6)], tmp_path / "m.keras")
    x, y = RNG.normal(size=(2, 5, 6)).astype("f4"), RNG.normal(size=(2, 7, 6)).astype("f4")
    assert_agrees(found, x, y, 3, (*PLACES, "gate") if gate else PLACES)
    before, original = scores(found, x, y), found.layer.get_weights()
    for group in range(2):
        heads = [*range(3 * group, 3 * group + 3)]
        for name, part in (("key/kernel", f"head {group}"), ("query/kernel", f"group {group}")):
            found.add(name, found.index(name, part), 0.4)
            assert moved_heads(before, scores(found, x, y)) == heads, (name, part)
            found.layer.set_weights(original)


def together(layer: Any, inputs: list[Any]) -> Any:
    return layer(inputs)


@pytest.mark.parametrize("mode", ["dot", "concat"])
def test_the_scalars_of_attention(mode: str, keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.Attention(use_scale=True, score_mode=mode, name="plain")
    found = saved(keras, layer, [(5, 6), (7, 6)], tmp_path / "m.h5", together)
    x, y = RNG.normal(size=(2, 5, 6)).astype("f4"), RNG.normal(size=(2, 7, 6)).astype("f4")
    scale = found.whole("scale")
    if mode == "dot":
        scored = scale * (x @ y.swapaxes(1, 2))
    else:
        sums = np.tanh(scale * (x[:, :, None] + y[:, None])).sum(axis=-1)
        scored = found.whole("concat_score_weight") * sums
    np.testing.assert_allclose(found.layer([x, y]), softmax(scored) @ y, atol=1e-5)
    assert {tensor.shape for tensor in found.read.values()} == {()}
    assert not any(tensor.parts for tensor in found.read.values())


def test_additive_attention_scales_each_dimension(keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.AdditiveAttention(name="added")
    found = saved(keras, layer, [(5, 6), (7, 6)], tmp_path / "m.h5", together)
    x, y = RNG.normal(size=(2, 5, 6)).astype("f4"), RNG.normal(size=(2, 7, 6)).astype("f4")
    scored = (found.whole("scale") * np.tanh(x[:, :, None] + y[:, None])).sum(axis=-1)
    np.testing.assert_allclose(found.layer([x, y]), softmax(scored) @ y, atol=1e-5)
    assert [axis.label for axis in found.read["scale"].structure.axes] == ["dimension"]
