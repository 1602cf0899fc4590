"""Every way in which opening can fail: the right class, and a message that names the file and the cause."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets import errors
from weight_widgets.errors import (
    DamagedFileError,
    InputError,
    MissingFileError,
    NotKerasError,
    UnsupportedFileError,
    WeightWidgetsError,
)

FIXTURES = Path(__file__).parent / "fixtures" / "keras3"


def refuse(path: Path, kind: type[WeightWidgetsError], *said: str) -> None:
    """Opening raises this very class, and the message says all of this and where."""
    with pytest.raises(WeightWidgetsError) as caught:
        ww.open_checkpoint(path)
    assert type(caught.value) is kind
    for words in (str(path), *said):
        assert words in str(caught.value)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def repack(
    path: Path, members: dict[str, bytes | None], source: str = "nested.keras", compression: int = zipfile.ZIP_STORED
) -> Path:
    """A copy of a `.keras` fixture with some members exchanged, or left out for None."""
    with zipfile.ZipFile(FIXTURES / source) as old, zipfile.ZipFile(path, "w", compression) as new:
        kept = {name: old.read(name) for name in old.namelist()}
        for name, data in {**kept, **members}.items():
            if data is not None:
                new.writestr(name, data)
    return path


class TestNoSuchFile:
    def test_missing(self, tmp_path: Path) -> None:
        refuse(tmp_path / "none.h5", MissingFileError, "No such file", str(Path.cwd()))

    def test_is_what_python_raises_too(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none\.h5"):
            ww.open_checkpoint(tmp_path / "none.h5")

    def test_folder(self, tmp_path: Path) -> None:
        refuse(tmp_path, NotKerasError, "is a directory")


class TestOtherFiles:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "it is empty"),
            (b"epoch,loss\n0,0.5\n", "it starts with b'epoch,lo'"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
                "it is a Git LFS pointer, run git lfs pull",
            ),
            (b"\x89HDF", "it starts with"),
        ],
        ids=["empty", "text", "lfs", "signature cut"],
    )
    def test_neither_hdf5_nor_zip(self, data: bytes, said: str, tmp_path: Path) -> None:
        refuse(write(tmp_path / "a.h5", data), NotKerasError, "not an HDF5 file", said)

    def test_hdf5_without_weights(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["temperature"] = np.zeros(3)
            file.create_group("stations")
        refuse(tmp_path / "a.h5", NotKerasError, "holds no Keras weights", "'stations', 'temperature'")

    def test_empty_hdf5(self, tmp_path: Path) -> None:
        h5py.File(tmp_path / "a.h5", "w").close()
        refuse(tmp_path / "a.h5", NotKerasError, "it is empty")

    def test_groups_nested_without_end(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_group("/".join("x" * 100))
            file["layers/dense/vars/0"] = np.ones((2, 3), "f4")
        (deep,) = ww.open_checkpoint(tmp_path / "a.h5").skipped
        assert deep.path.startswith("/x/x/x")
        assert "nested deeper than" in deep.reason

    def test_a_group_inside_itself(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            group = file.create_group("layers")
            group["again"] = group
        refuse(tmp_path / "a.h5", NotKerasError, "holds no Keras weights", "'layers'")

    def test_groups_that_hold_each_other_twice_are_met_once(self, tmp_path: Path) -> None:
        """Sixty levels, each linked twice from the one above: 2^60 ways down."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            group = file.create_group("layers/dense")
            group.create_group("vars")["0"] = np.ones((2, 3), "f4")
            for level in range(60):
                group = group.create_group(f"level {level}")
                group.parent["again"] = group
        with ww.open_checkpoint(tmp_path / "a.h5") as checkpoint:
            assert np.array_equal(checkpoint["dense"]["kernel"].read(), np.ones((2, 3)))
            again = [entry.reason for entry in checkpoint.skipped]
        assert len(again) == 60
        assert all(reason.startswith("the same as /layers/dense/") for reason in again)


def cuts(name: str, *shares: float) -> list[tuple[str, int]]:
    size = (FIXTURES / name).stat().st_size
    return [(name, int(size * share)) for share in shares] + [(name, size - 1)]


