"""The folder of entries: shared, bounded, and never in the way."""

from __future__ import annotations

import errno
import inspect
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weight_widgets.analysis.cache import disk
from weight_widgets.analysis.cache.disk import BETWEEN_LOOKS, BLOCK, MAX_BYTES, VARIABLE, Store, store
from weight_widgets.analysis.cache.entries import MAX_ENTRY

posix = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
KEYS = [f"key {number}" for number in range(4)]


def arrays(key: str) -> dict[str, np.ndarray]:
    """What everybody keeps under a key."""
    number = int(key.split()[1])
    return {"a": np.full(100_000 + number, number, "i8"), "b": np.arange(number, number + 1000.0)}


# For other processes.
SHARED = f"import numpy as np\n{inspect.getsource(arrays)}"


def sample(number: int) -> dict[str, np.ndarray]:
    return {"a": np.arange(number, number + 50.0)}


def same(found: Any, expected: dict[str, np.ndarray]) -> bool:
    return (
        found is not None
        and {*found} == {*expected}
        and all(np.array_equal(found[key], expected[key]) for key in expected)
    )


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.found"))


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.part"))


def taken(folder: Path) -> int:
    """Bytes on disk, in whole blocks."""
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in folder.iterdir())


def run(code: str, *arguments: object) -> str:
    """What another process prints."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "some" / "cache"


@pytest.fixture
def kept(folder: Path) -> Store:
    """A store that holds one entry, `sample(1)` under "one"."""
    made = Store(folder, MAX_BYTES)
    made.save("one", sample(1))
    assert len(entries(folder)) == 1
    return made


class TestKeeping:
    def test_comes_back_in_this_and_in_another_process(self, kept: Store, folder: Path) -> None:
        assert same(kept.load("one"), sample(1))
        assert same(Store(folder, MAX_BYTES).load("one"), sample(1))
        code = (
            "import sys; from pathlib import Path; from weight_widgets.analysis.cache.disk import Store;"
            "print(Store(Path(sys.argv[1]), 1 << 20).load('one')['a'].tolist())"
        )
        assert run(code, folder).strip() == str(sample(1)["a"].tolist())

    def test_what_was_not_kept_is_none(self, kept: Store, tmp_path: Path) -> None:
        assert kept.load("two") is None
        assert Store(tmp_path / "nowhere", MAX_BYTES).load("one") is None

    def test_the_last_one_counts(self, kept: Store) -> None:
        kept.save("one", sample(2))
        assert same(kept.load("one"), sample(2))

    @posix
    def test_is_for_the_user_alone_and_tells_no_names(self, kept: Store, folder: Path) -> None:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (path,) = folder.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert re.fullmatch(r"[0-9a-f]{40}\.found", path.name)
        assert b"one" not in path.read_bytes()

    def test_a_very_large_one_is_not_kept(self, kept: Store, folder: Path) -> None:
        kept.save("large", {"a": np.zeros(MAX_ENTRY // 8 + 1)})
        assert kept.load("large") is None
        assert len([*folder.iterdir()]) == 1


class TestDamage:
    @given(flip=st.lists(st.integers(0, 1 << 14), min_size=1, max_size=5, unique=True), cut=st.integers(0, 1 << 13))
    @settings(deadline=None)
    def test_is_absence(self, tmp_path_factory: pytest.TempPathFactory, flip: list[int], cut: int) -> None:
        folder = tmp_path_factory.getbasetemp() / "damaged"
        kept = Store(folder, MAX_BYTES)
        for change in ("flip", "cut"):
            kept.save("one", sample(1))
            (path,) = folder.iterdir()
            data = bytearray(path.read_bytes())
            for place in {place % (8 * len(data)) for place in flip} if change == "flip" else ():
                data[place // 8] ^= 1 << place % 8
            path.write_bytes(data if change == "flip" else data[: cut % len(data)])
            assert kept.load("one") is None
            assert [*folder.iterdir()] == []

    @pytest.mark.parametrize("other", ["another's", "a pickle", "zeros", "large"])
    def test_is_what_does_not_belong_there(self, other: str, kept: Store, folder: Path) -> None:
        (path,) = entries(folder)
        kept.save("two", sample(2))
        (another,) = {*entries(folder)} - {path}
        contents = {"another's": another.read_bytes(), "a pickle": b"\x80\x04N.", "zeros": bytes(600), "large": b""}
        path.write_bytes(contents[other])
        if other == "large":
            os.truncate(path, 1 << 40)
        assert kept.load("one") is None
        assert entries(folder) == [another]
        kept.save("one", sample(1))
        assert same(kept.load("one"), sample(1))


@posix
class TestOthers:
    """Somebody who can write where the cache is, in /tmp."""

    def test_a_link_in_place_of_an_entry_is_not_followed(self, kept: Store, folder: Path, tmp_path: Path) -> None:
        (path,) = entries(folder)
        outside = tmp_path / "precious"
        path.rename(outside)
        path.symlink_to(outside)
        before = outside.read_bytes()
        assert kept.load("one") is None
        kept.save("one", sample(1))
        assert not path.is_symlink()
        assert same(kept.load("one"), sample(1))
        path.unlink()
        path.symlink_to(outside)
        kept.clear()
        assert [*folder.iterdir()] == []
        assert outside.read_bytes() == before

    def test_a_pipe_or_a_folder_in_place_of_an_entry(self, kept: Store, folder: Path) -> None:
        (path,) = entries(folder)
        path.unlink()
        os.mkfifo(path)
        assert kept.load("one") is None
        assert not path.exists()
        path.mkdir()
        assert kept.load("one") is None
        kept.save("one", sample(1))
        kept.clear()
        assert path.is_dir()

    @pytest.mark.parametrize("kind", ["link", "open to the group", "open to all", "another's"])
    def test_a_folder_that_others_have_is_not_used(
        self, kind: str, kept: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (path,) = entries(folder)
        if kind == "link":
            folder.rename(folder.with_name("real"))
            folder.symlink_to(folder.with_name("real"))
        elif kind == "another's":
            own = os.geteuid()
            monkeypatch.setattr(os, "geteuid", lambda: own + 1)
        else:
            folder.chmod(0o770 if "group" in kind else 0o777)
        assert kept.load("one") is None
        kept.save("two", sample(2))
        kept.clear()
        assert entries(folder) == [path]

    @pytest.mark.skipif(not ROOT, reason="only root gives files away")
    def test_an_entry_of_another_user_is_not_believed(self, kept: Store, folder: Path) -> None:
        (path,) = entries(folder)
        os.chown(path, 65534, 65534)
        assert kept.load("one") is None


class TestNoPlace:
    def test_a_file_where_the_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("long" * 100)):
            impossible = Store(folder, MAX_BYTES)
            impossible.save("one", sample(1))
            assert impossible.load("one") is None
            impossible.clear()
        assert (tmp_path / "file").read_text() == "mine"

    @pytest.mark.skipif(ROOT or os.name != "posix", reason="root may write anywhere")
    def test_a_folder_that_may_not_be_written_to(self, kept: Store, folder: Path) -> None:
        folder.chmod(0o500)
        kept.save("two", sample(2))
        kept.clear()
        assert same(kept.load("one"), sample(1))
        folder.chmod(0o700)

    @pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EMFILE, errno.EDQUOT])
    def test_the_system_says_no(self, code: int, kept: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = [*folder.iterdir()]

        def refuse(*_: object, **__: object) -> None:
            raise OSError(code, os.strerror(code))

        for name in ("open", "utime", "unlink", "mkdir", "scandir"):
            monkeypatch.setattr(os, name, refuse)
        kept.save("two", sample(2))
        assert kept.load("one") is None
        kept.clear()
        monkeypatch.undo()
        assert [*folder.iterdir()] == before
        assert same(kept.load("one"), sample(1))

    def test_an_entry_whose_age_may_not_be_changed_is_read(
        self, kept: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.utime(entries(folder)[0], (1, 1))

        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "utime", refuse)
        assert same(kept.load("one"), sample(1))

    @posix
    def test_a_disk_that_is_full_in_the_middle_of_an_entry(self, kept: Store, folder: Path) -> None:
        code = SHARED + (
            "import resource, sys; from pathlib import Path; from weight_widgets.analysis.cache.disk import Store\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
            "Store(Path(sys.argv[1]), 1 << 28).save('key 1', arrays('key 1'))"
        )
        run(code, folder)
        assert len([*folder.iterdir()]) == 1
        assert same(kept.load("one"), sample(1))


class TestBound:
    LIMIT = 64 * BLOCK

    def test_is_kept_at_every_moment(self, folder: Path) -> None:
        bounded = Store(folder, self.LIMIT)
        for number in range(300):
            bounded.save(f"{number}", {"a": np.full(number % 20 * 300, number)})
            assert taken(folder) <= self.LIMIT
            assert same(bounded.load(f"{number}"), {"a": np.full(number % 20 * 300, number)})

    def test_two_processes_exceed_it_by_what_one_may_write_between_looks(self, folder: Path) -> None:
        both = [Store(folder, self.LIMIT) for _ in range(2)]
        for number in range(300):
            both[number % 3 % 2].save(f"{number}", sample(number))
            assert taken(folder) <= self.LIMIT * (1 + BETWEEN_LOOKS)

    def test_what_was_not_used_longest_goes_first(self, folder: Path) -> None:
        bounded = Store(folder, self.LIMIT)
        for number in range(50):
            bounded.save(f"{number}", sample(number))
            path = max(entries(folder), key=lambda path: path.stat().st_mtime_ns)
            os.utime(path, (number + 1, number + 1))
        assert same(bounded.load("3"), sample(3))
        for number in range(50, 70):
            bounded.save(f"{number}", sample(number))
        left = {number for number in range(70) if bounded.load(f"{number}") is not None}
        assert len(left) < 64
        assert left == {3, *range(70 - len(left) + 1, 70)}

    def test_the_folder_is_not_listed_at_every_save(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = []
        real = os.scandir
        monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or real(path))
        bounded = Store(folder, 1024 * BLOCK)
        for number in range(200):
            bounded.save(f"{number}", sample(number))
        assert 1 <= len(listed) <= 5

    def test_a_new_process_looks_at_its_first_save(self, kept: Store, folder: Path) -> None:
        for number in range(20):
            kept.save(f"{number}", sample(number))
        Store(folder, 10 * BLOCK).save("last", sample(0))
        assert taken(folder) <= 10 * BLOCK


class TestClear:
    def test_removes_entries_and_nothing_else(self, kept: Store, folder: Path) -> None:
        kept.save("two", sample(2))
        (folder / f"{'0' * 40}.{'1' * 12}.part").write_bytes(b"left behind")
        others = [folder / name for name in ("notes.txt", "a.found", f"{'0' * 39}g.found", f"{'0' * 40}.found.bak")]
        for other in others:
            other.write_text("mine")
        (folder / "below").mkdir()
        kept.clear()
        assert sorted(folder.iterdir()) == sorted([*others, folder / "below"])
        assert kept.load("one") is None

    def test_of_nothing(self, folder: Path) -> None:
        Store(folder, MAX_BYTES).clear()
        assert not folder.exists()


WRITER = (
    SHARED
    + """
