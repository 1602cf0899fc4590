"""The other end of `probe.py`: starts it, asks it, watches its time and memory, and starts it anew if it dies."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import watch

HERE = Path(__file__).parent
TICK = 0.02


class Prober:
    """One probe process, used again and again.

    Parameters
    ----------
    home : pathlib.Path
        Made here: working directory, home and temporary folder of the probe, in which nothing may be written.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.payload = home / "payload"
        self.peak = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""
        for folder in (home, home / "work", home / "tmp", self.payload):
            folder.mkdir()
        # Whoever imports what a file names, or what lies in the working directory, leaves a mark.
        mark = f"open({str(home / 'work' / 'IMPORTED')!r}, 'w')\n"
        (self.payload / "hostile_payload.py").write_text(mark)
        for name in ("h5py", "numpy", "json", "struct"):
            (home / "work" / f"{name}.py").write_text(mark)

    def ask(self, request: dict[str, Any], seconds: float, count: int = 1) -> Iterator[dict[str, Any]]:
        """The answers; the last is ``{"died": …}`` if the probe crashed, or hung for longer than `seconds`."""
        process = self._running()
        assert process.stdin is not None
        before = watch.status(process.pid, "VmRSS")
        self.peak = 0
        for each in (process.pid, *watch.children(process.pid)):
            watch.forget_peak(each)
        process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        process.stdin.flush()
        for _ in range(count):
            line = self._line(process, time.monotonic() + seconds)
            if line is None:
                yield {"died": self.stop()}
                return
            answer = json.loads(line)
            answer["growth"] = max(0, self._measure(process) - before) >> 10
            answer["children"] = len([*watch.children(process.pid)])
            yield answer

    def stop(self) -> str:
        """End the probe, and say how it ended."""
        process, self._process = self._process, None
        if process is None:
            return "it was not running"
        # A process that crashed closes its pipe some time before it has ended.
        code = process.poll()
        if code is None and not self._open:
            code = process.wait(10)
        for child in watch.children(process.pid):
            os.kill(child, 9)
        process.kill()
        process.communicate()
        tail = (self.home / "stderr").read_text(errors="replace")[-600:]
        return f"it hung\n{tail}" if code is None else f"it crashed with code {code}\n{tail}"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._pending, self._open = b"", True
            path = os.pathsep.join(filter(None, (str(self.payload), os.environ.get("PYTHONPATH"))))
            with (self.home / "stderr").open("wb") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-B", str(HERE / "probe.py")],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=self.home / "work",
                    env={
                        **os.environ,
                        "HOME": str(self.home / "work"),
                        "TMPDIR": str(self.home / "tmp"),
                        "PYTHONPATH": path,
                        "PYTHONDONTWRITEBYTECODE": "1",
                    },
                )
        return self._process

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
        assert process.stdout is not None
        while b"\n" not in self._pending:
            self._measure(process)
            # Windows can wait for sockets alone: there a probe that hangs hangs the test.
            if os.name == "posix" and not select.select([process.stdout], [], [], TICK)[0]:
                if time.monotonic() > deadline:
                    return None
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                self._open = False
                return None
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _measure(self, process: subprocess.Popen[bytes]) -> int:
        """The largest sum, in KiB, of what the probe and its children ever held since it was asked."""
        family = (process.pid, *watch.children(process.pid))
        self.peak = max(self.peak, sum(watch.status(each, "VmHWM") for each in family))
        return self.peak
