"""The explorer's look, and the cure of JupyterLab's keyboard trap for its choosers."""

from __future__ import annotations

from pathlib import Path

import anywidget

__all__ = ["Shell"]

STATIC = Path(__file__).parent.parent / "static"


class Shell(anywidget.AnyWidget):
    """A leaf without a face: it brings the style sheet, and lets arrow and letter keys reach the choosers.

    Without it JupyterLab's command mode takes the keys of a focused dropdown (jupyter-widgets/ipywidgets#3912).
    """

    _esm = STATIC / "shell.js"
    _css = STATIC / "shell.css"
