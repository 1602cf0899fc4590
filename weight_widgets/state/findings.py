"""What is found in the checkpoints, by a worker of its own, and where that stands among what can be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from traitlets import Bool, Instance, Tuple, Unicode

from ..analysis.findings.finding import Finding
from ..reading.checkpoint import Checkpoint
from ..worker import Worker
from .looks import FindingsLook, look_at_findings
from .selection import Selection
from .settings import PaneState

__all__ = ["FindingsState"]

KEY = "findings"
# With fewer values than this in all, a tensor counted as at least so many, it takes a second at most: nobody need ask.
QUICK, TENSOR = 1 << 20, 1000


class FindingsState(PaneState):
    """What is found in all opened checkpoints, as `findings` tells it with its default thresholds.

    It is looked for once: at the start where that is quick, otherwise when the pane is first shown.

    Attributes
    ----------
    progress : str
        How far it is, while it runs; ``""`` otherwise.
    result : FindingsLook or None
    chosen : tuple of Finding
        Those about the chosen tensor in the ticked models: of a part that is chosen, about that part alone.
    """

    shown = Bool(False).tag(kept=True)
    progress = Unicode()
    result = Instance(FindingsLook, allow_none=True)
    chosen = Tuple()

    def __init__(self, opened: Mapping[str, Checkpoint], selection: Selection) -> None:
        super().__init__()
        self.worker = Worker(pause=0.0)
        self._opened, self._selection = opened, selection
        self.observe(self._appear, "seen")
        self.observe(self._tell, "result")
        selection.observe(self._tell, ["checkpoints", "layer", "tensor", "part", "revision"])

    def begin_if_quick(self) -> None:
        """Look, where that takes next to nothing."""
        sizes = (max(tensor.size, TENSOR) for one in self._opened.values() for tensor in one.tensors.values())
        # As far as it takes to tell: of large models the first tensors do.
        if all(total <= QUICK for total in accumulate(sizes)):
            self.begin()

    def begin(self) -> None:
        """Look for them in the background, unless that is done or under way."""
        if self.worker.closed or self.progress or self.result is not None:
            return
        self.progress = "starting"
        self.worker.submit(
            KEY, lambda check: look_at_findings(self._opened, check), self._deliver, self._fail, report=self._report
        )

    def cancel(self) -> None:
        """End the work, until `begin` is called."""
        self.worker.cancel(KEY)
        self.progress = ""

    def place_of(self, finding: Finding) -> tuple[str, str, str]:
        """The layer, tensor and part under which it can be chosen; ``""`` for what it does not speak of."""
        if not finding.layer:
            return "", "", ""
        # What is said of all of them has the names of the first.
        view = self._selection.aligned[finding.checkpoint or next(iter(self._opened))]
        tensor = finding.tensor or next(iter(view.checkpoint[finding.layer]))
        layer, name = view.place_of((finding.layer, tensor))
        return layer, name if finding.tensor else "", finding.part

    def choose(self, finding: Finding) -> None:
        """Choose what it speaks of; a model that is neither A nor B becomes Model B, so that it is in the pictures."""
        layer, tensor, part = self.place_of(finding)
        if finding.checkpoint not in ("", self._selection.reference):
            self._selection.other = finding.checkpoint
        if tensor:
            self._selection.choose(layer, tensor, part)
        elif layer:
            self._selection.layer = layer

    def is_chosen(self, finding: Finding) -> bool:
        """Whether what it speaks of is what is chosen, no more and no less."""
        pick = self._selection.pick
        layer, tensor, part = self.place_of(finding)
        return layer == pick.layer and (not tensor or (tensor, part) == (pick.tensor, pick.part))

    def is_about(self, finding: Finding) -> bool:
        """Whether it speaks of what is chosen."""
        pick = self._selection.pick
        layer, tensor, part = self.place_of(finding)
        if layer != pick.layer:
            return False
        return tensor == pick.tensor and part == pick.part if pick.part else tensor in ("", pick.tensor)

    def _appear(self, _: object) -> None:
        if self.seen:
            self.begin()

    def _deliver(self, result: FindingsLook) -> None:
        self.progress = ""
        self.result = result
        self.tally = f"{len(result.found)}" if result.found else ""

    def _fail(self, error: Exception) -> None:
        self._deliver(FindingsLook(problems=(str(error) or type(error).__name__,)))

    def _report(self, share: float) -> None:
        self.progress = f"{100 * share:.0f} %"

    def _tell(self, _: object) -> None:
        labels = ("", *self._selection.checkpoints)
        found = self.result.found if self.result else ()
        self.chosen = tuple(one for one in found if one.checkpoint in labels and self.is_about(one))
