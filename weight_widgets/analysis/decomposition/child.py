"""What runs in the process that finds singular values: ``python -m weight_widgets.analysis.decomposition.child``.

It gets one matrix through its input, answers in frames, and ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, svdvals

from ...processes.child import answers, limit_process
from .randomized import randomized

# A decomposition of this size is timed to foretell the time of the whole.
TRIAL = 256


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = answers()
    request = json.loads(sys.stdin.buffer.readline())
    limit_process(request["memory"])
    try:
        matrix = _matrix(request)
        _end_with_the_parent()
        send({"values": _values(matrix, request, send)})
    except MemoryError:
        send({"error": "it needs more memory than it may have"})
    except (LinAlgError, ValueError, EOFError) as error:
        send({"error": str(error)[:300]})


def _matrix(request: dict[str, Any]) -> np.ndarray:
    """The matrix as it comes in; converted piece by piece, so that it is never there twice."""
    rows, columns = request["shape"]
    stored = np.dtype(request["dtype"])
    matrix = np.empty((rows, columns), request["working"])
    step = max(1, (4 << 20) // (columns * stored.itemsize))
    for top in range(0, rows, step):
        count = min(step, rows - top)
        data = sys.stdin.buffer.read(count * columns * stored.itemsize)
        if len(data) < count * columns * stored.itemsize:
            raise EOFError("the matrix was cut off")
        matrix[top : top + count] = np.frombuffer(data, stored).reshape(count, columns)
    return matrix


def _values(matrix: np.ndarray, request: dict[str, Any], send: Any) -> dict[str, Any]:
    frobenius = _frobenius(matrix)
    if request["rank"]:
        found, error = randomized(matrix, request["rank"], lambda done: send({"done": done}))
        return {"values": found.tolist(), "error": error, "frobenius": frobenius}
    send({"seconds": _foretold(matrix)})
    found = svdvals(matrix, overwrite_a=True, check_finite=False)
    return {"values": found.tolist(), "error": 0.0, "frobenius": frobenius}


def _frobenius(matrix: np.ndarray) -> float:
    """In units of the largest entry, so that squares neither overflow nor vanish."""
    largest = max((float(np.abs(row).max()) for row in matrix), default=0.0)
    if not largest:
        return 0.0
    return largest * sum(float(np.square(row / largest, dtype=np.float64).sum()) for row in matrix) ** 0.5


def _foretold(matrix: np.ndarray) -> float:
    """Seconds that all of it will take, from a corner of it."""
    corner = matrix[:TRIAL, :TRIAL].copy()
    started = time.perf_counter()
    svdvals(corner, check_finite=False)
    return (time.perf_counter() - started) * _work(matrix.shape) / max(_work(corner.shape), 1)


def _work(shape: tuple[int, ...]) -> float:
    return float(max(shape)) * min(shape) ** 2


def _end_with_the_parent() -> None:
    def watch() -> None:
        sys.stdin.buffer.read(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
