"""Figures of bqplot as every pane wants them, and pictures in them that are exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bqplot
import ipywidgets as widgets

from . import plain

__all__ = ["plain_figure", "replace_image"]


def plain_figure(
    marks: Sequence[bqplot.Mark],
    axes: Sequence[bqplot.Axis],
    margin: Mapping[str, int],
    height: str,
    width: str = "",
    **settings: Any,
) -> bqplot.Figure:
    """A figure whose axes end where the values do; as wide as there is room, unless a width is given."""
    layout = {"width": width, "flex": "0 0 auto"} if width else {"width": "auto", "min_width": "0"}
    return bqplot.Figure(
        marks=list(marks),
        axes=list(axes),
        fig_margin=dict(margin),
        layout=widgets.Layout(height=height, **layout),
        **{"padding_x": 0, "padding_y": 0, **settings},
    )


def replace_image(mark: bqplot.Image, png: bytes, x: Sequence[float], y: Sequence[float]) -> None:
    """Draw another picture between these ends."""
    replaced = mark.image
    with mark.hold_sync():
        mark.x, mark.y = list(x), list(y)
        # bqplot's mark notices a new one only.
        mark.image = plain.Image(value=png, format="png")
    replaced.close()
