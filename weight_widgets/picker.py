"""`CheckpointPicker`: what `compare` shows when nobody has said what to compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import WeightWidgetsError
from .panes.files import files_pane
from .panes.shell import Shell
from .panes.shown import Shown, parts_of
from .state import FilesState

__all__ = ["CheckpointPicker"]

NO_WIDGETS = (
    "<p><b>weight-widgets</b> offers the model files of the notebook's folder here, once the cell is run where widgets "
    'can load. <code>ww.compare("a.h5", "b.h5")</code> needs no choice, and <code>ww.demo()</code> no files.</p>'
)


class CheckpointPicker(Shown):
    """Offers the model files under a folder; those that are picked are explored in its place.

    Parameters
    ----------
    folder : pathlib.Path
    compare, demo : callable
        Open files, and what comes with the package.

    Attributes
    ----------
    explorer : WeightExplorer or None
        Once files were picked.
    """

    def __init__(self, folder: Path, compare: Callable[..., Any], demo: Callable[[], Any]) -> None:
        self.explorer: Any = None
        self._state = FilesState(folder)
        pane = files_pane(
            self._state,
            lambda: self._open(lambda: compare(*(file.path for file in self._state.picked))),
            lambda: self._open(demo),
        )
        self._offer = [Shell(), pane]
        super().__init__(self._offer)
        self.add_class("weight-widgets")

    def _open(self, explore: Callable[[], Any]) -> None:
        try:
            explorer = explore()
        except WeightWidgetsError as error:
            self._state.problem = str(error)
            return
        self._state.problem = ""
        self.explorer = explorer
        self.children = [explorer]
        for part in parts_of(*self._offer):
            part.close()
        # The explorer brings its own.
        self.remove_class("weight-widgets")

    def picture(self) -> str:
        """What it is, or the explorer that has taken its place."""
        return NO_WIDGETS if self.explorer is None else str(self.explorer.picture())

    def close(self) -> None:
        """Remove it from the page, and the explorer with it."""
        if self.explorer is not None:
            self.explorer.close()
        super().close()
