"""What the user is told: `Status`, and `Telling`, who exchanges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from traitlets import Instance

from .observed import Observed
from .selection import Pick

__all__ = ["ZOOM", "ZOOMABLE", "Status", "Telling"]

# Under which a window is read anew, and the pane that it belongs to.
ZOOM, ZOOMABLE = "zoom", "heatmap"


@dataclass(frozen=True)
class Status:
    """What the user is told: what is shown, what is being read and how far that is, what went wrong.

    `asked` has the keys of what is being computed, and `notes` what went wrong with each.
    """

    shown: str = ""
    reading: str = ""
    progress: str = ""
    failures: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """Every sentence about what went wrong, each once."""
        return tuple(dict.fromkeys((*self.failures, *(note for notes in self.notes.values() for note in notes))))

    def problems_of(self, key: str) -> tuple[str, ...]:
        """What went wrong with one pane."""
        return self.notes.get(key, ()) + (self.notes.get(ZOOM, ()) if key == ZOOMABLE else ())

    def progress_of(self, key: str) -> str:
        """How far the result of one pane is; ``""`` before that takes a while."""
        return f"{self.reading} {self.progress}" if key in self.asked and self.progress.startswith(key) else ""


class Telling(Observed):
    """Who has a status."""

    status = Instance(Status, args=())

    def __init__(self, failures: tuple[str, ...]) -> None:
        super().__init__(status=Status(failures=failures))
        self._notes: dict[str, tuple[str, ...]] = {}
        self._asked: set[str] = set()

    def say(self, key: str, words: str = "", problem: str = "") -> None:
        """Tell in the status line what came of something that is no look, in the place of what it told before."""
        self.note(key, (problem,) if problem else ())
        if words:
            self._say(shown=words)

    def note(self, key: str, notes: tuple[str, ...]) -> None:
        """Tell in the status what went wrong."""
        if self._notes.get(key, ()) != notes:
            self._notes[key] = notes
            self._say()

    def _tell(self, key: str, pick: Pick, notes: tuple[str, ...]) -> None:
        self._notes[key] = notes
        self._say(shown=f"Showing {pick.address}")

    def _say(self, **changed: Any) -> None:
        self.status = replace(self.status, asked=frozenset(self._asked), notes=dict(self._notes), **changed)
