"""The process that finds singular values: what it finds, that it can be ended at any moment, and what it may take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from weight_widgets.analysis import decomposition
from weight_widgets.analysis.decomposition import MAX_BYTES, plan, singular_values
from weight_widgets.analysis.spectrum import spectrum
from weight_widgets.errors import InputError, WeightWidgetsError
from weight_widgets.processes import parent
from weight_widgets.reading.structure import generic
from weight_widgets.reading.tensors import Tensor

posix = pytest.mark.skipif(os.name != "posix", reason="signals")
linux = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells of processes by files")

# Half a minute of work: far more than any test waits.
LONG = np.broadcast_to(np.float32(1), (4096, 4096))
SHORT = np.random.default_rng(0).standard_normal((70, 60))

Started = list[subprocess.Popen[bytes]]


class Stopped(Exception):
    pass


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """The processes that a test starts. After it they are gone, with their pipes and threads."""
    processes: Started = []

    def start(*arguments: Any) -> subprocess.Popen[bytes]:
        processes.append(parent.start(*arguments))
        return processes[-1]

    monkeypatch.setattr(decomposition, "start", start)
    yield processes
    assert all(process.returncode is not None for process in processes)
    assert all(pipe.closed for process in processes for pipe in (process.stdin, process.stdout) if pipe)
    assert not [thread for thread in threading.enumerate() if thread.name == "weight-widgets spectrum"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (90, 1), (300, 40), (40, 300), (320, 40), (40, 1001), (5003, 30)])
def test_all_of_them(shape: tuple[int, int], started: Started) -> None:
    matrix = np.random.default_rng(1).standard_normal(shape)
    found = singular_values(matrix)
    truth = scipy.linalg.svdvals(matrix)
    np.testing.assert_allclose(found.values, truth, rtol=0, atol=1e-13 * truth[0])
    assert (found.method, found.error, len(started)) == ("exact", 0.0, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8])
def test_small_ones_of_a_long_matrix(dtype: type) -> None:
    """Squares, as of AᵀA, would lose them."""
    matrix = np.random.default_rng(2).integers(-9, 9, (3000, 20)).astype(dtype)
    matrix[:, 1:] = matrix[:, :1]
    matrix[7, 5] += 1
    truth = scipy.linalg.svdvals(matrix.astype(np.float64))
    np.testing.assert_allclose(singular_values(matrix).values, truth, rtol=0, atol=1e-13 * truth[0])


def test_embeddings_of_many_words_are_exact() -> None:
    """All values of a narrow matrix are less work than some of them."""
    for shape in [(1_000_000, 300), (300, 1_000_000), (250_000, 1024)]:
        request = plan(shape, np.dtype(np.float32))
        assert request["rank"] == 0
        assert request["memory"] < 1.8 * 2**30
    assert plan((9000, 5000), np.dtype(np.float32))["rank"] == 256


class TestItsEnd:
    @pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt])
    def test_nobody_waits_any_more(self, error: type[BaseException], started: Started) -> None:
        """In the middle of LAPACK, which nothing but a kill can end."""
        running = threading.Event()

        def check() -> None:
            if running.is_set():
                assert started[0].poll() is None
                raise error

        with pytest.raises(error):
            singular_values(LONG, check, lambda said: running.set())
        assert started[0].returncode != 0

    def test_nobody_waits_before_it_has_the_matrix(self, started: Started) -> None:
        def check() -> None:
            raise Stopped

        with pytest.raises(Stopped):
            singular_values(LONG, check)

    @posix
    @pytest.mark.parametrize("early", [True, False])
    def test_killed_by_others(self, early: bool, started: Started) -> None:
        """The system does so when memory runs out."""

        def kill(said: str = "") -> None:
            os.kill(started[0].pid, signal.SIGKILL)

        with pytest.raises(WeightWidgetsError, match="ended early"):
            singular_values(LONG, *((kill,) if early else (None, kill)))

    @linux
    def test_the_notebook_is_killed(self, tmp_path: Path) -> None:
        script = tmp_path / "script.py"
        script.write_text(NOTEBOOK, encoding="utf-8")
        notebook = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
        with notebook:
            assert notebook.stdout is not None
            # By the twentieth time that it says so it is in the middle of LAPACK, which holds no pipe.
            child = [int(notebook.stdout.readline()) for _ in range(20)][-1]
            assert _runs(child)
            notebook.kill()
        began = time.monotonic()
        while _runs(child):
            # It would be at work for far longer.
            assert time.monotonic() - began < 5

    @linux
    def test_nothing_is_left(self, started: Started) -> None:
        def open_files() -> int:
            return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

        before = open_files()
        for _ in range(3):
            singular_values(SHORT)
            with pytest.raises(Stopped):
                singular_values(SHORT, _raise_stopped)
        assert open_files() == before
        assert len({process.pid for process in started}) == 6


class TestItsLimits:
    @pytest.mark.parametrize("shape", [(100_000, 100_000), (10, 10**9), (30_000, 30_000)])
    def test_too_large_is_refused_before_anything_is_read(self, shape: tuple[int, int], started: Started) -> None:
        def fetch(index: object) -> np.ndarray:
            raise AssertionError("it was read")

        tensor = Tensor("kernel", np.dtype(np.float32), generic(shape), fetch)
        with pytest.raises(InputError, match=rf"{shape[0]} × {shape[1]} needs \d+ MiB.*4096 MiB.*part of the tensor"):
            spectrum(tensor)
        assert not started

    @linux
    def test_the_system_holds_it_to_them(self, started: Started) -> None:
        limits: dict[str, str] = {}

        def look(said: str) -> None:
            lines = Path(f"/proc/{started[0].pid}/limits").read_text(encoding="ascii").splitlines()
            limits.update((line[:26].strip(), line[26:].split()[0]) for line in lines[1:])
            raise Stopped

        with pytest.raises(Stopped):
            singular_values(LONG, progress=look)
        # What Python and its libraries have mapped before comes on top.
        assert int(limits["Max address space"]) < MAX_BYTES + (2 << 30)
        assert (limits["Max file size"], limits["Max core file size"]) == ("0", "0")

    @linux
    def test_more_than_it_may_have(self, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decomposition, "ROOM", -64 << 20)
        with pytest.raises(WeightWidgetsError, match="more memory than it may have"):
            singular_values(LONG)

    @pytest.mark.parametrize("refused", [OSError("no more processes"), TypeError("no executable")])
    def test_none_can_be_started(self, refused: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        def start(*arguments: Any) -> Any:
            raise refused

        monkeypatch.setattr(decomposition, "start", start)
        with pytest.raises(WeightWidgetsError, match=f"cannot be started: {refused}"):
            singular_values(SHORT)


NOTEBOOK = """
import numpy as np
from weight_widgets.analysis import decomposition
from weight_widgets.processes import parent

def start(*arguments):
    global child
    child = parent.start(*arguments)
    return child

decomposition.start = start
matrix = np.broadcast_to(np.float32(1), (4096, 4096))
decomposition.singular_values(matrix, progress=lambda said: print(child.pid, flush=True))
"""


def _raise_stopped() -> None:
    raise Stopped


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
