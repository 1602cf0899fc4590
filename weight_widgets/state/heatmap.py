"""The heatmap's settings: how a tensor is drawn, where the colours end, and what is in sight."""

from __future__ import annotations

import math
from dataclasses import astuple
from typing import Any

from traitlets import Bool, Float, Instance, Int, TraitError, Unicode, observe, validate
from traitlets.utils.bunch import Bunch

from ..reading.arrangements import MATRIX
from .looks import Detail, Pictures, Window
from .settings import PaneState

__all__ = ["HeatmapState"]


class Reach(Float):
    """Where colours end that begin at minus that."""

    info_text = "a number above 0"

    def validate(self, obj: Any, value: Any) -> Any:
        """Refuse what is no such number."""
        found = super().validate(obj, value)
        if not 0 < found < math.inf:
            self.error(obj, value)
        return found


class WindowTrait(Instance):
    """A window, which four whole numbers stand for in JSON."""

    klass = Window

    def __init__(self, **settings: Any) -> None:
        super().__init__(Window, **settings)

    def validate(self, obj: Any, value: Any) -> Any:
        """Take the numbers as well."""
        found = value
        if isinstance(value, list) and len(value) == 4 and all(type(each) is int for each in value):
            found = Window(*value)
        if not isinstance(found, Window) or not (0 <= found.top < found.bottom and 0 <= found.left < found.right):
            raise TraitError("it takes four whole numbers, the first row and the one after the last, and such columns")
        return found


class HeatmapState(PaneState):
    """Settings and result of the heatmap pane.

    Attributes
    ----------
    way : str
        How a tensor is drawn, where it can be: ``"matrix"``, ``"filter grid"``, or a slice ``"one input channel"``, ….
    position : int
        Which slice.
    by_norm : bool
        Units, filters, heads or tokens from the largest L2 norm in Model A to the smallest.
    limit : float or None
        The colours run from −limit to +limit, in all pictures and whatever is chosen; None for the largest in sight.
    window : Window or None
        What is in sight of the pictures; None for all of it. One that does not lie in them is refused.
    unfit : str
        Why a window that was there before the pictures is not in sight; ``""`` if nothing is wrong.
    detail : Detail or None
        A window read anew, where the pictures are pooled.
    """

    asked_with = ("way", "position", "by_norm")
    way = Unicode(MATRIX).tag(kept=True)
    position = Int(0, min=0).tag(kept=True)
    by_norm = Bool(False).tag(kept=True)
    limit = Reach(None, allow_none=True).tag(kept=True)
    result = Instance(Pictures, allow_none=True)
    window = WindowTrait(allow_none=True).tag(kept=True)
    unfit = Unicode()
    detail = Instance(Detail, allow_none=True)

    def __init__(self) -> None:
        # Of the pictures that the window is about, once there are any.
        self._shape: tuple[int, int] | None = None
        super().__init__()

    @property
    def closeup(self) -> Detail | None:
        """The `detail` of the pictures that are there."""
        return self.detail if self.detail is not None and self.detail.pictures is self.result else None

    @property
    def shown_limit(self) -> float:
        """Where the colours end now."""
        shown = self.closeup or self.result
        return self.limit or (shown.contrast.limit if shown else 1.0)

    def expect(self, window: Window | None, known: bool) -> None:
        """Let this be in sight of the pictures that come next, or of those that are `known` already."""
        if not known:
            self._shape = None
        self.unfit = ""
        self.window = window

    @validate("window")
    def _lies_in_the_pictures(self, proposal: Bunch) -> Window | None:
        return self._fitting(proposal.value)

    @observe("result")
    def _keep_window(self, _: Bunch) -> None:
        """Pictures of another shape are seen whole at once; those of the same shape are seen where the last were."""
        if self.result is None:
            return
        before, self._shape = self._shape, self.result.shape
        try:
            self.window = self._fitting(self.window) if before in (None, self._shape) else None
        except TraitError as error:
            self.window = None
            self.unfit = str(error)

    def _fitting(self, window: Window | None) -> Window | None:
        """None for a window that has all of the pictures."""
        if window is None or self._shape is None:
            return window
        # A side of nothing is as long as one weight on the axes.
        rows, columns = max(1, self._shape[0]), max(1, self._shape[1])
        if window == Window(0, rows, 0, columns):
            return None
        if not window.lies_in((rows, columns)):
            raise TraitError(f"the window {list(astuple(window))} does not lie in the picture of {rows} × {columns}")
        return window
