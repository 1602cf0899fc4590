"""What each axis of a weight means, seen in real Keras: which inputs its positions read, which outputs they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from compiled import compiled
from real_layers import Saved, saved

RNG = np.random.default_rng(8)


class Reads(NamedTuple):
    """The axis runs along this axis of the input (without the batch)."""

    tensor: str
    label: str
    axis: int


class Writes(NamedTuple):
    """As `Reads`, of the output."""

    tensor: str
    label: str
    axis: int


Effect = Reads | Writes


def random(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, (1, *shape)).astype("f4")


def moved(found: Saved, effect: Effect, position: int, compute: Callable[[], Any]) -> np.ndarray:
    """Which numbers of the output move when the weights at one position of the axis are changed."""
    structure = found.read[effect.tensor].structure
    chosen = np.zeros([axis.size for axis in structure.axes], bool)
    np.moveaxis(chosen, structure.place(effect.label), 0)[position] = True
    original, before = found.layer.get_weights(), np.array(compute())
    found.add(effect.tensor, chosen.reshape(structure.shape), 1.0)
    after = np.array(compute())
    found.layer.set_weights(original)
    return np.abs(after - before)[0] > 1e-6


def assert_effect(found: Saved, effect: Effect, x: np.ndarray, call: Callable[[np.ndarray], Any]) -> None:
    """Each position reads, or writes, what has the same position in the input or output, and nothing else."""
    structure = found.read[effect.tensor].structure
    positions = range(structure.axes[structure.place(effect.label)].size)
    for position in positions:
        if isinstance(effect, Writes):
            places = np.moveaxis(moved(found, effect, position, lambda: call(x)), effect.axis, 0)
            assert [*np.flatnonzero([place.any() for place in places])] == [position], effect
            continue
        alone = np.zeros_like(x)
        np.moveaxis(alone, effect.axis + 1, 0)[position] = np.moveaxis(x, effect.axis + 1, 0)[position]
        reading = [other for other in positions if moved(found, effect, other, lambda x=alone: call(x)).any()]
        assert reading == [position], effect


# The sides of windows differ, so that no two of their axes can be swapped.
SIDES = (2, 3, 4)
WINDOWS = {1: ("step",), 2: ("row", "column"), 3: ("depth", "row", "column")}


def window(rank: int, kind: type[Effect], tensor: str = "kernel", first: int = 0) -> list[Effect]:
    return [kind(tensor, f"kernel {name}", first + axis) for axis, name in enumerate(WINDOWS[rank])]


def convolution(rank: int) -> list[Effect]:
    """Of an image of the size of the window."""
    channels = [
        Reads("kernel", "input channel", rank),
        Writes("kernel", "filter", rank),
        Writes("bias", "filter", rank),
    ]
    return [*window(rank, Reads), *channels]


def transposed(rank: int) -> list[Effect]:
    """Of an image of a single point, which becomes one of the window's size."""
    channels = [
        Reads("kernel", "input channel", rank),
        Writes("kernel", "filter", rank),
        Writes("bias", "filter", rank),
    ]
    return [*window(rank, Writes), *channels]


def depthwise(rank: int) -> list[Effect]:
    return [*window(rank, Reads), Reads("kernel", "input channel", rank), Writes("bias", "channel", rank)]


def separable(rank: int) -> list[Effect]:
    return [
        *window(rank, Reads, "depthwise_kernel"),
        Reads("depthwise_kernel", "input channel", rank),
        Writes("pointwise_kernel", "filter", rank),
        Writes("bias", "filter", rank),
    ]


def convolutional_lstm(rank: int) -> list[Effect]:
    return [
        *window(rank, Reads, first=1),
        Reads("kernel", "input channel", rank + 1),
        Writes("kernel", "filter", rank),
        Writes("bias", "filter", rank),
    ]


DENSE = [Reads("kernel", "input", 0), Writes("kernel", "unit", 0), Writes("bias", "unit", 0)]
RECURRENT = [Reads("kernel", "input", 1), Writes("kernel", "unit", 0), Writes("bias", "unit", 0)]
ELEMENTS = [Writes("gamma", "element", 1), Writes("beta", "element", 1)]
CHANNELS = [Writes("gamma", "channel", 1), Writes("beta", "channel", 1)]

# Of a layer its class, its settings, and the shape of an input.
Case = tuple[str, dict[str, Any], tuple[int, ...], list[Effect]]


def convolutions(rank: int) -> list[Case]:
    sides, point = SIDES[:rank], (1,) * rank
    settings, twice = {"kernel_size": sides, "filters": 5}, {"kernel_size": sides, "depth_multiplier": 2}
    everywhere: list[Case] = [
        (f"Conv{rank}D", settings, (*sides, 3), convolution(rank)),
        (f"Conv{rank}DTranspose", settings, (*point, 3), transposed(rank)),
        (f"ConvLSTM{rank}D", settings, (1, *sides, 3), convolutional_lstm(rank)),
    ]
    planar: list[Case] = [
        (f"DepthwiseConv{rank}D", twice, (*sides, 3), depthwise(rank)),
        (f"SeparableConv{rank}D", settings | twice, (*sides, 3), separable(rank)),
    ]
    return everywhere + planar if rank < 3 else everywhere


