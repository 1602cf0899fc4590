"""A training run may rewrite its checkpoint while we look at it: we are in nobody's way, and notice."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import watch
from cases import BIAS, KERNEL, Place
from layouts import LAYOUTS

import weight_widgets as ww
from weight_widgets.errors import ChangedFileError, WeightWidgetsError

ROWS = 3 << 20


def write(path: Path, value: float) -> None:
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.full((ROWS, 1), value, "f4")
        file["layers/dense/vars/1"] = np.full(1, value, "f4")


def replaced(path: Path) -> None:
    write(path.with_name("new.h5"), 2)
    path.with_name("new.h5").replace(path)


def rewritten(path: Path) -> None:
    write(path, 2)


def cut_off(path: Path) -> None:
    os.truncate(path, 4096)


def removed(path: Path) -> None:
    path.unlink()


def appended(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["layers/more/vars/0"] = KERNEL


CHANGES = [replaced, rewritten, cut_off, removed, appended]
changes = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "a.weights.h5", 1)
    return tmp_path / "a.weights.h5"


def refuse_the_new(read: Callable[[], object], path: Path) -> None:
    with pytest.raises(WeightWidgetsError) as caught:
        read()
    # Where there is no file any more, that is what is said.
    assert type(caught.value) is ChangedFileError or not path.exists()
    assert path.name in str(caught.value)


@changes
def test_between_opening_and_reading(change: Callable[[Path], None], path: Path) -> None:
    with ww.open_checkpoint(path) as checkpoint:
        change(path)
        refuse_the_new(checkpoint["dense"]["kernel"].read, path)


@changes
def test_between_two_blocks(change: Callable[[Path], None], path: Path) -> None:
    with ww.open_checkpoint(path) as checkpoint:
        blocks = checkpoint["dense"]["kernel"].blocks()
        assert (next(blocks) == 1).all()
        change(path)
        refuse_the_new(lambda: next(blocks), path)


def test_the_new_file_is_read_when_opened_again(path: Path) -> None:
    with ww.open_checkpoint(path):
        rewritten(path)
        with ww.open_checkpoint(path) as again:
            assert (again["dense"]["kernel"].read() == 2).all()


def test_no_lock_is_left(path: Path) -> None:
    """HDF5 locks what it opens; a training run would fail on that."""
    with ww.open_checkpoint(path) as checkpoint:
        checkpoint["dense"]["kernel"].read()
        with h5py.File(path, "r+", locking=True) as file:
            file["layers/dense/vars/1"][...] = 5


def test_a_file_that_is_being_written_is_no_trap(path: Path) -> None:
    with h5py.File(path, "r+", locking=True) as file:
        file["layers/dense/vars/1"][...] = 5
        file.flush()
        with suppress(WeightWidgetsError), ww.open_checkpoint(path) as checkpoint:
            assert checkpoint["dense"]["kernel"].read().shape == (ROWS, 1)


@pytest.mark.skipif(not watch.LINUX, reason="counts in /proc")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_closing_leaves_no_descriptor(layout: str, tmp_path: Path) -> None:
    entry = LAYOUTS[layout](tmp_path)

    def read() -> None:
        with ww.open_checkpoint(entry) as checkpoint:
            for tensor in checkpoint.tensors.values():
                tensor.read()

    read()
    before = watch.descriptors()
    read()
    assert watch.descriptors() == before


def test_an_error_leaves_no_descriptor(tmp_path: Path) -> None:
    with Place(tmp_path, tmp_path).hdf5("good.weights.h5") as file:
        file["layers/hostile/vars/0"] = BIAS
    data = (tmp_path / "good.weights.h5").read_bytes()
    (tmp_path / "bad.weights.h5").write_bytes(data[:-100])
    ww.open_checkpoint(tmp_path / "good.weights.h5").close()
    before = watch.descriptors()
    for _ in range(3):
        with pytest.raises(WeightWidgetsError):
            ww.open_checkpoint(tmp_path / "bad.weights.h5")
    # An error may cost the process that read; the next file has one as before.
    ww.open_checkpoint(tmp_path / "good.weights.h5").close()
    assert len(watch.descriptors()) == len(before)
