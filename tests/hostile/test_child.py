"""The process that lists HDF5 may crash, hang or be killed: that is an error, and the next read works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import watch
from cases import CASES, KERNEL, Place, make_secrets
from corpus import CASES as CORPUS

import weight_widgets as ww
from weight_widgets.errors import WeightWidgetsError

assert CORPUS is CASES
pytestmark = pytest.mark.skipif(not watch.LINUX, reason="finds the process in /proc")
LIMIT = 12
HANGS = ["spoilt: heap whose free list is a ring", "layer names of no size in the heap"]
CRASHES = ["spoilt: tree whose child is itself", "spoilt: tree of level 255"]


def wait_for(condition: Callable[[], object], seconds: float = LIMIT) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        os.sched_yield()


def command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def reader() -> int:
    """The process that lists HDF5 for us; 0 when there is none."""
    return next((child for child in watch.children(os.getpid()) if "weight_widgets" in command(child)), 0)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    with Place(tmp_path, tmp_path).hdf5("good.weights.h5", libver="latest") as file:
        del file["layers/hostile"]
    return tmp_path / "good.weights.h5"


@pytest.fixture
def child(good: Path) -> int:
    """A reader that has done some work and waits for more."""
    check(good)
    assert reader()
    return reader()


def check(path: Path) -> None:
    with ww.open_checkpoint(path) as checkpoint:
        assert np.array_equal(checkpoint["dense"]["kernel"].read(), KERNEL)


def hostile(name: str, tmp_path: Path) -> Path:
    folder = tmp_path / "case"
    folder.mkdir()
    return CASES[name].make(Place(folder, make_secrets(tmp_path / "secrets")))


class Opening(threading.Thread):
    """Opens a file in a thread of its own, and keeps how that ended."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.error: Exception | None = None
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        started = time.monotonic()
        try:
            check(self.path)
        except Exception as error:
            self.error = error
        self.seconds = time.monotonic() - started

    def result(self) -> Exception | None:
        self.join(2 * LIMIT)
        assert not self.is_alive(), "it hangs"
        return self.error


@contextmanager
def stopped(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        if Path(f"/proc/{process}").exists():
            os.kill(process, signal.SIGCONT)


@contextmanager
def longest_pause() -> Iterator[list[float]]:
    """How long another thread of this process was ever kept from running, in its only element."""
    pause, done = [0.0], threading.Event()

    def run() -> None:
        last = time.monotonic()
        while not done.wait(0.005):
            now = time.monotonic()
            pause[0], last = max(pause[0], now - last), now

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield pause
    finally:
        done.set()
        thread.join()


def kill(process: int) -> None:
    """End an idle process, and wait until whoever asks for it is told."""
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: watch.ended(process))


def asked(process: int) -> bool:
    """Whether a request lies in the pipe to a stopped process."""
    import fcntl
    import termios

    with open(f"/proc/{process}/fd/0", "rb", buffering=0) as pipe:  # noqa: PTH123
        return any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))


class TestKilled:
    def test_between_two_files(self, child: int, good: Path) -> None:
        kill(child)
        check(good)
        assert reader() not in (0, child)

    def test_in_the_middle_of_a_request(self, child: int, good: Path) -> None:
        os.kill(child, signal.SIGSTOP)
        opening = Opening(good)
        wait_for(lambda: asked(child))
        os.kill(child, signal.SIGKILL)
        error = opening.result()
        assert error is None or isinstance(error, WeightWidgetsError)
        assert error is None or str(good) in str(error)
        check(good)

    def test_in_the_middle_of_an_answer(self, child: int, tmp_path: Path, good: Path) -> None:
        """At moments all over a long listing, and after each the next file is read."""
        with Place(tmp_path, tmp_path).hdf5("long.weights.h5") as file:
            for number in range(2000):
                file[f"layers/hostile_{number}/vars/0"] = KERNEL
        started = time.monotonic()
        check(tmp_path / "long.weights.h5")
        whole = time.monotonic() - started
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            opening, killed = Opening(tmp_path / "long.weights.h5"), reader()
            opening.join(whole * share)
            os.kill(killed, signal.SIGKILL)
            error = opening.result()
            assert error is None or isinstance(error, WeightWidgetsError)
            wait_for(partial(watch.ended, killed))
            check(good)

    def test_between_opening_and_reading(self, child: int, good: Path) -> None:
        with ww.open_checkpoint(good) as checkpoint:
            kill(reader())
            assert np.array_equal(checkpoint["dense"]["kernel"].read(), KERNEL)

    @pytest.mark.parametrize("name", CRASHES)
    def test_by_the_file_itself(self, name: str, tmp_path: Path, good: Path) -> None:
        path = hostile(name, tmp_path)
        with pytest.raises(WeightWidgetsError, match=r"a\.weights\.h5"):
            check(path)
        check(good)

    def test_it_leaves_no_zombie(self, child: int, good: Path) -> None:
        for _ in range(3):
            kill(reader())
            check(good)
        assert len([*watch.children(os.getpid())]) == 1


