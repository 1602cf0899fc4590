"""An audit hook that writes down what reading a file must not do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = """
    os.system os.exec os.spawn os.fork os.forkpty pty.spawn os.startfile os.remove
    os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown os.utime os.putenv
    os.setxattr shutil.copyfile shutil.rmtree shutil.unpack_archive tempfile.mkstemp
    tempfile.mkdtemp socket.connect socket.bind socket.getaddrinfo socket.gethostbyname
    urllib.Request http.client.connect ftplib.connect smtplib.connect webbrowser.open ctypes.dlopen
    ctypes.dlsym mmap.__new__ sqlite3.connect pickle.find_class marshal.loads code.__new__
    function.__new__ exec compile cpython.run_command sys.settrace
"""
IMPORTING = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
# The copy and pickle modules look for org.python, which is Jython's.
OURS = {*sys.stdlib_module_names, "weight_widgets", "numpy", "h5py", "org"}


class Audit:
    """What happened while it was watching, one line an event. A hook cannot be removed: make one of these."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._watching = False
        self._forbidden = frozenset(FORBIDDEN.split())
        sys.addaudithook(self._hook)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        self.events = []
        self._watching = True
        try:
            yield self.events
        finally:
            self._watching = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._watching:
            return
        if event == "open":
            path, mode, flags = arguments
            # A number is a descriptor that is open already, as subprocess has for its pipes.
            if isinstance(flags, int) and flags & WRITING and not isinstance(path, int) and path != os.devnull:
                self._note(f"open {path!r} {mode!r} {flags:#o}")
        elif event == "import":
            if str(arguments[0]).partition(".")[0] not in OURS:
                self._note(f"import {arguments[0]}")
        elif event in ("subprocess.Popen", "os.posix_spawn"):
            if "weight_widgets" not in repr(arguments[1]):
                self._note(f"{event} {arguments[1]!r}")
        elif event in self._forbidden and not self._is_import(event):
            self._note(f"{event} {repr(arguments)[:200]}")

    def _note(self, line: str) -> None:
        if len(self.events) < 20:
            self.events.append(line)

    @staticmethod
    def _is_import(event: str) -> bool:
        """Importing one of our own modules loads its code, and numpy's headers are parsed, but not run, as Python."""
        frame = sys._getframe(2)
        names = set()
        while frame is not None:
            names.add(frame.f_code.co_filename)
            frame = frame.f_back  # type: ignore[assignment]
        parsing = event == "compile" and any(name.endswith("ast.py") or name == "<frozen ast>" for name in names)
        return parsing or any(name in IMPORTING for name in names)
