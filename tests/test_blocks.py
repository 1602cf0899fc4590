"""A tensor in pieces: the same values as numpy has of the whole, whatever they come from and however many take them."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weight_widgets as ww
from weight_widgets.reading import files, storage
from weight_widgets.reading.arrays import of_values
from weight_widgets.reading.derived import computed, joined, transposed
from weight_widgets.reading.dtypes import decoded
from weight_widgets.reading.fetching import Memory
from weight_widgets.reading.structure import generic
from weight_widgets.reading.tensors import Tensor

RNG = np.random.default_rng(11)
DTYPES = ("<f2", "<f4", ">f4", "<f8", "i1", ">i8", "?")

quick = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, values: np.ndarray, **options: object) -> Tensor:
    """A file with one layer and one weight, opened."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["dense"]
        group = file.create_group("dense")
        group.attrs["weight_names"] = ["kernel"]
        group.create_dataset("kernel", data=values, **options)
    return ww.open_checkpoint(path)["dense"]["kernel"]


def flat(blocks: Iterator[np.ndarray]) -> np.ndarray:
    """Their values one after another; copies, for the next block takes the place of the last."""
    return np.concatenate([np.empty(0, np.int8), *(block.ravel().copy() for block in blocks)])


@quick
@given(data=st.data())
def test_the_blocks_of_some_rows(data: st.DataObject, tmp_path: Path) -> None:
    shape = data.draw(array_shapes(max_dims=4, min_side=0, max_side=6))
    values = data.draw(arrays(data.draw(st.sampled_from(DTYPES)), shape))
    options: dict[str, object] = {}
    if data.draw(st.booleans()) and values.size:
        chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
        options = {"chunks": chunks, "compression": data.draw(st.sampled_from([None, "gzip"]))}
    tensor = write(tmp_path / "a.h5", values, **options)
    start = data.draw(st.integers(0, shape[0]))
    rows = range(start, data.draw(st.integers(start, shape[0])))
    nbytes = data.draw(st.integers(1, 200))
    found = []
    for block in tensor.blocks(rows, nbytes):
        assert block.nbytes <= max(nbytes, block.itemsize)
        assert block.shape[1:] == shape[len(shape) - block.ndim + 1 :]
        assert block.flags.c_contiguous
        assert block.dtype == tensor.dtype == values.dtype.newbyteorder("=")
        found.append(block.ravel().copy())
    np.testing.assert_array_equal(flat(iter(found)), values[rows.start : rows.stop].ravel())


