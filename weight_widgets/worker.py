"""One background thread for all computing: under each key the latest job wins."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Superseded", "Worker"]

# A browser draws a look in about a fifth of a second; sending faster would only pile up frames there.
PAUSE = 0.25


class Superseded(Exception):
    """Raised inside a job that nobody waits for any more."""


@dataclass(frozen=True)
class Job:
    key: str
    number: int
    compute: Callable[[Callable[[], None]], Any]
    deliver: Callable[[Any], None]
    fail: Callable[[Exception], None]


class Worker:
    """Runs jobs on one thread and delivers their results on the thread that owns the event loop.

    Where an event loop runs in the creating thread (every Jupyter kernel), results are delivered there, so that widgets
    are never touched from two threads. Without a loop (a plain script) they are delivered on the worker's thread.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
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
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def submit(
        self,
        key: str,
        compute: Callable[[Callable[[], None]], Any],
        deliver: Callable[[Any], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Ask for ``deliver(compute(check))`` in place of whatever was asked for under `key` before.

        `compute` calls ``check()`` between its steps; it raises `Superseded` once the job is out of date. An exception
        of `compute` or `deliver` goes to `fail`.
        """
        with self._changed:
            if self._closed:
                return
            number = self._latest.get(key, 0) + 1
            self._latest[key] = number
            self._waiting[key] = Job(key, number, compute, deliver, fail)
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
                if not (self._waiting or self._running or self._inbox or self._delivering):
                    return True
                left = end - time.monotonic()
                if left <= 0:
                    return False
                if not self._inbox:
                    self._changed.wait(left)

    def close(self) -> None:
        """Drop what is waiting and end the thread once its present step is done."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._inbox.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                result = job.compute(lambda job=job: self._check(job))  # type: ignore[misc]
            except Superseded:
                pass
            except Exception as error:
                self._post(job, lambda job=job, error=error: job.fail(error))  # type: ignore[misc]
            else:
                self._post(job, lambda job=job, result=result: job.deliver(result))  # type: ignore[misc]
            with self._changed:
                self._running = None
                self._rest_until[job.key] = time.monotonic() + self._pause
                self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while self._waiting and not self._ended():
                now = time.monotonic()
                ready = [key for key in self._waiting if self._rest_until.get(key, 0.0) <= now]
                if ready:
                    self._running = self._waiting.pop(ready[0])
                    return self._running
                self._changed.wait(min(self._rest_until[key] - now for key in self._waiting))
            # With nothing left to do it ends; the next job starts another.
            self._waiting.clear()
            self._thread = None
            self._changed.notify_all()
            return None

    def _ended(self) -> bool:
        return self._closed or not threading.main_thread().is_alive()

    def _check(self, job: Job) -> None:
        if self._ended() or self._latest[job.key] != job.number:
            raise Superseded

    def _post(self, job: Job, call: Callable[[], None]) -> None:
        def arrive() -> None:
            try:
                self._check(job)
                call()
            except Superseded:
                pass
            except Exception as error:
                job.fail(error)

        self.post(arrive)

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
