"""The crosshair over the linked heatmaps: which weights lie under the pointer, read in the browser alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..analysis.rasters import Raster
from ..display import visible
from ..reading.structure import Axis, Matrix
from ..state import Window
from .axes import single
from .bundles import bundle

__all__ = ["Crosshair"]

EXACT_DIGITS, POOLED_DIGITS = 6, 3


class Crosshair(anywidget.AnyWidget):
    """A leaf that marks one cell in all figures and reads out A, B and B − A there.

    Parameters
    ----------
    x_scale, y_scale : bqplot.LinearScale
        Shared by the figures; x from 0 to the number of columns, y from minus the number of rows up to 0.
    figures : sequence of str
        A CSS class of each figure.
    """

    _esm = bundle("crosshair.js")
    _css = bundle("crosshair.css")
    x_scale = traitlets.Unicode().tag(sync=True)
    y_scale = traitlets.Unicode().tag(sync=True)
    figures = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    # A message each: together they may pass 300 KB. They count only when they carry the picture's frame.
    raster_0 = traitlets.Dict().tag(sync=True)
    raster_1 = traitlets.Dict().tag(sync=True)
    raster_2 = traitlets.Dict().tag(sync=True)

    def __init__(self, x_scale: Any, y_scale: Any, figures: Sequence[str]) -> None:
        super().__init__(
            x_scale=f"IPY_MODEL_{x_scale.model_id}", y_scale=f"IPY_MODEL_{y_scale.model_id}", figures=list(figures)
        )
        self._frame = 0

    def show(
        self,
        matrix: Matrix | None,
        rasters: Sequence[Raster | None],
        labels: Sequence[str],
        window: Window | None = None,
        whole: tuple[int, int] | None = None,
    ) -> None:
        """Exchange the picture.

        Without a matrix nothing is read out, and with a window nothing outside of it; the rasters are of that window.
        A double click brings as many rows and columns into sight as `whole` says, those of the matrix by default.
        """
        self._frame += 1
        cells = next((raster.mean.shape for raster in rasters if raster is not None), (0, 0))
        if matrix is None or not all(cells):
            self.picture = {}
            return
        rows, columns = matrix.shape
        window = (window or Window(0, rows, 0, columns)).within(matrix.shape)
        down, across = matrix.rows, matrix.columns
        if cells != window.shape and any(axis.numbers or axis.stride > 1 for axis in matrix.axes):
            # A pooled cell of units in another order, or of a grid of pictures, is no range of anything.
            down, across = (Axis("row", rows),), (Axis("column", columns),)
        self.picture = {
            "frame": self._frame,
            "whole": list(whole or matrix.shape),
            "rows": _side(down, window.top, window.shape[0], cells[0]),
            "columns": _side(across, window.left, window.shape[1], cells[1]),
            "labels": list(labels),
            "exact_digits": EXACT_DIGITS,
            "pooled_digits": POOLED_DIGITS,
        }
        for number, raster in enumerate(rasters):
            planes = () if raster is None else raster.planes
            values = single(np.stack(planes)).tobytes() if planes else b""
            setattr(self, f"raster_{number}", {"frame": self._frame, "planes": len(planes), "values": values})


def _side(axes: Sequence[Axis], start: int, count: int, cells: int) -> dict[str, Any]:
    described = [
        {
            "label": visible(axis.label),
            "size": axis.size,
            "names": [visible(name) for name in axis.names],
            "first": axis.first,
            "stride": axis.stride,
            "numbers": list(axis.numbers),
        }
        for axis in axes
    ]
    return {"start": start, "count": count, "cells": cells, "axes": described}
