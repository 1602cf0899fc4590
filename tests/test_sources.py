"""What is opened beside HDF5: npz weights, safetensors, shards, live models and arrays in memory."""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes  # noqa: F401 - numpy knows its types by name once it is imported
import numpy as np
import pytest
from safetensors.numpy import save_file

import weight_widgets as ww
from weight_widgets.errors import (
    DamagedFileError,
    InputError,
    MissingFileError,
    NotKerasError,
    UnsafeFileError,
    UnsupportedFileError,
)
from weight_widgets.reading.files import stored_file
from weight_widgets.reading.layouts import mapping, npz, safetensors

RNG = np.random.default_rng(3)
FIXTURES = Path(__file__).parent / "fixtures" / "keras3"
KERNEL, BIAS = RNG.normal(size=(5, 3)).astype("f4"), RNG.normal(size=3).astype("f4")

Address = tuple[str, str]


def read_all(checkpoint: ww.Checkpoint) -> dict[Address, np.ndarray]:
    return {address: tensor.read() for address, tensor in checkpoint.tensors.items()}


def assert_same(checkpoint: ww.Checkpoint, expected: Mapping[Address, np.ndarray]) -> None:
    found = read_all(checkpoint)
    assert set(found) == set(expected)
    for address, values in expected.items():
        np.testing.assert_array_equal(found[address], values, err_msg=str(address))
        assert found[address].dtype == values.dtype.newbyteorder("=")


def truth(name: str) -> dict[Address, np.ndarray]:
    with np.load(FIXTURES / f"{name}.npz") as arrays:
        return {(layer, tensor): arrays[key] for key in arrays for layer, _, tensor in [key.rpartition("|")]}


# ---- model.weights.npz


def archive(path: Path, members: Mapping[str, bytes | Mapping[str, Any]], compress: bool = False) -> Path:
    """A .keras file of one Dense layer called ``hidden``, with these members in its ``model.weights.npz``."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as npz:
        for name, content in members.items():
            npz.writestr(name, content if isinstance(content, bytes) else npy(content))
    layers = [{"class_name": "Dense", "config": {"name": "hidden", "units": 3}}]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("config.json", json.dumps(config))
        outer.writestr("model.weights.npz", inner.getvalue())
    return path


def npy(arrays: Any) -> bytes:
    """What numpy writes for a dict of arrays, as Keras hands it over."""
    out = io.BytesIO()
    np.save(out, np.array(arrays, dtype=object), allow_pickle=True)
    return out.getvalue()


def npy_of(program: bytes) -> bytes:
    """The same header before another pickle."""
    whole = npy({})
    return whole[: 10 + int.from_bytes(whole[8:10], "little")] + program


def test_real_npz_weights_are_the_truth() -> None:
    checkpoint = ww.open_checkpoint(FIXTURES / "nested.npz.keras")
    assert_same(checkpoint, truth("nested"))
    assert checkpoint.skipped == ()


def test_npz_weights_are_read_in_place_and_in_part(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": {"0": KERNEL, "1": BIAS}, "__root__.npy": {}})
    checkpoint = ww.open_checkpoint(path)
    assert_same(checkpoint, {("hidden", "kernel"): KERNEL, ("hidden", "bias"): BIAS})
    np.testing.assert_array_equal(checkpoint["hidden"]["kernel"].read((slice(1, 4, 2), 2)), KERNEL[1:4:2, 2])


@pytest.mark.parametrize(
    "values",
    [
        np.asfortranarray(RNG.normal(size=(3, 4, 2))),
        RNG.normal(size=(2, 3)).astype(">f4"),
        np.array([True, False]),
        np.array(7, "i8"),
        np.float64(2.5),
        np.zeros((0, 3), "f2"),
        RNG.normal(size=(300, 300)),
    ],
    ids=["fortran", "big-endian", "bool", "scalar array", "numpy scalar", "empty", "larger than a frame"],
)
def test_npz_holds_any_array(tmp_path: Path, values: Any) -> None:
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": {"own": values}})
    assert_same(ww.open_checkpoint(path), {("hidden", "own"): np.asarray(values)})


def test_fortran_order_is_read_in_part(tmp_path: Path) -> None:
    values = np.asfortranarray(RNG.normal(size=(3, 4, 2)))
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": {"own": values}})
    tensor = ww.open_checkpoint(path)["hidden"]["own"]
    np.testing.assert_array_equal(tensor.read((1, slice(0, 4, 3))), values[1, 0:4:3])


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_every_protocol_since_python_3_is_read(tmp_path: Path, protocol: int) -> None:
    whole = pickle.dumps(np.array({"0": KERNEL, "1": BIAS}, dtype=object), protocol)
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": npy_of(whole)})
    assert_same(ww.open_checkpoint(path), {("hidden", "kernel"): KERNEL, ("hidden", "bias"): BIAS})


def test_plain_members_are_arrays(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.save(out, KERNEL)
    path = archive(tmp_path / "a.keras", {"layers/dense/vars/0.npy": out.getvalue()})
    np.testing.assert_array_equal(next(iter(read_all(ww.open_checkpoint(path)).values())), KERNEL)


class Call:
    """Pickled, a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("function", [os.system, eval, exec, pickle.loads, np.load])
