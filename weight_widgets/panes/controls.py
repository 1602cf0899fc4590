"""Rows of small controls, as panes have them in their heading or below."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

__all__ = ["settings_row"]


def settings_row(controls: Sequence[widgets.Widget]) -> widgets.Box:
    row = widgets.Box(controls)
    for name in ("ww-row", "ww-settings"):
        row.add_class(name)
    return row
