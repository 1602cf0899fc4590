"""What panes offer as files, found among the widgets of the page, and how each becomes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import ipywidgets as widgets

from ...display import visible
from ..sheet import Sheet
from .plates import Plate, to_svg
from .tables import to_csv, to_latex, to_markdown

__all__ = ["FORMATS", "Export", "Format", "exporting", "exports_of"]

Box = TypeVar("Box", bound=widgets.Box)
# What some file system or other gives a meaning to, or does not take.
RESERVED = re.compile(r'[\s/\\:*?"<>|]+')
MAX_STEM = 100


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Parameters
    ----------
    title, suffix : str
    mime : str
    write : callable
        From a plate or a sheet to text.
    of_figures : bool
        Whether it is for plates.
    painted : bool
        Whether the page makes pixels of that text.
    """

    title: str
    suffix: str
    mime: str
    write: Callable[[Any], str]
    of_figures: bool = False
    painted: bool = False


FORMATS: Mapping[str, Format] = {
    format_.title: format_
    for format_ in (
        Format("SVG", ".svg", "image/svg+xml", to_svg, of_figures=True),
        Format("PNG", ".png", "image/png", to_svg, of_figures=True, painted=True),
        Format("CSV", ".csv", "text/csv", to_csv),
        Format("Markdown", ".md", "text/markdown", to_markdown),
        Format("LaTeX", ".tex", "application/x-tex", to_latex),
    )
}


@dataclass(frozen=True)
class Export:
    """What a pane offers.

    Parameters
    ----------
    name : str
        One word, in lower case.
    about : callable
        What is shown, in words that a file can be called after.
    figure, table : callable, optional
        What is seen now; None while there is nothing.
    """

    name: str
    about: Callable[[], str]
    figure: Callable[[], Plate | None] = lambda: None
    table: Callable[[], Sheet | None] = lambda: None

    def offers(self, format_: Format) -> bool:
        """Whether there is something to write so now."""
        return self._seen(format_) is not None

    def written(self, format_: Format) -> bytes:
        """What is offered, as a file."""
        return format_.write(self._seen(format_)).encode()

    def _seen(self, format_: Format) -> Plate | Sheet | None:
        return self.figure() if format_.of_figures else self.table()

    def file_name(self, format_: Format) -> str:
        """Without a folder, and such as every system takes."""
        stem = RESERVED.sub(" ", f"{visible(self.about(), MAX_STEM)} {self.name}").strip(" .")
        return stem + format_.suffix


def exporting(box: Box, *exports: Export) -> Box:
    """The box, which offers these from now on."""
    box.exports = exports
    return box


def exports_of(widget: widgets.Widget) -> Iterator[Export]:
    """What the boxes offer that are in the page now, the widget's own first."""
    found: Sequence[Export] = getattr(widget, "exports", ())
    yield from found
    for child in getattr(widget, "children", ()):
        yield from exports_of(child)
