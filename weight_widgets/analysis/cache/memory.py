"""A bounded number of bytes of values; those that were not asked for longest go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

__all__ = ["Memory"]


class Memory:
    """Values by key. Threads may share it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._values: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """None when there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: str, value: Any, nbytes: int) -> None:
        """Keep a value, unless it is larger than all of them may be together."""
        with self._lock:
            self._total -= self._values.pop(key, (None, 0))[1]
            self._values[key] = value, nbytes
            self._total += nbytes
            if nbytes > self.limit:
                self._values.move_to_end(key, last=False)
            while self._total > self.limit:
                self._total -= self._values.popitem(last=False)[1][1]

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._total = 0
