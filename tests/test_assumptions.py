"""What cannot be known is never shown as known: a guess is marked as one, and where nothing tells there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.reading.meanings import structures
from weight_widgets.reading.tensors import Layer, Tensor

FIXTURES = Path(__file__).parent / "fixtures"
WEIGHTS_ONLY = sorted(
    path
    for pattern in ("*/*.weights.h5", "*/*.legacy.h5", "*/*.weights.json", "keras1/recurrent.*.h5", "keras1/oldest.h5")
    for path in FIXTURES.glob(pattern)
    if "_0" not in path.name
)
CONFIGURED = sorted(
    path
    for path in [*FIXTURES.glob("*/*.h5"), *FIXTURES.glob("*/*.keras")]
    if path not in WEIGHTS_ONLY and path.is_file()
)
# Classes of the fixtures' own.
CUSTOM = {"Offset", "Eighths", "TransformerBlock"}
# Packed codes that nothing is computed from have the kernel's numbers, not its axes.
PACKED = "quantized_kernel"
FORMATS = (".keras", ".h5")
ROLES = ("kernel", "bias")


def relative(path: Path) -> str:
    return path.relative_to(FIXTURES).as_posix()


def means_nothing(tensor: Tensor) -> bool:
    structure = tensor.structure
    numbered = all(re.fullmatch(r"axis \d", axis.label) for axis in structure.axes)
    return numbered and not (structure.unit or structure.tile or tensor.parts)


def claims_nothing(layer: Layer) -> bool:
    return all(tensor.assumed or means_nothing(tensor) for tensor in layer.values())


class TestFixtures:
    def test_all_are_here(self) -> None:
        assert len(WEIGHTS_ONLY) > 20
        assert len(CONFIGURED) > 60

    @pytest.mark.parametrize("path", WEIGHTS_ONLY, ids=relative)
    def test_without_a_configuration_all_is_guessed(self, path: Path) -> None:
        for layer in ww.open_checkpoint(path).values():
            assert not layer.config
            assert layer.title == "unknown class" or layer.title.endswith(" (assumed)")
            assert claims_nothing(layer), layer.name

    @pytest.mark.parametrize("path", CONFIGURED, ids=relative)
    def test_with_one_nothing_is_guessed_of_keras_layers_alone(self, path: Path) -> None:
        for layer in ww.open_checkpoint(path).values():
            if layer.config and layer.class_name not in CUSTOM:
                assert not layer.assumed
                told = [tensor for tensor in layer.values() if tensor.role != PACKED]
                assert not any(tensor.assumed or tensor.structure.doubt for tensor in told), layer.name
            else:
                assert claims_nothing(layer), layer.name


def write_legacy(path: Path, *layers: Any) -> None:
    """Weights alone, as Keras 2 writes them: the names of layers and weights, and no classes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name for layer in layers]
        for layer in layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = names
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.array(weight)


SQUARE = {
    "plain": ("Conv2D", (4, 3), {}),
    "transposed": ("Conv2DTranspose", (4, 3), {}),
    "depthwise": ("DepthwiseConv2D", (3,), {"depth_multiplier": 4}),
    "one channel each": ("DepthwiseConv2D", (3,), {}),
    "1-D": ("Conv1D", (4, 3), {}),
    "3-D": ("Conv3D", (4, 3), {}),
    "not square, without bias": ("Conv2D", (5, 3), {"use_bias": False}),
    "not square, transposed, without bias": ("Conv2DTranspose", (5, 3), {"use_bias": False}),
}


@pytest.fixture(params=SQUARE)
def undecidable(request: pytest.FixtureRequest, keras: ModuleType) -> Any:
    """A model of one layer whose kernel could be that of another class."""
    class_name, arguments, settings = SQUARE[request.param]
    rank = int(re.sub(r"\D", "", class_name))
    layer = getattr(keras.layers, class_name)(*arguments, **settings, name="mystery")
    return keras.Sequential([keras.Input((*(6,) * rank, 4)), layer])


