"""Legacy HDF5 of every Keras: all weights under the names of today, whatever the file calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.errors import DamagedFileError

FIXTURES = Path(__file__).parent / "fixtures"
KERAS1 = sorted(FIXTURES.glob("keras1/*.h5"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", KERAS1, ids=name_of)
def test_keras_1_is_called_so(path: Path) -> None:
    checkpoint = ww.open_checkpoint(path)
    assert checkpoint.format.split(" of ")[1] == ("Keras 0.x (.h5)" if path.stem == "oldest" else "Keras 1 (.h5)")


@pytest.mark.parametrize("path", KERAS1, ids=name_of)
def test_what_is_made_of_several_arrays_is_sliced_like_one(path: Path) -> None:
    for address, tensor in ww.open_checkpoint(path).tensors.items():
        whole = tensor.read()
        for index in ((slice(1, 3),), (0,), (-1 % whole.shape[0],), (slice(None, None, 2),)):
            np.testing.assert_array_equal(tensor.read(index), whole[index], err_msg=str(address))
        last = (*(slice(None),) * (whole.ndim - 1), slice(1, None, 2))
        np.testing.assert_array_equal(tensor.read(last), whole[last], err_msg=str(address))


def test_keras_1_says_what_was_converted() -> None:
    notes = ww.open_checkpoint(FIXTURES / "keras1" / "images_th.h5").notes
    assert [note.partition(":")[0] for note in notes] == ["convolution2d_1", "batchnormalization_1"]
    notes = ww.open_checkpoint(FIXTURES / "keras1" / "images_tf.h5").notes
    assert [note.partition(":")[0] for note in notes] == ["batchnormalization_1"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a legacy file from layers, each with its weights by their paths."""

    def write(
        layers: dict[str, dict[str, np.ndarray]], model: object = None, version: str = "2.15.0", path: str = "model.h5"
    ) -> Path:
        with h5py.File(tmp_path / path, "w") as file:
            if version:
                file.attrs["keras_version"] = version
            if model is not None:
                file.attrs["model_config"] = json.dumps(model)
            root = file if model is None else file.create_group("model_weights")
            root.attrs["layer_names"] = [name.encode() for name in layers]
            for name, weights in layers.items():
                group = root.require_group(name)
                group.attrs["weight_names"] = [path.encode() for path in weights]
                for path_in_group, values in weights.items():
                    group[path_in_group] = values
        return tmp_path / path

    return write


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("f4")


def layer(class_name: str, name: str, **config: object) -> dict[str, object]:
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}}


def model(name: str, *layers: object) -> dict[str, object]:
    return layer("Functional", name, layers=list(layers))


def addresses(path: Path) -> list[str]:
    return [f"{layer}|{tensor}" for layer, tensor in ww.open_checkpoint(path).tensors]


