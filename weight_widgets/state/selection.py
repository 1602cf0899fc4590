"""What is chosen: `Selection`, and `Pick`, all of it at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from traitlets import Bool, HasTraits, Int, TraitError, Tuple, Unicode, observe, validate
from traitlets.utils.bunch import Bunch

from ..analysis.alignment import Address
from ..display import visible
from ..errors import InputError
from ..reading.checkpoint import Checkpoint
from ..reading.sources import Source, labelled, open_all
from ..reading.tensors import Layer, Tensor
from .aligned import Aligned, aliases, aligned
from .observed import Observed

__all__ = ["Pick", "Selection", "find", "union"]


@dataclass(frozen=True)
class Pick:
    """All that is chosen at one moment."""

    checkpoints: tuple[str, ...]
    reference: str
    other: str
    layer: str
    tensor: str
    part: str

    @property
    def address(self) -> str:
        """The picked tensor in words."""
        return " · ".join(visible(name) for name in (self.layer, self.tensor, self.part) if name)


def find(checkpoint: Mapping[str, Layer], pick: Pick) -> Tensor | None:
    """The picked tensor, or the picked part of it; None where the checkpoint has none."""
    layer = checkpoint.get(pick.layer)
    tensor = layer.get(pick.tensor) if layer is not None else None
    return tensor.parts.get(pick.part) if tensor is not None and pick.part else tensor


class Selection(Observed):
    """What is chosen. Setting an attribute moves all panes on it; a value that does not exist is refused.

    Parameters
    ----------
    *checkpoints : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `compare` takes them.
    reference : str, optional
        Label of Model A; the first by default.

    Raises
    ------
    InputError
        No checkpoint, a label given twice, or a reference that is none of the labels.
    WeightWidgetsError
        None of the checkpoints can be opened: the error of the first.

    Attributes
    ----------
    opened : mapping of str to Checkpoint
        By label.
    failures : tuple of str
        A sentence for each checkpoint that could not be opened.
    checkpoints : tuple of str
        Labels of the checkpoints that are overlaid.
    reference, other : str
        Labels of Model A and Model B.
    layer, tensor : str
        Names as in the reference; of what it has not, those of the first checkpoint that has it.
    part : str
        Name of a part of the tensor; ``""`` for all of it.
    revision : int
        Rises when other tensors stand opposite one another, or under other names.
    aligned : mapping of str to Aligned
        The checkpoints under the names of the reference.
    closed : bool
        Whether `close` was called.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> selection = ww.Selection("a.h5", "b.h5")              # doctest: +SKIP
    >>> ww.HistogramPane(selection)                           # doctest: +SKIP
    >>> selection.layer = "lstm_1"                            # doctest: +SKIP
    """

    checkpoints = Tuple()
    reference = Unicode()
    other = Unicode()
    layer = Unicode()
    tensor = Unicode()
    part = Unicode()
    revision = Int()
    closed = Bool(False)

    def __init__(self, *checkpoints: Source, reference: str | None = None) -> None:
        self.opened, self.failures = _opened(checkpoints, reference)
        self._put({label: aligned(checkpoint) for label, checkpoint in self.opened.items()})
        # What panes observe besides: `ExplorerState.of` makes it for the first of them.
        self.explorer_state: HasTraits | None = None
        super().__init__()
        labels = list(self.opened)
        first = reference if reference in self.opened else labels[0]
        self.checkpoints = tuple(labels)
        self.reference = first
        self.other = next((label for label in labels if label != first), first)
        self.layer = next(iter(self.opened[first]))

    def close(self) -> None:
        """End the background work for its panes, for good. The checkpoints may be the caller's, and stay open."""
        self.closed = True

    def choose(self, layer: str, tensor: str, part: str | None = None) -> bool:
        """Choose a tensor or part whose names were known a moment ago; those that are gone are no error.

        Parameters
        ----------
        layer, tensor : str
        part : str, optional
            ``""`` for all of the tensor; by default the chosen part stays, where the tensor has it.

        Returns
        -------
        bool
            Whether there is such a one, which is chosen now. Otherwise nothing is changed.
        """
        found = (
            find(view, replace(self.pick, layer=layer, tensor=tensor, part=part or ""))
            for view in self.aligned.values()
        )
        if all(one is None for one in found):
            return False
        self.layer, self.tensor = layer, tensor
        if part is not None:
            self.part = part
        return True

    def look_under(self, views: Mapping[str, Aligned]) -> None:
        """Exchange the names under which the checkpoints are looked at; what is chosen stays, whatever it is called."""
        layer, tensor = self._followed(views)
        part = self.part
        self._put(views)
        if layer != self.layer:
            self.layer = layer
        if tensor != self.tensor:
            self.tensor = tensor
        self.part = part if part in self.parts else ""
        self.revision += 1

    def _put(self, views: Mapping[str, Aligned]) -> None:
        self.aligned = views
        self.layers: Sequence[str] = union([list(view) for view in views.values()])

    def _followed(self, views: Mapping[str, Aligned]) -> Address:
        """Where the chosen tensor stands in other views, first of all that of the reference."""
        chosen = self.layer, self.tensor
        for label in dict.fromkeys((self.reference, self.other, *views)):
            before = self.aligned[label]
            if chosen[1] in before.get(chosen[0], ()):
                return views[label].place_of(before.own_address(chosen))
        raise KeyError(chosen)

    @property
    def pick(self) -> Pick:
        """All that is chosen now, as one immutable value."""
        return Pick(self.checkpoints, self.reference, self.other, self.layer, self.tensor, self.part)

    @property
    def tensors(self) -> Sequence[str]:
        """The tensors of the chosen layer, in any checkpoint."""
        return union([list(checkpoint.get(self.layer, ())) for checkpoint in self.aligned.values()])

    @property
    def parts(self) -> Sequence[str]:
        """The parts of the chosen tensor, in any checkpoint."""
        found = (self.find(label, part="") for label in self.aligned)
        # An embedding has a part for each of its tokens, mostly the same ones in every checkpoint.
        names = dict.fromkeys(tuple(tensor.parts) for tensor in found if tensor is not None)
        return union([*names])

    def lacking(self, layer: str) -> list[str]:
        """Labels of the checkpoints that have no such layer."""
        return [label for label, checkpoint in self.aligned.items() if layer not in checkpoint]

    def layer_title(self, layer: str) -> str:
        """The class of a layer, in the first checkpoint that has it."""
        return next(checkpoint[layer].title for checkpoint in self.aligned.values() if layer in checkpoint)

    def aliases(self, layer: str) -> list[str]:
        """What checkpoints call a layer that is looked at under another name."""
        return aliases(self.aligned, layer)

    def find(self, label: str, part: str | None = None) -> Tensor | None:
        """The chosen tensor, or the chosen part of it, in one checkpoint; None where it has none."""
        return find(self.aligned[label], self.pick if part is None else replace(self.pick, part=part))

    @validate("reference", "other")
    def _known_label(self, proposal: Bunch) -> str:
        return _among(proposal, list(self.aligned))

    @validate("checkpoints")
    def _known_labels(self, proposal: Bunch) -> tuple[str, ...]:
        unknown = [label for label in proposal.value if label not in self.aligned]
        if unknown:
            raise TraitError(_unknown("model", unknown[0], list(self.aligned)))
        return tuple(label for label in self.aligned if label in proposal.value)

    @validate("layer")
    def _known_layer(self, proposal: Bunch) -> str:
        return _among(proposal, self.layers)

    @validate("tensor")
    def _known_tensor(self, proposal: Bunch) -> str:
        return _among(proposal, self.tensors)

    @validate("part")
    def _known_part(self, proposal: Bunch) -> str:
        return _among(proposal, ["", *self.parts])

    # These run before any observer from outside, which therefore never sees a tensor of another layer.
    @observe("layer")
    def _keep_tensor(self, change: Bunch) -> None:
        if self.tensor not in self.tensors:
            self.tensor = self.tensors[0]
        else:
            self._keep_part(change)

    @observe("tensor")
    def _keep_part(self, change: Bunch) -> None:
        if self.part not in ("", *self.parts):
            self.part = ""