class TestKernelsOfNoKnownClass:
    def sources(self, model: Any, folder: Path) -> Iterator[Layer]:
        (layer,) = model.layers
        write_legacy(folder / "m.h5", layer)
        yield ww.open_checkpoint(folder / "m.h5")["mystery"]
        yield ww.open_checkpoint({"mystery": layer.get_weights()})["mystery"]
        named = {f"mystery/{weight.name}": np.array(weight) for weight in layer.weights}
        yield ww.open_checkpoint(named)["mystery"]

    def test_are_not_split(self, undecidable: Any, tmp_path: Path) -> None:
        for layer in self.sources(undecidable, tmp_path):
            assert layer.title == "unknown class"
            assert all(means_nothing(tensor) for tensor in layer.values())

    def test_say_why(self, undecidable: Any, tmp_path: Path) -> None:
        first, *_ = self.sources(undecidable, tmp_path)
        assert "do not tell" in first["kernel"].structure.doubt

    def test_are_split_where_the_name_of_a_group_hints_at_a_class(self, undecidable: Any, tmp_path: Path) -> None:
        undecidable.save_weights(tmp_path / "m.weights.h5")
        (layer,) = ww.open_checkpoint(tmp_path / "m.weights.h5").values()
        assert layer.title == f"{type(undecidable.layers[0]).__name__} (assumed)"
        assert layer["kernel"].parts
        assert all(tensor.assumed for tensor in layer.values())

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_are_split_where_a_configuration_says_it(self, suffix: str, undecidable: Any, tmp_path: Path) -> None:
        undecidable.save(tmp_path / f"m{suffix}")
        layer = ww.open_checkpoint(tmp_path / f"m{suffix}")["mystery"]
        assert layer.title == type(undecidable.layers[0]).__name__
        assert layer["kernel"].parts
        assert not any(tensor.assumed or tensor.structure.doubt for tensor in layer.values())


IMPOSTORS = {
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), ((4, 5), (2,))),
    "ConvLSTM1D": ((3, 6, 2), (2, 3)),
    "Dense": ((5,), (4,)),
    "Conv2D": ((6, 6, 3), (4, 3)),
    "DepthwiseConv2D": ((6, 6, 3), (3, 1, "valid", 2)),
    "Embedding": ((5,), (7, 3)),
    "EinsumDense": ((5, 4), ("abc,cd->abd", (None, 3))),
    "BatchNormalization": ((5,), ()),
    "GroupNormalization": ((6,), (2,)),
}


# Weights that an author's own layer may have in Keras' shapes, and the settings that it saves.
ALIKE: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Any]]] = {
    "Dense": ({"kernel": (5, 5)}, {"units": 5}),
    "LSTM": ({"kernel": (5, 12), "recurrent_kernel": (3, 12), "bias": (12,)}, {"units": 3}),
    "Conv2D": ({"kernel": (3, 3, 4, 4)}, {"filters": 4, "kernel_size": 3}),
    "DepthwiseConv1D": ({"kernel": (3, 4, 2)}, {"kernel_size": 3, "depth_multiplier": 2}),
    "Embedding": ({"embeddings": (3, 3)}, {"input_dim": 3, "output_dim": 3}),
    "EinsumDense": ({"kernel": (5, 5)}, {"equation": "ab,bc->ac", "output_shape": [5]}),
    "BatchNormalization": ({"gamma": (5,), "beta": (5,)}, {"epsilon": 0.1}),
    "GroupNormalization": ({"gamma": (6,)}, {"groups": 2}),
}


def alike(keras: ModuleType, class_name: str, weights: dict[str, tuple[int, ...]], settings: dict[str, Any]) -> Any:
    """A layer that is called like one of Keras' and has weights of its shapes, whatever it does with them."""

    class Own(keras.layers.Layer):
        def build(self, shape: tuple[int, ...]) -> None:
            self.all = [self.add_weight(shape=shape, name=name) for name, shape in weights.items()]

        def call(self, x: Any) -> Any:
            return x

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), **settings}

    return type(class_name, (Own,), {})()


def theirs(keras: ModuleType, class_name: str, registered: bool = True, module: str = "theirs.layers") -> Any:
    """Somebody's own class that is called like one of Keras', and may do anything with weights of the same names."""
    kind = type(class_name, (getattr(keras.layers, class_name),), {"__module__": module})
    return keras.saving.register_keras_serializable(package="theirs")(kind) if registered else kind