class TestNames:
    def test_a_group_may_disagree_with_its_weights(self, write: Callable[..., Path]) -> None:
        path = write({"dense_1": {"dense/kernel:0": numbers(2, 3)}, "dense_2": {"dense_1/kernel:0": numbers(3, 1)}})
        assert addresses(path) == ["dense_1|kernel", "dense_2|kernel"]
        assert ww.open_checkpoint(path)["dense_1"]["kernel"].shape == (2, 3)

    def test_an_older_name_of_a_composite_layer(self, write: Callable[..., Path]) -> None:
        way = {"kernel:0": numbers(2, 12), "recurrent_kernel:0": numbers(3, 12)}
        weights = {
            f"bi_1/{side}_lstm/cell/{name}": array for side in ("forward", "backward") for name, array in way.items()
        }
        assert addresses(write({"bi": weights})) == [
            "bi|forward/kernel",
            "bi|forward/recurrent_kernel",
            "bi|backward/kernel",
            "bi|backward/recurrent_kernel",
        ]

    def test_a_layer_may_be_called_like_its_model(self, write: Callable[..., Path]) -> None:
        path = write({"net": {"net/net/kernel": numbers(2, 3)}})
        assert addresses(path) == ["net|kernel"]

    def test_a_model_in_a_model_in_a_model(self, write: Callable[..., Path]) -> None:
        innermost = model("c", layer("Dense", "dense"), layer("Dense", "last"))
        config = model("top", model("a", model("b", innermost), layer("Dense", "dense")), layer("Dense", "dense"))
        kernels = {name: numbers(2, size) for size, name in enumerate(("c/last", "dense", "a/b/c/dense"), 3)}
        weights = {f"{name}/kernel:0": array for name, array in kernels.items()}
        path = write({"a": weights, "dense": {"dense/kernel:0": numbers(2, 2)}}, config)
        assert addresses(path) == ["a/b/c/dense|kernel", "a/b/c/last|kernel", "a/dense|kernel", "dense|kernel"]

    def test_spectral_normalisation_of_an_addon(self, write: Callable[..., Path]) -> None:
        path = write({"sn": {"sn/kernel:0": numbers(2, 3), "sn/sn_u:0": numbers(1, 3)}})
        assert addresses(path) == ["sn|kernel", "sn|vector_u"]

    def test_stacked_cells_of_the_first_keras_2(self, write: Callable[..., Path]) -> None:
        cells = [layer("GRUCell", "gru_cell"), layer("LSTMCell", "lstm_cell")]
        rnn = layer("RNN", "rnn", cell=layer("StackedRNNCells", "cells", cells=cells))
        shapes = {"kernel": (2, 6), "recurrent_kernel": (2, 6), "kernel_1": (2, 12), "recurrent_kernel_1": (3, 12)}
        path = write({"rnn": {f"rnn/{name}:0": numbers(*shape) for name, shape in shapes.items()}}, model("m", rnn))
        checkpoint = ww.open_checkpoint(path)
        assert {name: tensor.shape for name, tensor in checkpoint["rnn"].items()} == {
            "cell 0/kernel": (2, 6),
            "cell 0/recurrent_kernel": (2, 6),
            "cell 1/kernel": (2, 12),
            "cell 1/recurrent_kernel": (3, 12),
        }

    def test_stacked_cells_stand_in_the_configurations_order(self, write: Callable[..., Path]) -> None:
        cells = [layer("GRUCell", "first"), layer("GRUCell", "second")]
        rnn = layer("RNN", "rnn", cell=layer("StackedRNNCells", "cells", cells=cells))
        frozen_first = {
            f"rnn/stacked_rnn_cells/{name}/kernel": numbers(size, 6) for size, name in ((2, "second"), (5, "first"))
        }
        path = write({"rnn": frozen_first}, model("m", rnn), version="3.5.0")
        assert {name: tensor.shape[0] for name, tensor in ww.open_checkpoint(path)["rnn"].items()} == {
            "cell 0/kernel": 5,
            "cell 1/kernel": 2,
        }

    def test_kernels_that_a_backend_numbered(self, write: Callable[..., Path]) -> None:
        """As in the weights of VGG16 that Keras 1 published."""
        path = write(
            {"block1_conv1": {"block1_conv1_W_1:0": numbers(3, 3, 2, 4), "block1_conv1_b_1:0": numbers(4)}}, version=""
        )
        assert addresses(path) == ["block1_conv1|kernel", "block1_conv1|bias"]
        assert ww.open_checkpoint(path)["block1_conv1"]["kernel"].shape == (3, 3, 2, 4)


