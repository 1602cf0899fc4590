"""Filters, groups, channels, units and tokens: changed in real Keras through our index, exactly their outputs move."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from real_layers import Saved, changed_channels, saved

import weight_widgets as ww

RNG = np.random.default_rng(5)


def moved(found: Saved, x: np.ndarray, name: str, part: str) -> set[int]:
    """The output channels that differ when one part is changed."""
    original = found.layer.get_weights()
    before = found.layer(x)
    found.add(name, found.index(name, part), 1.0)
    after = found.layer(x)
    found.layer.set_weights(original)
    return changed_channels(before, after)


def inputs(*shape: int) -> np.ndarray:
    return RNG.normal(size=(2, *shape)).astype("f4")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Conv", "Transpose"])
def test_filters(kind: str, rank: int, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    name = f"Conv{rank}D{'Transpose' if kind == 'Transpose' else ''}"
    layer = getattr(keras.layers, name)(3, 2, name="filters")
    found = saved(keras, layer, [(*(5,) * rank, 4)], tmp_path / f"m{suffix}")
    assert [*found.read["kernel"].parts] == ["filter 0", "filter 1", "filter 2"]
    x = inputs(*(5,) * rank, 4)
    for number in range(3):
        assert moved(found, x, "kernel", f"filter {number}") == {number}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_groups(rank: int, keras: ModuleType, tmp_path: Path) -> None:
    layer = getattr(keras.layers, f"Conv{rank}D")(6, 2, groups=2, name="grouped")
    found = saved(keras, layer, [(*(4,) * rank, 4)], tmp_path / "m.h5")
    x = inputs(*(4,) * rank, 4)
    for name in ("kernel", "bias"):
        assert moved(found, x, name, "group 0") == {0, 1, 2}
        assert moved(found, x, name, "group 1") == {3, 4, 5}
    assert moved(found, x, "kernel", "filter 4") == {4}
    # A group sees its own inputs alone.
    alone = x.copy()
    alone[..., :2] = 0
    assert changed_channels(found.layer(x), found.layer(alone)) == {0, 1, 2}
    axes = [axis.label for axis in found.read["kernel"].structure.axes]
    assert axes[-2:] == ["input channel of the group", "filter"]


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_channels_of_a_depthwise_convolution(multiplier: int, rank: int, keras: ModuleType, tmp_path: Path) -> None:
    layer = getattr(keras.layers, f"DepthwiseConv{rank}D")(2, depth_multiplier=multiplier, name="depth")
    found = saved(keras, layer, [(*(4,) * rank, 3)], tmp_path / "m.h5")
    x = inputs(*(4,) * rank, 3)
    assert len(found.read["kernel"].parts) == 3 * multiplier
    for number in range(3 * multiplier):
        assert moved(found, x, "kernel", f"channel {number}") == {number}


@pytest.mark.parametrize("rank", [1, 2])
def test_both_kernels_of_a_separable_convolution(rank: int, keras: ModuleType, tmp_path: Path) -> None:
    layer = getattr(keras.layers, f"SeparableConv{rank}D")(6, 2, depth_multiplier=2, name="two")
    found = saved(keras, layer, [(*(4,) * rank, 3)], tmp_path / "m.keras")
    x = inputs(*(4,) * rank, 3)
    assert moved(found, x, "pointwise_kernel", "filter 4") == {4}
    # With the identity behind it each channel comes out by itself.
    weights = found.layer.get_weights()
    weights[1] = np.eye(6, dtype="f4").reshape(weights[1].shape)
    found.layer.set_weights(weights)
    for number in range(6):
        assert moved(found, x, "depthwise_kernel", f"channel {number}") == {number}


def test_units_of_a_dense_layer(keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.Dense(4, name="units"), [(3,)], tmp_path / "m.h5")
    assert moved(found, inputs(3), "kernel", "unit 2") == {2}


def test_a_wrapper_hides_nothing(keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.TimeDistributed(keras.layers.Conv1D(4, 2, groups=2), name="each")
    found = saved(keras, layer, [(3, 5, 2)], tmp_path / "m.keras")
    assert moved(found, inputs(3, 5, 2), "kernel", "group 1") == {2, 3}


def test_tokens(keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.Embedding(7, 3, name="words"), [(5,)], tmp_path / "m.h5")
    ids = np.array([[0, 3, 6, 3, 1]])
    before = np.array(found.layer(ids))
    found.add("embeddings", found.index("embeddings", "token 3"), 1.0)
    after = np.array(found.layer(ids))
    assert np.flatnonzero(np.abs(after - before).max(axis=(0, 2))).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("equation", "output", "bias", "shape", "parts"),
    [
        ("ab,bc->ac", 4, "c", (3,), {"unit 1": (1,)}),
        ("abc,cde->abde", (None, 2, 3), "de", (5, 4), {"output d 1": (1, slice(None)), "output e 2": (slice(None), 2)}),
        ("abcd,cde->abe", (None, 3), "e", (5, 2, 4), {"unit 2": (2,)}),
        ("...x,xy->...y", 3, "y", (5, 4), {"unit 0": (0,)}),
        ("abc,bcd->abd", (2, 3), "d", (2, 4), {"unit 1": (1,)}),
    ],
)
def test_the_outputs_of_an_einsum(
    equation: str, output: Any, bias: str, shape: tuple[int, ...], parts: Any, keras: ModuleType, tmp_path: Path
) -> None:
    layer = keras.layers.EinsumDense(equation, output, bias_axes=bias, name="einsum")
    found = saved(keras, layer, [shape], tmp_path / "m.keras")
    x = inputs(*shape)
    for part, place in parts.items():
        before, original = np.array(found.layer(x)), found.layer.get_weights()
        found.add("kernel", found.index("kernel", part), 1.0)
        difference = np.abs(np.array(found.layer(x)) - before)
        here = np.zeros(difference.shape, bool)
        here[(..., *place)] = True
        assert (difference[here] > 1e-6).all()
        assert not difference[~here].any()
        found.layer.set_weights(original)


def test_groups_of_a_normalization(keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.GroupNormalization(2, name="groups"), [(5, 6)], tmp_path / "m.h5")
    for name in ("gamma", "beta"):
        assert moved(found, inputs(5, 6), name, "group 1") == {3, 4, 5}


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_layers_of_keras_are_known(suffix: str, keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, keras.layers.Conv2D(3, 2, name="filters"), [(5, 5, 4)], tmp_path / f"m{suffix}")
    assert not any(tensor.assumed or tensor.structure.doubt for tensor in found.read.values())
    assert isinstance(found.read, ww.Layer)
