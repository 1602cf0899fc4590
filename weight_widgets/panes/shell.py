"""The explorer's look and hints, and the cure of JupyterLab's keyboard trap for its choosers."""

from __future__ import annotations

import anywidget
import traitlets

from .bundles import bundle
from .hints import HINTS

__all__ = ["Shell"]


class Shell(anywidget.AnyWidget):
    """A leaf without a face: it brings the style sheet and hints, and lets arrow and letter keys reach the choosers.

    Without it JupyterLab's command mode takes the keys of a focused dropdown (jupyter-widgets/ipywidgets#3912).
    """

    _esm = bundle("shell.js")
    _css = bundle("shell.css")
    hints = traitlets.Dict(HINTS).tag(sync=True)
