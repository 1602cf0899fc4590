"""Buttons that show and hide the panes that are not always there."""

from __future__ import annotations

import ipywidgets as widgets
from traitlets import link

from ..state import ExplorerState

__all__ = ["pane_toggles"]


def pane_toggles(state: ExplorerState) -> widgets.Box:
    buttons = {
        "parts": ("Parts", "A histogram for each gate, head, filter or unit"),
        "spectrum": ("Spectrum", "Singular values, ranks and norms, on request"),
    }
    toggles = []
    for name, (title, hint) in buttons.items():
        toggle = widgets.ToggleButton(description=title, tooltip=hint)
        toggle.add_class(f"ww-show-{name}")
        link((getattr(state, name), "shown"), (toggle, "value"))
        toggles.append(toggle)
    box = widgets.Box([widgets.Label("More"), *toggles])
    box.add_class("ww-row")
    box.add_class("ww-toggles")
    return box
