"""Every layer of every model on one screen: names at once, numbers as they are read and compared."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from traitlets import Bool, Enum, Instance, TraitError, Tuple, Unicode, validate
from traitlets.utils.bunch import Bunch

from ..analysis.overview import Overview, overview
from ..analysis.passes import Check
from ..display import visible
from ..worker import Worker
from .comparisons import BEARABLE, Comparisons
from .findings import FindingsState
from .looks import (
    MEASURES,
    Changes,
    Glance,
    Measure,
    Outline,
    Relation,
    Sketch,
    badges_of,
    changes_of,
    look_at_outline,
    most_rows,
)
from .selection import Selection
from .settings import PaneState

__all__ = ["OverviewState"]

KEY = "overview"


class OverviewState(PaneState):
    """Settings and result of the overview.

    Attributes
    ----------
    measure : str
        The number that the cells are coloured by: ``"relative_change"``, ``"cosine"``, ``"std"``, ``"mean"``,
        ``"rms"``, ``"max_abs"``, ``"sparsity"`` or ``"non_finite"``; the first two only where there are other models.
    result : Glance or None
        What is known so far.
    progress : str
        How far it is, while anything is read or compared; ``""`` otherwise.
    stopped : bool
        Whether there is so much to read that it waits for `begin`.
    named : bool
        Whether the first rows are there, or are known not to come.
    notes : tuple of str
        What went wrong.
    """

    measure = Enum([measure.key for measure in MEASURES]).tag(kept=True)
    result = Instance(Glance, allow_none=True)
    progress = Unicode()
    stopped = Bool(False)
    named = Bool(False)
    notes = Tuple()

    def __init__(self, selection: Selection, comparisons: Comparisons, findings: FindingsState) -> None:
        super().__init__()
        # Names are there at once, whatever is being read.
        self.worker, self.reader = Worker(), Worker(pause=0.0)
        self._opened = opened = selection.opened
        self._selection, self._comparisons, self._findings = selection, comparisons, findings
        self.measures: tuple[Measure, ...] = tuple(
            measure for measure in MEASURES if len(opened) > 1 or not measure.between
        )
        self.measure = self.measures[0].key
        self.most_rows = most_rows(opened.values())
        self._begun = False
        self._left: set[str] = set()
        self._share = 0.0
        self._asking = RLock()
        self._seen: dict[str, Overview] = {}
        self._failed: dict[str, str] = {}
        # Why the last look failed; of one that did not, nothing.
        self._trouble = ""
        # The worker makes them anew only where what they are made of is another.
        self._outline: Outline | None = None
        self._changes: dict[str, tuple[Outline, Relation, Changes]] = {}
        self.observe(self._appear, "seen")
        selection.observe(self._look, "revision")
        comparisons.observe(self._look, ["reference", "relations", "problems"])
        comparisons.observe(self._tell, ["running", "progress"])
        findings.observe(self._look, "result")

    @validate("measure")
    def _is_offered(self, proposal: Bunch) -> str:
        if proposal.value not in [measure.key for measure in self.measures]:
            raise TraitError(f"of one model there is no {proposal.value!r}")
        return str(proposal.value)

    @property
    def awaited(self) -> bool:
        """Whether somebody looks, and there are no rows yet."""
        return self.seen > 0 and not self.named

    def begin_if_bearable(self) -> None:
        """Read all weights, unless there is so much to read that somebody should have asked for it."""
        if self._begun or sum(found.num_params for found in self._opened.values()) <= BEARABLE:
            self.begin()
        else:
            self.stopped = True

    def begin(self) -> None:
        """Read all weights in the background, those of Model A and B first, unless that is done or under way."""
        self._begun = True
        self.stopped = False
        if self.reader.closed or not self.seen:
            return
        with self._asking:
            for label in dict.fromkeys((self._selection.reference, self._selection.other, *self._opened)):
                if label not in self._left and label not in self._seen and label not in self._failed:
                    self._left.add(label)
                    self._read(label)
        self._tell()

    @property
    def chosen_measure(self) -> Measure:
        """What is behind `measure`."""
        return next(measure for measure in self.measures if measure.key == self.measure)

    def sketch(self, row: int) -> Sketch | None:
        """Histograms of the tensor in a row of the result; None where that has no such tensor."""
        return self.result.sketch(row) if self.result and self.result.outline.is_tensor(row) else None

    def choose(self, row: int, label: str = "") -> None:
        """Choose the tensor in a row of the result, and as Model B a model other than Model A."""
        result = self.result
        # Names that are about to be exchanged may not exist any more.
        if result is None or result.outline.views is not self._selection.aligned or not result.outline.is_tensor(row):
            return
        if label not in ("", self._selection.reference):
            self._selection.other = label
        self._selection.choose(*result.outline.addresses[row])

    def _appear(self, change: Bunch) -> None:
        """Go on where somebody looks, and end what nobody waits for."""
        if change.new and not change.old:
            self._look()
        elif not change.new:
            self.worker.cancel(KEY)
            for label in tuple(self._left):
                self.reader.cancel(label)
            self._left.clear()
            self._tell()

    def _read(self, label: str) -> None:
        def deliver(found: Overview) -> None:
            self._seen[label] = found
            self._done(label)

        def fail(error: Exception) -> None:
            self._failed[label] = str(error) or type(error).__name__
            self._note()
            self._done(label)

        def report(share: float) -> None:
            self._share = share
            self._tell()

        opened = self._opened[label]
        self.reader.submit(label, lambda check: overview(opened, check), deliver, fail, report=report)

    def _done(self, label: str) -> None:
        self._left.discard(label)
        self._share = 0.0
        self._tell()
        self._look()

    def _tell(self, _: object = None) -> None:
        if self._left:
            done = len(self._opened) - len(self._left)
            self.progress = f"reading {100 * (done + self._share) / len(self._opened):.0f} %"
        elif self._comparisons.running:
            self.progress = f"comparing {self._comparisons.progress}".rstrip()
        else:
            self.progress = ""

    def _look(self, _: object = None) -> None:
        """Put together what is known now."""
        if self.worker.closed or not self.seen:
            return
        if self._begun:
            self.begin()
        # Without an event loop several threads bring something: the last to ask must know what all have brought.
        with self._asking:
            self.worker.submit(KEY, self._compute_of_now(), self._deliver, self._fail)

    def _deliver(self, result: Glance) -> None:
        self._trouble = ""
        self._note()
        self.result = result
        self.named = True

    def _fail(self, error: Exception) -> None:
        self._trouble = str(error) or type(error).__name__
        self._note()
        self.named = True

    def _note(self) -> None:
        unread = [f"{visible(one)}: its weights cannot be read: {why}" for one, why in self._failed.items()]
        self.notes = (*unread, *([f"the overview could not be shown: {self._trouble}"] if self._trouble else []))

    def _compute_of_now(self) -> Callable[[Check], Glance]:
        views, comparisons = self._selection.aligned, self._comparisons
        reference, relations, apart = comparisons.reference, comparisons.relations, frozenset(comparisons.problems)
        seen, failed, found = dict(self._seen), frozenset(self._failed), self._findings.result

        def compute(check: Check) -> Glance:
            if self._outline is None or self._outline.views is not views:
                self._outline = look_at_outline(views, reference, check)
            outline = self._outline
            changes = {label: self._changes_of(label, relation) for label, relation in relations.items()}
            check()
            badges = badges_of(outline, found.found if found else (), self._findings.place_of)
            return Glance(outline, reference, seen, changes, failed, apart, badges)

        return compute

    def _changes_of(self, label: str, relation: Relation) -> Changes:
        """Called by the worker only."""
        assert self._outline is not None
        known = self._changes.get(label)
        if known is None or known[0] is not self._outline or known[1] is not relation:
            known = self._outline, relation, changes_of(self._outline, label, relation)
            self._changes[label] = known
        return known[2]
