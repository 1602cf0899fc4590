"""The panes' settings, as traits; each with the result that the worker brings for them."""

from __future__ import annotations

from typing import ClassVar

from traitlets import Bool, Enum, Instance, Int, Unicode

from ..analysis.comparing import STATUSES
from .looks import SCOPES, Overlay, PartsLook, Scatter, Table
from .observed import Observed

__all__ = [
    "CLIPS",
    "CompareState",
    "FixedState",
    "HistogramState",
    "PaneState",
    "PartsState",
    "ScatterState",
    "TableState",
]

CLIPS = (0.0, 0.1, 1.0, 5.0)


class PaneState(Observed):
    """What all panes have. What is tagged as `kept` is part of an explorer's state as JSON: see `keeping`.

    Attributes
    ----------
    shown : bool
        Whether the explorer shows it.
    seen : int
        How many panes show it, in the explorer or elsewhere; nothing is computed for one that nobody sees.
    tally : str
        What its button says beside its title.
    """

    # The traits that the result depends on besides the selection.
    asked_with: ClassVar[tuple[str, ...]] = ()
    shown = Bool(True).tag(kept=True)
    seen = Int(0, min=0)
    tally = Unicode()


class FixedState(PaneState):
    """Of a pane that no button hides: nothing of it is kept."""

    shown = Bool(True)


class HistogramState(PaneState):
    """Settings and result of the histogram pane.

    Attributes
    ----------
    bins : int
        10 to 500.
    clip : float
        Percent left out at either end of the range: 0 (full), 0.1, 1 or 5.
    log : bool
        Logarithmic counts.
    density : bool
        Densities, which integrate to 1, in place of counts.
    initial : bool
        Draw what the initializer would have given.
    exact : bool
        Count every value of a large tensor between the bins' edges. Until another weight is chosen.
    """

    asked_with = ("bins", "clip", "exact")
    bins = Int(120, min=10, max=500).tag(kept=True)
    clip = Enum(CLIPS, default_value=0.0).tag(kept=True)
    log = Bool(False).tag(kept=True)
    density = Bool(False).tag(kept=True)
    initial = Bool(True).tag(kept=True)
    exact = Bool(False)
    result = Instance(Overlay, allow_none=True)


class TableState(PaneState):
    """Settings and result of the table pane.

    Attributes
    ----------
    scope : str
        Rows of the chosen ``"tensor"`` or part, of its ``"parts"``, of its ``"layer"``, or of the whole ``"model"``.
    exact : bool
        Put all values of large tensors in order, too. Until another weight is chosen.
    """

    asked_with = ("scope", "exact")
    scope = Enum(SCOPES, default_value=SCOPES[0]).tag(kept=True)
    exact = Bool(False)
    result = Instance(Table, allow_none=True)


class PartsState(PaneState):
    """Settings and result of the parts pane.

    Attributes
    ----------
    bins : int
        10 to 200, in each of the small histograms.
    page : int
        Where there are more parts than fit, which of them.
    """

    asked_with = ("bins", "page")
    shown = Bool(False).tag(kept=True)
    bins = Int(40, min=10, max=200).tag(kept=True)
    page = Int(0, min=0).tag(kept=True)
    result = Instance(PartsLook, allow_none=True)


class CompareState(PaneState):
    """Settings of the pane that compares Model B with Model A tensor by tensor.

    Attributes
    ----------
    status : str
        Rows that are ``"same"``, ``"changed"``, ``"reshaped"``, ``"added"`` or ``"removed"``; ``""`` for all.
    """

    shown = Bool(False).tag(kept=True)
    status = Enum(("", *STATUSES), default_value="").tag(kept=True)


class ScatterState(PaneState):
    """Result of the pane that shows A's weights against B's."""

    shown = Bool(False).tag(kept=True)
    result = Instance(Scatter, allow_none=True)