@pytest.mark.parametrize(
    "shape", [(1500, 1000), (3, 3, 512, 512), (2, 700_000), (2_500_000,), (1, 1_200_000), (5,), ()]
)
def test_a_block_is_about_a_mebibyte(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = RNG.normal(size=shape).astype("<f4")
    sizes = []
    found = []
    for block in write(tmp_path / "a.h5", values).blocks():
        sizes.append(block.nbytes)
        found.append(block.ravel().copy())
    np.testing.assert_array_equal(np.concatenate(found), values.ravel())
    assert max(sizes) <= 1 << 20
    assert len(sizes) <= 2 * math.ceil(values.nbytes / (1 << 20))


def test_the_file_is_opened_once_and_one_memory_holds_every_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensor = write(tmp_path / "a.h5", RNG.normal(size=(100, 10)))
    opened = []
    original = files._opened
    monkeypatch.setattr(files, "_opened", lambda path: opened.append(path) or original(path))
    blocks = [*tensor.blocks(nbytes=800)]
    assert len(blocks) == 10
    assert opened == [tmp_path / "a.h5"]
    assert all(np.shares_memory(block, blocks[0]) for block in blocks)


def test_one_memory_for_many_tensors(tmp_path: Path) -> None:
    memory = Memory()
    values = [RNG.normal(size=(40, 5)), RNG.normal(size=(30, 7)).astype("<f2")]
    held = ww.open_checkpoint({"dense/kernel": values[0]})["dense"]["kernel"]
    stored = [write(tmp_path / f"{number}.h5", each) for number, each in enumerate(values)]
    places = []
    for tensor, expected in zip([*stored, held], [*values, values[0]], strict=True):
        blocks = []
        for block in tensor.blocks(nbytes=200, memory=memory):
            blocks.append(block.ravel().copy())
            places.append(block)
        np.testing.assert_array_equal(np.concatenate(blocks), expected.ravel())
    assert all(np.shares_memory(place, places[0]) for place in places)


def test_what_was_read_may_be_written_to(tmp_path: Path) -> None:
    values = RNG.normal(size=(6, 5))
    stored = write(tmp_path / "a.h5", values)
    held = ww.open_checkpoint({"dense/kernel": values})["dense"]["kernel"]
    for tensor in (stored, held):
        for block in tensor.blocks(nbytes=80):
            block[...] = 0
        np.testing.assert_array_equal(tensor.read(), values)


def test_threads_read_rows_of_their_own(tmp_path: Path) -> None:
    values = RNG.normal(size=(4000, 50))
    tensor = write(tmp_path / "a.h5", values)
    together = threading.Barrier(2)
    sums: dict[range, float] = {}

    def run(rows: range) -> None:
        together.wait()
        sums[rows] = math.fsum(math.fsum(block.ravel()) for block in tensor.blocks(rows, 2000))

    halves = [range(2000), range(2000, 4000)]
    threads = [threading.Thread(target=run, args=(rows,)) for rows in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == {rows: pytest.approx(math.fsum(values[rows].ravel())) for rows in halves}


def test_blocks_taken_in_turn_do_not_disturb_each_other(tmp_path: Path) -> None:
    values = RNG.normal(size=(40, 5))
    tensor = write(tmp_path / "a.h5", values)
    pairs = [
        (first.copy(), second.copy())
        for first, second in zip(tensor.blocks(range(20), 200), tensor.blocks(range(20, 40), 200), strict=True)
    ]
    np.testing.assert_array_equal(np.concatenate([first for first, _ in pairs]), values[:20])
    np.testing.assert_array_equal(np.concatenate([second for _, second in pairs]), values[20:])


@pytest.mark.parametrize("chunks", [None, (7, 24)], ids=["contiguous", "chunked"])
def test_the_blocks_of_a_part(chunks: tuple[int, ...] | None, tmp_path: Path) -> None:
    values = {"kernel": RNG.normal(size=(40, 24)), "recurrent_kernel": RNG.normal(size=(6, 24))}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = ["lstm"]
        group = file.create_group("lstm")
        group.attrs["weight_names"] = [*values]
        for name, array in values.items():
            group.create_dataset(name, data=array, chunks=chunks if name == "kernel" else None)
    parts = ww.open_checkpoint(tmp_path / "a.h5")["lstm"]["kernel"].parts
    assert [*parts] == ["input", "forget", "cell", "output"]
    for number, part in enumerate(parts.values()):
        own = values["kernel"][:, 6 * number : 6 * number + 6]
        np.testing.assert_array_equal(flat(part.blocks(range(3, 33), 200)), own[3:33].ravel())
        assert all(block.flags.c_contiguous for block in part.blocks(nbytes=200))


def test_bfloat16_is_converted_block_by_block() -> None:
    values = np.arange(-300, 300, dtype=np.float32).reshape(60, 10) / 4
    halves = (values.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    exact = (values.view(np.uint32) >> 16 << 16).view(np.float32)
    array = of_values("/a/kernel", halves)
    found = decoded(replace(array, stored="bfloat16")).array
    tensor = Tensor("kernel", found.dtype, generic(found.shape), found.fetch)
    blocks = [*tensor.blocks(nbytes=80)]
    assert len(blocks) == 30
    np.testing.assert_array_equal(flat(iter(blocks)), exact.ravel())


def test_what_is_computed_from_all_values_is_computed_once() -> None:
    values = RNG.normal(size=(30, 20))
    calls = []

    def compute(source: np.ndarray) -> np.ndarray:
        calls.append(source.shape)
        return source * 2

    array = computed(of_values("/a", values), values.shape, compute, "doubled")
    tensor = Tensor("kernel", array.dtype, generic(array.shape), array.fetch)
    np.testing.assert_array_equal(flat(tensor.blocks(range(5, 25), 200)), 2 * values[5:25].ravel())
    assert calls == [values.shape]


def test_joined_and_transposed_arrays() -> None:
    values = RNG.normal(size=(30, 20))
    for array, whole in (
        (transposed(of_values("/a", values), (1, 0)), values.T),
        (joined([of_values("/a", values), of_values("/b", -values)], "/c"), np.hstack([values, -values])),
    ):
        tensor = Tensor("kernel", array.dtype, generic(array.shape), array.fetch)
        np.testing.assert_array_equal(flat(tensor.blocks(range(2, 19), 200)), whole[2:19].ravel())


@pytest.mark.parametrize("rows", [range(7), range(-1, 3), range(0, 6, 2), range(3, 1, -1)], ids=str)
def test_rows_that_are_none(rows: range) -> None:
    tensor = ww.open_checkpoint({"dense/kernel": np.ones((6, 5))})["dense"]["kernel"]
    with pytest.raises(IndexError, match=r"rows of a tensor of shape \(6, 5\)"):
        next(tensor.blocks(rows))


def test_closing_ends_the_blocks(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", np.ones((6, 5)))
    with ww.open_checkpoint(tmp_path / "a.h5") as checkpoint:
        blocks = checkpoint["dense"]["kernel"].blocks(nbytes=40)
        next(blocks)
    with pytest.raises(ww.WeightWidgetsError, match="was closed"):
        next(blocks)


@pytest.mark.parametrize(
    ("layer", "arrays_of_it"),
    [("conv", {"kernel": (3, 3, 8, 16), "bias": (16,)}), ("embedding", {"embeddings": (50, 6)})],
)
def test_parts_of_a_held_tensor_read_nothing_twice(
    layer: str, arrays_of_it: dict[str, tuple[int, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {name: RNG.normal(size=shape).astype("f4") for name, shape in arrays_of_it.items()}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = [layer.encode()]
        file.create_group(layer).attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in values]
        for name, value in values.items():
            file[layer][f"{layer}/{name}:0"] = value
    tensor = next(iter(ww.open_checkpoint(tmp_path / "a.h5")[layer].values()))
    expected = {name: part.read() for name, part in tensor.parts.items()}
    assert len(expected) > 10
    read: list[int] = []
    original = storage.read_into
    monkeypatch.setattr(
        storage,
        "read_into",
        lambda file, offset, view, path: read.append(len(view)) or original(file, offset, view, path),
    )
    parts = tensor.held().parts
    for name, part in parts.items():
        np.testing.assert_array_equal(part.read(), expected[name])
        np.testing.assert_array_equal(flat(part.blocks(nbytes=40)), expected[name].ravel())
        assert part.origin == tensor.parts[name].origin
    assert sum(read) <= 2 * tensor.nbytes