import os, random, signal, sys, time
from pathlib import Path
from weight_widgets.analysis.cache.disk import Store

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
keys = [f"key {number}" for number in range(4)]
random.seed(7)
parent = os.getpid()
for _ in range(rounds):
    child = os.fork()
    if not child:
        store = Store(folder, 1 << 28)
        while os.getppid() == parent:
            for key in keys:
                store.save(key, arrays(key))
                found = store.load(key)
                assert found is not None and (found["a"] == arrays(key)["a"]).all()
    # Wherever that hits.
    time.sleep(random.uniform(0, 0.012))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""
)
CUT_SHORT = (
    SHARED
    + """
import os, signal, sys
from pathlib import Path
from weight_widgets.analysis.cache.disk import Store

folder, where = Path(sys.argv[1]), sys.argv[2]
def end(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if where == "before it is moved":
    Path.replace = end
else:
    real = os.fdopen
    class Half:
        def __init__(self, file): self.file = file
        def __enter__(self): return self
        def __exit__(self, *_): self.file.close()
        def write(self, data):
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            end()
    os.fdopen = lambda number, mode, **rest: Half(real(number, mode)) if "w" in mode else real(number, mode, **rest)
Store(folder, 1 << 28).save("key 1", arrays("key 1"))
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
class TestKilled:
    def test_again_and_again_while_another_works(self, folder: Path) -> None:
        mine = Store(folder, 1 << 28)
        for key in KEYS:
            mine.save(key, arrays(key))
        command = [sys.executable, "-I", "-c", WRITER, str(folder), "150"]
        looks = 0
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as writer:
            while writer.poll() is None:
                for number, key in enumerate(KEYS):
                    looks += 1
                    # Nor is it ever gone, not even while it is written anew.
                    assert same(mine.load(key), arrays(key))
                    if looks % 7 == number:
                        mine.save(key, arrays(key))
            assert (writer.returncode, writer.stderr and writer.stderr.read()) == (0, "")
        # Some of them ended in the middle of a write, and no entry shows it.
        assert parts(folder)
        assert all(same(mine.load(key), arrays(key)) for key in KEYS)

    @pytest.mark.parametrize("where", ["half way", "before it is moved"])
    def test_what_is_left_is_no_entry_and_goes_later(self, where: str, folder: Path) -> None:
        done = subprocess.run([sys.executable, "-I", "-c", CUT_SHORT, str(folder), where], check=False)
        assert done.returncode == -signal.SIGKILL
        (left,) = folder.iterdir()
        assert left.suffix == ".part"
        mine = Store(folder, 1 << 28)
        assert mine.load("key 1") is None
        mine.save("key 1", arrays("key 1"))
        assert same(mine.load("key 1"), arrays("key 1"))
        assert left.exists()
        os.utime(left, (1, 1))
        Store(folder, 1 << 28).save("key 2", arrays("key 2"))
        assert not left.exists()
        assert len(entries(folder)) == 2


class TestPlace:
    @pytest.fixture
    def users(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "weight-widgets"))
        disk._users_folder.cache_clear()
        yield tmp_path / "weight-widgets" / "found"
        disk._users_folder.cache_clear()

    @pytest.mark.parametrize("said", ["0", "false", "no", "off", "False", " NO "])
    def test_none(self, said: str, users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, said)
        assert store() is None

    @pytest.mark.parametrize("said", ["", "1", "yes", "a/relative/path", None])
    def test_the_users(self, said: str | None, users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if said is None:
            monkeypatch.delenv(VARIABLE)
        else:
            monkeypatch.setenv(VARIABLE, said)
        found = store()
        assert found is not None
        assert (found.folder, found.limit) == (users, MAX_BYTES)

    def test_a_chosen_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
        found = store()
        assert found is not None
        assert found.folder == tmp_path / "mine"
        # One for the process: it counts what was written.
        assert store() is found

    def test_no_home(self, users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: "~/.cache/weight-widgets")
        disk._users_folder.cache_clear()
        monkeypatch.delenv(VARIABLE)
        assert store() is None

    def test_the_tests_use_one_of_their_own(self) -> None:
        found = store()
        assert found is not None
        assert not found.folder.is_relative_to(platformdirs.user_cache_dir())
