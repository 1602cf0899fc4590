"""The child processes that list HDF5 files for us: started when first needed, used again, killed when they hang.

`subprocess` and two pipes, for `multiprocessing` would import the user's script anew, and shared memory is missing in
small containers.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ...errors import DamagedFileError, WeightWidgetsError
from ...processes.parent import receive, start

__all__ = ["ask", "stop"]

# A file of a thousand layers takes a fifth of a second. Time grows with what comes in, up to a last limit.
SECONDS, ITEMS_PER_SECOND, MAX_SECONDS = 8.0, 8_000, 60.0
# Importing numpy and h5py takes a fifth of a second, and much longer from a cold network disk.
START_SECONDS = 40.0
# Two files at a time: the child of one works while we build the tree of the other.
PROCESSES = 2
CHILD = f"{__package__}.child"


class _Service:
    """One process, which one request at a time talks to."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def running(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self.process = _start()
            deadline = _Deadline(self.process, START_SECONDS)
            try:
                receive(self.process)
            except BaseException as error:
                self.stop()
                if isinstance(error, EOFError):
                    raise _not_started("it ended at once") from None
                raise
            finally:
                deadline.cancel()
        return self.process

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


class _Deadline:
    """Kills the process when its time is up; what it has brought earns it more."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._items = 0
        self._process = process
        self._started = time.monotonic()
        self._done = threading.Event()
        threading.Thread(target=self._watch, name="weight-widgets deadline", daemon=True).start()

    def brought(self, items: int) -> None:
        self._items += items
        self.seconds = min(SECONDS + self._items / ITEMS_PER_SECOND, MAX_SECONDS)

    def cancel(self) -> None:
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(max(0.0, self._left())):
            if self._left() <= 0:
                self.passed = True
                self._process.kill()
                return

    def _left(self) -> float:
        return self._started + self.seconds - time.monotonic()


def _idle_services() -> queue.LifoQueue[_Service]:
    # The one that was used last is taken first, so that a second process is started for threads only.
    idle: queue.LifoQueue[_Service] = queue.LifoQueue()
    for _ in range(PROCESSES):
        idle.put(_Service())
    return idle


_idle = _idle_services()


def ask(request: dict[str, Any], take: Callable[[Any], None]) -> None:
    """Send a request and hand each frame of the answer to `take`.

    Raises
    ------
    DamagedFileError
        The library refused the file, crashed on it, or took too long; the next request finds a new process.
    """
    idle = _idle
    service = idle.get()
    try:
        if refusal := _converse(service, request, take):
            raise DamagedFileError(f"{request['path']}: {refusal}")
    finally:
        idle.put(service)


def stop() -> None:
    """End the processes; the next request starts another."""
    services = [_idle.get() for _ in range(PROCESSES)]
    for service in services:
        service.stop()
        _idle.put(service)


def _converse(service: _Service, request: dict[str, Any], take: Callable[[Any], None]) -> str:
    """Why the request was not answered; ``""`` when it was."""
    process = service.running()
    deadline = _Deadline(process, SECONDS)
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        process.stdin.flush()
        while True:
            answer = receive(process)
            if "done" in answer:
                return ""
            if "error" in answer:
                return (
                    f"the HDF5 data cannot be read ({answer['error']}). The file may be cut off; copy or save it again."
                )
            deadline.brought(len(answer.get("items", ())))
            take(answer)
    except (EOFError, BrokenPipeError):
        service.stop()
        return _ending(process, deadline)
    except BaseException:
        # Whatever is left in the pipe would be taken for the answer to the next request.
        service.stop()
        raise
    finally:
        deadline.cancel()


def _ending(process: subprocess.Popen[bytes], deadline: _Deadline) -> str:
    if deadline.passed:
        return (
            f"listing its HDF5 data took longer than {deadline.seconds:.0f} seconds and was stopped. "
            "The file may be damaged; save it again."
        )
    return (
        f"the process that lists HDF5 data ended while it read the file (code {process.returncode}). "
        "If that happens again the file is damaged; save it again."
    )


def _start() -> subprocess.Popen[bytes]:
    try:
        return start(CHILD, OPENBLAS_NUM_THREADS="1", HDF5_PLUGIN_PRELOAD="::")
    except (OSError, TypeError) as error:
        raise _not_started(error) from error


def _not_started(reason: object) -> WeightWidgetsError:
    return WeightWidgetsError(
        f"The process that lists HDF5 files cannot be started: {reason}. "
        f"It is {sys.executable!r} -m {CHILD}, and needs numpy and h5py."
    )


def _forget() -> None:
    """In a forked copy of this process: the children belong to the one that started them."""
    global _idle
    _idle = _idle_services()


atexit.register(stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
