"""How far a computation is that takes long, with a button to start it and one to end it."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from ..state import FindingsState, SpectrumState
from . import plain
from .controls import settings_row
from .style import text

__all__ = ["run_controls"]


def run_controls(
    state: SpectrumState | FindingsState, begin: Callable[[], None], cancel: Callable[[], None], title: str, hint: str
) -> widgets.Box:
    """They follow the state's `progress`; what has its result need not be started."""
    progress = plain.HTML()
    start = plain.Button(description=title, tooltip=hint)
    end = plain.Button(description="Cancel", tooltip="End the computation")
    start.on_click(lambda _: begin())
    end.on_click(lambda _: cancel())

    def follow(_: object = None) -> None:
        running = bool(state.progress)
        plain.show(start, not (running or state.result is not None))
        plain.show(end, running)
        progress.value = text(state.progress, 120)

    state.observe(follow, ["progress", "result"])
    follow()
    return settings_row([progress, start, end])
