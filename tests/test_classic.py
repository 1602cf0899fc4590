"""Ordinary HDF5 listed without libhdf5, against what libhdf5 lists: the same, or nothing at all."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.errors import WeightWidgetsError
from weight_widgets.reading import hdf5
from weight_widgets.reading.files import Span, stored_file
from weight_widgets.reading.hdf5.classic import Unusual, list_file
from weight_widgets.reading.storage import Contiguous
from weight_widgets.reading.trees import Growing
from weight_widgets.reading.zipped import open_archive

TESTS = Path(__file__).parent
WEIGHTS = "model.weights.h5"
FILES = sorted(
    path
    for folder in (TESTS / "fixtures", TESTS.parent / "examples" / "models")
    for path in folder.rglob("*")
    if path.suffix == ".h5"
    or (path.suffix == ".keras" and path.is_file() and WEIGHTS in zipfile.ZipFile(path).namelist())
)


def stretch(path: Path) -> Span | None:
    source = stored_file(path)
    if path.suffix == ".h5":
        return None
    return open_archive(source).place(WEIGHTS)[1]


def facts(root: Growing) -> Iterator[tuple[Any, ...]]:
    """All that was listed."""
    for group in root.walk():
        yield "group", group.path, group.attributes
        for name, array in group.datasets.items():
            values = array.fetch
            place = (values.offset, values.dtype) if isinstance(values, Contiguous) else ()
            yield (
                "dataset",
                group.path,
                name,
                array.path,
                array.shape,
                array.dtype,
                array.attributes,
                array.origin,
                place,
            )
        yield from (("skipped", entry.path) for entry in group.skipped)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_what_keras_writes(path: Path) -> None:
    source, span = stored_file(path), stretch(path)
    assert [*facts(list_file(source, span))] == [*facts(hdf5._listed(source, span))]


def test_no_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "ask", lambda *_: pytest.fail("it was asked"))
    path = TESTS / "fixtures" / "keras3" / "nested.keras"
    assert ww.open_checkpoint(path)["encoder/dense_1"]["kernel"].read().any()


@pytest.mark.parametrize("name", ["convolution.legacy.h5", "nested.weights.h5", "recurrent.h5"])
def test_damage_by_chance(name: str, tmp_path: Path) -> None:
    """What is listed of a damaged file is what libhdf5 lists, or what it cannot read for reasons of its own."""
    path = tmp_path / "damaged.h5"
    sound = (TESTS / "fixtures" / "keras3" / name).read_bytes()
    places = meaningful(TESTS / "fixtures" / "keras3" / name, sound)
    chance = random.Random(name)
    refused = 0
    for _ in range(150):
        data = bytearray(sound)
        data[chance.choice(places)] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        source = stored_file(path)
        try:
            here = [*facts(list_file(source))]
        except Unusual:
            refused += 1
            continue
        try:
            there = [*facts(hdf5._listed(source, None))]
        except WeightWidgetsError:
            continue
        unread = tuple(fact[1] for fact in there if fact[0] == "skipped")
        for fact in here:
            where = fact[3] if fact[0] == "dataset" else fact[1]
            assert fact in there or any(f"{where}/".startswith(f"{path}/") for path in unread), fact
    assert refused > 20


def meaningful(path: Path, data: bytes) -> list[int]:
    """The bytes of a file that are neither values nor empty."""
    values: set[int] = set()

    def note(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            values.update(range(item.id.get_offset(), item.id.get_offset() + item.id.get_storage_size()))

    with h5py.File(path) as file:
        file.visititems(note)
    return [place for place, byte in enumerate(data) if byte and place not in values]


def soft(file: h5py.File) -> None:
    file["other"] = h5py.SoftLink("/group/values")


def hard(file: h5py.File) -> None:
    file["other"] = file["group/values"]


def chunked(file: h5py.File) -> None:
    file.create_dataset("other", data=np.ones((4, 4)), chunks=(2, 2))


def compact(file: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"other", h5py.h5t.NATIVE_INT8, h5py.h5s.create_simple((3,)), plist)


def unwritten(file: h5py.File) -> None:
    file.create_dataset("other", (3, 4), "f4")


def text(file: h5py.File) -> None:
    file["other"] = ["a", "b"]


def truth(file: h5py.File) -> None:
    file["other"] = np.array([True, False])


def named_type(file: h5py.File) -> None:
    file["other"] = np.dtype("f4")


def numbers_as_names(file: h5py.File) -> None:
    file["group"].attrs["weight_names"] = [1.5, 2.5]


def names_of_no_encoding(file: h5py.File) -> None:
    file["group"].attrs["weight_names"] = np.array([b"\xff\xfe"])


def deep(file: h5py.File) -> None:
    file.create_group("/".join("x" * 70))


@pytest.mark.parametrize(
    "change",
    [soft, hard, chunked, compact, unwritten, text, truth, named_type, numbers_as_names, names_of_no_encoding, deep],
)
def test_what_is_left_to_libhdf5(change: Callable[[h5py.File], None], tmp_path: Path) -> None:
    assert lists(tmp_path / "a.h5")
    assert not lists(tmp_path / "b.h5", change)


@pytest.mark.parametrize("options", [{"libver": "latest"}, {"userblock_size": 512}, {"fs_strategy": "page"}], ids=str)
def test_other_kinds_of_files_are_left_to_libhdf5(options: dict[str, Any], tmp_path: Path) -> None:
    assert not lists(tmp_path / "a.h5", **options)


def lists(path: Path, change: Callable[[h5py.File], None] = lambda file: None, **options: Any) -> bool:
    with h5py.File(path, "w", **options) as file:
        file["group/values"] = np.arange(6.0)
        change(file)
    source = stored_file(path)
    try:
        list_file(source)
    except Unusual:
        return False
    return True


@pytest.mark.parametrize("count", [1, 8, 9, 300, 5000])
def test_groups_of_any_size(count: int, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in np.random.default_rng(1).permutation(count):
            file[f"group/{number}"] = np.full(2, number, np.int16)
    source = stored_file(tmp_path / "a.h5")
    found = list_file(source).groups["group"].datasets
    assert [*found] == sorted(map(str, range(count)))
    assert all(array.fetch(()).tolist() == [int(name)] * 2 for name, array in [*found.items()][::100])


def test_an_attribute_that_fills_a_heap_of_its_own(tmp_path: Path) -> None:
    config = '{"long": "' + "ä" * 3_000_000 + '"}'
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["model_config"] = config
        file.attrs["keras_version"] = np.bytes_(b"3.0")
        file.attrs["nb_layers"] = 12
        file.attrs["other"] = 1.5
    source = stored_file(tmp_path / "a.h5")
    assert list_file(source).attributes == {
        "model_config": config,
        "keras_version": "3.0",
        "nb_layers": 12,
    }


def test_many_names_of_one_text_are_no_bomb(tmp_path: Path) -> None:
    """Three thousand references of 16 bytes to one text of a megabyte."""
    length, names = 1_234_567, ["x" * 77] * 3000
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["model_config"] = "x" * length
        file.attrs["layer_names"] = names
    data = bytearray((tmp_path / "a.h5").read_bytes())
    large = data.index(length.to_bytes(4, "little"), data.index(b"model_config"))
    reference = bytes(data[large : large + 16])
    first = data.index((77).to_bytes(4, "little"), data.index(b"layer_names"))
    data[first : first + 16 * len(names)] = reference * len(names)
    (tmp_path / "a.h5").write_bytes(data)
    source = stored_file(tmp_path / "a.h5")
    with pytest.raises(Unusual, match="more than any model needs"):
        list_file(source)
