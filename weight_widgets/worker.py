"""One background thread for all computing: under each key the latest job wins."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .analysis.passes import Check

__all__ = ["Superseded", "Worker"]

# A browser draws a look in about a fifth of a second; sending faster would only pile up frames there.
PAUSE = 0.25
# Seconds from a job's submission to the first word on how far it is, and from there to the next.
PATIENCE, BETWEEN_REPORTS = 0.5, 0.2

logger = logging.getLogger(__name__)


class Superseded(Exception):
    """Raised inside a job that nobody waits for any more."""


@dataclass(frozen=True)
class Job:
    key: str
    number: int
    # On the clock of `time.monotonic`.
    asked: float
    compute: Callable[[Check], Any]
    deliver: Callable[[Any], None]
    fail: Callable[[Exception], None]
    finish: Callable[[], None]
    report: Callable[[float], None]


class Worker:
    """Runs jobs on one thread and delivers their results on the thread that owns the event loop.

    Where an event loop runs in the creating thread (every Jupyter kernel), results are delivered there, so that widgets
    are never touched from two threads. Without a loop (a plain script) they are delivered on the worker's thread.

    Parameters
    ----------
    pause : float
        Seconds that a key rests after something was delivered under it.
    settle : float
        Seconds that a job waits for a newer one in its place before it begins.
    """

    def __init__(self, pause: float = PAUSE, settle: float = 0.0) -> None:
        self._pause, self._settle = pause, settle
        self._owner = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._changed = threading.Condition()
        self._waiting: dict[str, Job] = {}
        self._latest: dict[str, int] = {}
        self._rest_until: dict[str, float] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._delivering = 0
        self._running: Job | None = None
        self._next_report = 0.0
        self._untold = False
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def idle(self) -> bool:
        """Whether everything asked for is delivered."""
        with self._changed:
            return self._is_idle()

    def submit(
        self,
        key: str,
        compute: Callable[[Check], Any],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
        finish: Callable[[], None] = lambda: None,
        report: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Ask for ``deliver(compute(check))`` in place of whatever was asked for under `key` before.

        Parameters
        ----------
        key : str
        compute : callable
            Returns a result, or is a generator of several, each in place of the one before. It calls ``check()``
            between its steps, which raises `Superseded` once the job is out of date; ``check(share)`` says how far it
            is.
        deliver, fail : callable
            Take each result; each exception of `compute` and of `deliver`.
        finish : callable
            Called when nothing more is to come.
        report : callable
            Takes the share of a job that lasts, a few times a second.
        """
        with self._changed:
            if self._closed:
                return
            number = self._latest.get(key, 0) + 1
            self._latest[key] = number
            self._waiting[key] = Job(key, number, time.monotonic(), compute, deliver, fail, finish, report)
            if self._thread is None:
                # No daemon: a thread that is cut off inside the HDF5 library at exit takes the interpreter with it.
                self._thread = threading.Thread(target=self._run, name="weight-widgets", daemon=False)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, key: str) -> None:
        """Nobody waits any more for what was asked for under `key`."""
        with self._changed:
            self._latest[key] = self._latest.get(key, 0) + 1
            self._waiting.pop(key, None)
            self._changed.notify_all()

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until everything asked for is delivered; False when `timeout` seconds pass first."""
        end = time.monotonic() + timeout
        while True:
            if self._loop is not None and threading.get_ident() == self._owner:
                self._drain()
            with self._changed:
                if self._is_idle():
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                if not self._inbox:
                    self._changed.wait(left)

    def _is_idle(self) -> bool:
        return not (self._waiting or self._running or self._inbox or self._delivering)

    def close(self) -> None:
        """Drop what is waiting and end the thread once its present step is done."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._inbox.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            posted = self._work(job)
            with self._changed:
                self._running = None
                if posted:
                    self._rest_until[job.key] = time.monotonic() + self._pause
                self._changed.notify_all()

    def _work(self, job: Job) -> bool:
        """Compute and post what comes of it; whether anything did."""
        posted = False
        self._next_report = job.asked + PATIENCE
        self._untold = False
        try:
            for result in _results(job.compute(partial(self._check, job))):
                self._post(job, partial(job.deliver, result))
                posted = True
        except Superseded:
            return posted
        except Exception as error:
            self._post(job, partial(job.fail, error))
        self._post(job, job.finish)
        return True

    def _next(self) -> Job | None:
        with self._changed:
            while self._waiting and not self._ended():
                now = time.monotonic()
                times = {key: self._time_for(job) for key, job in self._waiting.items()}
                ready = [key for key, time_for in times.items() if time_for <= now]
                if ready:
                    self._running = self._waiting.pop(ready[0])
                    return self._running
                self._changed.wait(min(times.values()) - now)
            # With nothing left to do it ends; the next job starts another.
            self._waiting.clear()
            self._thread = None
            self._changed.notify_all()
            return None

    def _time_for(self, job: Job) -> float:
        return max(job.asked + self._settle, self._rest_until.get(job.key, 0.0))

    def _ended(self) -> bool:
        return self._closed or not threading.main_thread().is_alive()

    def _check(self, job: Job, share: float | None = None) -> None:
        if self._ended() or self._latest[job.key] != job.number:
            raise Superseded
        now = time.monotonic()
        # While the loop has no time for the last report there is no use in another.
        if share is not None and now >= self._next_report and not self._untold:
            self._next_report = now + BETWEEN_REPORTS
            self._untold = True
            self._post(job, partial(self._report, job, share))

    def _report(self, job: Job, share: float) -> None:
        self._untold = False
        job.report(share)

    def _post(self, job: Job, call: Callable[[], None]) -> None:
        self.post(partial(self._arrive, job, call))

    def _arrive(self, job: Job, call: Callable[[], None]) -> None:
        try:
            self._check(job)
            call()
        except Superseded:
            pass
        except Exception as error:
            try:
                job.fail(error)
            except Exception:
                logger.exception("what went wrong under %r could not be told", job.key)

    def post(self, arrive: Callable[[], None]) -> None:
        """Call `arrive`, which must not raise, where results are delivered."""
        if self._loop is None:
            arrive()
            return
        with self._changed:
            self._inbox.append(arrive)
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop was closed: the kernel is going down
            self.close()

    def _drain(self) -> None:
        while True:
            with self._changed:
                if not self._inbox:
                    self._changed.notify_all()
                    return
                arrive = self._inbox.popleft()
                self._delivering += 1
            try:
                arrive()
            finally:
                with self._changed:
                    self._delivering -= 1


def _results(found: Any) -> Iterable[Any]:
    return found if isinstance(found, Generator) else (found,)
