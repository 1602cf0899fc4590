"""Histograms of parts: of every tensor of the layer that falls into the same ones, for every ticked checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.comparison import overlay
from ...analysis.distribution import Distribution
from ...analysis.histograms import Histogram
from ...display import visible
from ...errors import WeightWidgetsError
from ...reading.tensors import Tensor
from ..selection import Pick
from .kept import summary_of
from .values import Check, Opened, rewritten

__all__ = ["Panel", "PartsLook", "Strip", "look_at_parts"]

# Panels on a page: more would be too small to read.
PANELS = 12
ACROSS = range(2, 7)

Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Panel:
    """One part: a histogram for each checkpoint that has it."""

    part: str
    histograms: Mapping[str, Histogram]


@dataclass(frozen=True, eq=False)
class Strip:
    """The panels of one tensor (of one of its biases) on shared edges."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def edges(self) -> np.ndarray:
        return next(iter(self.panels[0].histograms.values())).edges


@dataclass(frozen=True, eq=False)
class PartsLook:
    """Page `page` of `pages`; `parts` counts those of the picked tensor, `assumed` says that they are not known."""

    pick: Pick
    strips: tuple[Strip, ...]
    page: int
    pages: int
    parts: int
    assumed: bool
    notes: tuple[str, ...]

    @property
    def uncertain(self) -> float:
        """The largest share of a part of which it is not known in which of two bins it stands."""
        panels = (panel for strip in self.strips for panel in strip.panels)
        return max((each.uncertain for panel in panels for each in panel.histograms.values()), default=0.0)


def look_at_parts(opened: Opened, pick: Pick, check: Check, bins: int, page: int) -> PartsLook:
    """The parts of what is picked; with gates and heads also those of the tensors beside it."""
    columns = _columns(opened, pick)
    chosen = _strips(opened, pick) if columns else []
    # A single strip is folded into several rows.
    across = PANELS if len(chosen) < 2 else min(max(3 * PANELS // len(chosen), ACROSS.start), ACROSS.stop - 1)
    pages = max(1, math.ceil(len(columns) / across))
    page = min(max(page, 0), pages - 1)
    shown = columns[page * across : (page + 1) * across]
    notes: list[str] = []
    strips = [_strip(opened, pick, tensor, prefix, shown, bins, check, notes) for tensor, prefix in chosen]
    assumed = any(
        opened[label][pick.layer][pick.tensor].assumed
        for label in pick.checkpoints
        if pick.tensor in opened[label].get(pick.layer, ())
    )
    found = tuple(strip for strip in strips if strip.panels)
    return PartsLook(pick, found, page, pages, len(columns), assumed, tuple(dict.fromkeys(notes)))


def _tensor(opened: Opened, label: str, pick: Pick, name: str) -> Tensor | None:
    layer = opened[label].get(pick.layer)
    return layer.get(name) if layer is not None else None


def _columns(opened: Opened, pick: Pick) -> list[str]:
    """The last words of the picked tensor's parts: gates, heads, filters."""
    found: dict[str, None] = {}
    for label in pick.checkpoints:
        found |= dict.fromkeys(_picked_columns(opened, label, pick))
    return [*found]


def _picked_columns(opened: Opened, label: str, pick: Pick) -> list[str]:
    tensor = _tensor(opened, label, pick, pick.tensor)
    return [*dict.fromkeys(last for lasts in _by_prefix(tensor).values() for last in lasts)] if tensor else []


def _by_prefix(tensor: Tensor) -> dict[str, list[str]]:
    """The last words of the parts, by the first: the gates of the input bias and of the recurrent bias."""
    found: dict[str, list[str]] = {}
    for part in tensor.parts:
        prefix, _, last = part.rpartition("/")
        found.setdefault(prefix, []).append(last)
    return found


def _strips(opened: Opened, pick: Pick) -> list[Key]:
    """The tensors of the layer that fall into the parts of the picked one, and the first words of their parts if any.

    A grouped convolution has groups and filters, its bias the groups alone.
    """
    found: dict[Key, None] = {}
    for label in pick.checkpoints:
        wanted = _picked_columns(opened, label, pick)
        for name, tensor in opened[label].get(pick.layer, {}).items():
            for prefix, lasts in _by_prefix(tensor).items():
                common = min(len(wanted), len(lasts))
                if common and lasts[:common] == wanted[:common]:
                    found[name, prefix] = None
    return [*found]


def _strip(
    opened: Opened,
    pick: Pick,
    name: str,
    prefix: str,
    columns: Sequence[str],
    bins: int,
    check: Check,
    notes: list[str],
) -> Strip:
    values: dict[Key, Distribution] = {}
    looked = []
    for label in pick.checkpoints:
        tensor = _tensor(opened, label, pick, name)
        if tensor is None:
            continue
        names = {column: f"{prefix}/{column}" if prefix else column for column in columns}
        parts = tensor.held().parts
        try:
            for column, part in names.items():
                if part in parts:
                    values[label, column] = summary_of(parts[part], check).values
        except WeightWidgetsError as error:
            notes.append(visible(str(error), 600))
        looked.append((label, tensor))
    changed = rewritten(looked)
    notes += [visible(why, 600) for why in changed.values()]
    values = {key: each for key, each in values.items() if key[0] not in changed}
    check()
    keyed = {f"{number}": each for number, each in enumerate(values.values())}
    histograms = dict(zip(values, overlay(keyed, bins).values(), strict=True))
    panels = [
        Panel(
            column,
            {label: found for (label, part), found in histograms.items() if part == column},
        )
        for column in columns
    ]
    # A GRU's two biases are called by what they are.
    place, _, role = name.rpartition("/")
    title = visible("/".join(filter(None, (place, prefix or role))))
    return Strip(title, tuple(panel for panel in panels if panel.histograms))
