"""What is found once is found again, unless there is any doubt that it is still true."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis import cache
from weight_widgets.analysis.cache import Kind, cached, clear_cache
from weight_widgets.analysis.cache.memory import Memory
from weight_widgets.errors import ChangedFileError, WeightWidgetsError
from weight_widgets.reading import files

ROWS, COLUMNS = 3000, 512


@dataclass(frozen=True, eq=False)
class Ends:
    """The smallest and the largest value of each block."""

    ends: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.ends.nbytes


def pack(found: Ends) -> Mapping[str, np.ndarray]:
    return {"ends": found.ends}


def unpack(arrays: Mapping[str, np.ndarray]) -> Ends:
    return Ends(arrays["ends"])


KIND = Kind("ends of blocks", 1, pack, unpack)


class Looks:
    """Counts what had to be computed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tensor: ww.Tensor, kind: Kind[Ends] = KIND) -> list[list[float]]:
        def compute() -> Ends:
            self.count += 1
            return Ends(np.array([[block.min(), block.max()] for block in tensor.blocks()], "f8"))

        return cached(kind, compute, tensor).ends.tolist()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, on disk and in memory."""
    monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", str(tmp_path / "cache"))
    cache._memory.clear()
    return tmp_path / "cache"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is old enough."""
    monkeypatch.setattr(files, "SETTLING", -1)


@pytest.fixture
def look() -> Looks:
    return Looks()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_model(tmp_path / "m.h5", {"dense": np.full((ROWS, COLUMNS), 1.0, "f4")})


def kernel(path: Path) -> ww.Tensor:
    return ww.open_checkpoint(path)["dense"]["kernel"]


def rewrite(path: Path, value: float) -> None:
    """Other values of the same size in the same file, with the time of change set back: only the ctime tells."""
    before = path.stat()
    after = before
    # On some systems time goes in ticks.
    while after.st_ctime_ns == before.st_ctime_ns:
        with h5py.File(path, "r+") as file:
            file["dense/kernel"][...] = value
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def values(found: list[list[float]]) -> set[float]:
    return {value for ends in found for value in ends}


