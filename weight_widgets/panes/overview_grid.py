"""The widget with the rows of the overview: what the kernel tells the page, and what is chosen there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from ..state import Measure, Sketch
from ..state.looks import Badge, Outline, page_rows
from .bundles import bundle
from .messages import MESSAGE_BYTES, send_in_messages
from .shades import PALETTES

__all__ = ["OverviewGrid"]


class OverviewGrid(anywidget.AnyWidget):
    """A leaf with all rows; scrolling, searching, sorting and filtering need no kernel.

    Parameters
    ----------
    columns : sequence of dict
        ``label`` and ``colour`` of each model.
    measures : sequence of Measure
    most : int
        Rows that there may ever be.

    Attributes
    ----------
    measure : str
        Key of one of the measures.
    chosen : tuple of (int, int)
        Row and column; −1 for none.
    wanted : int
        The row that the page wants a sketch of; −1 for none.
    progress : str
    """

    _esm = bundle("overview.js")
    _css = bundle("overview.css")
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    measures = traitlets.List(traitlets.Dict()).tag(sync=True)
    palettes = traitlets.Dict().tag(sync=True)
    pages = traitlets.Int().tag(sync=True)
    page_rows = traitlets.Int().tag(sync=True)
    # A trait for each page besides, since together they may pass 300 KB. They count only when all have its frame.
    outline = traitlets.Dict().tag(sync=True)
    measure = traitlets.Unicode().tag(sync=True)
    shade = traitlets.Dict().tag(sync=True)
    progress = traitlets.Unicode().tag(sync=True)
    badges = traitlets.Dict().tag(sync=True)
    # The page may choose a row while others are on their way, so it says from which frame.
    choice = traitlets.Dict().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    sketch = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Tuple((-1, -1))
    wanted = traitlets.Int(-1)

    def __init__(self, columns: Sequence[Mapping[str, str]], measures: Sequence[Measure], most: int) -> None:
        self._frame = self._version = self._count = 0
        rows = page_rows(len(columns))
        pages = -(-most // rows)
        names = [f"{name}_{page}" for page in range(pages) for name in ("outline", "values")]
        self.add_traits(**{name: traitlets.Dict().tag(sync=True) for name in names})
        super().__init__(
            columns=list(columns),
            measures=[_described(measure) for measure in measures],
            palettes={name: palette.tobytes() for name, palette in PALETTES.items()},
            pages=pages,
            page_rows=rows,
            measure=measures[0].key,
        )
        self.show_choice(-1, -1)

    def show_rows(self, outline: Outline) -> None:
        """Exchange the rows."""
        self._frame += 1
        self._count, page = len(outline), self.page_rows
        packed = {
            f"outline_{start // page}": {
                "frame": self._frame,
                "texts": texts,
                "kinds": outline.kinds[start : start + page].tobytes(),
                "levels": outline.levels[start : start + page].tobytes(),
            }
            for start, texts in zip(range(0, self._count, page), outline.texts, strict=True)
        }
        send_in_messages(self, packed)
        self.outline = {"frame": self._frame, "count": self._count}

    def show_numbers(
        self, measure: str, numbers: np.ndarray, states: np.ndarray, limits: tuple[float, float], first: int = 0
    ) -> None:
        """Exchange the numbers, those of the page with row `first` before the others.

        Parameters
        ----------
        measure : str
        numbers, states : numpy.ndarray
            Shape (rows, models).
        limits : tuple of float
            Of the colours.
        """
        self._version += 1
        with np.errstate(over="ignore"):
            narrow = numbers.astype("<f4")
        with self.hold_sync():
            self.measure = measure
            self.shade = {
                "frame": self._frame,
                "measure": measure,
                "low": limits[0],
                "high": limits[1],
                "version": self._version,
            }
        page = self.page_rows
        starts = sorted(range(0, self._count, page), key=lambda start: abs(start + page // 2 - first))
        send_in_messages(
            self,
            {
                f"values_{start // page}": {
                    "frame": self._frame,
                    "measure": measure,
                    "numbers": narrow[start : start + page].tobytes(),
                    "states": states[start : start + page].tobytes(),
                }
                for start in starts
            },
        )

    def show_badges(self, badges: Sequence[Badge]) -> None:
        """Exchange what is found: as many as fit, the first before the others."""
        items, room = [], MESSAGE_BYTES
        for badge in badges:
            item = [badge.row, badge.column, badge.text, badge.severity, badge.words]
            room -= len(json.dumps(item))
            if room < 0:
                break
            items.append(item)
        self.badges = {"frame": self._frame, "items": items}

    def show_choice(self, row: int, column: int) -> None:
        """Mark a row, and a model in it."""
        self.chosen = row, column
        self._tell()

    def show_sketch(self, row: int, sketch: Sketch, texts: Sequence[str]) -> None:
        """Draw histograms beside a row, with a line for each model."""
        self.sketch = {
            "frame": self._frame,
            "row": row,
            "bins": sketch.counts.shape[1],
            "counts": sketch.counts.astype("<f4").tobytes(),
            "spans": [sketch.low, sketch.high],
            "texts": list(texts),
        }

    def _tell(self) -> None:
        row, column = self.chosen
        self.choice = {"frame": self._frame, "row": row, "column": column}

    @traitlets.validate("measure")
    def _exists(self, proposal: Mapping[str, Any]) -> str:
        key: str = proposal["value"]
        if key not in [measure["key"] for measure in self.measures]:
            raise traitlets.TraitError(f"There is no measure {key!r} here.")
        return key

    @traitlets.observe("choice")
    def _hear(self, _: object) -> None:
        if self.choice["frame"] == self._frame:
            self.chosen = self.choice["row"], self.choice["column"]
        # One among rows that are gone is taken back.
        self._tell()

    @traitlets.observe("asked")
    def _hear_question(self, _: object) -> None:
        self.wanted = self.asked["row"] if self.asked["frame"] == self._frame else -1


def _described(measure: Measure) -> dict[str, Any]:
    return {
        "key": measure.key,
        "label": measure.label,
        "hint": measure.hint,
        "palette": "diverging" if measure.signed else "sequential",
        "percent": measure.percent,
        "signed": measure.signed,
        "own": measure.own,
    }
