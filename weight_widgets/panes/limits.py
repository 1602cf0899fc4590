"""Where the colours of the pictures end: at the largest weight in sight, or where the user wants it."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
from traitlets.utils.bunch import Bunch

from ..state import HeatmapState, Quiet
from . import plain

__all__ = ["colour_settings"]

AUTO, FIXED = "auto", "fixed"


def colour_settings(state: HeatmapState) -> Sequence[widgets.Widget]:
    """A choice between both, and a field for the end; what is fixed holds for whatever is chosen next."""
    mode = plain.Dropdown(description="colours", options=[AUTO, FIXED], classes="ww-set-colours")
    end = plain.FloatText(description="±", classes="ww-set-limit")
    showing = Quiet()

    def show(_: object = None) -> None:
        with showing:
            mode.value = FIXED if state.limit else AUTO
            end.value = state.shown_limit
        plain.show(end, state.limit)

    def choose(change: Bunch) -> None:
        if not showing:
            state.limit = state.shown_limit if change.new == FIXED else None

    def take(change: Bunch) -> None:
        if showing:
            return
        if change.new > 0:
            state.limit = change.new
        else:
            show()

    mode.observe(choose, "value")
    end.observe(take, "value")
    state.observe(show, ["limit", "result", "detail"])
    show()
    return mode, end