def test_a_pickle_that_calls_anything_runs_nothing(tmp_path: Path, function: Any, protocol: int) -> None:
    marker = tmp_path / "ran"
    argument = f"touch {marker}" if function is os.system else f"open({str(marker)!r}, 'w')"
    for content in (Call(function, argument), np.array({"0": Call(function, argument)}, dtype=object)):
        whole = pickle.dumps(content, protocol)
        path = archive(tmp_path / "a.keras", {"layers/dense.npy": npy_of(whole)})
        # Before Python 3, bytes were a call of their own.
        with pytest.raises(UnsafeFileError, match=rf"layers/dense\.npy asks for \w+\.({function.__name__}|encode)"):
            ww.open_checkpoint(path)
    assert not marker.exists()


def instruction(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


HOSTILE = {
    "no pickle": b"\xff" * 40,
    "nothing": b"",
    "empty stack": b"\x80\x04.",
    "no dict": b"\x80\x04N.",
    "cut off": pickle.dumps(np.array({"0": KERNEL}, dtype=object), 4)[:-40],
    "length beyond the file": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
    "name of a gigabyte": b"\x80\x04X" + struct.pack("<I", 1 << 30) + b".",
    "memo that is not there": b"\x80\x04h\x07.",
    "instance": b"\x80\x04(ios\nsystem\n.",
    "persistent id": b"\x80\x04Pid\n.",
    "extension": b"\x80\x04\x82\x01.",
    "object of numpy's": b"\x80\x04cnumpy\nndarray\n)\x81.",
    "variable made with arguments": b"\x80\x04ckeras.src.backend\nVariable\nK\x01\x85\x81.",
    "call of Keras": b"\x80\x04ckeras.src.backend\nVariable\n)R.",
    "call of a name": b"\x80\x04" + instruction("os.system") + b")R.",
    "state for nothing": b"\x80\x04)}b.",
    "global without a name": b"\x80\x04))\x93.",
    "tuple in a tuple for a name": b"\x80\x04)" + b"\x85" * 100_000 + b")\x93.",
    "list in itself": b"\x80\x04]q\x00h\x00a.",
    "protocol of tomorrow": b"\x80\x09N.",
    "endless": b"\x80\x04" + b"N" * 2_100_000 + b".",
    "text protocol": b"I1\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": npy_of(HOSTILE[name])})
    with pytest.raises((UnsafeFileError, DamagedFileError), match=r"a\.keras: layers/dense\.npy"):
        ww.open_checkpoint(path)


def test_arrays_whose_shape_lies_are_refused(tmp_path: Path) -> None:
    whole = npy({"0": np.zeros(200, "u1")})
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": whole.replace(b"K\xc8\x85", b"K\xc9\x85")})
    with pytest.raises(DamagedFileError, match="bytes that its shape needs"):
        ww.open_checkpoint(path)


