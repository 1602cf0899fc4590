"""The status line: what is shown, what is being read, and every error in words."""

from __future__ import annotations

import ipywidgets as widgets

from ..state import ExplorerState, Status
from .style import text

__all__ = ["status_line"]


def status_line(state: ExplorerState) -> widgets.HTML:
    line = widgets.HTML()
    line.add_class("ww-status")

    def draw(_: object = None) -> None:
        line.value = _html(state.status)

    state.observe(draw, "status")
    draw()
    return line


def _html(status: Status) -> str:
    now = text(status.reading or status.shown, 200)
    problems = "".join(f"<li>{text(problem, 600)}</li>" for problem in status.problems)
    return f'<div role="status">{now}</div>' + (f'<ul role="alert">{problems}</ul>' if problems else "")
