"""Values read from a file's own bytes, against what h5py reads of the same datasets."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices

from weight_widgets.errors import DamagedFileError, MissingFileError, NotKerasError
from weight_widgets.reading import storage
from weight_widgets.reading.files import Span, stored_file
from weight_widgets.reading.hdf5 import read_tree
from weight_widgets.reading.trees import Group

DTYPES = ("<f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i4", ">i8", "u1", "<u2", "?")
FILTERS = (
    {},
    {"compression": "gzip"},
    {"compression": "gzip", "shuffle": True},
    {"fletcher32": True},
    {"compression": "gzip", "shuffle": True, "fletcher32": True},
)

quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.h5"


def tree_of(path: Path) -> Group:
    return read_tree(stored_file(path))


def steps_of(index: object) -> tuple[slice | int, ...]:
    """The index as an array takes it: one forward slice or int for each dimension that is named."""
    found = index if isinstance(index, tuple) else (index,)
    return found  # type: ignore[return-value]


@quick
@given(data=st.data())
def test_contiguous_values_and_every_basic_index(data: st.DataObject, file: Path) -> None:
    values = data.draw(arrays(data.draw(st.sampled_from(DTYPES)), array_shapes(min_dims=1, max_side=7)))
    index = data.draw(basic_indices(values.shape, allow_ellipsis=False, allow_newaxis=False).filter(_forwards))
    with h5py.File(file, "w") as written:
        written["values"] = values
    found = tree_of(file).datasets["values"]
    normal = _resolved(index, values.shape)
    np.testing.assert_array_equal(found.fetch(()), values)
    np.testing.assert_array_equal(found.fetch(normal), values[index])
    assert found.fetch(normal).dtype == found.dtype == values.dtype.newbyteorder("=")


@quick
@given(data=st.data())
def test_chunks_with_every_filter_and_index(data: st.DataObject, file: Path) -> None:
    values = data.draw(arrays(data.draw(st.sampled_from(DTYPES)), array_shapes(min_dims=1, max_side=9)))
    chunks = tuple(data.draw(st.integers(1, size)) for size in values.shape)
    index = data.draw(basic_indices(values.shape, allow_ellipsis=False, allow_newaxis=False).filter(_forwards))
    with h5py.File(file, "w") as written:
        written.create_dataset("values", data=values, chunks=chunks, **data.draw(st.sampled_from(FILTERS)))
    found = tree_of(file).datasets["values"]
    np.testing.assert_array_equal(found.fetch(()), values)
    np.testing.assert_array_equal(found.fetch(_resolved(index, values.shape)), values[index])


def _forwards(index: object) -> bool:
    return all(not isinstance(step, slice) or (step.step or 1) > 0 for step in steps_of(index))


def _resolved(index: object, shape: tuple[int, ...]) -> tuple[slice | int, ...]:
    """As `Tensor.read` hands an index on: nothing negative, nothing left out."""
    steps = [*steps_of(index), *[slice(None)] * (len(shape) - len(steps_of(index)))]
    return tuple(
        slice(*step.indices(size)) if isinstance(step, slice) else range(size)[step]
        for step, size in zip(steps, shape, strict=True)
    )


def test_large_rows_are_cut_out_of_the_file_without_the_rest(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four gates side by side, in rows longer than a block."""
    monkeypatch.setattr(storage, "BLOCK", 512)
    values = np.arange(3 * 5 * 400, dtype="f4").reshape(3, 5, 400)
    with h5py.File(file, "w") as written:
        written["values"] = values
    found = tree_of(file).datasets["values"]
    index = (slice(0, 3, 2), slice(1, 5, 1), slice(100, 200, 3))
    np.testing.assert_array_equal(found.fetch(index), values[index])


def test_small_values_in_the_header_and_single_numbers(file: Path) -> None:
    with h5py.File(file, "w") as written:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((2, 3))
        compact = h5py.h5d.create(written.id, b"compact", h5py.h5t.IEEE_F32BE, space, plist)
        compact.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(6, dtype=">f4").reshape(2, 3))
        written["scalar"] = np.float32(2.5)
    datasets = tree_of(file).datasets
    np.testing.assert_array_equal(datasets["compact"].fetch((slice(0, 2, 1), 1)), [1, 4])
    assert datasets["scalar"].fetch(()).shape == ()
    assert datasets["scalar"].fetch(()) == 2.5


def test_a_block_of_the_users_before_the_hdf5(file: Path) -> None:
    values = np.arange(12.0).reshape(3, 4)
    with h5py.File(file, "w", userblock_size=512) as written:
        written["values"] = values
        written.create_dataset("chunked", data=values, chunks=(2, 2), compression="gzip")
    tree = tree_of(file)
    np.testing.assert_array_equal(tree.datasets["values"].fetch(()), values)
    assert [entry.path for entry in tree.skipped] == ["/chunked"]
    assert "block of the user's own" in tree.skipped[0].reason