def test_one_array_does_not_count_a_thousand_times(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.keras", {"layers/dense.npy": {str(number): KERNEL for number in range(1000)}})
    with pytest.raises(UnsafeFileError, match="the same bytes"):
        ww.open_checkpoint(path)


@pytest.mark.parametrize(
    ("member", "error"),
    [
        (b"", DamagedFileError),
        (b"\x93NUMPY\x01\x00\xff\xff{", DamagedFileError),
        (npy({}).replace(b"|O", b"|V"), DamagedFileError),
        (npy({}).replace(b"'shape': ()", b"'shape': (10,)"), DamagedFileError),
    ],
)
def test_damaged_npy_headers_are_errors(tmp_path: Path, member: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"layers/dense\.npy"):
        ww.open_checkpoint(archive(tmp_path / "a.keras", {"layers/dense.npy": member}))


def test_compressed_npz_and_groups_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFileError, match="compressed"):
        ww.open_checkpoint(archive(tmp_path / "a.keras", {"layers/dense.npy": {"0": KERNEL}}, compress=True))
    with pytest.raises(UnsafeFileError, match="levels deep"):
        ww.open_checkpoint(archive(tmp_path / "b.keras", {"a/" * 5000 + "b.npy": {"0": KERNEL}}))


# ---- safetensors


