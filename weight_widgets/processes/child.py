"""What a child process allows itself, where the system can hold it to that; and how it answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

__all__ = ["answers", "limit_process", "renew_cpu_time"]


def limit_process(memory: int) -> None:
    """Allow `memory` bytes beyond what is in use now, and forbid writing files and memory dumps."""
    if resource is None:
        return
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        # Only Linux says how much address space is taken; macOS does not hold a process to such a limit anyway.
        return
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)


def renew_cpu_time(seconds: int) -> None:
    """Let the coming request use so much processor time, so that no orphan spins for ever."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, hard))


def answers() -> Callable[[Any], None]:
    """How to send a frame to the parent; nothing that a library prints gets between the frames from now on."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(2, 1)

    def send(answer: Any) -> None:
        data = json.dumps(answer).encode("ascii")
        out.write(len(data).to_bytes(4, "big") + data)
        out.flush()

    return send
