"""Zooming into a figure, in the browser alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import bqplot
import traitlets

from .bundles import bundle

__all__ = ["Zoom", "has_ends", "set_ends"]

Ends = tuple[float, float]


class Zoom(anywidget.AnyWidget):
    """A leaf without a face: after a click the wheel zooms a figure, a drag pans it, a double click shows all again.

    Parameters
    ----------
    figure : bqplot.Figure
    x, y : bqplot.Scale, optional
        What is panned and zoomed.
    seen : callable
        Takes the ends of each of them, whenever others are in sight.
    """

    _esm = bundle("zoom.js")
    _css = bundle("zoom.css")
    figure = traitlets.Unicode().tag(sync=True)
    scales = traitlets.List(traitlets.Unicode()).tag(sync=True)
    home: traitlets.List[list[float]] = traitlets.List().tag(sync=True)

    def __init__(
        self, figure: Any, x: Any, y: Any = None, *, seen: Callable[[Sequence[Ends]], None] = lambda ends: None
    ) -> None:
        self._scales = [scale for scale in (x, y) if scale is not None]
        self._seen = seen
        name = f"ww-zoom-{uuid.uuid4().hex[:8]}"
        super().__init__(figure=name, scales=[f"IPY_MODEL_{scale.model_id}" for scale in self._scales])
        figure.add_class(name)
        figure.add_class("ww-zoomable")
        figure.interaction = bqplot.PanZoom(scales={"x": [x], "y": [] if y is None else [y]})
        for scale in self._scales:
            scale.observe(self._tell, ["min", "max"])

    def fit(self, *ends: Ends) -> None:
        """Show what lies between these, a pair for each scale; what has them already stays where it is zoomed to."""
        home = [list(pair) for pair in ends]
        if home == self.home:
            return
        self.home = home
        for scale, (low, high) in zip(self._scales, ends, strict=True):
            set_ends(scale, low, high)

    def _tell(self, _: object) -> None:
        for scale, (low, high) in zip(self._scales, self.home, strict=False):
            if not has_ends(scale):
                set_ends(scale, low, high)
        self._seen([(scale.min, scale.max) for scale in self._scales])


def has_ends(scale: bqplot.Scale) -> bool:
    """Whether something lies between its ends: a page may zoom until both are one number, or none."""
    return scale.min is not None and scale.max is not None and scale.min < scale.max


def set_ends(scale: bqplot.Scale, low: float, high: float) -> None:
    """Both ends at once: to who is told of the first alone the scale would be too wide, or empty."""
    with scale.hold_sync(), scale.hold_trait_notifications():
        scale.min, scale.max = low, high