CASES: list[Case] = [
    ("Dense", {"units": 4}, (3,), DENSE),
    ("Embedding", {"input_dim": 3, "output_dim": 4}, (2,), [Writes("embeddings", "dimension", 1)]),
    *((name, {"units": 3}, (1, 4), RECURRENT) for name in ("SimpleRNN", "LSTM", "GRU")),
    ("GRU", {"units": 3, "reset_after": False}, (1, 4), RECURRENT),
    ("LayerNormalization", {}, (2, 4), ELEMENTS),
    ("RMSNormalization", {}, (2, 4), [Writes("scale", "element", 1)]),
    ("GroupNormalization", {"groups": 2}, (2, 4), CHANNELS),
    *(case for rank in WINDOWS for case in convolutions(rank)),
]


@pytest.mark.parametrize(("class_name", "settings", "shape", "effects"), CASES, ids=[case[0] for case in CASES])
def test_layers(
    class_name: str, settings: Any, shape: tuple[int, ...], effects: list[Effect], keras: ModuleType, tmp_path: Path
) -> None:
    found = saved(keras, getattr(keras.layers, class_name)(**settings, name="layer"), [shape], tmp_path / "m.keras")
    call = compiled(found.layer)
    x = np.array([[0, 2]]) if class_name == "Embedding" else random(*shape)
    for effect in effects:
        assert_effect(found, effect, x, call)


@pytest.mark.parametrize("class_name", ["SimpleRNN", "LSTM", "GRU"])
def test_the_rows_of_a_recurrent_kernel_read_the_state(class_name: str, keras: ModuleType, tmp_path: Path) -> None:
    found = saved(keras, getattr(keras.layers, class_name)(3, name="layer"), [(1, 4)], tmp_path / "m.keras")
    call, x, cell = compiled(found.layer), random(1, 4), [random(3)] if class_name == "LSTM" else []
    assert_effect(
        found,
        Reads("recurrent_kernel", "state unit", 0),
        random(3),
        lambda state: call(x, initial_state=[state, *cell]),
    )


def test_attention(keras: ModuleType, tmp_path: Path) -> None:
    layer = keras.layers.MultiHeadAttention(2, 4, name="heads")
    found = saved(keras, layer, [(5, 3), (4, 3), (4, 3)], tmp_path / "m.keras")
    query, value, key = random(5, 3), random(4, 3), random(4, 3)
    assert_effect(found, Reads("query/kernel", "input", 1), query, lambda x: layer(x, value, key))
    assert_effect(found, Reads("value/kernel", "input", 1), value, lambda x: layer(query, x, key))
    assert_effect(found, Reads("key/kernel", "input", 1), key, lambda x: layer(query, value, x))
    for name in ("output/kernel", "output/bias"):
        assert_effect(found, Writes(name, "output", 1), query, lambda x: layer(x, value, key))


@pytest.mark.parametrize(
    ("equation", "output", "bias", "shape", "axes"),
    [
        ("abc,cd->abd", (5, 3), "d", (5, 4), "input c, unit; unit"),
        ("abc,cde->abde", (5, 2, 3), "de", (5, 4), "input c, output d, output e; output d, output e"),
        ("abc,cde->abed", (5, 3, 2), "e", (5, 4), "input c, output d, output e; output e, output d"),
        ("abc,cde->abde", (5, 2, 3), "be", (5, 4), "input c, output d, output e; shared b, output d, output e"),
        ("abc,cd->adb", (3, 5), "b", (5, 4), "input c, unit; shared b"),
        ("abc,cd->adb", (3, 5), "db", (5, 4), "input c, unit; unit, shared b"),
        ("abc,bcd->abd", (5, 3), "bd", (5, 4), "shared b, input c, unit; shared b, unit"),
        ("abcd,cde->abe", (5, 3), "e", (5, 2, 4), "input c, input d, unit; unit"),
    ],
)
def test_contractions(
    equation: str, output: Any, bias: str, shape: tuple[int, ...], axes: str, keras: ModuleType, tmp_path: Path
) -> None:
    layer = keras.layers.EinsumDense(equation, output, bias_axes=bias, name="einsum")
    found = saved(keras, layer, [shape], tmp_path / "m.keras")
    inputs, kernel, outputs = equation.replace("->", ",").split(",")
    for name, told in zip(("kernel", "bias"), axes.split("; "), strict=True):
        structure = found.read[name].structure
        assert [axis.label for axis in structure.axes] == told.split(", ")
        assert not structure.assumed
        assert not structure.doubt
        for axis in structure.axes:
            letter = axis.label[-1] if axis.label != "unit" else kernel[-1]
            effect = (
                Reads(name, axis.label, inputs.index(letter) - 1)
                if axis.label.startswith("input")
                else Writes(name, axis.label, outputs.index(letter) - 1)
            )
            # The axes that bias_axes leaves out have a single position.
            if axis.size > 1:
                assert_effect(found, effect, random(*shape), layer)
