"""The same work on several parts at once. numpy lets go of the interpreter's lock, so threads are enough."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["THREADS", "each", "shares"]

Part = TypeVar("Part")
Result = TypeVar("Result")

# More would wait for the memory.
THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def each(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The results of `work` on each part, in order; the first error that occurs is raised when all have ended."""
    if len(parts) < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(len(parts), "weight-widgets pass") as pool:
        # By this thread too, which would only wait.
        others = [pool.submit(work, part) for part in parts[1:]]
        first = work(parts[0])
        return [first, *(other.result() for other in others)]


def shares(size: int, count: int = THREADS) -> list[range]:
    """`size` positions in at most `count` runs of about the same length, none of them empty."""
    count = max(1, min(count, size))
    ends = [size * number // count for number in range(count + 1)]
    return [range(*pair) for pair in itertools.pairwise(ends)]
