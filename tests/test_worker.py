"""The worker: the latest job wins, nothing piles up, and results arrive on the event loop's thread."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from weight_widgets.worker import Superseded, Worker

TIMEOUT = 20.0
Check = Callable[[], None]


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(pause=0.0)
    yield worker
    worker.close()


def unexpected(error: Exception) -> None:
    raise AssertionError(f"a job failed: {error!r}")


class Gate:
    """A job that tells when it runs, and goes on when it is let."""

    def __init__(self) -> None:
        self.running, self.open = threading.Event(), threading.Event()

    def __call__(self, check: Check) -> str:
        self.running.set()
        assert self.open.wait(TIMEOUT)
        check()
        return "gate"


class TestLatestWins:
    def test_one_job(self, worker: Worker) -> None:
        found: list[int] = []
        worker.submit("a", lambda check: 6 * 7, found.append, unexpected)
        assert worker.wait(TIMEOUT)
        assert found == [42]

    def test_no_backlog(self, worker: Worker) -> None:
        """While one job runs, a hundred are asked for: only the last of them is computed."""
        gate = Gate()
        computed: list[int] = []
        delivered: list[Any] = []

        def job(number: int) -> Callable[[Check], int]:
            def compute(check: Check) -> int:
                computed.append(number)
                return number

            return compute

        worker.submit("a", gate, delivered.append, unexpected)
        assert gate.running.wait(TIMEOUT)
        for number in range(100):
            worker.submit("a", job(number), delivered.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert computed == [99]
        assert delivered == [99]

    def test_a_superseded_job_stops_at_its_next_check(self, worker: Worker) -> None:
        gate = Gate()
        outcome: list[str] = []

        def compute(check: Check) -> None:
            try:
                gate(check)
            except Superseded:
                outcome.append("stopped")
                raise
            outcome.append("went on")

        worker.submit("a", compute, unexpected, unexpected)
        assert gate.running.wait(TIMEOUT)
        worker.submit("a", lambda check: "new", outcome.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert outcome == ["stopped", "new"]

    def test_a_result_that_came_too_late_is_not_delivered(self, worker: Worker) -> None:
        """The job never checks: what it computed is dropped all the same."""
        gate = Gate()
        delivered: list[str] = []
        worker.submit("a", lambda check: gate(lambda: None), delivered.append, unexpected)
        assert gate.running.wait(TIMEOUT)
        worker.submit("a", lambda check: "new", delivered.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert delivered == ["new"]

    def test_an_error_that_came_too_late_is_not_told(self, worker: Worker) -> None:
        gate = Gate()
        delivered: list[str] = []

        def compute(check: Check) -> None:
            gate(lambda: None)
            raise ValueError("old")

        worker.submit("a", compute, delivered.append, unexpected)
        assert gate.running.wait(TIMEOUT)
        worker.submit("a", lambda check: "new", delivered.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert delivered == ["new"]

    def test_keys_do_not_supersede_each_other(self, worker: Worker) -> None:
        delivered: list[str] = []
        for key in "abc":
            worker.submit(key, lambda check, key=key: key, delivered.append, unexpected)  # type: ignore[misc]
        assert worker.wait(TIMEOUT)
        assert sorted(delivered) == ["a", "b", "c"]

    def test_all_jobs_run_on_one_thread_that_is_not_the_callers(self, worker: Worker) -> None:
        threads: list[int] = []
        for key in "abc":
            worker.submit(key, lambda check: threads.append(threading.get_ident()), lambda _: None, unexpected)
        assert worker.wait(TIMEOUT)
        assert len(threads) == 3
        assert len(set(threads)) == 1
        assert threading.get_ident() not in threads


class TestErrors:
    def test_of_the_job_reach_fail(self, worker: Worker) -> None:
        told: list[Exception] = []
        worker.submit("a", lambda check: 1 / 0, unexpected, told.append)
        assert worker.wait(TIMEOUT)
        assert [type(error) for error in told] == [ZeroDivisionError]

    def test_of_the_delivery_reach_fail(self, worker: Worker) -> None:
        told: list[Exception] = []
        worker.submit("a", lambda check: {}, lambda found: found["missing"], told.append)
        assert worker.wait(TIMEOUT)
        assert [type(error) for error in told] == [KeyError]

    def test_do_not_end_the_worker(self, worker: Worker) -> None:
        told: list[Any] = []
        worker.submit("a", lambda check: 1 / 0, unexpected, told.append)
        assert worker.wait(TIMEOUT)
        worker.submit("a", lambda check: "next", told.append, unexpected)
        assert worker.wait(TIMEOUT)
        assert told[1:] == ["next"]


class TestWait:
    def test_nothing_asked_for(self, worker: Worker) -> None:
        assert worker.wait(0.0)

    def test_gives_up(self, worker: Worker) -> None:
        gate = Gate()
        worker.submit("a", gate, lambda _: None, unexpected)
        assert not worker.wait(0.01)
        gate.open.set()
        assert worker.wait(TIMEOUT)


class TestClose:
    def test_drops_what_waits_and_takes_no_more(self, worker: Worker) -> None:
        gate = Gate()
        worker.submit("a", gate, unexpected, unexpected)
        assert gate.running.wait(TIMEOUT)
        worker.submit("b", unexpected, unexpected, unexpected)
        worker.close()
        worker.submit("c", unexpected, unexpected, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)

    def test_ends_the_thread(self) -> None:
        worker = Worker(pause=0.0)
        threads: list[threading.Thread] = []
        worker.submit("a", lambda check: threading.current_thread(), threads.append, unexpected)
        assert worker.wait(TIMEOUT)
        worker.close()
        threads[0].join(TIMEOUT)
        assert not threads[0].is_alive()

    def test_a_script_may_end_while_the_worker_reads(self, tmp_path: Path) -> None:
        """A daemon thread that is cut off inside the HDF5 library at exit crashes the interpreter."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.attrs["layer_names"] = ["dense"]
            file["dense/kernel"] = np.ones((2000, 2000), "f4")
            file["dense"].attrs["weight_names"] = ["kernel"]
        script = f"import weight_widgets as ww\nfor _ in range(3): ww.compare({str(tmp_path / 'a.h5')!r})"
        for _ in range(3):
            ended = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=120, capture_output=True)
            assert (ended.returncode, ended.stderr) == (0, b"")

    def test_an_idle_thread_ends_and_another_comes(self) -> None:
        worker = Worker(pause=0.0)
        threads: list[threading.Thread] = []
        for _ in range(2):
            worker.submit("a", lambda check: threading.current_thread(), threads.append, unexpected)
            assert worker.wait(TIMEOUT)
            threads[-1].join(TIMEOUT)
            assert not threads[-1].is_alive()
        assert threads[0] is not threads[1]

    def test_twice(self, worker: Worker) -> None:
        worker.close()
        worker.close()