def write_safetensors(path: Path, header: Mapping[str, Any] | str, data: bytes = b"") -> Path:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(shape: list[int], start: int, stop: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def test_safetensors_files_are_read_as_their_package_writes_them(tmp_path: Path) -> None:
    arrays = {
        "h.10.attn.weight": RNG.normal(size=(4, 3)).astype("f4"),
        "h.2.attn.weight": RNG.normal(size=(4, 3)).astype("f2"),
        "encoder/dense_1/kernel": RNG.normal(size=(2, 2)),
        "logit_scale": np.array(4.6, "f4"),
        **{f"kinds.{kind}": np.array([1, 0, 3]).astype(kind) for kind in ("i8", "i4", "i2", "i1", "u1", "bool")},
        "empty.weight": np.zeros((0, 3), "f4"),
    }
    save_file(arrays, tmp_path / "a.safetensors", metadata={"format": "np"})
    checkpoint = ww.open_checkpoint(tmp_path / "a.safetensors")
    assert_same(checkpoint, {mapping.split_name(name): values for name, values in arrays.items()})
    assert [*checkpoint] == ["empty", "encoder/dense_1", "h.2.attn", "h.10.attn", "kinds", "model"]
    assert (checkpoint.name, checkpoint.format, checkpoint.notes) == ("a", "safetensors", ())
    part = (slice(1, 4, 2), 1)
    np.testing.assert_array_equal(checkpoint["h.10.attn"]["weight"].read(part), arrays["h.10.attn.weight"][part])


def test_what_the_header_of_safetensors_leaves_open_is_said(tmp_path: Path) -> None:
    header = {"a.w": entry([2], 0, 8), "a.odd": entry([2], 8, 9, "F4")}
    checkpoint = ww.open_checkpoint(write_safetensors(tmp_path / "a", header, bytes(20)))
    assert [*checkpoint.tensors] == [("a", "w")]
    assert [(each.path, each.reason) for each in checkpoint.skipped] == [("a.odd", "of the type F4, which is not read")]
    assert checkpoint.notes == ("11 bytes of the file belong to no tensor.",)


@pytest.mark.parametrize(
    ("header", "error", "words"),
    [
        ({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, UnsafeFileError, "'b' shares its bytes with 'a'"),
        ({"a": entry([2], 0, 8), "b": entry([1], 2, 6)}, UnsafeFileError, "shares its bytes"),
        ({"a": entry([5], 0, 20)}, DamagedFileError, "'a' lies beyond the end"),
        ({"a": entry([2], 8, 0)}, DamagedFileError, "'a' lies beyond the end"),
        ({"a": entry([3], 0, 8)}, DamagedFileError, "'a' has 8 bytes, and its shape"),
        ({"a": entry([1 << 62, 1 << 62], 0, 8)}, DamagedFileError, "its shape"),
        ({"a": entry([-1], 0, 8)}, DamagedFileError, "no type, shape or place"),
        ({"a": entry([True], 0, 4)}, DamagedFileError, "no type, shape or place"),
        ({"a": {"dtype": "F32"}}, DamagedFileError, "no type, shape or place"),
        ({"a": 5}, DamagedFileError, "'a' is not described"),
        ({"a": entry([1] * 40, 0, 4)}, UnsafeFileError, "40 dimensions"),
        ('{"a": {}, "a": {}}', UnsafeFileError, "has a name twice"),
        ('{"a": ', DamagedFileError, "not valid JSON"),
    ],
)
def test_safetensors_headers_that_lie_are_errors(
    tmp_path: Path, header: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ww.open_checkpoint(write_safetensors(tmp_path / "a.safetensors", header, bytes(12)))


def test_the_length_of_a_safetensors_header_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 30) + b"{}")
    with pytest.raises(UnsafeFileError, match="header of 1073741824 bytes"):
        ww.open_checkpoint(path)
    path.write_bytes(struct.pack("<Q", 400) + b"{}")
    with pytest.raises(DamagedFileError, match="middle of its header"):
        ww.open_checkpoint(path)


# ---- shards


def shard(path: Path, groups: Mapping[str, Mapping[str, np.ndarray]], names: Mapping[str, str] | None = None) -> None:
    with h5py.File(path, "w") as file:
        for group, arrays in groups.items():
            made = file.require_group(group)
            for name, values in arrays.items():
                made.create_dataset(name, data=values)
        for group, name in (names or {}).items():
            file[group].attrs["name"] = name


def shard_map(folder: Path, places: Any, **metadata: Any) -> Path:
    path = folder / "x.weights.json"
    path.write_text(json.dumps({"metadata": metadata, "weight_map": places}), encoding="utf-8")
    return path


DENSE = "layers/dense/vars"


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A Dense layer in two shards: its name in the first, its bias in the second."""
    shard(tmp_path / "x_00000.weights.h5", {DENSE: {"0": KERNEL}}, {DENSE: "hidden"})
    shard(tmp_path / "x_00001.weights.h5", {DENSE: {"1": BIAS}})
    return tmp_path


BOTH = {f"/{DENSE}": ["x_00000.weights.h5", "x_00001.weights.h5"]}


def test_real_shards_are_the_truth() -> None:
    checkpoint = ww.open_checkpoint(FIXTURES / "nested.weights.json")
    assert_same(checkpoint, truth("nested"))
    assert (checkpoint.name, checkpoint.format) == ("nested", "Keras 3 sharded weights (.weights.json)")
    assert (checkpoint.notes, checkpoint.skipped) == ((), ())


def test_a_layer_in_two_shards_is_one(shards: Path) -> None:
    checkpoint = ww.open_checkpoint(shard_map(shards, BOTH, total_size=KERNEL.nbytes + BIAS.nbytes))
    assert_same(checkpoint, {("hidden", "kernel"): KERNEL, ("hidden", "bias"): BIAS})
    assert checkpoint.notes == ()


def test_what_map_and_shards_disagree_on_is_said(shards: Path) -> None:
    shard(shards / "x_00002.weights.h5", {})
    places = {**BOTH, "/layers/lost/vars": "x_00000.weights.h5"}
    checkpoint = ww.open_checkpoint(shard_map(shards, places, total_size=5))
    assert [(each.path, each.reason) for each in checkpoint.skipped] == [
        ("x_00002.weights.h5", "a shard that the map does not mention")
    ]
    assert checkpoint.notes == (
        "The map mentions 1 groups that no shard holds, such as /layers/lost/vars.",
        "The map says that the weights take 5 bytes, and the shards hold 72.",
    )


def test_groups_that_the_map_leaves_out_are_skipped(shards: Path) -> None:
    shard(shards / "x_00001.weights.h5", {DENSE: {"1": BIAS}, "layers/extra/vars": {"0": BIAS}})
    checkpoint = ww.open_checkpoint(shard_map(shards, BOTH))
    assert [*checkpoint] == ["hidden"]
    assert [each.path for each in checkpoint.skipped] == ["/layers/extra/vars/0"]


@pytest.mark.parametrize(
    "name",
    ["../x_00000.weights.h5", "/etc/passwd", "a/b.h5", "a\\b.h5", "C:b.h5", "..", ".", "x.weights.json", "a\0b"],
)
def test_shards_lie_beside_their_map(shards: Path, name: str) -> None:
    with pytest.raises(UnsafeFileError, match="no file beside it"):
        ww.open_checkpoint(shard_map(shards, {f"/{DENSE}": name}))


def test_broken_sets_of_shards_are_errors(shards: Path) -> None:
    cases: list[tuple[Any, type[Exception], str]] = [
        ({f"/{DENSE}": "x_00007.weights.h5"}, MissingFileError, "x_00007"),
        ({f"/{DENSE}": [3]}, DamagedFileError, "which shard has it"),
        ({f"/{DENSE}": ""}, DamagedFileError, "which shard has it"),
        ({"a": "model-00001.safetensors"}, UnsupportedFileError, "open each of them"),
        ({str(number): f"{number}.h5" for number in range(10_001)}, UnsafeFileError, "10001 shards"),
        ({"a": "folder"}, NotKerasError, "a directory"),
        ({"a": "text"}, DamagedFileError, "is no HDF5 file"),
    ]
    (shards / "folder").mkdir()
    (shards / "text").write_text("no weights")
    for places, error, words in cases:
        with pytest.raises(error, match=words):
            ww.open_checkpoint(shard_map(shards, places))


def test_values_in_two_shards_are_refused(shards: Path) -> None:
    shard(shards / "x_00001.weights.h5", {DENSE: {"0": KERNEL}})
    with pytest.raises(UnsafeFileError, match="so does an earlier shard"):
        ww.open_checkpoint(shard_map(shards, BOTH))


def test_other_json_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"class_name": "Sequential"}')
    with pytest.raises(NotKerasError, match="no map of shards"):
        ww.open_checkpoint(path)


# ---- live models


class Variable:
    """A variable of Keras 3 (with a path), or of Keras 2 (whose name is one)."""

    def __init__(self, path: str, values: np.ndarray, version: int) -> None:
        self.values = values
        self.shape = values.shape
        if version == 3:
            self.path, self.name = path, path.rpartition("/")[2]
        else:
            self.name = f"{path}:0"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values


class Layer:
    def __init__(self, name: str, trainable: Sequence[Any] = (), frozen: Sequence[Any] = (), **config: Any) -> None:
        self.name, self.trainable_weights, self.non_trainable_weights = name, [*trainable], [*frozen]
        self.config = {"name": name, **config}

    @property
    def weights(self) -> list[Any]:
        return self.trainable_weights + self.non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.weights]

    def get_config(self) -> dict[str, Any]:
        return self.config


class Dense(Layer):
    __module__ = "keras.layers"


class BatchNormalization(Layer):
    __module__ = "keras.layers"


class InputLayer(Layer):
    __module__ = "keras.layers"


class Sequential(Layer):
    def __init__(self, name: str, layers: list[Any]) -> None:
        trainable = [weight for layer in layers for weight in layer.trainable_weights]
        super().__init__(name, trainable, [weight for layer in layers for weight in layer.non_trainable_weights])
        self.layers = layers


class Subclassed(Sequential):
    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError


def dense(version: int, name: str, path: str = "") -> tuple[Dense, dict[str, np.ndarray]]:
    values = {"kernel": RNG.normal(size=(4, 3)), "bias": RNG.normal(size=3)}
    variables = [Variable(f"{path or name}/{role}", array, version) for role, array in values.items()]
    return Dense(name, variables, units=3, kernel_initializer="zeros"), values


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("kind", [Sequential, Subclassed])
def test_a_live_model_is_listed_as_its_file(version: int, kind: type[Sequential]) -> None:
    first, first_values = dense(version, "dense_1", "encoder/dense_1")
    # Keras 3 names a variable when its layer is built, and by then this model stood in no other.
    other, other_values = dense(version, "dense_1")
    stats = {role: RNG.normal(size=3) for role in ("gamma", "beta", "moving_mean", "moving_variance")}
    gamma, beta, mean, variance = (Variable(f"norm/{role}", array, version) for role, array in stats.items())
    encoder = Sequential(
        "encoder", [first, BatchNormalization("norm", [gamma, beta], [mean, variance], gamma_initializer="ones")]
    )
    model = kind("whole", [InputLayer("input"), encoder, other])
    checkpoint = ww.open_checkpoint(model)
    expected = {
        **{("encoder/dense_1", role): values for role, values in first_values.items()},
        **{("encoder/norm", role): values for role, values in stats.items()},
        **{("dense_1", role): values for role, values in other_values.items()},
    }
    assert_same(checkpoint, expected)
    assert [*checkpoint.tensors] == [*expected]
    assert [layer.title for layer in checkpoint.values()] == ["Dense", "BatchNormalization", "Dense"]
    assert checkpoint["dense_1"].config["units"] == 3
    assert (checkpoint.name, checkpoint.path, checkpoint.format) == ("whole", None, "live Keras model")


def test_a_live_model_is_a_snapshot() -> None:
    layer, values = dense(3, "dense")
    checkpoint = ww.open_checkpoint(Sequential("m", [layer]))
    before = values["kernel"].copy()
    layer.trainable_weights[0].values += 1
    np.testing.assert_array_equal(checkpoint["dense"]["kernel"].read(), before)


def test_a_variable_of_two_layers_counts_once() -> None:
    layer, _ = dense(3, "dense")
    twin = Dense("twin", layer.trainable_weights)
    assert [*ww.open_checkpoint(Sequential("m", [layer, twin]))] == ["dense"]


def test_live_weights_that_are_no_numbers_are_skipped() -> None:
    layer, _ = dense(2, "dense")
    table = Variable("words/table", np.array(["the", "cat"]), 2)
    checkpoint = ww.open_checkpoint(Sequential("m", [layer, Layer("words", [table])]))
    assert [*checkpoint] == ["dense"]
    assert [each.path for each in checkpoint.skipped] == ["/words/words/table"]


def test_a_model_without_weights_yet_says_so() -> None:
    class Unbuilt(Sequential):
        @property
        def weights(self) -> list[Any]:
            raise ValueError("Weights for model 'm' have not yet been created.")

    with pytest.raises(InputError, match="Build it first"):
        ww.open_checkpoint(Unbuilt("m", []))


# Keras itself hands its variables to numpy in the old way when it saves.
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.slow
def test_a_real_keras_model_is_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = importlib.import_module("keras")
    layers = keras.layers
    inner = keras.Sequential([layers.Dense(4, name="dense"), layers.BatchNormalization(name="norm")], name="inner")
    recurrent = layers.Bidirectional(layers.LSTM(3, name="cell"), name="both")
    model = keras.Sequential([keras.Input((5, 6)), recurrent, inner, layers.Dense(2, name="dense")], name="m")
    for name in ("m.keras", "m.weights.h5"):
        (model.save if name.endswith(".keras") else model.save_weights)(tmp_path / name)
        live, saved = ww.open_checkpoint(model), ww.open_checkpoint(tmp_path / name)
        assert_same(live, read_all(saved))
        if name.endswith(".keras"):
            # A bare weights file does not tell the order of its layers.
            assert [*live.tensors] == [*saved.tensors]


# ---- arrays in memory


@pytest.mark.parametrize(
    "arrays",
    [
        {"dense/kernel": KERNEL, "dense/bias": BIAS},
        {"dense.kernel": KERNEL, "dense.bias": BIAS},
        {"dense": {"kernel": KERNEL, "bias": BIAS}},
        {"dense": [KERNEL, BIAS], "flatten": []},
        {"dense": {"kernel": KERNEL}, "dense/bias": BIAS},
    ],
    ids=["slashes", "dots", "nested", "get_weights", "mixed"],
)
def test_arrays_are_a_checkpoint(arrays: dict[str, Any]) -> None:
    checkpoint = ww.open_checkpoint(arrays)
    assert_same(checkpoint, {("dense", "kernel"): KERNEL, ("dense", "bias"): BIAS})
    assert checkpoint["dense"].title == "Dense (assumed)"
    assert (checkpoint.name, checkpoint.path, checkpoint.format) == ("arrays", None, "arrays in memory")


def test_what_a_checkpoint_holds_can_be_given_back() -> None:
    first = ww.open_checkpoint(FIXTURES / "nested.keras")
    arrays = {layer: {name: tensor.read() for name, tensor in tensors.items()} for layer, tensors in first.items()}
    assert_same(ww.open_checkpoint(arrays), read_all(first))


@pytest.mark.parametrize(
    ("shapes", "names"),
    [
        ([(4, 8), (2, 8), (8,)], ["kernel", "recurrent_kernel", "bias"]),
        (
            [(4, 8), (2, 8), (8,), (4, 8), (2, 8), (8,)],
            [f"{way}/{role}" for way in ("forward", "backward") for role in ("kernel", "recurrent_kernel", "bias")],
        ),
        ([(3,)] * 4, ["gamma", "beta", "moving_mean", "moving_variance"]),
        ([(4, 8)], ["weight 0"]),
        ([(3,), (3,)], ["weight 0", "weight 1"]),
    ],
)
def test_lists_of_arrays_are_named_where_their_shapes_settle_it(shapes: list[Any], names: list[str]) -> None:
    arrays = [np.full(shape, number, "f4") for number, shape in enumerate(shapes)]
    layer = ww.open_checkpoint({"layer": arrays})["layer"]
    assert [*layer] == names
    assert [tensor.read().flat[0] for tensor in layer.values()] == [*range(len(shapes))]


def test_arrays_are_copied() -> None:
    values = np.zeros(3)
    checkpoint = ww.open_checkpoint({"a/b": values})
    values += 1
    np.testing.assert_array_equal(checkpoint["a"]["b"].read(), np.zeros(3))


@pytest.mark.parametrize("kind", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_lacks_keep_their_name(tmp_path: Path, kind: str) -> None:
    values = np.array([1.5, -2.0], kind)
    raw = values.view(f"V{values.itemsize}")
    name = {"bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}[kind]
    flat = write_safetensors(tmp_path / "a", {"a.b": entry([2], 0, raw.nbytes, name)}, raw.tobytes())
    inner = tmp_path / "b.npz"
    np.savez(inner, **{"a": np.array({"b": values}, dtype=object)})
    found = [
        mapping.read({"a": {"b": values}}).layers[0].weights["b"],
        safetensors.read(stored_file(flat)).layers[0].weights["b"],
        npz.read_tree(stored_file(inner)).groups["a"].groups["vars"].datasets["b"],
    ]
    for array in found:
        assert (array.stored, array.dtype, array.shape) == (kind, raw.dtype, (2,))
        assert array.fetch(()).tobytes() == raw.tobytes()


ITSELF: dict[str, Any] = {}
ITSELF["a"] = ITSELF


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "holds no arrays"),
        ({"a": "weights.h5"}, "'a' is of type str"),
        ({"a": {"b": 3.0}}, "'a/b' is of type float"),
        ({"a": [KERNEL, 1]}, "'a' lists a int at position 1"),
        ({"a/b": np.array(["x"])}, "'a/b' is an array of"),
        ({"a/b": np.array([object()])}, "'a/b' is an array of object"),
        ({"a/b": np.array([1j])}, "'a/b' is an array of complex128"),
        ({3: KERNEL}, "the key 3 is no name"),
        ({"": KERNEL}, "the key '' is no name"),
        (ITSELF, "nests 64 mappings"),
        (KERNEL, "Give its name with it"),
        ([KERNEL], "Name arrays"),
        (None, "None is neither a path nor a checkpoint, a model or a mapping"),
        (Dense("dense"), r"Give the model, or \{layer.name: layer.get_weights\(\)\}"),
    ],
)
def test_what_is_no_checkpoint_is_an_input_error(source: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ww.open_checkpoint(source)


def test_an_array_that_cannot_be_read_names_its_key() -> None:
    class OnTheGraphicsCard:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
            raise TypeError("copy the tensor to host memory first")

    with pytest.raises(InputError, match=r"'a/b' cannot be made an array: copy the tensor"):
        ww.open_checkpoint({"a/b": OnTheGraphicsCard()})


# ---- compare


def test_models_files_and_arrays_are_compared(tmp_path: Path) -> None:
    layer, values = dense(3, "dense")
    save_file({f"dense.{role}": array for role, array in values.items()}, tmp_path / "b.safetensors")
    explorer = ww.compare(
        Sequential("m", [layer]), tmp_path / "b.safetensors", {"c": {"dense": values}, "d": layer_of(layer)}
    )
    try:
        assert [*explorer.checkpoints] == ["m", "b", "c", "d"]
        for checkpoint in explorer.checkpoints.values():
            assert_same(checkpoint, {("dense", role): array for role, array in values.items()})
    finally:
        explorer.close()


def layer_of(layer: Layer) -> Sequential:
    return Sequential("another", [layer])


def test_compare_says_what_it_cannot_take() -> None:
    layer, _ = dense(3, "dense")
    model = Sequential("m", [layer])
    with pytest.raises(InputError, match=r"two checkpoints are called 'm': a live model and a live model"):
        ww.compare(model, model)
    with pytest.raises(InputError, match="labels stand for whole checkpoints"):
        ww.compare({"dense/kernel": KERNEL})
    with pytest.raises(InputError, match="Pass paths one by one"):
        ww.compare(["a.h5", "b.h5"])  # type: ignore[arg-type]
