"""Rows of small controls, as panes have them in their heading or below."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from . import plain

__all__ = ["settings_row"]


def settings_row(controls: Sequence[widgets.Widget]) -> widgets.Box:
    return plain.Box(controls, classes="ww-row ww-settings")
