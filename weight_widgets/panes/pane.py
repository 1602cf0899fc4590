"""What all panes are: widgets on a selection, in an explorer or in a layout of the user's own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

import ipywidgets as widgets
from traitlets import Bool, observe
from traitlets.utils.bunch import Bunch

from ..state import ExplorerState, Selection, following
from . import plain
from .shell import Shell
from .shown import Shown
from .still import still
from .style import Models, alerts, models_by_label, text

__all__ = ["Pane", "Root"]

# Seconds that showing a pane or an explorer may wait for its first pictures.
FIRST_LOOK = 1.0
# And for verdicts beyond that, which no pane shows but everybody asks for.
FIRST_VERDICT = 0.3
MAX_SENTENCE = 600


class Root(Shown):
    """What a cell may end with: every host shows it, and closing it closes all that it holds."""

    _observed: ExitStack | None = None

    def __init__(self, selection: Selection) -> None:
        self._state = ExplorerState.of(selection)
        with following() as self._observed, self._state.building:
            children = self.build(self._state, models_by_label(selection.opened))
        super().__init__(children)
        self._state.begin_behind()

    def build(self, state: ExplorerState, models: Models) -> list[widgets.Widget]:
        """Make its widgets, and let them follow the state."""
        raise NotImplementedError

    def close(self) -> None:
        """Remove it from the page, with all that it holds; what nobody looks at any more is computed no longer."""
        if self._observed is None:
            # It could not even be made.
            super().close()
            return
        self._observed.close()
        # Its panes go one by one, and none of them makes room for what would have come behind it.
        with self._state.building:
            super().close()
        if self._state.looked_at:
            self._state.begin_behind()

    def picture(self) -> str:
        """What its panes show as HTML, and how the models are related as far as that is known by now."""
        state = self._state
        try:
            # The page shows nothing before this is told, so that what runs beside it would keep names waiting too.
            with state.building:
                # Small files are read by then: the page gets pictures at once, and a notebook that is only saved too.
                state.wait_for_panes(FIRST_LOOK)
            # Of models so large that they are aligned in the background there is no verdict so soon.
            if state.comparisons.aligned:
                state.begin_behind()
                state.comparisons.worker.wait(FIRST_VERDICT)
        finally:
            # Whoever interrupts the cell sees the explorer all the same.
            state.begin_soon()
        return still(state, models_by_label(state.opened))


class Pane(Root):
    """A pane on a selection. All panes on one selection follow it, and share their settings.

    Parameters
    ----------
    selection : Selection
        One of its own, or that of an explorer.
    alone : bool
        Whether it brings the style sheet, and lets keys reach its controls; in a box that does it need not.

    Attributes
    ----------
    live : bool
        Nothing is computed for a pane that is not: it is hidden, or closed.
    """

    # The pane's state, as an attribute of the explorer's; "" for a pane that has none.
    key: ClassVar[str] = ""
    # Whether what it shows takes a while, which it tells of where no status line does.
    waits: ClassVar[bool] = True
    live = Bool(False)

    def __init__(self, selection: Selection, *, alone: bool = True) -> None:
        self._alone = alone
        super().__init__(selection)
        if alone:
            self.add_class("weight-widgets")

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        """Make its widgets, and let them follow the state."""
        raise NotImplementedError

    def build(self, state: ExplorerState, models: Models) -> list[widgets.Widget]:
        """Its widgets, with what an explorer has for all of its panes."""
        drawn = self.draw(state, models)
        # Where no event loop runs, what comes is drawn by the worker's thread, and must find all widgets there.
        self.live = True
        if not self._alone:
            return [drawn]
        return [Shell(), drawn, *([_own_line(state, self.key)] if self.waits else [])]

    @observe("live")
    def _count(self, change: Bunch) -> None:
        if self.key:
            getattr(self._state, self.key).seen += 1 if change.new else -1

    def close(self) -> None:
        """Remove the pane; what no other one shows is computed no longer."""
        self.live = False
        super().close()


def _own_line(state: ExplorerState, key: str) -> widgets.HTML:
    """How far the pane is, where that takes long, and what went wrong with it."""
    line = plain.HTML(classes="ww-own-line")

    def tell(_: object = None) -> None:
        status = state.status
        line.value = text(status.progress_of(key), 200) + alerts(status.problems_of(key), MAX_SENTENCE)

    state.observe(tell, "status")
    tell()
    return line
