"""`make demo`: open a copy of examples/compare.ipynb in JupyterLab, so that saving it leaves the checkout as it is."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory

from lab_server import copy_notebook, free_port, serve

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "compare.ipynb"
FOLDER = ROOT / ".venv" / "demo"
FIRST_PORT = 8888


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, help=f"default: the first free one from {FIRST_PORT} on")
    wanted = parser.parse_args().port
    port = free_port(wanted or FIRST_PORT)
    if wanted and port != wanted:
        sys.exit(f"Port {wanted} is in use. Choose another: make demo PORT={port}")

    # A closed terminal or a polite kill must end the server too, just like Ctrl-C.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)

    keep_saved_copy()
    copy_notebook(NOTEBOOK, FOLDER)
    try:
        with TemporaryDirectory(prefix="weight-widgets-") as private, serve(FOLDER, Path(private), port) as server:
            url = server.address(f"lab/tree/{NOTEBOOK.name}")
            print(f"\n  {url}\n\n  In JupyterLab choose Run > Run All Cells. Ctrl-C here ends it.\n", flush=True)
            if has_screen():
                webbrowser.open(url)
            server.process.wait()
            sys.exit("JupyterLab has ended.")
    except KeyboardInterrupt:
        print()


def keep_saved_copy() -> None:
    """Every demo starts from the notebook as it is shipped; what was saved in the last one stays beside it."""
    last = FOLDER / NOTEBOOK.name
    if last.exists() and last.read_bytes() != NOTEBOOK.read_bytes():
        last.replace(last.with_stem(f"{last.stem}-saved"))


def has_screen() -> bool:
    # Without one, a text browser would take over the terminal.
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    main()
