"""How the other models are related to the reference: aligned and compared by a worker of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from traitlets import Bool, Dict, Unicode

from ..analysis.alignment import Alignment, align
from ..analysis.passes import Check
from ..display import visible
from ..errors import InputError, WeightWidgetsError
from ..reading.checkpoint import Checkpoint
from ..worker import Worker
from .looks import Relation, look_at_relation
from .observed import Observed

__all__ = ["Comparisons"]

# So many tensors of two checkpoints are aligned in a few milliseconds.
QUICK = 500
# So many weights in all are read in about ten seconds.
BEARABLE = 1 << 31


class Comparisons(Observed):
    """Every other model against the reference.

    Attributes
    ----------
    reference : str
    alignments : mapping of str to Alignment
        By label, as far as they are known.
    relations : mapping of str to Relation
        By label, as far as they are known.
    problems : mapping of str to str
        By label, why a model could not be compared.
    running : bool
        Whether models are being compared.
    stopped : bool
        Whether that waits for `begin`: it was cancelled, or there is much to read.
    progress : str
        Which, and how far that is; ``""`` before it takes a while.
    """

    reference = Unicode()
    alignments = Dict()
    relations = Dict()
    problems = Dict()
    running = Bool(False)
    stopped = Bool(False)
    progress = Unicode()

    def __init__(self, opened: Mapping[str, Checkpoint]) -> None:
        super().__init__()
        self.opened = opened
        self.worker = Worker(pause=0.0)
        self._alignments: dict[tuple[str, str], Alignment] = {}
        self._relations: dict[tuple[str, str], Relation] = {}
        self._aligning = self._begun = self._wanted = False
        self._left: set[str] = set()

    @property
    def others(self) -> list[str]:
        """All but the reference."""
        return [label for label in self.opened if label != self.reference]

    @property
    def aligned(self) -> bool:
        """Whether it is known of every other model what stands opposite what."""
        return all(label in self.alignments or label in self.problems for label in self.others)

    def refer_to(self, reference: str) -> None:
        """Compare with another reference. What was known of it before, and what the user said, is still known."""
        self._stop_aligning()
        self._stop()
        # Nobody may see relations to another reference.
        self.relations, self.problems = {}, {}
        self.reference = reference
        self._find_alignments()

    def align(self) -> None:
        """Align the large models too, and every other from now on: asked for once the first rows are there."""
        if not self._aligning:
            self._aligning = True
            self._find_alignments()

    def begin(self) -> None:
        """Compare what is aligned, and what will be; asked for once the first pictures are there."""
        self._begun = self._wanted = True
        self.stopped = False
        for label in self.others:
            if label in self.alignments and label not in self.relations and label not in self._left:
                self._ask_for_relation(label)

    def begin_if_bearable(self) -> None:
        """Compare, unless there is so much to read that somebody should have asked for it."""
        if self._wanted or sum(found.num_params for found in self.opened.values()) <= BEARABLE:
            self.begin()
        else:
            self.stopped = any(label not in self.relations for label in self.others)

    def cancel(self) -> None:
        """Compare no more, until `begin` is called."""
        self._stop()
        self._begun = self._wanted = False
        self.stopped = True

    def rest(self) -> None:
        """Align and compare no more, until somebody looks again."""
        self._stop_aligning()
        self._stop()
        self._aligning = self._begun = False

    def put(self, label: str, alignment: Alignment) -> None:
        """Let the tensors stand opposite one another as the user says.

        Raises
        ------
        InputError
            It is no alignment of the reference and this model.
        """
        self._know(label)
        if not isinstance(alignment, Alignment):
            raise InputError(f"an alignment is needed, not a {type(alignment).__name__}: see Alignment.from_json.")
        alignment.check(self.opened[self.reference], self.opened[label])
        self.worker.cancel(_aligning(label))
        self._aligned(label, alignment)

    def forget(self, label: str) -> None:
        """Align a model anew, by names, order and shapes."""
        self._know(label)
        self._alignments.pop((self.reference, label), None)
        # It may be about to tell how they are related as the user has paired them.
        self.worker.cancel(_comparing(label))
        self._done(label)
        self._find_alignments()

    def alignment(self, label: str) -> Alignment:
        """The alignment of a model, found now if it is not known yet."""
        self._know(label)
        if label not in self.alignments:
            self.worker.cancel(_aligning(label))
            self._aligned(label, align(self.opened[self.reference], self.opened[label]))
        found: Alignment = self.alignments[label]
        return found

    def close(self) -> None:
        """End the background work."""
        self.worker.close()

    def _know(self, label: str) -> None:
        if label not in self.others:
            raise KeyError(
                f"no model {label!r} is compared with {self.reference!r}; there are: "
                f"{', '.join(map(repr, self.others)) or 'none'}"
            )

    def _find_alignments(self) -> None:
        for label in self._quick():
            self._align_now(label)
        self._show()
        for label in self.others if self._aligning else ():
            if label not in self.alignments and label not in self.problems:
                self._ask_for_alignment(label)
        if self._begun:
            self.begin()

    def _quick(self) -> Iterator[str]:
        """Models so small that aligning them is not noticed, so that their first pictures are the right ones."""
        room = QUICK
        for label in self.others:
            room -= self.opened[label].num_tensors + self.opened[self.reference].num_tensors
            if room >= 0 and (self.reference, label) not in self._alignments:
                yield label

    def _align_now(self, label: str) -> None:
        try:
            self._alignments[self.reference, label] = align(self.opened[self.reference], self.opened[label])
        except WeightWidgetsError as error:
            self._failed(label, error)

    def _ask_for_alignment(self, label: str) -> None:
        a, b = self.opened[self.reference], self.opened[label]

        def compute(check: Check) -> Alignment:
            check()
            return align(a, b)

        self.worker.submit(_aligning(label), compute, partial(self._aligned, label), partial(self._failed, label))

    def _aligned(self, label: str, alignment: Alignment) -> None:
        self._alignments[self.reference, label] = alignment
        self._show()
        if self._begun:
            self._ask_for_relation(label)

    def _ask_for_relation(self, label: str) -> None:
        alignment = self.alignments[label]
        a, b = self.opened[self.reference], self.opened[label]
        self._left.add(label)
        self.running = True
        self.worker.submit(
            _comparing(label),
            lambda check: look_at_relation(a, b, alignment, check),
            partial(self._related, label),
            partial(self._failed, label),
            report=partial(self._report, label),
        )

    def _related(self, label: str, relation: Relation) -> None:
        self._relations[self.reference, label] = relation
        self._show()
        self._done(label)

    def _failed(self, label: str, error: Exception) -> None:
        self.problems = {**self.problems, label: str(error) or type(error).__name__}
        self._done(label)

    def _report(self, label: str, share: float) -> None:
        self.progress = f"{visible(label)} {100 * share:.0f} %"

    def _done(self, label: str) -> None:
        self._left.discard(label)
        self.progress = ""
        self.running = bool(self._left)

    def _stop_aligning(self) -> None:
        for label in self.opened:
            self.worker.cancel(_aligning(label))

    def _stop(self) -> None:
        # What is done meanwhile takes itself out of the set.
        left, self._left = self._left, set()
        for label in left:
            self.worker.cancel(_comparing(label))
        self.progress = ""
        self.running = False

    def _show(self) -> None:
        """Of all that is known what is about this reference, and still holds."""
        self.alignments = {
            label: found for label in self.others if (found := self._alignments.get((self.reference, label)))
        }
        self.relations = {
            label: relation
            for label in self.others
            if (relation := self._relations.get((self.reference, label)))
            and relation.alignment is self.alignments.get(label)
        }
        self.problems = {label: why for label, why in self.problems.items() if label not in self.relations}


def _aligning(label: str) -> str:
    return f"align {label}"


def _comparing(label: str) -> str:
    return f"compare {label}"
