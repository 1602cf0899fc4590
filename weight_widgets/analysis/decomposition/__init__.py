"""Singular values, found in a process of its own: a decomposition cannot be interrupted, a process can be killed."""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InputError, WeightWidgetsError
from ...processes.parent import receive, start
from .exact import LONG
from .randomized import OVERSAMPLING

__all__ = ["EXACT_WORK", "MAX_BYTES", "RANK", "SingularValues", "plan", "singular_values"]

CHILD = f"{__package__}.child"

# All singular values are found up to the work of a matrix of 4096 × 4096: max(rows, columns) × min(rows, columns)².
EXACT_WORK = 4096**3
# Beyond it so many of the largest are,
RANK = 256
# unless that is more work than finding them all: a basis for them costs this many passes of its size.
NARROW = 4 * (RANK + OVERSAMPLING)
# What the child may take: a copy of the matrix to work on, what a decomposition needs beside it, and libraries.
MAX_BYTES = 4 << 30
ROOM = 512 << 20
# How often whoever asked can stop it.
POLL_SECONDS = 0.1
PIECE = 4 << 20


@dataclass(frozen=True)
class SingularValues:
    """Falling; `error` is 0 where they are exact and all there are, else as in `randomized`."""

    values: np.ndarray
    error: float
    frobenius: float
    method: str


def singular_values(
    matrix: np.ndarray,
    check: Callable[[], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> SingularValues:
    """The singular values of a matrix of finite numbers.

    Parameters
    ----------
    matrix : numpy.ndarray
        Shape (rows, columns), neither of them 0.
    check : callable, optional
        Called ten times a second; whatever it raises ends the work at once.
    progress : callable, optional
        Told in words how far it is.

    Raises
    ------
    InputError
        The work would need more than 4 GiB of memory.
    WeightWidgetsError
        The process could not be started, or ended early.
    """
    request = plan(matrix.shape, matrix.dtype)
    answer = _Child(request, matrix).answer(check, progress)
    found = np.array(answer["values"], np.float64)
    method = "randomized" if request["rank"] else "exact"
    return SingularValues(found, answer["error"], answer["frobenius"], method)


def plan(shape: tuple[int, ...], dtype: np.dtype) -> dict[str, Any]:
    """How the singular values of such a matrix are found; an `InputError` where that would take too much memory."""
    long, narrow = max(shape), min(shape)
    exact = long * narrow**2 <= EXACT_WORK or narrow <= NARROW
    stored = dtype if dtype.kind == "f" else np.dtype(np.float64)
    # Half the memory, and products that are exact to far more digits than the method.
    pieces = not exact or long >= LONG * narrow
    working = np.dtype(np.float32) if pieces and stored.itemsize <= 4 else np.dtype(np.float64)
    if not exact:
        beside = 6 * (RANK + OVERSAMPLING) * sum(shape) * 8
    elif pieces:
        beside = 4 * (LONG + 1) * narrow**2 * 8
    else:
        beside = math.prod(shape) * working.itemsize
    memory = math.prod(shape) * working.itemsize + beside + ROOM
    if memory > MAX_BYTES:
        raise InputError(
            f"A spectrum of {shape[0]} × {shape[1]} needs {memory >> 20} MiB, and at most {MAX_BYTES >> 20} MiB are "
            "used. Choose a part of the tensor."
        )
    return {
        "shape": shape,
        "dtype": stored.str,
        "working": working.str,
        "rank": 0 if exact else RANK,
        "memory": memory,
    }


class _Child:
    """One process for one matrix. A thread talks to it, so that this one can look whether it is still wanted."""

    def __init__(self, request: dict[str, Any], matrix: np.ndarray) -> None:
        try:
            self._process = start(CHILD)
        except (OSError, TypeError) as error:
            raise WeightWidgetsError(f"The process for spectra cannot be started: {error}.") from error
        self._request, self._matrix = request, matrix
        self._frames: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._talk, name="weight-widgets spectrum", daemon=True)

    def answer(self, check: Callable[[], None] | None, progress: Callable[[str], None] | None) -> dict[str, Any]:
        started = time.monotonic()
        foretold = 0.0
        self._thread.start()
        try:
            while True:
                if check is not None:
                    check()
                try:
                    frame = self._frames.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    if progress is not None and foretold:
                        progress(_elapsed(time.monotonic() - started, foretold))
                    continue
                if frame is None:
                    raise WeightWidgetsError(f"The process for spectra ended early (code {self._process.wait()}).")
                if "error" in frame:
                    raise WeightWidgetsError(f"The singular values cannot be found: {frame['error']}.")
                if "values" in frame:
                    values: dict[str, Any] = frame["values"]
                    return values
                foretold = frame.get("seconds", foretold)
                if progress is not None and "done" in frame:
                    progress(f"{100 * frame['done']:.0f} %")
        finally:
            self._end()

    def _talk(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(self._request).encode("ascii") + b"\n")
            dtype = np.dtype(self._request["dtype"])
            step = max(1, PIECE // (self._matrix.shape[1] * dtype.itemsize))
            for top in range(0, self._matrix.shape[0], step):
                self._process.stdin.write(np.ascontiguousarray(self._matrix[top : top + step], dtype).tobytes())
            self._process.stdin.flush()
            while True:
                frame = receive(self._process)
                self._frames.put(frame)
                if "values" in frame or "error" in frame:
                    return
        except (OSError, ValueError, EOFError):
            self._frames.put(None)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:  # what was not written yet has nowhere to go
        return


def _elapsed(seconds: float, foretold: float) -> str:
    return f"{seconds:.0f} s of about {max(foretold, seconds):.0f} s"