class TestNothingIsLost:
    def test_what_no_layer_lists_is_skipped_with_its_reason(self, write: Callable[..., Path]) -> None:
        path = write({"dense": {"dense/kernel:0": numbers(2, 3)}})
        with h5py.File(path, "a") as file:
            file["dense/dense/extra"] = numbers(4)
        checkpoint = ww.open_checkpoint(path)
        assert [*checkpoint.tensors] == [("dense", "kernel")]
        assert [(each.path, each.reason) for each in checkpoint.skipped] == [
            ("/dense/dense/extra", "not listed by its layer")
        ]

    def test_a_layer_without_a_group_does_not_hide_the_others(self, write: Callable[..., Path]) -> None:
        path = write({"dense": {"dense/kernel:0": numbers(2, 3)}, "gone": {}})
        with h5py.File(path, "a") as file:
            del file["gone"]
        checkpoint = ww.open_checkpoint(path)
        assert [*checkpoint] == ["dense"]
        assert [each.path for each in checkpoint.skipped] == ["/gone"]

    def test_nothing_left_is_an_error(self, write: Callable[..., Path]) -> None:
        path = write({"gone": {}})
        with h5py.File(path, "a") as file:
            del file["gone"]
        with pytest.raises(DamagedFileError, match="'gone' is listed"):
            ww.open_checkpoint(path)

    def test_a_weight_that_is_missing(self, write: Callable[..., Path]) -> None:
        path = write({"dense": {"dense/kernel:0": numbers(2, 3), "dense/bias:0": numbers(3)}})
        with h5py.File(path, "a") as file:
            del file["dense/dense/bias:0"]
        checkpoint = ww.open_checkpoint(path)
        assert [*checkpoint.tensors] == [("dense", "kernel")]
        assert [each.path for each in checkpoint.skipped] == ["/dense/dense/bias:0"]

    def test_a_weight_that_is_listed_twice_is_counted_once(self, write: Callable[..., Path]) -> None:
        path = write({"dense": {"dense/kernel:0": numbers(2, 3)}})
        with h5py.File(path, "a") as file:
            file["dense"].attrs["weight_names"] = [b"dense/kernel:0"] * 2
        assert ww.open_checkpoint(path).num_params == 6

    def test_a_layer_that_two_models_share_is_counted_once(self, write: Callable[..., Path]) -> None:
        shared = {**layer("Dense", "shared"), "shared_object_id": 1}
        weights = {"shared/kernel:0": numbers(2, 3)}
        config = model("m", shared, model("inner", shared, layer("Dense", "own")))
        path = write({"shared": weights, "inner": {**weights, "own/kernel:0": numbers(3, 3)}}, config)
        checkpoint = ww.open_checkpoint(path)
        assert [*checkpoint] == ["shared", "inner/own"]
        assert [each.reason for each in checkpoint.skipped] == [
            "the same weight as /model_weights/shared/shared/kernel:0"
        ]


class TestCudnn:
    """Against the formulas by which Keras 2 itself converts; real files are among the fixtures."""

    @pytest.mark.parametrize(("gates", "name"), [(4, "LSTM"), (3, "GRU")])
    def test_either_direction_without_a_configuration(self, gates: int, name: str, write: Callable[..., Path]) -> None:
        kernel, recurrent, bias = numbers(5, 2 * gates), numbers(2, 2 * gates), numbers(4 * gates)
        weights = {
            f"bi/{side}_rnn/{role}:0": array
            for side in ("forward", "backward")
            for role, array in {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}.items()
        }
        checkpoint = ww.open_checkpoint(write({"bi": weights}))
        split = np.hsplit(kernel, gates)
        expected = {
            "kernel": np.hstack([gate.T.reshape(gate.shape, order="F") for gate in split]),
            "recurrent_kernel": np.hstack([gate.T for gate in np.hsplit(recurrent, gates)]),
            "bias": bias.reshape(2, -1).sum(axis=0) if name == "LSTM" else bias.reshape(2, -1),
        }
        for side in ("forward", "backward"):
            for role, values in expected.items():
                np.testing.assert_array_equal(checkpoint["bi"][f"{side}/{role}"].read(), values)
                np.testing.assert_array_equal(checkpoint["bi"][f"{side}/{role}"].read((slice(1, 2),)), values[1:2])
        assert checkpoint.notes == tuple(
            f"bi/{side}: stored in the layout of CuDNN{name}, shown in that of {name}."
            for side in ("forward", "backward")
        )

    def test_an_lstm_stays_as_it_is(self, write: Callable[..., Path]) -> None:
        kernel = numbers(5, 8)
        weights = {"m/kernel:0": kernel, "m/recurrent_kernel:0": numbers(2, 8), "m/bias:0": numbers(8)}
        checkpoint = ww.open_checkpoint(write({"m": weights}))
        np.testing.assert_array_equal(checkpoint["m"]["kernel"].read(), kernel)
        assert checkpoint.notes == ()