def saved(keras: ModuleType, layer: Any, shape: tuple[int, ...], path: Path) -> Layer:
    model = keras.Sequential([keras.Input(shape), layer])
    (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)
    (found,) = ww.open_checkpoint(path).values()
    return found


class TestClassesOfTheSameName:
    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize("class_name", IMPOSTORS)
    def test_registered(self, class_name: str, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
        shape, arguments = IMPOSTORS[class_name]
        found = saved(keras, theirs(keras, class_name)(*arguments), shape, tmp_path / f"m{suffix}")
        assert found.title == f"theirs>{class_name}"
        assert claims_nothing(found)

    @pytest.mark.parametrize("class_name", IMPOSTORS)
    def test_not_registered(self, class_name: str, keras: ModuleType, tmp_path: Path) -> None:
        """A legacy file names the class alone then, as it does those of Keras."""
        shape, arguments = IMPOSTORS[class_name]
        found = saved(keras, theirs(keras, class_name, registered=False)(*arguments), shape, tmp_path / "m.keras")
        assert found.title == f"theirs.layers>{class_name}"
        assert claims_nothing(found)

    @pytest.mark.parametrize("class_name", IMPOSTORS)
    def test_in_weights_alone(self, class_name: str, keras: ModuleType, tmp_path: Path) -> None:
        shape, arguments = IMPOSTORS[class_name]
        found = saved(keras, theirs(keras, class_name)(*arguments), shape, tmp_path / "m.weights.h5")
        assert found.title == f"{class_name} (assumed)"
        assert claims_nothing(found)

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_attention(self, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
        x = keras.Input((5, 6))
        layer = theirs(keras, "MultiHeadAttention")(2, 3, name="heads")
        keras.Model(x, layer(x, x)).save(tmp_path / f"m{suffix}")
        found = ww.open_checkpoint(tmp_path / f"m{suffix}")["heads"]
        assert found.title == "theirs>MultiHeadAttention"
        assert claims_nothing(found)

    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize(
        ("wrapper", "inner", "shape"), [("Bidirectional", "LSTM", (4, 5)), ("TimeDistributed", "Dense", (4, 5))]
    )
    def test_in_a_wrapper(
        self, wrapper: str, inner: str, shape: tuple[int, ...], suffix: str, keras: ModuleType, tmp_path: Path
    ) -> None:
        layer = getattr(keras.layers, wrapper)(theirs(keras, inner)(3))
        found = saved(keras, layer, shape, tmp_path / f"m{suffix}")
        assert found.title == wrapper
        assert claims_nothing(found)

    @pytest.mark.parametrize("suffix", FORMATS)
    @pytest.mark.parametrize("several", [False, True])
    @pytest.mark.parametrize("class_name", ["LSTMCell", "GRUCell"])
    def test_as_a_cell(self, class_name: str, several: bool, suffix: str, keras: ModuleType, tmp_path: Path) -> None:
        cell = theirs(keras, class_name)
        layer = keras.layers.RNN([cell(3), cell(2)] if several else cell(3))
        assert claims_nothing(saved(keras, layer, (4, 5), tmp_path / f"m{suffix}"))

    @pytest.mark.parametrize("inputs", [4, 7])
    def test_of_another_making(self, inputs: int, keras: ModuleType, tmp_path: Path) -> None:
        """A legacy file says Dense and nothing else, and this one has the units first."""

        class Dense(keras.layers.Layer):
            def build(self, shape: tuple[int, ...]) -> None:
                self.kernel = self.add_weight(shape=(4, shape[-1]), name="kernel")
                self.bias = self.add_weight(shape=(4,), name="bias")

            def call(self, x: Any) -> Any:
                return keras.ops.matmul(x, keras.ops.transpose(self.kernel)) + self.bias

        found = saved(keras, Dense(), (inputs,), tmp_path / "m.h5")
        assert found.title == "Custom>Dense"
        assert claims_nothing(found)

    @pytest.mark.parametrize("class_name", ALIKE)
    def test_with_settings_of_its_own_alone(self, class_name: str, keras: ModuleType, tmp_path: Path) -> None:
        """A legacy file says the class and the name, and whoever wrote this wrote fewer settings than Keras."""
        kernels, settings = ALIKE[class_name]
        found = saved(keras, alike(keras, class_name, kernels, settings), (5,), tmp_path / "m.h5")
        assert found.title == f"{class_name} (assumed)"
        assert claims_nothing(found)

    def test_with_a_weight_of_its_own(self, keras: ModuleType, tmp_path: Path) -> None:
        class LSTM(keras.layers.LSTM):
            def build(self, shape: tuple[int, ...]) -> None:
                super().build(shape)
                self.peephole = self.add_weight(shape=(3,), name="peephole")

        found = saved(keras, LSTM(3), (4, 5), tmp_path / "m.h5")
        assert [*found] == ["kernel", "recurrent_kernel", "bias", "peephole"]
        assert claims_nothing(found)

    def test_of_another_shape_than_the_configuration_makes(self, keras: ModuleType, tmp_path: Path) -> None:
        """With all the settings of Keras', and the units first."""

        class Dense(keras.layers.Dense):
            def build(self, shape: tuple[int, ...]) -> None:
                self._kernel = self.add_weight(shape=(self.units, shape[-1]), name="kernel")
                self.bias = self.add_weight(shape=(shape[-1],), name="bias")
                self.built = True

            def call(self, x: Any) -> Any:
                return keras.ops.matmul(x, keras.ops.transpose(self._kernel))

        found = saved(keras, Dense(7), (5,), tmp_path / "m.h5")
        assert found["kernel"].shape == (7, 5)
        assert "the configuration makes another shape" in found["kernel"].structure.doubt
        assert claims_nothing(found)

    def test_with_a_bias_that_does_not_fit(self) -> None:
        config = {"class_name": "Dense", "config": {"name": "l", "units": 7}}
        kinds = {
            "Dense": (4, 7),
            "LSTM": (4, 28),
            "Conv1D": (3, 4, 7),
            "Conv1DTranspose": (3, 7, 4),
            "DepthwiseConv1D": (3, 4, 2),
        }
        for class_name, kernel in kinds.items():
            outputs = 8 if class_name == "DepthwiseConv1D" else 28 if class_name == "LSTM" else 7
            for bias, fits in (((outputs,), True), ((outputs + 1,), False), ((4,), False)):
                shapes = {"kernel": kernel, "bias": bias}
                found = structures(class_name, config["config"], shapes)["kernel"]
                assert bool(found.doubt) is not fits, (class_name, bias)
                assert bool(found.part_names()) is fits

    def test_convolutions_that_are_called_like_projections(self, keras: ModuleType, tmp_path: Path) -> None:
        """Kernels of three axes, as attention's, and biases that have one."""

        class Block(keras.layers.Layer):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                for name in ("query", "key", "value", "output"):
                    setattr(self, f"{name}_dense", keras.layers.Conv1D(8, 3, padding="same"))

            def call(self, x: Any) -> Any:
                return self.output_dense(self.query_dense(x) + self.key_dense(x) + self.value_dense(x))

        found = saved(keras, Block(), (4, 8), tmp_path / "m.weights.h5")
        assert [*found] == [f"{name}/{role}" for name in ("query", "key", "value", "output") for role in ROLES]
        assert all(means_nothing(tensor) for tensor in found.values())
        assert "MultiHeadAttention" not in found.title

    def test_in_a_live_model(self, keras: ModuleType) -> None:
        model = keras.Sequential([keras.Input((4, 5)), theirs(keras, "LSTM")(2)])
        (found,) = ww.open_checkpoint(model).values()
        assert found.title == "theirs>LSTM"
        assert claims_nothing(found)

    def test_in_a_notebook(self, keras: ModuleType, tmp_path: Path) -> None:
        layer = theirs(keras, "LSTM", registered=False, module="__main__")(2)
        found = saved(keras, layer, (4, 5), tmp_path / "m.keras")
        assert claims_nothing(found)
        assert found.title == "__main__>LSTM"
