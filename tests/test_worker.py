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

from weight_widgets.analysis.passes import Check
from weight_widgets.worker import Superseded, Worker

TIMEOUT = 20.0


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(pause=0.0)
    yield worker
    worker.close()


def unexpected(error: Exception) -> None:
    raise AssertionError(f"a job failed: {error!r}")


def never(share: float | None = None) -> None:
    """Nobody cancels."""


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
        worker.submit("a", lambda check: gate(never), delivered.append, unexpected)
        assert gate.running.wait(TIMEOUT)
        worker.submit("a", lambda check: "new", delivered.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert delivered == ["new"]

    def test_an_error_that_came_too_late_is_not_told(self, worker: Worker) -> None:
        gate = Gate()
        delivered: list[str] = []

        def compute(check: Check) -> None:
            gate(never)
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


class TestSeveralResults:
    def test_come_in_order_and_the_end_after_them(self, worker: Worker) -> None:
        told: list[Any] = []

        def compute(check: Check) -> Iterator[str]:
            yield "preview"
            check()
            yield "full"

        worker.submit("a", compute, told.append, unexpected, lambda: told.append("end"))
        assert worker.wait(TIMEOUT)
        assert told == ["preview", "full", "end"]

    def test_those_of_a_superseded_job_are_dropped_and_it_is_ended(self, worker: Worker) -> None:
        gate, told = Gate(), list[str]()

        def compute(check: Check) -> Iterator[str]:
            try:
                yield "preview"
                yield gate(never)
                check()
                told.append("went on")
            finally:
                told.append("left")

        worker.submit("a", compute, told.append, unexpected, lambda: told.append("end of the first"))
        assert gate.running.wait(TIMEOUT)
        worker.submit("a", lambda check: "new", told.append, unexpected)
        gate.open.set()
        assert worker.wait(TIMEOUT)
        assert told == ["preview", "left", "new"]

    def test_an_error_after_a_preview_is_told_before_the_end(self, worker: Worker) -> None:
        told: list[Any] = []

        def compute(check: Check) -> Iterator[str]:
            yield "preview"
            raise ValueError("full")

        worker.submit("a", compute, told.append, lambda error: told.append(str(error)), lambda: told.append("end"))
        assert worker.wait(TIMEOUT)
        assert told == ["preview", "full", "end"]

    def test_a_preview_that_cannot_be_drawn_does_not_keep_the_rest_away(self, worker: Worker) -> None:
        told: list[Any] = []

        def compute(check: Check) -> Iterator[int]:
            yield 0
            yield 1

        worker.submit("a", compute, lambda found: told.append(1 / found), lambda error: told.append(type(error)))
        assert worker.wait(TIMEOUT)
        assert told == [ZeroDivisionError, 1.0]


class TestProgress:
    @staticmethod
    def shares(worker: Worker, steps: int) -> list[float]:
        told: list[float] = []

        def compute(check: Check) -> None:
            for step in range(steps):
                check(step / steps)

        worker.submit("a", compute, lambda _: None, unexpected, report=told.append)
        assert worker.wait(TIMEOUT)
        return told

    def test_of_a_job_that_is_soon_done_is_not_told(self, worker: Worker) -> None:
        assert self.shares(worker, 3) == []

    def test_is_told_in_rising_shares(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)
        monkeypatch.setattr("weight_widgets.worker.BETWEEN_REPORTS", 0.0)
        assert self.shares(worker, 4) == [0.0, 0.25, 0.5, 0.75]

    def test_does_not_flood(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)
        monkeypatch.setattr("weight_widgets.worker.BETWEEN_REPORTS", 60.0)
        assert self.shares(worker, 1000) == [0.0]

    def test_does_not_pile_up_while_the_loop_is_busy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)
        monkeypatch.setattr("weight_widgets.worker.BETWEEN_REPORTS", 0.0)

        async def main() -> list[float]:
            worker, gate, told = Worker(pause=0.0), Gate(), list[float]()

            def compute(check: Check) -> None:
                for step in range(100):
                    check(step / 100)
                gate.running.set()
                assert gate.open.wait(TIMEOUT)

            worker.submit("a", compute, lambda _: None, unexpected, report=told.append)
            assert gate.running.wait(TIMEOUT)
            gate.open.set()
            assert worker.wait(TIMEOUT)
            worker.close()
            return told

        assert asyncio.run(main()) == [0.0]

    def test_of_the_job_before_does_not_silence_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("weight_widgets.worker.PATIENCE", 0.0)

        async def main() -> list[float]:
            worker, gate, told = Worker(pause=0.0), Gate(), list[float]()

            def compute(check: Check) -> None:
                check(0.5)
                gate(check)

            worker.submit("a", compute, lambda _: None, unexpected, report=unexpected)
            assert gate.running.wait(TIMEOUT)
            worker.submit("a", lambda check: check(0.25), lambda _: None, unexpected, report=told.append)
            gate.open.set()
            assert worker.wait(TIMEOUT)
            worker.close()
            return told

        assert asyncio.run(main()) == [0.25]


class TestCancel:
    def test_ends_a_job_and_nothing_is_told(self, worker: Worker) -> None:
        gate = Gate()
        worker.submit("a", gate, unexpected, unexpected, lambda: unexpected(ValueError()))
        assert gate.running.wait(TIMEOUT)
        worker.cancel("a")
        gate.open.set()
        assert worker.wait(TIMEOUT)

    def test_the_next_job_is_done(self, worker: Worker) -> None:
        told: list[str] = []
        worker.cancel("a")
        worker.submit("a", lambda check: "next", told.append, unexpected)
        assert worker.wait(TIMEOUT)
        assert told == ["next"]


def test_a_job_that_settles_waits_for_the_last_of_many() -> None:
    worker = Worker(pause=0.0, settle=0.1)
    told: list[Any] = []
    asked = 0.0
    for number in range(20):
        asked = time.monotonic()
        worker.submit("a", lambda check, number=number: (number, time.monotonic()), told.append, unexpected)  # type: ignore[misc]
    assert worker.wait(TIMEOUT)
    worker.close()
    # More than one only where this machine stood still between two of them.
    assert told[-1][0] == 19
    assert len(told) < 20
    assert told[-1][1] >= asked + 0.099


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

    @pytest.mark.parametrize("step", ["deliver", "finish"])
    def test_that_cannot_be_told_do_not_end_it_either(
        self, step: str, worker: Worker, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("no ink")

        steps = {"deliver": lambda _: None, "finish": lambda: None, step: broken}
        worker.submit("a", lambda check: None, steps["deliver"], broken, steps["finish"])
        assert worker.wait(TIMEOUT)
        assert "could not be told" in caplog.text
        told: list[str] = []
        worker.submit("a", lambda check: "next", told.append, unexpected)
        assert worker.wait(TIMEOUT)
        assert told == ["next"]

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