def test_a_key_rests_between_two_jobs() -> None:
    """Without the rest a fast chooser would pile up frames in the browser."""
    worker = Worker(pause=0.05)
    times: list[float] = []
    for _ in range(3):
        worker.submit("a", lambda check: times.append(time.monotonic()), lambda _: None, unexpected)
        assert worker.wait(TIMEOUT)
    worker.close()
    assert len(times) == 3
    assert all(later - earlier >= 0.049 for earlier, later in itertools.pairwise(times))


class TestUnderAnEventLoop:
    def test_results_and_errors_arrive_on_its_thread(self) -> None:
        async def main() -> list[int]:
            worker = Worker(pause=0.0)
            threads: list[int] = []
            done = asyncio.Event()
            worker.submit("a", lambda check: None, lambda _: threads.append(threading.get_ident()), unexpected)

            def fail(error: Exception) -> None:
                threads.append(threading.get_ident())
                done.set()

            worker.submit("b", lambda check: 1 / 0, unexpected, fail)
            await asyncio.wait_for(done.wait(), TIMEOUT)
            worker.close()
            return threads

        assert asyncio.run(main()) == [threading.get_ident()] * 2

    def test_waiting_on_its_thread_delivers_there(self) -> None:
        """`wait` blocks the loop, so it must bring the results itself."""

        async def main() -> list[int]:
            worker = Worker(pause=0.0)
            threads: list[int] = []
            worker.submit("a", lambda check: None, lambda _: threads.append(threading.get_ident()), unexpected)
            assert worker.wait(TIMEOUT)
            worker.close()
            return threads

        assert asyncio.run(main()) == [threading.get_ident()]

    def test_a_result_that_waits_for_the_loop_can_still_be_superseded(self) -> None:
        async def main() -> list[str]:
            worker = Worker(pause=0.0)
            delivered: list[str] = []
            computed = threading.Event()

            def first(check: Check) -> str:
                computed.set()
                return "old"

            worker.submit("a", first, delivered.append, unexpected)
            assert computed.wait(TIMEOUT)
            worker.submit("a", lambda check: "new", delivered.append, unexpected)
            assert worker.wait(TIMEOUT)
            worker.close()
            return delivered

        assert asyncio.run(main()) == ["new"]

    def test_a_delivery_may_ask_for_more(self) -> None:
        async def main() -> list[str]:
            worker = Worker(pause=0.0)
            delivered: list[str] = []

            def again(found: str) -> None:
                delivered.append(found)
                worker.submit("a", lambda check: "second", delivered.append, unexpected)

            worker.submit("a", lambda check: "first", again, unexpected)
            assert worker.wait(TIMEOUT)
            worker.close()
            return delivered

        assert asyncio.run(main()) == ["first", "second"]

    def test_a_loop_that_closed_meanwhile_ends_the_worker_quietly(self) -> None:
        gate = Gate()

        async def main() -> Worker:
            worker = Worker(pause=0.0)
            worker.submit("a", gate, unexpected, unexpected)
            return worker

        worker = asyncio.run(main())
        gate.open.set()
        assert worker.wait(TIMEOUT)
        worker.submit("a", unexpected, unexpected, unexpected)
        assert worker.wait(0.0)
