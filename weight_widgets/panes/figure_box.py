"""The place of a figure, and what it shows in words."""

from __future__ import annotations

from collections.abc import Sequence

import bqplot
import ipywidgets as widgets

from . import plain
from .style import text

__all__ = ["FigureBox"]

# Eight models take a sentence each.
LONGEST = 1600


class FigureBox(widgets.VBox):
    """A figure that is in the page only while there is something to draw: bqplot cannot draw into nothing.

    Its place stays as high as it was, so that nothing below jumps.

    Attributes
    ----------
    figure : bqplot.Figure
    held : tuple of Widget
        All that it holds, with the scales that the figure stands on only now and then; who closes the box closes these.
    """

    def __init__(self, figure: bqplot.Figure, drawn: bool = True, scales: Sequence[bqplot.Scale] = ()) -> None:
        self.figure = figure
        self._words = plain.HTML(classes="ww-summary")
        self._content = [figure, self._words]
        self.held = (*self._content, *scales)
        super().__init__(self._content if drawn else [])
        figure.layout.observe(lambda _: self._keep_room() if self.drawn else None, "height")

    @property
    def drawn(self) -> bool:
        return bool(self.children)

    @drawn.setter
    def drawn(self, drawn: bool) -> None:
        if drawn == self.drawn:
            return
        # Kept until the page has drawn it, and after it was taken away.
        self._keep_room()
        self.children = self._content if drawn else []

    def _keep_room(self) -> None:
        # Hosts put a margin around every widget.
        self.layout.min_height = f"calc({self.figure.layout.height} + 2 * var(--jp-widgets-margin, 2px))"

    def describe(self, words: str) -> None:
        """Say what the figure shows, in plain text: the page makes it the figure's name."""
        self._words.value = text(words, LONGEST)
