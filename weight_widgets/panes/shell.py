"""The explorer's look, and the cure of JupyterLab's keyboard trap for its choosers."""

from __future__ import annotations

import anywidget

from .bundles import bundle

__all__ = ["Shell"]


class Shell(anywidget.AnyWidget):
    """A leaf without a face: it brings the style sheet, and lets arrow and letter keys reach the choosers.

    Without it JupyterLab's command mode takes the keys of a focused dropdown (jupyter-widgets/ipywidgets#3912).
    """

    _esm = bundle("shell.js")
    _css = bundle("shell.css")
