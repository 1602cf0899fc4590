"""What runs in the process that finds singular values: ``python -m weight_widgets.analysis.decomposition.child``.

It gets one matrix through its input, answers in frames, and ends when its input does.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...processes.child import answers, limit_process
from .exact import exact
from .randomized import randomized

# A decomposition of this size is timed to foretell the time of the whole.
TRIAL = 256
# Elements that are looked at together.
PIECE = 1 << 18


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    send = answers()
    request = json.loads(sys.stdin.buffer.readline())
    # OpenBLAS asks for its buffers once, and if they are refused it asks for ever.
    exact(np.eye(TRIAL))
    limit_process(request["memory"])
    try:
        matrix = _matrix(request)
        _end_with_the_parent()
        send({"values": _values(matrix, request, send)})
    except MemoryError:
        send({"error": "it needs more memory than it may have"})
    except (np.linalg.LinAlgError, ValueError, EOFError) as error:
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


def _values(matrix: np.ndarray, request: dict[str, Any], send: Callable[[Any], None]) -> dict[str, Any]:
    exponent = _scale(matrix)
    frobenius = sum(float(np.square(piece, dtype=np.float64).sum()) for piece in _pieces(matrix)) ** 0.5
    if request["rank"]:
        found, error = randomized(matrix, request["rank"], lambda done: send({"done": done}))
    else:
        send({"seconds": _foretold(matrix)})
        found, error = exact(matrix), 0.0
    values, outside, norm = (np.ldexp(number, exponent).tolist() for number in (found, error, frobenius))
    return {"values": values, "error": outside, "frobenius": norm}


def _scale(matrix: np.ndarray) -> int:
    """Divide by a power of two, so that products neither overflow nor vanish; the exponent of that power."""
    exponent = math.frexp(max(float(np.abs(piece).max()) for piece in _pieces(matrix)))[1]
    for piece in _pieces(matrix):
        np.ldexp(piece, -exponent, out=piece)
    return exponent


def _pieces(matrix: np.ndarray) -> Iterator[np.ndarray]:
    flat = matrix.reshape(-1)
    return (flat[begin : begin + PIECE] for begin in range(0, flat.size, PIECE))


def _foretold(matrix: np.ndarray) -> float:
    """Seconds that all of it will take, from a corner of it."""
    corner = matrix[:TRIAL, :TRIAL]
    return min(_seconds(corner) for _ in range(3)) * _work(matrix.shape) / max(_work(corner.shape), 1)


def _seconds(matrix: np.ndarray) -> float:
    started = time.perf_counter()
    exact(matrix)
    return time.perf_counter() - started


def _work(shape: tuple[int, ...]) -> float:
    return float(max(shape)) * min(shape) ** 2


def _end_with_the_parent() -> None:
    def watch() -> None:
        sys.stdin.buffer.read(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