class TestCutOff:
    @pytest.mark.parametrize(
        ("name", "length"),
        [
            *cuts("convolution.h5", 0.01, 0.3, 0.7),
            *cuts("convolution.legacy.h5", 0.01, 0.3, 0.7),
            *cuts("recurrent.weights.h5", 0.01, 0.3, 0.7),
            *cuts("recurrent.keras", 0.01, 0.3, 0.7),
        ],
    )
    def test_is_damaged(self, name: str, length: int, tmp_path: Path) -> None:
        path = write(tmp_path / name, (FIXTURES / name).read_bytes()[:length])
        refuse(path, DamagedFileError)

    def test_an_archive_whose_hdf5_is_cut(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(FIXTURES / "nested.keras") as archive:
            member = archive.read("model.weights.h5")
        refuse(
            repack(tmp_path / "a.keras", {"model.weights.h5": member[:-100]}), DamagedFileError, "HDF5 data cannot be"
        )

    def test_values_that_cannot_be_read_are_found_when_they_are_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "a.h5"
        values = np.random.default_rng(1).normal(size=(100, 100)).astype("f4")
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [b"dense"]
            file.create_group("dense").attrs["weight_names"] = [b"kernel"]
            dataset = file.create_dataset("dense/kernel", data=values, chunks=(100, 100), compression="gzip")
            chunk = dataset.id.get_chunk_info(0)
        with path.open("r+b") as stream:
            stream.seek(chunk.byte_offset)
            stream.write(b"\xff" * chunk.size)
        tensor = ww.open_checkpoint(path)["dense"]["kernel"]
        assert tensor.shape == (100, 100)
        with pytest.raises(DamagedFileError, match=r"a\.h5"):
            tensor.read()


class TestArchives:
    def test_zip_that_is_no_keras_file(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
            archive.writestr("photo.png", b"")
        refuse(tmp_path / "a.keras", NotKerasError, "without config.json")

    def test_without_weights(self, tmp_path: Path) -> None:
        path = repack(tmp_path / "a.keras", {"model.weights.h5": None})
        refuse(path, UnsupportedFileError, "no model.weights.h5", "metadata.json")

    def test_compressed_weights(self, tmp_path: Path) -> None:
        path = repack(tmp_path / "a.keras", {}, compression=zipfile.ZIP_DEFLATED)
        refuse(path, UnsupportedFileError, "model.weights.h5 is compressed")

    @pytest.mark.parametrize("name", ["config.json", "metadata.json"])
    @pytest.mark.parametrize(
        "data", [b"{", b"", b"\xff\xfe\x00", b"[" * 100_000], ids=["cut", "empty", "bytes", "deep"]
    )
    def test_bad_json(self, name: str, data: bytes, tmp_path: Path) -> None:
        refuse(repack(tmp_path / "a.keras", {name: data}), DamagedFileError, name, "not valid JSON")

    def test_weights_that_are_no_hdf5(self, tmp_path: Path) -> None:
        refuse(repack(tmp_path / "a.keras", {"model.weights.h5": b"PK" * 600}), DamagedFileError)

    def test_local_header_out_of_place(self, tmp_path: Path) -> None:
        """The directory at the end says where a member lies; one that lies behind the end cannot be read."""
        path = repack(tmp_path / "a.keras", {})
        data = bytearray(path.read_bytes())
        entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"model.weights.h5"))
        data[entry + 42 : entry + 46] = struct.pack("<I", len(data) + 1000)
        path.write_bytes(data)
        refuse(path, DamagedFileError)

    @pytest.mark.parametrize("config", [[], 3, {"config": 3}, {"class_name": "Custom", "config": {}}, {"config": [3]}])
    def test_a_configuration_of_another_kind_is_done_without(self, config: object, tmp_path: Path) -> None:
        path = repack(tmp_path / "a.keras", {"config.json": json.dumps(config).encode()}, "recurrent.keras")
        assert set(ww.open_checkpoint(path)) == {"tokens", "conv", "memory", "gru_after", "gru"}


class TestLegacy:
    @staticmethod
    def file(path: Path, layers: list[str]) -> h5py.File:
        file = h5py.File(path, "w")
        file.attrs["layer_names"] = [name.encode() for name in layers]
        return file

    def test_bad_configuration(self, tmp_path: Path) -> None:
        with self.file(tmp_path / "a.h5", []) as file:
            file.attrs["model_config"] = "{'class_name'"
        refuse(tmp_path / "a.h5", DamagedFileError, "model_config", "not valid JSON")

    def test_layer_without_group(self, tmp_path: Path) -> None:
        self.file(tmp_path / "a.h5", ["dense"]).close()
        refuse(tmp_path / "a.h5", DamagedFileError, "layer 'dense' is listed")

    def test_weight_without_dataset(self, tmp_path: Path) -> None:
        with self.file(tmp_path / "a.h5", ["dense"]) as file:
            file.create_group("dense").attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
            file["dense/dense/bias:0"] = np.zeros(2)
        checkpoint = ww.open_checkpoint(tmp_path / "a.h5")
        assert list(checkpoint["dense"]) == ["bias"]
        assert [(entry.path, entry.reason) for entry in checkpoint.skipped] == [
            ("/dense/dense/kernel:0", "listed, but not in the file")
        ]


