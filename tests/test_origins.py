"""Where values come from: equal origins mean equal values, for every fixture, and in no process by chance."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from seen import write_model

import weight_widgets as ww
from weight_widgets.reading.arrays import Array, of_values
from weight_widgets.reading.derived import computed, joined, transposed
from weight_widgets.reading.dtypes import decoded
from weight_widgets.reading.origins import Origin, in_memory
from weight_widgets.reading.quantized.codes import reshaped, scaled, scaled_by_group, unpacked

FIXTURES = Path(__file__).parent / "fixtures"
FILES = sorted(
    path
    for path in [*FIXTURES.glob("keras*/*.h5"), *FIXTURES.glob("keras*/*.keras"), *FIXTURES.glob("keras*/*.json")]
    if path.is_file() and "_0" not in path.name
)
PARTS = 4


def tensors(checkpoint: ww.Checkpoint) -> Iterator[ww.Tensor]:
    for tensor in [*checkpoint.tensors.values(), *checkpoint.training.values()]:
        yield tensor
        yield from [*tensor.parts.values()][:PARTS]
        if tensor.codes:
            yield tensor.codes


def origins(checkpoint: ww.Checkpoint) -> list[str]:
    return [tensor.origin.text for tensor in tensors(checkpoint)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FIXTURES).as_posix())
def test_of_every_fixture(path: Path) -> None:
    with ww.open_checkpoint(path) as checkpoint, ww.open_checkpoint(path) as again:
        assert origins(checkpoint) == origins(again)
        met: dict[str, np.ndarray] = {}
        for tensor in tensors(checkpoint):
            assert {file.path.parent for file in tensor.origin.files} == {path.parent}
            values = tensor.read()
            known = met.setdefault(tensor.origin.text, values)
            assert known.dtype == values.dtype
            np.testing.assert_array_equal(known, values)
        whole = [*checkpoint.tensors.values()]
        assert len({tensor.origin.text for tensor in whole}) == len(whole)


def test_there_are_fixtures_of_all_ways_to_store_and_to_compute() -> None:
    steps: set[str] = set()
    for path in FILES:
        with ww.open_checkpoint(path) as checkpoint:
            for tensor in tensors(checkpoint):
                todo: list[object] = [tensor.origin]
                while todo:
                    origin = todo.pop()
                    if isinstance(origin, Origin):
                        steps.add(origin.step)
                        todo.extend(origin.sources)
    assert steps >= {"stored", "part", "transposed", "joined", "scaled", "scaled by group", "unpacked", "reshaped"}


def test_a_copy_of_a_file_is_another_file(tmp_path: Path) -> None:
    first = write_model(tmp_path / "a.h5", {"dense": np.ones((3, 4))})
    second = Path(shutil.copy2(first, tmp_path / "b.h5"))
    with ww.open_checkpoint(first) as a, ww.open_checkpoint(second) as b:
        assert {*origins(a)} & {*origins(b)} == set()


def test_a_relative_path_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path / "a.h5", {"dense": np.ones((3, 4))})
    monkeypatch.chdir(tmp_path)
    with ww.open_checkpoint(path) as absolute, ww.open_checkpoint("a.h5") as relative:
        assert origins(absolute) == origins(relative)


@pytest.mark.parametrize("step", [slice(0, 3), slice(1, 3), slice(0, 3, 2), 0, 1])
def test_parts_are_told_apart(step: slice | int) -> None:
    whole = in_memory()
    others = [slice(0, 3), slice(1, 3), slice(0, 3, 2), 0, 1]
    assert [whole.part((step,)) == whole.part((other,)) for other in others].count(True) == 1
    assert whole.part((step,)).text == whole.part((np.int64(step) if isinstance(step, int) else step,)).text


SQUARE, OTHER, WIDE = (of_values(name, np.ones((2, size), "i1")) for name, size in (("a", 2), ("b", 2), ("c", 4)))
GROUPS, FLOAT8 = of_values("g", np.zeros(2, "i8")), of_values("d", np.zeros(2, "V1"))


@pytest.mark.parametrize(
    "made",
    [
        [transposed(SQUARE, (0, 1)), transposed(SQUARE, (1, 0)), transposed(OTHER, (1, 0))],
        [joined([SQUARE, OTHER], "a"), joined([OTHER, SQUARE], "a"), joined([SQUARE, SQUARE], "a")],
        [reshaped(WIDE, (4, 2)), reshaped(WIDE, (8, 1)), reshaped(SQUARE, (4, 1))],
        [unpacked(WIDE, 0, 3), unpacked(WIDE, 0, 4), unpacked(WIDE, 1, 3)],
        [scaled(WIDE, SQUARE), scaled(WIDE, OTHER), scaled(SQUARE, OTHER)],
        [
            scaled_by_group(SQUARE, SQUARE, OTHER, GROUPS, 0),
            scaled_by_group(SQUARE, SQUARE, OTHER, GROUPS, 1),
            scaled_by_group(SQUARE, OTHER, SQUARE, GROUPS, 0),
            scaled_by_group(SQUARE, SQUARE, OTHER, of_values("g", np.zeros(2)), 0),
        ],
        [computed(WIDE, (4,), np.sum, "summed"), computed(WIDE, (4,), np.max, "largest")],
        [computed(WIDE, (4,), np.sum, "summed", 1), computed(WIDE, (4,), np.sum, "summed", 2)],
        [decoded(FLOAT8, kind).array for kind in ("float8_e4m3fn", "float8_e5m2")],
    ],
    ids=lambda made: made[0].origin.step,
)
def test_what_is_computed_in_another_way_or_of_others_has_another(made: list[Array]) -> None:
    origins = {array.origin.text for array in [*made, SQUARE, OTHER, WIDE]}
    assert len(origins) == len(made) + 3


def test_arrays_in_memory_are_known_by_themselves() -> None:
    arrays: Mapping[str, np.ndarray] = {"lstm/kernel": np.ones((3, 8)), "lstm/bias": np.ones(8)}
    checkpoint, again = ww.open_checkpoint(arrays), ww.open_checkpoint(arrays)
    assert all(tensor.origin.files == frozenset() for tensor in tensors(checkpoint))
    assert origins(checkpoint) == origins(checkpoint)
    assert {*origins(checkpoint)} & {*origins(again)} == set()