def _opened(checkpoints: Sequence[Source], reference: str | None) -> tuple[dict[str, Checkpoint], tuple[str, ...]]:
    """By label, with a sentence for each that cannot be opened."""
    sources = labelled(checkpoints)
    if not sources:
        raise InputError('there is no checkpoint to compare: ww.compare("a.h5", "b.h5"), or ww.compare() to pick some.')
    if reference is not None and reference not in sources:
        raise InputError(f"reference={reference!r} is none of the labels: {', '.join(map(repr, sources))}.")
    results = open_all(sources)
    opened = {label: found for label, found in results.items() if isinstance(found, Checkpoint)}
    failures = [found for found in results.values() if not isinstance(found, Checkpoint)]
    if not opened:
        raise failures[0]
    return opened, tuple(map(str, failures))


def union(lists: Sequence[Sequence[str]]) -> list[str]:
    """All names in an order that keeps each list's own: a name new in a later list stands behind its predecessor."""
    # What follows on each name; None is before the first and after the last.
    following: dict[str | None, str | None] = {None: None}
    for names in lists:
        place: str | None = None
        for name in names:
            if name not in following:
                following[name], following[place] = following[place], name
            place = name
    merged: list[str] = []
    last: str | None = None
    while (last := following[last]) is not None:
        merged.append(last)
    return merged


def _among(proposal: Bunch, choices: Sequence[str]) -> str:
    if proposal.value not in choices:
        what = "model" if proposal.trait.name in ("reference", "other") else proposal.trait.name
        raise TraitError(_unknown(what, proposal.value, choices))
    return str(proposal.value)


def _unknown(what: str, value: object, choices: Sequence[str]) -> str:
    shown = ", ".join(map(_quoted, choices[:12])) + (", …" if len(choices) > 12 else "")
    return f"there is no {what} {_quoted(value)} here; choose one of {shown}"


def _quoted(value: object) -> str:
    """A name to be typed into Python, unless it is too long for that."""
    return visible(repr(value), 80)
