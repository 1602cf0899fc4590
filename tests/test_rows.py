"""Heatmaps of matrices that are not read as a whole, against the same of arrays in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis.comparison import contrast
from weight_widgets.analysis.rows import Difference, StoredRows
from weight_widgets.analysis.sketches import raster
from weight_widgets.errors import ChangedFileError
from weight_widgets.reading.tensors import Tensor
from weight_widgets.state.looks import pictures
from weight_widgets.state.looks.pictures import look_at_pictures
from weight_widgets.state.selection import Pick
from weight_widgets.worker import Superseded

RNG = np.random.default_rng(31)


def never() -> None:
    """Nobody cancels."""


def assert_same(found: Any, expected: Any) -> None:
    assert found.limit == expected.limit
    for one, other in zip(found.rasters, expected.rasters, strict=True):
        assert (one is None) is (other is None)
        if one is not None:
            assert one.shape == other.shape
            assert len(one.planes) == len(other.planes)
            for plane, wanted in zip(one.planes, other.planes, strict=True):
                np.testing.assert_array_equal(plane, wanted)


LAYERS: dict[str, dict[str, np.ndarray]] = {
    "dense": {"kernel": RNG.normal(size=(700, 300)), "bias": np.zeros(300)},
    "small": {"kernel": RNG.normal(size=(40, 50)), "bias": np.zeros(50)},
    "lstm": {
        "kernel": RNG.normal(size=(300, 800)).astype("f4"),
        "recurrent_kernel": RNG.normal(size=(200, 800)).astype("f4"),
    },
    "conv": {"kernel": RNG.normal(size=(3, 3, 60, 70)).astype("f2"), "bias": np.zeros(70, "f2")},
    "embedding": {"embeddings": RNG.integers(-9, 9, (3000, 20)).astype("i1")},
    "odd": {"kernel": np.where(RNG.random((600, 400)) < 0.01, np.nan, np.inf)},
}


@pytest.mark.parametrize("by_norm", [False, True])
@pytest.mark.parametrize("layer", LAYERS)
def test_pictures_are_those_of_the_whole(layer: str, by_norm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {name: values[::-1].copy() for name, values in LAYERS[layer].items()}
    opened = {
        label: ww.open_checkpoint({f"{layer}/{name}": values for name, values in tensors.items()})
        for label, tensors in {"a": LAYERS[layer], "b": other}.items()
    }
    for name in LAYERS[layer]:
        parts = ["", *opened["a"][layer][name].parts][:3]
        for part in parts:
            pick = Pick(("a", "b"), "a", "b", layer, name, part)
            whole = look_at_pictures(opened, pick, never, by_norm=by_norm)
            with monkeypatch.context() as patch:
                patch.setattr(pictures, "LARGE", 0)
                found = look_at_pictures(opened, pick, never, by_norm=by_norm)
            assert_same(found.contrast, whole.contrast)
            assert (found.matrices, found.notes) == (whole.matrices, whole.notes)


@pytest.fixture
def tensor(tmp_path: Path) -> Callable[[np.ndarray], Tensor]:
    def stored(values: np.ndarray) -> Tensor:
        return ww.open_checkpoint(write_model(tmp_path / f"{len(values)}.h5", {"dense": values}))["dense"]["kernel"]

    return stored


def test_little_of_a_large_one_is_in_memory(tensor: Callable[[np.ndarray], Tensor]) -> None:
    values = RNG.standard_normal((6000, 1500), dtype=np.float32)
    stored = tensor(values)
    expected = raster(values)
    tracemalloc.start()
    found = raster(StoredRows(stored, never))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found.mean, expected.mean)
    assert most < values.nbytes / 10


def test_a_difference_is_numpys_and_does_not_wrap() -> None:
    a, b = np.array([[200, 0]], np.uint8), np.array([[0, 200]], np.uint8)
    assert Difference(a, b)[:].tolist() == [[-200.0, 200.0]]
    halves = np.full((1, 1), 60000, np.float16)
    assert Difference(-halves, halves)[:].tolist() == [[120000.0]]


def test_can_be_given_up_between_bands(tensor: Callable[[np.ndarray], Tensor]) -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 5:
            raise Superseded

    with pytest.raises(Superseded):
        raster(StoredRows(tensor(np.ones((2000, 400))), check))
    assert len(calls) == 5


def test_a_file_that_is_rewritten_meanwhile_gives_no_mixed_picture(
    tensor: Callable[[np.ndarray], Tensor], tmp_path: Path
) -> None:
    stored = tensor(np.ones((2000, 400)))
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 5:
            write_model(tmp_path / "2000.h5", {"dense": np.zeros((2000, 400)), "more": np.zeros(3)})

    with pytest.raises(ChangedFileError):
        contrast(StoredRows(stored, check), StoredRows(stored, never))
