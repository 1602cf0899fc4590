"""The state of an explorer: the panes' settings, and the results that the worker brings for what is chosen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from traitlets.utils.bunch import Bunch

from ..analysis.alignment import Alignment
from ..analysis.passes import Check
from ..errors import InputError
from ..worker import Worker
from .aligned import Aligned, aligned
from .comparisons import Comparisons
from .findings import FindingsState
from .heatmap import HeatmapState
from .looks import (
    look_at_histograms,
    look_at_parts,
    look_at_pictures,
    look_at_scatter,
    look_at_table,
    look_closely,
)
from .overview import OverviewState
from .quiet import Quiet
from .selection import Pick, Selection
from .settings import (
    CompareState,
    FixedState,
    HistogramState,
    PaneState,
    PartsState,
    ScatterState,
    TableState,
)
from .spectrum import SpectrumState
from .status import ZOOM, ZOOMABLE, Telling

__all__ = ["ExplorerState"]

# By the pane that shows the result.
LOOKS: dict[str, Callable[..., Any]] = {
    "histogram": look_at_histograms,
    "heatmap": look_at_pictures,
    "parts": look_at_parts,
    "scatter": look_at_scatter,
    "table": look_at_table,
}
# Under which it is told what of a kept state is not here; no pane is called so.
RESTORED = "state"
# Seconds after which a pan or a zoom is taken to be at its end.
SETTLED = 0.06
CHOICES = ["checkpoints", "reference", "other", "layer", "tensor", "part", "revision"]
# Of these what not every pane depends on, and those that do.
DEPENDENT = {
    "checkpoints": ["histogram", "parts", "table"],
    "reference": ["histogram", "heatmap", "scatter"],
    "other": ["heatmap", "scatter"],
}


class ExplorerState(Telling):
    """The whole state behind the panes on a selection. They observe it; only it asks the worker."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection.failures)
        self.opened = selection.opened
        self.selection = selection
        self.comparisons = Comparisons(self.opened)
        self.findings = FindingsState(self.opened, selection)
        self.histogram = HistogramState()
        self.heatmap = HeatmapState()
        self.parts = PartsState()
        self.comparison = CompareState()
        self.scatter = ScatterState()
        self.spectrum = SpectrumState(self.selection)
        self.table = TableState()
        self.overview = OverviewState(selection, self.comparisons, self.findings)
        self.verdict = FixedState()
        self.line = FixedState()
        self._compared = self._searched = self._read = False
        self._views: dict[str, tuple[Alignment | None, Aligned]] = {}
        # The names are exchanged, and nobody chose anything.
        self._renaming = Quiet()
        # Panes are made or first told, and nothing of them is in the page yet.
        self.building = Quiet()
        self._worker = Worker()
        # A zoom does not wait until the other panes are done.
        self._near = Worker(pause=0.0, settle=SETTLED)
        # Before any pane is asked anew: another reference has other names.
        self.comparisons.observe(self._realign, "alignments")
        self.selection.observe(lambda change: self.comparisons.refer_to(change.new), "reference")
        self.selection.observe(lambda change: self._ask_for(change.name), CHOICES)
        self.selection.observe(self._forget_restored, CHOICES)
        self.selection.observe(lambda _: self.close(), "closed")
        # Before any pane is asked anew: other parts have other pages.
        self.selection.observe(lambda _: self.parts.set_trait("page", 0), ["layer", "tensor"])
        for pane in (self.histogram, self.table):
            self.selection.observe(lambda _, pane=pane: pane.set_trait("exact", False), ["layer", "tensor", "part"])
        for key in LOOKS:
            pane = self._pane(key)
            pane.observe(lambda _, key=key: self._ask(key), list(pane.asked_with))
        self.heatmap.observe(lambda _: self._look_closely(), ["result", "window"])
        self.heatmap.observe(self._tell_unfit, "unfit")
        for key in ("spectrum", "overview"):
            self._pane(key).observe(lambda change, key=key: self.note(key, change.new), "notes")
        self.overview.observe(self.begin_behind, "named")
        for key, each in self.panes.items():
            each.observe(lambda change, key=key: self._count(key, change), "seen")
        self.comparisons.refer_to(selection.reference)

    @classmethod
    def of(cls, selection: Selection) -> ExplorerState:
        """The one behind a selection, which owns it."""
        if selection.closed:
            raise InputError("this selection was closed: make another, ww.Selection(…).")
        if selection.explorer_state is None:
            selection.explorer_state = cls(selection)
        state = selection.explorer_state
        assert isinstance(state, cls)
        return state

    @property
    def panes(self) -> dict[str, PaneState]:
        """The state of each kind of pane."""
        return {key: pane for key, pane in vars(self).items() if isinstance(pane, PaneState)}

    def _count(self, key: str, change: Bunch) -> None:
        """Begin with what the first pane of its kind shows; end with what the last one showed."""
        if change.new and not change.old:
            if key in LOOKS:
                self._ask(key)
        elif not change.new and key in LOOKS:
            self._drop(key)
        if self.looked_at:
            self.begin_behind()
        else:
            self._rest()

    def begin_behind(self, _: object = None) -> None:
        """Ask for what is about no choice in particular, as far as somebody looks at it.

        Names and pictures come first: what runs beside them takes the interpreter from them.
        """
        if self.building or self.overview.awaited:
            return
        self.comparisons.align()
        if self._asked:
            return
        if not self._compared and (self.verdict.seen or self.comparison.seen or self.overview.seen):
            self._compared = True
            self.comparisons.begin_if_bearable()
        if not self._searched and (self.line.seen or self.findings.seen or self.overview.seen):
            self._searched = True
            self.findings.begin_if_quick()
        if not self._read and self.overview.seen:
            self._read = True
            self.overview.begin_if_bearable()

    @property
    def looked_at(self) -> bool:
        """Whether there is a pane that shows something of its own."""
        return any(pane.seen for pane in self.panes.values())

    def _drop(self, key: str) -> None:
        self._worker.cancel(key)
        self._finish(key)
        if key == ZOOMABLE:
            self._near.cancel(ZOOM)
            self._finish(ZOOM)

    def _rest(self) -> None:
        """Nobody looks: end what is going on, until somebody does."""
        self._compared = self._searched = self._read = False
        self.comparisons.rest()
        self.findings.cancel()
        self.spectrum.cancel()

    def _realign(self, _: object) -> None:
        """Look at the other models under the names of the reference."""
        known, present = self.comparisons.alignments, self.selection.aligned
        views = {label: self._view(label, known.get(label)) for label in self.opened}
        if any(view.names != present[label].names for label, view in views.items()):
            with self._renaming:
                self.selection.look_under(views)

    def _view(self, label: str, alignment: Alignment | None) -> Aligned:
        """The one of before where the alignment is: each of many models that arrives would make those of all anew."""
        if label not in self._views or self._views[label][0] is not alignment:
            self._views[label] = alignment, aligned(self.opened[label], alignment, label)
        return self._views[label][1]

    def result_of(self, key: str) -> Any:
        """What a pane shows of the present choice; None where it is not seen, or shows what was chosen before."""
        pane, pick = self._pane(key), self.selection.pick
        if not pane.seen or pane.result is None:
            return None
        regardless = {name: getattr(pick, name) for name, keys in DEPENDENT.items() if key not in keys}
        return pane.result if replace(pane.result.pick, **regardless) == pick else None

    def cancel(self) -> None:
        """Drop what is being computed. Panes keep what they have of the present choice, and nothing else."""
        pick = self.selection.pick
        asked, self._asked = self._asked, set()
        self._near.cancel(ZOOM)
        for key in asked - {ZOOM}:
            self._worker.cancel(key)
            pane = self._pane(key)
            if pane.result is not None and pane.result.pick != pick:
                pane.result = None
                self._notes.pop(key, None)
        if asked:
            self._say(shown=f"Cancelled: {pick.address}", reading="", progress="")

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until what is chosen is shown and compared; False when `timeout` seconds pass first."""
        end = time.monotonic() + timeout
        # What one delivers may be asked of another.
        while all(worker.wait(end - time.monotonic()) for worker in self._workers):
            if all(worker.idle for worker in self._workers):
                return True
        return False

    def wait_for_panes(self, timeout: float) -> bool:
        """Block until what is chosen is shown; False when `timeout` seconds pass first."""
        end = time.monotonic() + timeout
        return self._worker.wait(timeout) and self.overview.worker.wait(end - time.monotonic())

    @property
    def _workers(self) -> tuple[Worker, ...]:
        overview = self.overview
        others = self.comparisons.worker, self.findings.worker, overview.reader, overview.worker, self.spectrum.worker
        return self._worker, self._near, *others

    def close(self) -> None:
        """End the background work. The checkpoints may be the caller's, and stay open."""
        for worker in self._workers:
            worker.close()

    def _pane(self, key: str) -> Any:
        pane: PaneState = getattr(self, key)
        return pane

    def _ask_for(self, changed: str) -> None:
        for key in DEPENDENT.get(changed, list(LOOKS)):
            self._ask(key)

    def _ask(self, key: str) -> None:
        target = self._pane(key)
        if self._worker.closed or not target.seen:
            return
        pick = self.selection.pick
        look, opened = LOOKS[key], self.selection.aligned
        settings = {name: getattr(target, name) for name in target.asked_with}
        self._say(reading=f"Reading {pick.address} …")
        self._submit(
            self._worker,
            key,
            pick,
            lambda check: look(opened, pick, check, **settings),
            lambda result: target.set_trait("result", result),
        )

    def _look_closely(self) -> None:
        """Ask for what is in sight of the pictures, unless it is there."""
        pane = self.heatmap
        pictures, window, detail, opened = pane.result, pane.window, pane.closeup, self.selection.aligned
        if self._notes.pop(ZOOM, ()):
            self._say()
        if pictures is not None and window is not None and not window.lies_in(pictures.shape):
            # It is about those that come next.
            return
        if pictures is None or window is None or (detail is not None and detail.shows(window)):
            self._near.cancel(ZOOM)
            self._finish(ZOOM)
            if window is None and detail is not None:
                pane.detail = None
            return
        self._submit(
            self._near,
            ZOOM,
            pictures.pick,
            lambda check: look_closely(opened, pictures, window, check),
            lambda found: pane.set_trait("detail", found),
        )

    def _submit(
        self,
        worker: Worker,
        key: str,
        pick: Pick,
        compute: Callable[[Check], Any],
        show: Callable[[Any], None],
    ) -> None:
        """Ask a worker, and tell in the status line what comes of it."""

        def deliver(result: Any) -> None:
            show(result)
            self._tell(key, pick, result.notes if result is not None else ())

        def fail(error: Exception) -> None:
            why = str(error) or type(error).__name__
            self._tell(key, pick, (f"{pick.address}: the {key} could not be shown: {why}",))
            # What was shown before belongs to another choice. A pane that failed to draw may fail to clear as well.
            with contextlib.suppress(Exception):
                show(None)

        def report(share: float) -> None:
            self._say(reading=f"Reading {pick.address} …", progress=f"{key} {100 * share:.0f} %")

        self._asked.add(key)
        self._say()
        worker.submit(key, compute, deliver, fail, lambda: self._finish(key), report)

    def _finish(self, key: str) -> None:
        self._asked.discard(key)
        reading = self.status.reading if self._asked else ""
        self._say(reading=reading, progress="" if self.status.progress.startswith(key) else self.status.progress)
        self.begin_behind()

    def begin_soon(self) -> None:
        """The same once the cell that runs has ended, where there is one."""
        self.comparisons.worker.post(self.begin_behind)

    def _forget_restored(self, _: object) -> None:
        if not self._renaming:
            self.note(RESTORED, ())

    def _tell_unfit(self, change: Bunch) -> None:
        if change.new:
            self.note(RESTORED, (*self._notes.get(RESTORED, ()), f"not restored: {change.new}"))
