"""The menu that saves figures and tables: Python makes each file, and the page keeps it, or paints it for a path."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets

from ...errors import InputError
from ...state import ExplorerState
from ..bundles import bundle
from ..messages import MESSAGE_BYTES
from .exports import FORMATS, Export, Format, exports_of

__all__ = ["ExportMenu"]

# Seconds, with the kernel free, after which no page is taken to show the menu.
PATIENCE = 10.0
NO_PAGE = "{} is not written: no page that shows the explorer has painted it so far. An SVG needs no page."


@dataclass
class Painting:
    """A picture that pages paint for a path."""

    path: Path
    # Where that led when it was asked for: the notebook may change its folder.
    place: Path
    # In base64, by the view that paints: there may be several.
    pieces: dict[str, list[str]] = field(default_factory=dict)
    # Whether a page has said why it could not.
    failed: bool = False


class ExportMenu(anywidget.AnyWidget):
    """A leaf with a button whose menu lists what the panes in the page offer.

    Parameters
    ----------
    root : callable
        Gives the widget that holds the panes.
    state : ExplorerState
        Its status line tells what was saved.
    """

    _esm = bundle("export.js")
    _css = bundle("export.css")

    def __init__(self, root: Callable[[], widgets.Widget], state: ExplorerState) -> None:
        super().__init__()
        self._root, self._state = root, state
        self._tickets = itertools.count()
        self._paintings: dict[int, Painting] = {}
        self.on_msg(lambda _, content, buffers: self._hear(content))

    def export(self, name: str, path: Path) -> None:
        """Write what a pane shows; the path's suffix chooses the format. A PNG is written once a page has painted it.

        Raises
        ------
        InputError
            The suffix is none of the formats, or no pane in sight offers that.
        """
        format_ = next((each for each in FORMATS.values() if each.suffix == path.suffix.lower()), None)
        if format_ is None:
            known = ", ".join(each.suffix for each in FORMATS.values())
            raise InputError(f"{path.name} has none of the suffixes {known}, which choose the format.")
        data = self._find(name, format_).written(format_)
        if format_.painted:
            self._paint(data, path)
            return
        path.write_bytes(data)
        self._state.say("export", f"Saved {path}")

    def _find(self, name: str, format_: Format) -> Export:
        """What is called so and can be written so now."""
        offered = [each for each in exports_of(self._root()) if each.offers(format_)]
        found = next((each for each in offered if each.name == name), None)
        if found is None:
            names = ", ".join(each.name for each in offered) or "nothing"
            raise InputError(f"Nothing called {name!r} is shown that {format_.title} is for: there is {names}.")
        return found

    def _paint(self, svg: bytes, path: Path) -> None:
        """Ask the pages; they answer when the kernel is free."""
        # While a folder that does not exist can still be told to who asked.
        path.parent.resolve(strict=True)
        ticket = next(self._tickets)
        self._paintings[ticket] = Painting(path, path.absolute())
        self._deliver(svg, {"ticket": ticket, "view": "", "name": path.name, "painted": True})
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script: no page, and nobody to wait
            self._give_up(ticket)
            return
        # The clock starts when the cell has ended, for until then no answer is heard.
        loop.call_soon(lambda: loop.call_later(PATIENCE, self._give_up, ticket))

    def _give_up(self, ticket: int) -> None:
        """Tell that no page has answered. One may do so yet: answers wait behind all cells that were run at once."""
        painting = self._paintings.get(ticket)
        if painting is not None and not painting.failed:
            self._state.say("export", problem=NO_PAGE.format(painting.path))

    def _deliver(self, data: bytes, about: dict[str, Any]) -> None:
        """Send a file in pieces."""
        pieces = [data[start : start + MESSAGE_BYTES] for start in range(0, len(data), MESSAGE_BYTES)]
        for part, piece in enumerate(pieces):
            self.send({"do": "take", **about, "part": part, "parts": len(pieces)}, [piece])

    def _hear(self, content: dict[str, Any]) -> None:
        match content:
            case {"do": "list", "view": view}:
                self.send({"do": "list", "view": view, "formats": [*FORMATS], "offers": self._offers()})
            case {"do": "make", "view": view, "name": name, "format": title}:
                self._make(name, FORMATS[title], view)
            case {"do": "saved", "name": name}:
                self._state.say("export", f"Saved {name}")
            case {"do": "failed", "ticket": ticket, "name": name, "why": why}:
                # Another page may paint it still.
                if painting := self._paintings.get(ticket):
                    painting.failed = True
                self._state.say("export", problem=f"{name} could not be saved: {why}")
            case {"do": "painted", "ticket": ticket, "view": view, "piece": piece, "parts": parts}:
                self._keep(ticket, view, piece, parts)

    def _offers(self) -> list[dict[str, Any]]:
        found = []
        for each in exports_of(self._root()):
            titles = [title for title, format_ in FORMATS.items() if each.offers(format_)]
            if titles:
                found.append({"name": each.name, "formats": titles})
        return found

    def _make(self, name: str, format_: Format, view: str) -> None:
        try:
            export = self._find(name, format_)
            data = export.written(format_)
        # It would be lost where nobody looks.
        except Exception as error:
            self._state.say("export", problem=f"The {name} could not be saved: {error}")
            return
        about = {"name": export.file_name(format_), "mime": format_.mime, "painted": format_.painted}
        self._deliver(data, {"ticket": next(self._tickets), "view": view, **about})

    def _keep(self, ticket: int, view: str, piece: str, parts: int) -> None:
        """Gather what a page has painted; write it when it is all there, whichever page was first."""
        painting = self._paintings.get(ticket)
        if painting is None:
            return
        pieces = painting.pieces.setdefault(view, [])
        pieces.append(piece)
        if len(pieces) < parts:
            return
        del self._paintings[ticket]
        try:
            painting.place.write_bytes(base64.b64decode("".join(pieces)))
        except OSError as error:
            self._state.say("export", problem=f"{painting.path} could not be written: {error.strerror}")
        else:
            self._state.say("export", f"Saved {painting.path}")
