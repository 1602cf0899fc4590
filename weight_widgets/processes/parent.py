"""The parent's side of a child process: start it with our packages, and receive its answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["receive", "start"]

MAX_FRAME = 256 << 20


def start(module: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a Python that runs one of our modules, with pipes to its input and from its output.

    `subprocess`, for `multiprocessing` would import the user's script anew. Raises what `subprocess.Popen` does.
    """
    return subprocess.Popen(
        [sys.executable, "-B", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # A folder without modules: python -m would import from the notebook's own.
        cwd=sys.prefix,
        env=_environment(sys.path) | environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def receive(process: subprocess.Popen[bytes]) -> Any:
    """The next frame of the answer; `EOFError` when the process ended, or says what none of ours does."""
    length = int.from_bytes(_exactly(process, 4), "big")
    if length > MAX_FRAME:
        raise EOFError
    return json.loads(_exactly(process, length))


def _exactly(process: subprocess.Popen[bytes], count: int) -> bytes:
    assert process.stdout is not None
    data = process.stdout.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _environment(paths: Sequence[str]) -> dict[str, str]:
    """The environment of the child: it finds the same packages as we do."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path and os.path.isabs(path)),  # noqa: PTH117
        "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "ignore",
    }