@pytest.mark.usefixtures("settled")
class TestKept:
    def test_in_memory(self, look: Looks, path: Path, folder: Path) -> None:
        tensor = kernel(path)
        first = look(tensor)
        assert len(first) > 1
        for entry in folder.iterdir():
            entry.unlink()
        assert look(tensor) == look(kernel(path)) == first
        assert look.count == 1

    def test_on_disk(self, look: Looks, path: Path) -> None:
        first = look(kernel(path))
        cache._memory.clear()
        assert look(kernel(path)) == first
        assert look.count == 1

    def test_for_another_process(self, look: Looks, path: Path) -> None:
        code = (
            "import sys, test_cache as t; from pathlib import Path; t.files.SETTLING = -1\n"
            "look = t.Looks(); look(t.kernel(Path(sys.argv[1]))); print(look.count)"
        )
        # Of this module, which needs what pytest puts on the path; and not where the checkout would be on it.
        here = Path(__file__).parent
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here / "shared")])}
        look(kernel(path))
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            cwd=path.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.strip(), done.stderr) == ("0", "")

    def test_of_each_kind_version_and_part_by_itself(self, look: Looks, path: Path) -> None:
        tensor = kernel(path)
        parts = [*tensor.parts.values()][:2]
        for one in (tensor, *parts):
            for kind in (KIND, Kind("ends", 1, pack, unpack), Kind("ends of blocks", 2, pack, unpack)):
                look(one, kind)
        assert look.count == 9
        again = kernel(path)
        for one in (again, *[*again.parts.values()][:2]):
            look(one)
        assert look.count == 9

    def test_by_another_release_anew(self, look: Looks, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        look(kernel(path))
        monkeypatch.setattr(cache, "_release", lambda: "99.0")
        look(kernel(path))
        assert look.count == 2

    def test_of_several_tensors_in_their_order(self, tmp_path: Path) -> None:
        pair = [
            kernel(write_model(tmp_path / f"{name}.h5", {"dense": np.full((2, 3), value)}))
            for name, value in (("a", 1.0), ("b", 5.0))
        ]

        def difference(a: ww.Tensor, b: ww.Tensor) -> list[float]:
            return cached(KIND, lambda: Ends(b.read() - a.read()), a, b).ends.ravel().tolist()

        assert difference(*pair) == [4.0] * 6
        assert difference(*reversed(pair)) == [-4.0] * 6

    def test_of_arrays_in_memory_but_not_on_disk(self, look: Looks, folder: Path) -> None:
        ones = np.ones((4, 8), "f4")
        checkpoints = [ww.open_checkpoint({"lstm/kernel": number * ones}) for number in range(2)]
        for _ in range(2):
            for number, checkpoint in enumerate(checkpoints):
                assert values(look(checkpoint["lstm"]["kernel"])) == {float(number)}
        assert look.count == 2
        assert not folder.exists()

    def test_not_on_disk_when_it_is_not_worth_it(self, look: Looks, path: Path, folder: Path) -> None:
        kind: Kind[Ends] = Kind("ends", 1, lambda _: None, unpack)
        look(kernel(path), kind)
        look(kernel(path), kind)
        assert look.count == 1
        assert not folder.exists()

    def test_not_after_an_error(self, look: Looks, path: Path) -> None:
        def fail() -> Ends:
            raise InterruptedError

        tensor = kernel(path)
        with pytest.raises(InterruptedError):
            cached(KIND, fail, tensor)
        look(tensor)
        assert look.count == 1

    @pytest.mark.parametrize("error", [KeyError, ValueError, IndexError, OverflowError, AttributeError])
    def test_anew_where_the_arrays_make_no_sense(self, error: type[Exception], look: Looks, path: Path) -> None:
        def refuse(_: object) -> Ends:
            raise error

        look(kernel(path))
        cache._memory.clear()
        assert values(look(kernel(path), Kind(KIND.name, 1, pack, refuse))) == {1.0}
        assert look.count == 2

    def test_without_a_folder(self, look: Looks, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for place in ("0", str(path / "below")):
            monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", place)
            look.count = 0
            cache._memory.clear()
            assert look(kernel(path)) == look(kernel(path))
            assert look.count == 1

    def test_for_many_threads(self, look: Looks, path: Path) -> None:
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(look(kernel(path)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert {*map(str, found)} == {str(found[0])}


@pytest.mark.usefixtures("settled")
class TestRewritten:
    def test_between_two_looks(self, look: Looks, path: Path) -> None:
        tensor = kernel(path)
        assert values(look(tensor)) == {1.0}
        for value in (2.0, 3.0, 4.0):
            rewrite(path, value)
            with pytest.raises(ChangedFileError):
                look(tensor)
            tensor = kernel(path)
            assert values(look(tensor)) == {value}
            assert values(look(kernel(path))) == {value}
        assert look.count == 4

    def test_by_another_file_in_its_place(self, look: Looks, path: Path, tmp_path: Path) -> None:
        look(kernel(path))
        before = path.stat()
        other = write_model(tmp_path / "new.h5", {"dense": np.full((ROWS, COLUMNS), 2.0, "f4")})
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(path)
        assert path.stat().st_mtime_ns == before.st_mtime_ns
        assert values(look(kernel(path))) == {2.0}

    @pytest.mark.parametrize("when", ["after the first block", "after the last block"])
    def test_during_one(self, when: str, look: Looks, path: Path, folder: Path) -> None:
        tensor = kernel(path)
        total = len([*tensor.blocks()])
        assert total > 1

        def compute() -> Ends:
            ends = []
            for number, block in enumerate(tensor.blocks()):
                if number == (0 if "first" in when else total - 1):
                    rewrite(path, 2.0)
                ends.append([block.min(), block.max()])
            return Ends(np.array(ends))

        with pytest.raises(ChangedFileError):
            cached(KIND, compute, tensor)
        assert not folder.exists()
        assert values(look(kernel(path))) == {2.0}

    def test_removed(self, look: Looks, path: Path) -> None:
        tensor = kernel(path)
        look(tensor)
        path.unlink()
        with pytest.raises(WeightWidgetsError):
            look(tensor)


class TestYoungFiles:
    """Two changes within a tick of the clock cannot be told apart."""

    def test_nothing_is_kept_of_them(self, look: Looks, path: Path, folder: Path) -> None:
        tensor = kernel(path)
        look(tensor)
        look(tensor)
        assert look.count == 2
        assert not folder.exists()

    def test_setting_the_time_back_does_not_age_them(self, look: Looks, path: Path, folder: Path) -> None:
        os.utime(path, (1, 1))
        look(kernel(path))
        assert not folder.exists()

    def test_nor_are_they_answered_from_what_is_kept(
        self, look: Looks, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(files, "SETTLING", -1)
            look(kernel(path))
        look(kernel(path))
        assert look.count == 2

    @pytest.mark.parametrize(
        ("modified", "changed", "settled"),
        [(-3.0, -3.0, True), (-3.0, -1.0, False), (-1.0, -3.0, False), (-2.0, -9.0, False), (9.0, -9.0, False)],
    )
    def test_the_rule(
        self, modified: float, changed: float, settled: bool, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1_700_000_000 * 10**9
        monkeypatch.setattr("time.time_ns", lambda: now)
        times = (now + int(seconds * 10**9) for seconds in (modified, changed))
        assert files.StoredFile(path, files.Identity(1, 2, 3, *times)).settled is settled

    def test_it_is_asked_before_anything_is_read(self, path: Path, folder: Path, look: Looks) -> None:
        """Old enough when it was read to the end says nothing of what happened while it was read."""
        tensor = kernel(path)

        def compute() -> Ends:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(files, "SETTLING", -1)
                return Ends(tensor.read())

        cached(KIND, compute, tensor)
        assert not folder.exists()
        look(tensor)
        assert look.count == 1

    @pytest.mark.slow
    def test_rewritten_without_a_pause(self, look: Looks, path: Path) -> None:
        """As fast as it goes: however coarse the clock is, no look gives what was there before."""
        for value in range(200):
            before = path.stat()
            with path.open("r+b") as file, ww.open_checkpoint(path) as checkpoint:
                (source,) = checkpoint["dense"]["kernel"].origin.files
                offset = source.identity.size - 4 * ROWS * COLUMNS
                file.seek(offset)
                file.write(np.full(ROWS * COLUMNS, value, "f4").tobytes())
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert values(look(kernel(path))) == {float(value)}
        while not next(iter(kernel(path).origin.files)).settled:
            time.sleep(0.05)
        look.count = 0
        assert values(look(kernel(path))) == values(look(kernel(path))) == {199.0}
        assert look.count == 1


@pytest.mark.usefixtures("settled")
class TestClear:
    def test_forgets_all(self, look: Looks, path: Path, folder: Path) -> None:
        look(kernel(path))
        (folder / "other").write_text("mine")
        ww.clear_cache()
        assert [entry.name for entry in folder.iterdir()] == ["other"]
        look(kernel(path))
        assert look.count == 2

    def test_leaves_a_folder_that_is_turned_off(
        self, look: Looks, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look(kernel(path))
        monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", "0")
        clear_cache()
        assert len([*folder.iterdir()]) == 1
        look(kernel(path))
        assert look.count == 2


class TestMemory:
    def test_is_bounded_and_the_oldest_used_go_first(self) -> None:
        memory = Memory(30)
        for number in range(3):
            memory.put(f"{number}", number, 10)
        assert memory.get("0") == 0
        memory.put("3", 3, 10)
        assert [memory.get(f"{number}") for number in range(4)] == [0, None, 2, 3]

    def test_a_value_put_twice_counts_once(self) -> None:
        memory = Memory(30)
        for number in range(10):
            memory.put("a", number, 10)
        memory.put("b", "b", 20)
        assert (memory.get("a"), memory.get("b")) == (9, "b")

    def test_a_value_larger_than_all_is_not_kept_and_drives_out_none(self) -> None:
        memory = Memory(30)
        memory.put("a", "a", 30)
        memory.put("b", "b", 31)
        assert (memory.get("a"), memory.get("b")) == ("a", None)

    def test_clear(self) -> None:
        memory = Memory(30)
        memory.put("a", "a", 30)
        memory.clear()
        assert memory.get("a") is None
        memory.put("b", "b", 30)
        assert memory.get("b") == "b"

    @pytest.mark.usefixtures("settled")
    def test_the_one_in_use_has_a_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "_memory", Memory(3 * 800))
        monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", "0")
        checkpoint = ww.open_checkpoint({f"l{number}/kernel": np.ones((10, 10)) for number in range(5)})
        seen: list[str] = []

        def reading(name: str) -> Callable[[], Ends]:
            return lambda: seen.append(name) or Ends(checkpoint[name]["kernel"].read())  # type: ignore[func-returns-value]

        for name in ("l0", "l1", "l2", "l0", "l3", "l0", "l1"):
            cached(KIND, reading(name), checkpoint[name]["kernel"])
        assert seen == ["l0", "l1", "l2", "l3", "l1"]