def test_hdf5_inside_of_a_larger_file(file: Path, tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(3, 4)
    with h5py.File(file, "w") as written:
        written["values"] = values
        written.create_dataset("chunked", data=values, chunks=(2, 2), compression="gzip")
    inner = file.read_bytes()
    outer = tmp_path / "outer.bin"
    outer.write_bytes(b"x" * 33 + inner + b"y" * 7)
    datasets = read_tree(stored_file(outer), Span(33, len(inner))).datasets
    np.testing.assert_array_equal(datasets["values"].fetch(()), values)
    np.testing.assert_array_equal(datasets["chunked"].fetch(()), values)


class TestChunksThatLie:
    SHAPE = (4, 8)

    def write(self, file: Path, data: bytes, mask: int = 0, **options: object) -> None:
        with h5py.File(file, "w") as written:
            made = written.create_dataset("values", self.SHAPE, "f4", chunks=self.SHAPE, **options)
            made.id.write_direct_chunk((0, 0), data, mask)

    def fetch(self, file: Path) -> np.ndarray:
        return tree_of(file).datasets["values"].fetch(())

    @pytest.mark.parametrize("size", [0, 1, 4 * 31, 4 * 32 + 1, 10_000_000])
    def test_inflating_to_another_size(self, size: int, file: Path) -> None:
        self.write(file, zlib.compress(bytes(size)), compression="gzip")
        with pytest.raises(DamagedFileError, match=r"chunk at byte \d+ (does not hold the 128|claims \d+) bytes"):
            self.fetch(file)

    def test_not_compressed_at_all(self, file: Path) -> None:
        self.write(file, b"no zlib stream", compression="gzip")
        with pytest.raises(DamagedFileError, match="chunk at byte"):
            self.fetch(file)

    def test_a_wrong_checksum(self, file: Path) -> None:
        self.write(file, bytes(128) + b"\1\2\3\4", fletcher32=True)
        with pytest.raises(DamagedFileError, match="wrong checksum"):
            self.fetch(file)

    def test_a_filter_left_out_for_one_chunk_is_fine(self, file: Path) -> None:
        values = np.arange(32, dtype="f4").reshape(self.SHAPE)
        self.write(file, values.tobytes(), mask=1, compression="gzip")
        np.testing.assert_array_equal(self.fetch(file), values)


class TestWhatIsNoFile:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(MissingFileError, match="nothing here"):
            stored_file(tmp_path / "nothing here")

    def test_a_directory_or_a_device(self, tmp_path: Path) -> None:
        with pytest.raises(NotKerasError, match="is a directory"):
            stored_file(tmp_path)
        if Path("/dev/null").exists():
            with pytest.raises(NotKerasError, match="is a device"):
                stored_file(Path("/dev/null"))

    @pytest.mark.parametrize("place", [0, 2**62, 2**63 + 8])
    def test_cut_off_after_it_was_listed(self, place: int, file: Path) -> None:
        with h5py.File(file, "w") as written:
            written["values"] = np.arange(1000.0)
        source = stored_file(file)
        with pytest.raises(DamagedFileError, match="ends before byte"):
            storage.Contiguous(source, place or source.identity.size - 80, (20,), np.dtype("f8"))(())


def fletcher_by_hand(data: bytes) -> int:
    """The definition, one word at a time."""
    first = second = 0
    for high, low in zip(*[iter(data + b"\0" * (len(data) % 2))] * 2, strict=True):
        first = (first + (high << 8 | low)) % 65535
        second = (second + first) % 65535
    return second << 16 | first


@given(st.binary(min_size=1, max_size=300))
def test_the_checksum_is_fletchers(data: bytes) -> None:
    right = fletcher_by_hand(data)
    assert storage._checks(memoryview(data), right.to_bytes(4, "little"))
    assert not storage._checks(memoryview(data), (right ^ 1).to_bytes(4, "little"))


def test_a_long_checksum() -> None:
    data = np.random.default_rng(1).bytes(300_001)
    assert storage._checks(memoryview(data), fletcher_by_hand(data).to_bytes(4, "little"))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (1, 1, 1)], ids=str)
def test_nothing_to_read(shape: tuple[int, ...], file: Path) -> None:
    with h5py.File(file, "w") as written:
        written["values"] = np.ones(shape, "f4")
    values = tree_of(file).datasets["values"].fetch(())
    assert values.shape == shape
    assert values.sum() == math.prod(shape)
