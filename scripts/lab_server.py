"""A private Jupyter server: settings, workspaces and caches of its own, so nothing of the user's leaks in or out."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 90
STOP_SECONDS = 10

# The module that is run, and how it lets tests drive the page.
LAB = ("jupyterlab", "--LabApp.expose_app_in_browser=True")
NOTEBOOK = ("notebook", "--JupyterNotebookApp.expose_app_in_browser=True")

SETTINGS: dict[str, dict[str, object]] = {
    # No question about news on the first start, and no look-ups on the network.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells out of sight keep their widgets, and the page ends where the notebook does.
    "notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
    # A widget that was saved without its state shows an error at the next start.
    "docmanager-extension/plugin": {"autosave": False},
}


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    root: Path
    private: Path
    port: int
    token: str

    def address(self, path: str, query: str = "") -> str:
        return f"http://localhost:{self.port}/{path}?{query}{'&' if query else ''}token={self.token}"


@contextmanager
def serve(
    root: Path, private: Path, port: int, application: Sequence[str] = LAB, python: str | Path = sys.executable
) -> Iterator[Server]:
    """Serve the files in `root` until the block ends; what Jupyter keeps for itself goes into `private`."""
    environment = _environment(private)
    token = secrets.token_hex(24)
    command = [str(python), "-m", *application, "--no-browser"]
    command += [f"--ServerApp.root_dir={root}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")

    log = private / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            env={**environment, "JUPYTER_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches us alone; we stop the server, and the server its kernels.
            start_new_session=True,
        )
        try:
            server = Server(process, root, private, port, token)
            _await_answer(server, log)
            yield server
        finally:
            _stop(process)


def free_port(first: int = 0) -> int:
    """Return a port that nobody listens on: any for 0, else the next from `first` on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError(f"no free port in {first}…{first + 99}")


def copy_notebook(notebook: Path, root: Path) -> Path:
    """Copy a notebook into `root` and link the folders beside it, so that its relative paths hold there."""
    root.mkdir(parents=True, exist_ok=True)
    for folder in notebook.resolve().parent.iterdir():
        link = root / folder.name
        if folder.is_dir() and not folder.name.startswith((".", "__")):
            link.unlink(missing_ok=True)
            link.symlink_to(folder, target_is_directory=True)
    return Path(shutil.copyfile(notebook, root / notebook.name))


def _environment(private: Path) -> dict[str, str]:
    settings = private / "settings"
    for name, values in SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")

    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    # The kernel must import what is installed, whatever the shell says.
    environment.pop("PYTHONPATH", None)
    return environment | {
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
        "IPYTHONDIR": str(private / "ipython"),
        "XDG_CACHE_HOME": str(private / "cache"),
    }


def _await_answer(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(server.address("api/status"), timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    raise RuntimeError(f"Jupyter did not start on port {server.port}:\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