@pytest.mark.slow
class TestHanging:
    def test_is_stopped_by_the_time_limit(self, child: int, good: Path) -> None:
        with stopped(child), longest_pause() as pause:
            opening = Opening(good)
            error = opening.result()
        assert isinstance(error, WeightWidgetsError)
        assert "good.weights.h5" in str(error)
        assert opening.seconds < LIMIT
        # The interpreter's lock was free: a notebook goes on meanwhile.
        assert pause[0] < 1
        check(good)
        assert reader() not in (0, child)

    @pytest.mark.parametrize("name", HANGS)
    def test_by_the_file_itself(self, name: str, tmp_path: Path, good: Path) -> None:
        with longest_pause() as pause:
            opening = Opening(hostile(name, tmp_path))
            error = opening.result()
        assert isinstance(error, WeightWidgetsError)
        assert opening.seconds < LIMIT
        assert pause[0] < 1
        check(good)


class TestSeveralThreads:
    def test_each_gets_its_own_file(self, tmp_path: Path, child: int) -> None:
        names = [f"{number}.weights.h5" for number in range(8)]
        for name in names:
            with Place(tmp_path, tmp_path).hdf5(name) as file:
                file[f"layers/only_{name[0]}/vars/0"] = np.full((2, 3), int(name[0]), "f4")
        found: dict[str, bool] = {}

        def read(name: str) -> None:
            for _ in range(5):
                with ww.open_checkpoint(tmp_path / name) as checkpoint:
                    values = next(iter(checkpoint[f"only_{name[0]}"].values())).read()
                    found[name] = found.get(name, True) and bool((values == int(name[0])).all())

        threads = [threading.Thread(target=read, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == dict.fromkeys(names, True)


class TestOtherProcesses:
    SCRIPT = "import sys, os, weight_widgets as ww; c = ww.open_checkpoint(sys.argv[1]); c['dense']['kernel'].read();"

    def run(self, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=30)

    def test_a_script_without_a_guard(self, good: Path, tmp_path: Path) -> None:
        """`multiprocessing` would run the whole script again."""
        script = tmp_path / "script.py"
        script.write_text(f"{self.SCRIPT} print('once')\n")
        done = self.run(str(script), str(good), folder=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "once\n", "")

    def test_modules_beside_the_notebook_are_not_loaded(self, good: Path, tmp_path: Path) -> None:
        for name in ("h5py", "numpy", "json", "struct", "weight_widgets"):
            (tmp_path / f"{name}.py").write_text("open('LOADED', 'w')\n")
        script = tmp_path / "elsewhere" / "script.py"
        script.parent.mkdir()
        script.write_text(f"{self.SCRIPT} print('once')\n")
        done = self.run(str(script), str(good), folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
        assert not (tmp_path / "LOADED").exists()

    def test_the_reader_ends_with_us(self, good: Path, tmp_path: Path) -> None:
        script = f"{self.SCRIPT} print(os.getpid(), flush=True); sys.stdin.read()"
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(good)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
        )
        assert parent.stdout is not None
        assert parent.stdout.readline()
        (child,) = watch.children(parent.pid)
        parent.kill()
        parent.communicate()
        wait_for(lambda: "weight_widgets" not in command(child))

    def test_a_forked_copy_reads_with_a_reader_of_its_own(self, good: Path, tmp_path: Path) -> None:
        script = (
            f"{self.SCRIPT} pid = os.fork(); d = ww.open_checkpoint(sys.argv[1]); d['dense']['kernel'].read();"
            " print('read', flush=True); pid and os.waitpid(pid, 0)"
        )
        done = self.run("-W", "ignore", "-c", script, str(good), folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, "read\nread\n"), done.stderr
