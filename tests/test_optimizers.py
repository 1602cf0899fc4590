"""The optimizer's slots beside their weights, against the optimizer that real Keras holds."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.reading.optimizers import Optimizer, optimizer_of

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parent.parent / "examples" / "models"


def mixed(keras: ModuleType) -> Any:
    """Most kinds of layers that are made of others; the first of the nested model is frozen."""
    layers = keras.layers
    tokens = keras.Input((6,), dtype="int32")
    embedded = layers.Embedding(5, 4, name="embedding")(tokens)
    attended = layers.MultiHeadAttention(2, 3, name="attention")(embedded, embedded)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True, name="gru"), name="both")(attended)
    inner = keras.Sequential(
        [
            keras.Input((6, 6)),
            layers.Dense(6, trainable=False, name="frozen"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(6, name="mix"),
        ],
        name="inner",
    )
    summed = layers.LSTM(4, name="lstm")(inner(both))
    return keras.Model(tokens, layers.Dense(6, name="mix")(summed), name="mixed")


def fitted(keras: ModuleType, model: Any, optimizer: Any) -> Any:
    """The model after three steps along random gradients, which need no training."""
    rng = np.random.default_rng(4)
    model.compile(optimizer, "mse")
    variables = model.trainable_variables
    for _ in range(3):
        model.optimizer.apply([rng.normal(size=each.shape).astype("float32") for each in variables], variables)
    return model


OPTIMIZERS = {
    "Adam": {},
    "AdamW": {"use_ema": True},
    "Nadam": {},
    "RMSprop": {"momentum": 0.9},
    "SGD": {"momentum": 0.9, "use_ema": True},
}


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_slot_is_beside_its_weight(keras: ModuleType, tmp_path: Path, name: str, ending: str) -> None:
    optimizer = getattr(keras.optimizers, name)(learning_rate=0.01, **OPTIMIZERS[name])
    model = fitted(keras, mixed(keras), optimizer)
    path = tmp_path / f"model{ending}"
    model.save(path)
    checkpoint = ww.open_checkpoint(path)
    found = told(checkpoint)
    assert found.iteration == 3
    assert found.learning_rate == pytest.approx(0.01)
    by_bytes = {tensor.read().tobytes(): address for address, tensor in checkpoint.tensors.items()}
    kinds = {"velocity", "momentum"} if name != "SGD" else {"momentum"}
    kinds |= {"average"} if optimizer.use_ema else set()
    assert all({*slots} == kinds for slots in found.slots.values())
    for variable in model.trainable_variables:
        slots = found.slots[by_bytes[np.asarray(variable).tobytes()]]
        for kind in kinds:
            truth = next(each for each in optimizer.variables if each.name == named(variable, kind))
            np.testing.assert_array_equal(slots[kind].read(), np.asarray(truth))
    assert len(found.slots) == len(model.trainable_variables)


def named(variable: Any, kind: str) -> str:
    return f"{variable.path.replace('/', '_')}_{kind}"


def test_without_a_configuration_shapes_must_leave_one_order(keras: ModuleType, tmp_path: Path) -> None:
    def save(*units: int) -> Optimizer:
        layers = [keras.layers.Dense(each, name=f"d{place}") for place, each in enumerate(units)]
        model = keras.Sequential([keras.Input((6,)), *layers])
        path = tmp_path / f"{len([*tmp_path.iterdir()])}.weights.h5"
        fitted(keras, model, "adam").save_weights(path)
        return told(ww.open_checkpoint(path))

    assert save(3, 4, 2).slots["d1", "kernel"]["velocity"].shape == (3, 4)
    same = save(6, 6, 2)
    assert not same.slots
    assert "order of layers" in same.doubt
    assert same.iteration == 3


def test_frozen_later_than_compiled_is_told(keras: ModuleType, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    fitted(keras, model, "adam")
    model.layers[0].trainable = False
    model.save(tmp_path / "model.keras")
    assert "not those of the trained weights" in told(ww.open_checkpoint(tmp_path / "model.keras")).doubt


@pytest.mark.parametrize("folder", ["keras2", "keras2_13", "keras3", "keras3_3", "keras3_5"])
def test_other_versions_tell_the_same(folder: str) -> None:
    """Adam with averages in a LossScaleOptimizer, in every version that has a fixture of it."""
    found = told(ww.open_checkpoint(FIXTURES / folder / "trained.keras"))
    assert {*found.slots} == {("mix", "kernel"), ("mix", "bias"), ("batch_norm", "gamma"), ("batch_norm", "beta")}
    for slots in found.slots.values():
        assert {*slots} >= {"momentum", "velocity"}
        m, v = slots["momentum"].read(), slots["velocity"].read()
        # After one step m = 0.1 g and v = 0.001 g².
        np.testing.assert_allclose(v, 0.1 * m**2, rtol=1e-3, atol=1e-12)
    assert found.iteration == 1


@pytest.mark.parametrize("folder", ["keras2", "keras3"])
def test_legacy_names_and_numbers_agree(folder: str) -> None:
    for name, kinds in (("trained", {"momentum", "velocity"}), ("convolution", {"momentum"})):
        legacy = told(ww.open_checkpoint(FIXTURES / folder / f"{name}.h5"))
        archive = told(ww.open_checkpoint(FIXTURES / folder / f"{name}.keras"))
        assert legacy.slots.keys() == archive.slots.keys()
        assert not legacy.assumed
        assert legacy.iteration == archive.iteration == 1
        assert archive.assumed
        for address, kind in itertools.product(legacy.slots, kinds):
            both = [found.slots[address][kind].read() for found in (legacy, archive)]
            np.testing.assert_array_equal(*both)


def test_a_frozen_layer_has_no_slots() -> None:
    found = told(ww.open_checkpoint(EXAMPLES / "digits_finetuned.h5"))
    assert {layer for layer, _ in found.slots} == {"conv_2", "norm_2", "dense_1", "output"}
    assert found.class_name == "Adam"


def told(checkpoint: ww.Checkpoint) -> Optimizer:
    found = optimizer_of(checkpoint)
    assert found is not None
    return found
