"""What the child process allows itself, where the system can hold it to that: no more memory, no files written."""

from __future__ import annotations

from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

__all__ = ["limit_process", "renew_cpu_time"]

MEMORY = 384 << 20
CPU_SECONDS = 70


def limit_process() -> None:
    """Bound the memory beyond what is in use now, and forbid writing files and memory dumps."""
    if resource is None:
        return
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        # Only Linux says how much address space is taken; macOS does not hold a process to such a limit anyway.
        return
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY)


def renew_cpu_time() -> None:
    """Let the coming request use so much processor time, so that no orphan spins for ever."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + CPU_SECONDS)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, hard))