class TestNothingOutsideTheFileIsRead:
    """A file that points elsewhere gives no value from there, and says so."""

    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        path = tmp_path / "secret.h5"
        with h5py.File(path, "w") as file:
            file["values"] = np.full((2, 2), 42.0)
        return path

    @pytest.fixture
    def bait(self, secret: Path) -> h5py.File:
        """A weights file with one good weight; what points elsewhere becomes its `kernel`."""
        file = h5py.File(secret.with_name("bait.h5"), "w")
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"kernel", b"bias"]
        file["dense/bias"] = np.ones(2)
        return file

    @staticmethod
    def assert_skipped(file: h5py.File, reason: str) -> None:
        path = file.filename
        file.close()
        checkpoint = ww.open_checkpoint(path)
        assert list(checkpoint["dense"]) == ["bias"]
        assert [(entry.path, entry.reason) for entry in checkpoint.skipped] == [("/dense/kernel", reason)]

    def test_external_link(self, bait: h5py.File) -> None:
        bait["dense/kernel"] = h5py.ExternalLink("secret.h5", "/values")
        self.assert_skipped(bait, "a link; links are not followed")

    @pytest.mark.parametrize("target", ["/dense/bias", "/dense", "/nowhere"])
    def test_soft_link(self, target: str, bait: h5py.File) -> None:
        bait["dense/kernel"] = h5py.SoftLink(target)
        self.assert_skipped(bait, "a link; links are not followed")

    def test_external_storage(self, bait: h5py.File, tmp_path: Path) -> None:
        write(tmp_path / "raw.bin", b"\x01" * 16)
        bait["dense"].create_dataset("kernel", (2, 2), "f4", external=[(str(tmp_path / "raw.bin"), 0, 16)])
        self.assert_skipped(bait, "its values lie in another file, which is not opened")

    def test_virtual_dataset(self, bait: h5py.File, secret: Path) -> None:
        layout = h5py.VirtualLayout((2, 2), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "values", shape=(2, 2))
        bait["dense"].create_virtual_dataset("kernel", layout)
        self.assert_skipped(bait, "its values lie in another file, which is not opened")

    def test_a_whole_layer_behind_a_link(self, bait: h5py.File) -> None:
        path = bait.filename
        bait.attrs["layer_names"] = [b"dense", b"other"]
        bait["other"] = h5py.ExternalLink("secret.h5", "/")
        bait.close()
        checkpoint = ww.open_checkpoint(path)
        assert [entry.path for entry in checkpoint.skipped if "link" in entry.reason] == ["/other"]
        assert "other" not in checkpoint

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"data": h5py.Empty("f4")}, "an empty dataset"),
            ({"data": np.array([b"text"])}, "holds text, not weights"),
            ({"shape": (1000, 1000), "dtype": "f4"}, "it was declared but never written"),
        ],
        ids=["empty", "text", "never written"],
    )
    def test_what_is_no_array_of_numbers(self, options: dict[str, object], reason: str, bait: h5py.File) -> None:
        bait["dense"].create_dataset("kernel", **options)
        self.assert_skipped(bait, reason)


