"""What the reader makes of a file, against Keras' own account of it, plain h5py and plain numpy."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import basic_indices

import weight_widgets as ww
from weight_widgets.errors import ChangedFileError
from weight_widgets.reading.files import Span
from weight_widgets.reading.window import FileWindow

RNG = np.random.default_rng(7)
FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parent.parent / "examples" / "models"

Address = tuple[str, str]


MODELS = ("bidirectional", "convolution", "nested", "recurrent")
ENDINGS = (".h5", ".keras", ".legacy.h5", ".weights.h5")


def relative(path: Path) -> str:
    return path.relative_to(path.parents[1]).as_posix()


def truth(path: Path) -> dict[Address, np.ndarray]:
    """The weights by (layer, tensor) in model order, as read from the Keras objects when the file was written."""
    with np.load(path.parent / f"{path.name.partition('.')[0]}.npz") as arrays:
        return {(layer, name): arrays[key] for key in arrays for layer, _, name in [key.rpartition("|")]}


# BatchNormalization(scale=False) without its configuration: which three of its four weights these are stays open.
OPEN_NAMES = {
    "batch_norm": {"beta": "weight 0", "moving_mean": "weight 1", "moving_variance": "weight 2"},
}
# Keras 2 wrote no layer names into this layout: the file's own keys stand in for them.
FILE_KEYS = {"filters": "conv2d", "batch_norm": "batch_normalization"}


def told(path: Path) -> dict[Address, np.ndarray]:
    """The truth under the names that the file can tell."""
    weights = truth(path)
    if path.name != "convolution.weights.h5":
        return weights
    keys = FILE_KEYS if path.parent.name == "keras2" else {}
    return {
        (keys.get(layer, layer), OPEN_NAMES.get(layer, {}).get(name, name)): values
        for (layer, name), values in weights.items()
    }


def read_all(checkpoint: ww.Checkpoint) -> dict[Address, np.ndarray]:
    return {address: tensor.read() for address, tensor in checkpoint.tensors.items()}


def assert_same(found: Mapping[Address, np.ndarray], expected: Mapping[Address, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for address, values in expected.items():
        np.testing.assert_array_equal(found[address], values, err_msg=str(address))
        assert found[address].dtype == values.dtype


def raw_datasets(file: h5py.Group) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}
    file.visititems(lambda path, item: found.update({path: item}) if isinstance(item, h5py.Dataset) else None)
    return found


# Their values and names, with those of all other fixtures, are the matter of test_fixtures.
FIXTURE_FILES = [FIXTURES / "keras3" / f"{model}{ending}" for model in MODELS for ending in ENDINGS]
FIXTURE_FILES += [FIXTURES / "keras2" / f"{model}{ending}" for model in MODELS for ending in (".h5", ".legacy.h5")]
FIXTURE_FILES += [FIXTURES / "keras2" / "convolution.weights.h5"]
EXAMPLE_FILES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in (".h5", ".keras"))


@pytest.mark.parametrize("path", FIXTURE_FILES, ids=relative)
class TestFixture:
    def test_shapes_and_sizes_are_known_without_reading(self, path: Path) -> None:
        checkpoint = ww.open_checkpoint(path)
        expected = told(path)
        for address, tensor in checkpoint.tensors.items():
            values = expected[address]
            assert (tensor.shape, tensor.dtype) == (values.shape, values.dtype)
            assert (tensor.size, tensor.nbytes) == (values.size, values.nbytes)
            assert tensor.name == address[1]
            assert tensor.role == address[1].split("/")[-1]
        assert checkpoint.num_params == sum(values.size for values in expected.values())

    def test_a_layer_is_assumed_where_the_file_has_no_configuration(self, path: Path) -> None:
        checkpoint = ww.open_checkpoint(path)
        says = path.suffix == ".keras" or path.name.count(".") == 1
        for layer in checkpoint.values():
            assert layer.class_name
            assert layer.assumed is not says
            assert bool(layer.config) is says
            assert layer.title == (layer.class_name if says else f"{layer.class_name} (assumed)")


@pytest.mark.parametrize("model", MODELS)
def test_formats_with_a_configuration_agree_on_the_order_of_everything(model: str) -> None:
    paths = [FIXTURES / "keras2" / f"{model}.h5", *(FIXTURES / "keras3" / f"{model}{end}" for end in (".h5", ".keras"))]
    orders = [list(ww.open_checkpoint(path).tensors) for path in paths]
    assert orders == [list(truth(path)) for path in paths]
    classes = [[layer.class_name for layer in ww.open_checkpoint(path).values()] for path in paths]
    assert classes[0] == classes[1] == classes[2]


@pytest.mark.parametrize("model", [model for model in MODELS if model != "nested"])
@pytest.mark.parametrize("folder", ["keras2", "keras3"])
def test_legacy_weights_alone_keep_the_models_order(folder: str, model: str) -> None:
    path = FIXTURES / folder / f"{model}.legacy.h5"
    assert list(ww.open_checkpoint(path).tensors) == list(truth(path))


@pytest.mark.parametrize("folder", ["keras2", "keras3"])
def test_legacy_weights_of_a_nested_model_stand_as_the_file_lists_them(folder: str) -> None:
    """Its frozen layer stands behind the others, and nothing in the file tells where it belongs."""
    checkpoint = ww.open_checkpoint(FIXTURES / folder / "nested.legacy.h5")
    assert list(checkpoint) == ["encoder/norm", "encoder/dense_2", "encoder/dense_1", "dense_1"]


def test_layers_without_names_stand_in_the_order_of_the_files_keys() -> None:
    assert list(ww.open_checkpoint(FIXTURES / "keras2" / "convolution.weights.h5")) == [
        "batch_normalization",
        "conv2d",
        "dense",
    ]


@pytest.mark.parametrize(
    ("name", "path", "address"),
    [
        ("keras3/convolution.h5", "model_weights/filters/convolution/filters/kernel", ("filters", "kernel")),
        ("keras2/convolution.h5", "model_weights/batch_norm/batch_norm/beta:0", ("batch_norm", "beta")),
        ("keras3/recurrent.weights.h5", "layers/lstm/cell/vars/1", ("memory", "recurrent_kernel")),
        ("keras3/recurrent.weights.h5", "layers/gru/cell/vars/2", ("gru_after", "bias")),
        ("keras3/nested.weights.h5", "layers/dense/vars/0", ("dense_1", "kernel")),
        ("keras3/nested.weights.h5", "layers/sequential/layers/dense/vars/0", ("encoder/dense_1", "kernel")),
        (
            "keras3/bidirectional.weights.h5",
            "layers/bidirectional/backward_layer/cell/vars/0",
            ("bidirectional", "backward/kernel"),
        ),
    ],
)
def test_values_equal_the_raw_dataset(name: str, path: str, address: Address) -> None:
    with h5py.File(FIXTURES / name) as file:
        raw = file[path][()]
    np.testing.assert_array_equal(ww.open_checkpoint(FIXTURES / name).tensors[address].read(), raw)


@pytest.mark.parametrize(
    ("name", "format_", "version"),
    [
        ("keras2/convolution.h5", "legacy full model (.h5)", "2.15.0"),
        ("keras3/convolution.h5", "legacy full model (.h5)", "3.15.1"),
        ("keras2/convolution.legacy.h5", "legacy weights (.h5)", "2.15.0"),
        ("keras3/convolution.weights.h5", "Keras 3 weights (.weights.h5)", ""),
        ("keras3/convolution.keras", "Keras 3 archive (.keras)", "3.15.1"),
    ],
)
def test_format_and_version_are_said(name: str, format_: str, version: str) -> None:
    checkpoint = ww.open_checkpoint(FIXTURES / name)
    assert (checkpoint.format, checkpoint.keras_version) == (format_, version)
    assert format_ in repr(checkpoint)


@pytest.mark.parametrize("name", ["keras3/convolution.h5", "keras3/convolution.weights.h5", "keras3/convolution.keras"])
def test_the_optimizers_state_is_kept_apart_and_readable(name: str) -> None:
    """SGD with momentum: iteration, learning rate and one momentum for each trainable weight."""
    checkpoint = ww.open_checkpoint(FIXTURES / name)
    trainable = [values.shape for (_, tensor), values in truth(FIXTURES / name).items() if "moving" not in tensor]
    assert sorted(tensor.shape for tensor in checkpoint.training.values()) == sorted([(), (), *trainable])
    assert all(tensor.read().shape == tensor.shape for tensor in checkpoint.training.values())
    assert not any("optimizer" in layer for layer in checkpoint)


def test_a_metrics_state_is_skipped_with_a_reason() -> None:
    skipped = ww.open_checkpoint(FIXTURES / "keras2" / "convolution.weights.h5").skipped
    assert [entry.path for entry in skipped] == ["/metrics/mean/vars/0", "/metrics/mean/vars/1"]
    assert {entry.reason for entry in skipped} == {"a metric's state"}


class TestExamples:
    def test_there_are_some_of_each_kind(self) -> None:
        kinds = Counter(
            "".join(path.suffixes[-2:]) if ".weights" in path.name else path.suffix for path in EXAMPLE_FILES
        )
        assert kinds[".h5"] >= 10
        assert kinds[".weights.h5"] >= 10
        assert kinds[".keras"] >= 2

    @pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: path.name)
    def test_opens_with_the_weights_alone(self, path: Path, tmp_path: Path) -> None:
        plain = path
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                plain = Path(archive.extract("model.weights.h5", tmp_path))
        with h5py.File(plain) as file:
            sizes = {name: dataset.size for name, dataset in raw_datasets(file).items()}
        network = {name: size for name, size in sizes.items() if not name.startswith("optimizer")}
        checkpoint = ww.open_checkpoint(path)
        assert checkpoint.num_params == sum(network.values())
        assert len(checkpoint.tensors) == len(network)
        assert len(checkpoint.training) == len(sizes) - len(network) > 0
        assert checkpoint.skipped == ()
        for values in read_all(checkpoint).values():
            assert np.isfinite(values).all()

    @pytest.mark.parametrize("stem", ["digits_baseline", "sequence_lstm"])
    def test_twins_in_other_formats_have_equal_values(self, stem: str) -> None:
        first, *others = (ww.open_checkpoint(EXAMPLES / f"{stem}{end}") for end in (".h5", ".keras", ".weights.h5"))
        for other in others:
            assert_same(read_all(other), read_all(first))
        assert list(others[0].tensors) == list(first.tensors)

    def test_values_equal_the_raw_dataset(self) -> None:
        with h5py.File(EXAMPLES / "sequence_lstm.h5") as file:
            raw = file["model_weights/lstm_1/sequence/lstm_1/lstm_cell/recurrent_kernel"][()]
        tensor = ww.open_checkpoint(EXAMPLES / "sequence_lstm.h5")["lstm_1"]["recurrent_kernel"]
        np.testing.assert_array_equal(tensor.read(), raw)


def parts_of(layer: str, name: str, model: str = "recurrent") -> tuple[Mapping[str, ww.Tensor], np.ndarray]:
    path = FIXTURES / "keras3" / f"{model}.keras"
    return ww.open_checkpoint(path)[layer][name].parts, truth(path)[layer, name]


def assert_parts(parts: Mapping[str, ww.Tensor], expected: Mapping[str, np.ndarray]) -> None:
    assert list(parts) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(parts[name].read(), values, err_msg=name)
        assert parts[name].shape == values.shape


class TestParts:
    @pytest.mark.parametrize("name", ["kernel", "recurrent_kernel", "bias"])
    def test_gates_of_an_lstm(self, name: str) -> None:
        parts, whole = parts_of("memory", name)
        assert_parts(
            parts,
            {
                "input": whole[..., 0:3],
                "forget": whole[..., 3:6],
                "cell": whole[..., 6:9],
                "output": whole[..., 9:12],
            },
        )

    @pytest.mark.parametrize("layer", ["gru", "gru_after"])
    @pytest.mark.parametrize("name", ["kernel", "recurrent_kernel"])
    def test_gates_of_a_gru(self, layer: str, name: str) -> None:
        parts, whole = parts_of(layer, name)
        assert_parts(parts, {"update": whole[:, 0:2], "reset": whole[:, 2:4], "candidate": whole[:, 4:6]})

    def test_bias_of_a_gru(self) -> None:
        parts, whole = parts_of("gru", "bias")
        assert_parts(parts, {"update": whole[0:2], "reset": whole[2:4], "candidate": whole[4:6]})

    def test_two_biases_of_a_gru_that_resets_after(self) -> None:
        parts, whole = parts_of("gru_after", "bias")
        assert whole.shape == (2, 6)
        assert_parts(
            parts,
            {
                "input bias/update": whole[0, 0:2],
                "input bias/reset": whole[0, 2:4],
                "input bias/candidate": whole[0, 4:6],
                "recurrent bias/update": whole[1, 0:2],
                "recurrent bias/reset": whole[1, 2:4],
                "recurrent bias/candidate": whole[1, 4:6],
            },
        )

    @pytest.mark.parametrize("direction", ["forward", "backward"])
    def test_gates_of_both_directions(self, direction: str) -> None:
        parts, whole = parts_of("bidirectional", f"{direction}/recurrent_kernel", "bidirectional")
        gates = ("input", "forget", "cell", "output")
        assert_parts(parts, {gate: whole[:, 3 * place : 3 * place + 3] for place, gate in enumerate(gates)})

    def test_filters_of_convolutions(self) -> None:
        parts, whole = parts_of("filters", "kernel", "convolution")
        assert whole.shape == (3, 2, 2, 4)
        assert_parts(parts, {f"filter {place}": whole[:, :, :, place] for place in range(4)})
        parts, whole = parts_of("conv", "kernel")
        assert_parts(parts, {f"filter {place}": whole[:, :, place] for place in range(5)})

    @pytest.mark.parametrize(
        ("model", "layer", "name"),
        [
            ("convolution", "filters", "bias"),
            ("convolution", "batch_norm", "moving_mean"),
        ],
    )
    def test_others_have_none(self, model: str, layer: str, name: str) -> None:
        assert not parts_of(layer, name, model)[0]

    def test_units_of_a_dense_layer_and_rows_of_an_embedding(self) -> None:
        parts, whole = parts_of("dense", "kernel", "convolution")
        assert_parts(parts, {f"unit {place}": whole[:, place] for place in range(whole.shape[1])})
        parts, whole = parts_of("tokens", "embeddings")
        assert_parts(parts, {f"token {place}": whole[place] for place in range(whole.shape[0])})

    def test_a_part_is_read_by_index_and_has_no_parts_itself(self) -> None:
        parts, whole = parts_of("memory", "kernel")
        np.testing.assert_array_equal(parts["forget"].read((slice(1, 3), 2)), whole[1:3, 5])
        assert not parts["forget"].parts

    def test_gates_are_found_without_a_configuration(self) -> None:
        layer = ww.open_checkpoint(FIXTURES / "keras3" / "recurrent.weights.h5")["gru_after"]
        assert [part.partition("/")[2] for part in layer["bias"].parts] == ["update", "reset", "candidate"] * 2


class TestRead:
    KERNEL = ("filters", "kernel")
    PATH = FIXTURES / "keras3" / "convolution.keras"

    @given(basic_indices((3, 2, 2, 4), min_dims=0, allow_newaxis=False))
    def test_an_index_means_what_it_means_to_numpy(self, index: tuple[slice | int, ...]) -> None:
        checkpoint = ww.open_checkpoint(self.PATH)
        np.testing.assert_array_equal(checkpoint.tensors[self.KERNEL].read(index), truth(self.PATH)[self.KERNEL][index])

    @pytest.mark.parametrize("index", [(3,), (0, 0, 0, 0, 0)], ids=["out of range", "too many"])
    def test_an_impossible_index_is_no_fault_of_the_file(self, index: tuple[int, ...]) -> None:
        tensor = ww.open_checkpoint(self.PATH).tensors[self.KERNEL]
        with pytest.raises(IndexError):
            tensor.read(index)

    def test_what_was_read_belongs_to_the_caller(self) -> None:
        tensor = ww.open_checkpoint(self.PATH).tensors[self.KERNEL]
        tensor.read()[:] = 0
        np.testing.assert_array_equal(tensor.read(), truth(self.PATH)[self.KERNEL])

    @pytest.mark.parametrize("stored", [">f4", "<f8", ">i2", "<f2"])
    def test_byte_order_is_native(self, stored: str, tmp_path: Path) -> None:
        values = np.arange(6).reshape(2, 3).astype(stored)
        tensor = ww.open_checkpoint(write_dense(tmp_path / "a.h5", values))["dense"]["kernel"]
        assert tensor.dtype.isnative
        assert tensor.read().dtype == tensor.dtype == values.dtype.newbyteorder("=")
        np.testing.assert_array_equal(tensor.read(), values)

    def test_compressed_datasets(self, tmp_path: Path) -> None:
        values = np.arange(2000, dtype="f4").reshape(50, 40)
        path = write_dense(tmp_path / "a.h5", values, chunks=(7, 40), compression="gzip")
        tensor = ww.open_checkpoint(path)["dense"]["kernel"]
        np.testing.assert_array_equal(tensor.read((slice(3, 40, 5),)), values[3:40:5])

    def test_a_closed_checkpoint_keeps_its_names_and_refuses_to_read(self) -> None:
        with ww.open_checkpoint(self.PATH) as checkpoint:
            checkpoint.tensors[self.KERNEL].read()
        assert list(checkpoint) == ["filters", "dense", "batch_norm"]
        with pytest.raises(ww.WeightWidgetsError, match=r"convolution\.keras was closed"):
            checkpoint.tensors[self.KERNEL].read()

    def test_a_file_that_another_has_locked_is_read_all_the_same(self, tmp_path: Path) -> None:
        fcntl = pytest.importorskip("fcntl")
        path = write_dense(tmp_path / "a.h5", np.ones((2, 2), "f4"))
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert ww.open_checkpoint(path)["dense"]["kernel"].read().sum() == 4


class TestChangedFile:
    def test_rewritten_by_another(self, tmp_path: Path) -> None:
        path = Path(shutil.copy(FIXTURES / "keras3" / "convolution.h5", tmp_path / "a.h5"))
        tensor = ww.open_checkpoint(path)["filters"]["kernel"]
        fresh = write_dense(tmp_path / "b.h5", np.zeros((2, 2), "f4"))
        fresh.replace(path)
        with pytest.raises(ChangedFileError, match=r"a\.h5 was rewritten"):
            tensor.read()

    def test_written_in_place_with_the_same_size(self, tmp_path: Path) -> None:
        path = write_dense(tmp_path / "a.h5", np.ones((2, 2), "f4"))
        tensor = ww.open_checkpoint(path)["dense"]["kernel"]
        before = path.stat()
        with h5py.File(path, "r+") as file:
            file["dense/dense/kernel"][0, 0] = 7
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
        assert path.stat().st_size == before.st_size
        with pytest.raises(ChangedFileError, match=r"Open it again"):
            tensor.read()
        assert ww.open_checkpoint(path)["dense"]["kernel"].read()[0, 0] == 7

    def test_archives_too(self, tmp_path: Path) -> None:
        path = Path(shutil.copy(FIXTURES / "keras3" / "convolution.keras", tmp_path / "a.keras"))
        tensor = ww.open_checkpoint(path)["filters"]["kernel"]
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(ChangedFileError, match=r"a\.keras"):
            tensor.read()


def test_the_hdf5_of_an_archive_may_lie_anywhere(tmp_path: Path) -> None:
    source = FIXTURES / "keras3" / "nested.keras"
    alignments = set()
    for padding in range(8):
        path = tmp_path / f"{padding}.keras"
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
            new.writestr("config.json", old.read("config.json") + b" " * padding)
            new.writestr("model.weights.h5", old.read("model.weights.h5"))
            new.writestr("metadata.json", old.read("metadata.json"))
        alignments.add(path.read_bytes().index(b"\x89HDF\r\n\x1a\n") % 8)
        assert_same(read_all(ww.open_checkpoint(path)), truth(source))
    assert alignments == set(range(8))


def test_an_archive_without_metadata_opens(tmp_path: Path) -> None:
    source = FIXTURES / "keras3" / "convolution.keras"
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in ("config.json", "model.weights.h5"):
            new.writestr(name, old.read(name))
    checkpoint = ww.open_checkpoint(path)
    assert checkpoint.keras_version == ""
    assert_same(read_all(checkpoint), truth(source))


def test_what_a_file_is_is_told_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    for name, ending in (("nested.keras", ".h5"), ("nested.h5", ".keras"), ("nested.legacy.h5", ".weights.h5")):
        source = FIXTURES / "keras3" / name
        path = shutil.copy(source, tmp_path / f"renamed{ending}")
        assert ww.open_checkpoint(path).format == ww.open_checkpoint(source).format


def test_hdf5_behind_a_user_block(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        fill_dense(file, np.eye(2, dtype="f4"))
    with path.open("r+b") as file:
        file.write(b"a note of the user's own")
    np.testing.assert_array_equal(ww.open_checkpoint(path)["dense"]["kernel"].read(), np.eye(2))


def test_long_lists_of_names_are_put_together(tmp_path: Path) -> None:
    """Keras cuts an attribute beyond 64 512 bytes into layer_names0, layer_names1, …."""
    names = [f"dense_{number}" for number in range(30)]
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for chunk in range(3):
            file.attrs[f"layer_names{chunk}"] = np.array(names[10 * chunk : 10 * chunk + 10], dtype="S")
        for number, name in enumerate(names):
            group = file.create_group(name)
            group.attrs["weight_names0"] = [f"{name}/kernel:0".encode()]
            group.attrs["weight_names1"] = [f"{name}/bias:0".encode()]
            group[f"{name}/kernel:0"] = np.full((2, 2), number, "f4")
            group[f"{name}/bias:0"] = np.full(2, -number, "f4")
    checkpoint = ww.open_checkpoint(path)
    assert list(checkpoint) == names
    assert checkpoint["dense_29"]["bias"].read().tolist() == [-29, -29]


def test_numbers_in_v3_keys_count(tmp_path: Path) -> None:
    """``dense_10`` follows ``dense_9``, and weight 10 follows weight 9."""
    path = tmp_path / "a.weights.h5"
    with h5py.File(path, "w") as file:
        for number in range(12):
            key = f"layers/dense_{number}" if number else "layers/dense"
            file[f"{key}/vars/0"] = np.zeros((2, 2), "f4")
            file[f"{key}/vars/1"] = np.zeros(2, "f4")
            file[f"layers/odd/vars/{number}"] = np.full(3, number, "f4")
    checkpoint = ww.open_checkpoint(path)
    assert list(checkpoint) == ["dense", *(f"dense_{number}" for number in range(1, 12)), "odd"]
    assert [tensor.read()[0] for tensor in checkpoint["odd"].values()] == list(range(12))
    assert checkpoint["odd"].title == "unknown class"


@pytest.mark.parametrize(
    ("name", "label"),
    [("a.h5", "a"), ("a.weights.h5", "a"), ("a.keras", "a"), ("a.b.hdf5", "a.b"), ("run.H5", "run")],
)
def test_a_label_is_the_files_name_unless_given(name: str, label: str, tmp_path: Path) -> None:
    path = write_dense(tmp_path / name, np.ones((2, 2), "f4"))
    assert ww.open_checkpoint(path).name == label
    assert ww.open_checkpoint(str(path), name="mine").name == "mine"


def test_the_window_on_an_archives_hdf5_is_the_member_byte_for_byte() -> None:
    path = FIXTURES / "keras3" / "nested.keras"
    with zipfile.ZipFile(path) as archive:
        member = archive.read("model.weights.h5")
    start = path.read_bytes().index(member)
    with path.open("rb", buffering=0) as file:
        window = FileWindow(file, Span(start, len(member)))
        assert window.read() == member
        assert window.seek(-5, io.SEEK_END) == len(member) - 5
        assert window.read(100) == member[-5:]
        assert window.read(1) == b""
        assert window.seek(10) == window.tell() == 10
        assert window.seek(6, io.SEEK_CUR) == 16
        assert window.read(8) == member[16:24]


def write_dense(path: Path, values: np.ndarray, **options: object) -> Path:
    """A legacy weights file whose one layer has one weight, `dense` and `kernel`."""
    with h5py.File(path, "w") as file:
        fill_dense(file, values, **options)
    return path


def fill_dense(file: h5py.File, values: np.ndarray, **options: object) -> None:
    file.attrs["layer_names"] = [b"dense"]
    group = file.create_group("dense")
    group.attrs["weight_names"] = [b"dense/kernel"]
    group.create_dataset("dense/kernel", data=values, **options)


class TestNothingIsLost:
    """Names that collide are numbered on; every dataset is a tensor, training state or skipped."""

    @staticmethod
    def write(path: Path, layer: str, paths: list[str]) -> dict[str, np.ndarray]:
        values = {name: RNG.normal(size=(3, 4)).astype("f4") for name in paths}
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [layer]
            for name, array in values.items():
                file[f"{layer}/{name}"] = array
            file[layer].attrs["weight_names"] = paths
        return values

    def test_a_bidirectional_called_backward(self, tmp_path: Path) -> None:
        paths = [f"backward_pass/{way}_lstm/lstm_cell/kernel:0" for way in ("forward", "backward")]
        values = self.write(tmp_path / "a.h5", "backward_pass", paths)
        layer = ww.open_checkpoint(tmp_path / "a.h5")["backward_pass"]
        np.testing.assert_array_equal(layer["forward/kernel"].read(), values[paths[0]])
        np.testing.assert_array_equal(layer["backward/kernel"].read(), values[paths[1]])

    def test_names_that_differ_in_what_is_cut_off(self, tmp_path: Path) -> None:
        values = self.write(tmp_path / "a.h5", "odd", ["kernel:0", "kernel:1"])
        found = [tensor.read() for tensor in ww.open_checkpoint(tmp_path / "a.h5")["odd"].values()]
        np.testing.assert_array_equal(found, list(values.values()))

    def test_two_layers_of_one_name(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.weights.h5", "w") as file:
            for place in ("first", "second"):
                file[f"{place}/vars/0"] = RNG.normal(size=(3, 4)).astype("f4")
                file[f"{place}/vars"].attrs["name"] = np.bytes_(b"fc")
        checkpoint = ww.open_checkpoint(tmp_path / "a.weights.h5")
        assert list(checkpoint) == ["fc", "fc (2)"]
        assert checkpoint.num_params == 24

    def test_what_a_wrapper_holds_is_not_what_its_layer_holds(self, tmp_path: Path) -> None:
        """SpectralNormalization: the kernel again and vector_u in the wrapper, kernel and bias inside.

        Without a configuration the file does not say that the layer inside is a Dense, but the shapes do.
        """
        with h5py.File(tmp_path / "a.weights.h5", "w") as file:
            file["layers/spectral_normalization/vars/0"] = np.ones((3, 4), "f4")
            file["layers/spectral_normalization/vars/1"] = np.ones((1, 4), "f4")
            file["layers/spectral_normalization/layer/vars/0"] = np.ones((3, 4), "f4")
            file["layers/spectral_normalization/layer/vars/1"] = np.ones(4, "f4")
        checkpoint = ww.open_checkpoint(tmp_path / "a.weights.h5")
        (layer,) = checkpoint.values()
        assert {name: tensor.shape for name, tensor in layer.items()} == {
            "kernel": (3, 4),
            "bias": (4,),
            "vector_u": (1, 4),
        }
        (alias,) = checkpoint.skipped
        assert alias.path == "/layers/spectral_normalization/vars/0"
        assert alias.reason.startswith("the same weight as")


def test_a_window_reads_on_where_the_system_gives_less(tmp_path: Path) -> None:
    """One read gives at most 2 GiB; here seven bytes."""
    (tmp_path / "file").write_bytes(bytes(range(100)))

    class Stingy(io.FileIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            return super().readinto(memoryview(buffer)[:7])

    with Stingy(tmp_path / "file") as file:
        window = FileWindow(file, Span(10, 80))
        window.seek(5)
        assert window.read(40) == bytes(range(15, 55))
        window.seek(70)
        assert window.read(40) == bytes(range(80, 90))


def test_a_convolutional_cell_is_known_by_its_shapes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        for way in ("forward_layer", "backward_layer"):
            for number, shape in enumerate([(2, 2, 1, 8), (2, 2, 2, 8), (8,)]):
                file[f"layers/bidirectional/{way}/cell/vars/{number}"] = np.ones(shape, "f4")
    (layer,) = ww.open_checkpoint(tmp_path / "a.weights.h5").values()
    roles = ("kernel", "recurrent_kernel", "bias")
    assert [*layer] == [f"{way}/{role}" for way in ("forward", "backward") for role in roles]


def test_the_optimizers_variables_are_counted_as_numbers() -> None:
    training = [*ww.open_checkpoint(FIXTURES / "keras3" / "trained.keras").training]
    numbers = [int(name.rpartition("/")[2]) for name in training if name.startswith("optimizer/vars/")]
    assert numbers == sorted(numbers)
    assert numbers[-1] > 9 or len(training) > len(numbers)
