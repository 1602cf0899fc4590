"""The spectra of what is picked, found on request by a worker of its own."""

from __future__ import annotations

from traitlets import Bool, Instance, Tuple, Unicode

from ..worker import Worker
from .looks import Spectra, look_at_spectra
from .selection import Pick, Selection
from .settings import PaneState

__all__ = ["SpectrumState"]

KEY = "spectrum"


class SpectrumState(PaneState):
    """Result of the spectrum pane, which is computed on request only, for it may take minutes.

    Attributes
    ----------
    progress : str
        How far it is, while it runs; ``""`` otherwise.
    result : Spectra or None
    notes : tuple of str
        What went wrong.
    """

    shown = Bool(False).tag(kept=True)
    progress = Unicode()
    result = Instance(Spectra, allow_none=True)
    notes = Tuple()

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self.worker = Worker(pause=0.0)
        self._selection = selection
        selection.observe(self._forget, ["checkpoints", "layer", "tensor", "part", "revision"])

    def begin(self) -> None:
        """Find the spectra of what is picked, in the background."""
        pick, opened = self._selection.pick, self._selection.aligned

        def report(how_far: str) -> None:
            self.worker.post(lambda: self._report(pick, how_far))

        def deliver(result: Spectra) -> None:
            self.progress = ""
            self.result = result
            self.notes = result.notes

        def fail(error: Exception) -> None:
            self.progress = ""
            self.notes = (f"{pick.address}: the spectrum could not be shown: {str(error) or type(error).__name__}",)

        self.result = None
        self.progress = "starting"
        self.worker.submit(KEY, lambda check: look_at_spectra(opened, pick, check, report), deliver, fail)

    def cancel(self) -> None:
        """End the work at once."""
        self.worker.cancel(KEY)
        self.progress = ""

    def _report(self, pick: Pick, how_far: str) -> None:
        # What was posted before the end may come after it.
        if self.progress and pick == self._selection.pick:
            self.progress = how_far

    def _forget(self, _: object) -> None:
        self.cancel()
        self.result = None
        self.notes = ()
