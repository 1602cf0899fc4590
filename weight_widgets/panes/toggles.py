"""Panes that are not always there, and the buttons that show and hide them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as widgets
from traitlets import Unicode, dlink, link

from ..state import PaneState
from . import plain
from .pane import Pane

__all__ = ["Hideable", "Holding", "toggles"]


class Holding(plain.VBox):
    """A box with children that are in the page only now and then: bqplot cannot draw what has no place there.

    Attributes
    ----------
    held : tuple of Widget
        All of them; who closes the box closes these.
    """

    def __init__(self, held: Sequence[widgets.Widget] = ()) -> None:
        super().__init__()
        self.held = tuple(held)


class Hideable(plain.Box):
    """The place of a pane, which is built when it is first shown.

    A hidden one is not in the page: bqplot cannot draw into nothing.
    """

    title = Unicode()
    hint = Unicode()

    def __init__(self, state: PaneState, title: str, hint: str, build: Callable[[], Pane]) -> None:
        super().__init__(title=title, hint=hint, classes="ww-hideable")
        self.state = state
        self.pane: Pane | None = None
        self._build = build
        state.observe(self._appear, "shown")
        self._appear()

    @property
    def held(self) -> tuple[widgets.Widget, ...]:
        """The pane, once it is built."""
        return () if self.pane is None else (self.pane,)

    def _appear(self, _: object = None) -> None:
        if self.state.shown and self.pane is None:
            self.pane = self._build()
        # In this order: what is drawn at once needs its place.
        (self.remove_class if self.state.shown else self.add_class)("ww-hidden")
        self.children = [self.pane] if self.state.shown else []
        if self.pane is not None:
            self.pane.live = self.state.shown


def toggles(places: Sequence[Hideable]) -> widgets.Box:
    """A button for each of them."""
    buttons = []
    for place in places:
        button = plain.ToggleButton(
            tooltip=place.hint,
            description=_named(place.title, place.state.tally),
            value=place.state.shown,
            classes=f"ww-show-{place.title.lower()}",
        )
        link((place.state, "shown"), (button, "value"))
        dlink((place.state, "tally"), (button, "description"), partial(_named, place.title))
        buttons.append(button)
    return plain.Box([plain.Label("Panes"), *buttons], classes="ww-row ww-toggles")


def _named(title: str, tally: str) -> str:
    return f"{title} {tally}".rstrip()