class TestCompare:
    GOOD = FIXTURES / "convolution.keras"

    def refuse(self, kind: type[WeightWidgetsError], *sources: object, said: tuple[str, ...], **options: str) -> None:
        with pytest.raises(WeightWidgetsError) as caught:
            ww.compare(*sources, **options)  # type: ignore[arg-type]
        assert type(caught.value) is kind
        for words in said:
            assert words in str(caught.value)

    def test_nothing_to_compare(self) -> None:
        self.refuse(InputError, {}, said=("no checkpoint to compare", "ww.compare("))
        self.refuse(InputError, reference="a", said=("no checkpoint to compare",))

    def test_a_label_given_twice(self, tmp_path: Path) -> None:
        other = FIXTURES / "nested.keras"
        self.refuse(InputError, {"a": self.GOOD}, {"a": other}, said=("'a'", str(self.GOOD), str(other), "label"))
        opened = ww.open_checkpoint(self.GOOD)
        self.refuse(InputError, opened, {"convolution": other}, said=("'convolution'", str(self.GOOD), str(other)))

    def test_the_same_file_twice(self) -> None:
        self.refuse(InputError, self.GOOD, str(self.GOOD), said=("two checkpoints", str(self.GOOD), "label"))

    def test_the_same_file_under_two_labels_is_fine(self) -> None:
        explorer = ww.compare({"one": self.GOOD, "two": self.GOOD})
        assert list(explorer.checkpoints) == ["one", "two"]
        explorer.close()

    def test_an_unknown_reference(self) -> None:
        self.refuse(InputError, self.GOOD, reference="best", said=("'best'", "'convolution'"))

    def test_a_glob_without_a_match(self, tmp_path: Path) -> None:
        self.refuse(MissingFileError, str(tmp_path / "*.h5"), said=(str(tmp_path / "*.h5"), "no file matches"))

    @pytest.mark.parametrize("source", [3, None, ["a.h5"], {"a": 3}])
    def test_no_path_at_all(self, source: object) -> None:
        self.refuse(InputError, source, said=("neither a path nor a checkpoint",))

    def test_none_that_opens(self, tmp_path: Path) -> None:
        write(tmp_path / "a.h5", b"text")
        self.refuse(MissingFileError, tmp_path / "none.h5", tmp_path / "a.h5", said=(str(tmp_path / "none.h5"),))

    def test_a_bad_file_among_good_ones_is_a_line(self, tmp_path: Path) -> None:
        bad = write(tmp_path / "bad.h5", b"text")
        explorer = ww.compare(bad, self.GOOD, tmp_path / "none.h5", {"again": FIXTURES / "convolution.h5"})
        assert explorer.wait(30)
        assert list(explorer.checkpoints) == ["convolution", "again"]
        problems = explorer._state.status.problems
        assert len(problems) == 2
        assert all(str(path) in line for path, line in zip((bad, tmp_path / "none.h5"), problems, strict=True))
        assert [row["checkpoint"] for row in explorer.table.result.rows] == ["convolution", "again"]
        explorer.selection.layer = "dense"
        assert explorer.wait(30)
        assert explorer.table.result.pick.layer == "dense"
        assert explorer._state.status.problems == problems
        explorer.close()

    def test_a_reference_that_cannot_be_opened_leaves_the_first_that_can(self, tmp_path: Path) -> None:
        bad = write(tmp_path / "bad.h5", b"text")
        explorer = ww.compare(bad, self.GOOD, reference="bad")
        assert explorer.selection.reference == "convolution"
        explorer.close()

    def test_a_file_without_any_layer(self, tmp_path: Path) -> None:
        """A model of activations and flattenings alone is a Keras file; there is only nothing to compare."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.attrs["layer_names"] = [b"flatten"]
            file.create_group("flatten").attrs["weight_names"] = np.array([], "S1")
        assert ww.open_checkpoint(tmp_path / "a.h5").num_params == 0
        self.refuse(NotKerasError, tmp_path / "a.h5", said=(str(tmp_path / "a.h5"),))


class TestLabels:
    def test_twins_in_other_formats_keep_their_suffixes(self, models: Path) -> None:
        twins = [models / f"digits_baseline{suffix}" for suffix in (".h5", ".keras", ".weights.h5")]
        explorer = ww.compare(*twins)
        assert list(explorer.checkpoints) == [path.name for path in twins]
        explorer.close()

    def test_an_empty_label(self, models: Path) -> None:
        with pytest.raises(errors.InputError, match="empty label"):
            ww.compare({"": models / "digits_baseline.h5"})

    def test_a_glob_counts_numbers(self, tmp_path: Path) -> None:
        for number in (10, 2, 1):
            write(tmp_path / f"epoch_{number}.h5", (FIXTURES / "nested.h5").read_bytes())
        explorer = ww.compare(str(tmp_path / "epoch_*.h5"))
        assert list(explorer.checkpoints) == ["epoch_1", "epoch_2", "epoch_10"]
        explorer.close()

    def test_namesakes_are_told_apart_by_their_folders(self, tmp_path: Path) -> None:
        for folder in ("one/run", "two/run"):
            (tmp_path / folder).mkdir(parents=True)
            write(tmp_path / folder / "best.h5", (FIXTURES / "nested.h5").read_bytes())
        explorer = ww.compare(
            tmp_path / "one/run/best.h5", tmp_path / "two/run/best.h5", self_named := FIXTURES / "nested.h5"
        )
        assert list(explorer.checkpoints) == ["one/run/best", "two/run/best", self_named.stem]
        explorer.close()

    def test_a_name_with_brackets_is_a_name_when_there_is_such_a_file(self, tmp_path: Path) -> None:
        path = write(tmp_path / "run[1].h5", (FIXTURES / "nested.h5").read_bytes())
        explorer = ww.compare(str(path))
        assert list(explorer.checkpoints) == ["run[1]"]
        explorer.close()


def test_every_error_is_ours_and_documented() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, WeightWidgetsError)
        assert kind.__doc__
        assert name in (errors.__doc__ or "")
    assert issubclass(InputError, ValueError)
