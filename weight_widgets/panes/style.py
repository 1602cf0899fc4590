"""Colours and number formats, declared once for every pane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

__all__ = [
    "DIVERGING",
    "MODEL_COLOURS",
    "SHORT_TEXT",
    "count",
    "model_colour",
    "number",
    "percent",
    "shown",
    "swatch",
    "text",
]

# Told apart in light and dark and by the common kinds of colour blindness, at least pairwise from the first.
MODEL_COLOURS = ("#1f77b4", "#e6862a", "#2b9a66", "#b0479e", "#8c6d4f", "#d1495b", "#17a2b8", "#7f7f7f")

# ColorBrewer's RdBu, blue for negative: 255 colours around a white centre (index 127).
_ANCHORS = np.array(
    [0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B, 0x67001F]
)
DIVERGING = (
    np.stack(
        [
            np.interp(np.linspace(0, 1, 255), np.linspace(0, 1, len(_ANCHORS)), (_ANCHORS >> shift) & 0xFF)
            for shift in (16, 8, 0)
        ],
        axis=1,
    )
    .round()
    .astype(np.uint8)
)

# Runs are told apart by the end of their names as often as by the beginning, so both are kept.
MAX_TEXT = 48
# In tables and titles there is room for less.
SHORT_TEXT = 26


def number(value: float, digits: int = 3, sign: bool = False) -> str:
    """A number with `digits` significant digits and a true minus sign; ``"n/a"`` where it is undefined."""
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "Inf" if value > 0 else "−Inf"
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:{'+' if sign else ''}#.{digits}g}".partition("e")
    return (mantissa.rstrip(".") + (f"e{int(power)}" if power else "")).replace("-", "−")


def count(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u2009")


def percent(share: float) -> str:
    return "n/a" if math.isnan(share) else f"{number(100 * share)} %"


def shown(name: str, limit: int = MAX_TEXT) -> str:
    """A name from a file as plain text: cut in the middle when long, control characters visible."""
    visible = "".join(char if char.isprintable() else "\ufffd" for char in name)
    half = (limit - 1) // 2
    return visible if len(visible) <= limit else f"{visible[:half]}…{visible[-half:]}"


def text(name: str, limit: int = MAX_TEXT) -> str:
    """A name from a file, or a sentence with such names, as HTML text: its markup harmless."""
    return escape(shown(name, limit))


def model_colour(labels: Sequence[str], label: str) -> str:
    """A checkpoint's colour goes with its place among all that were opened, so ticking never recolours."""
    return MODEL_COLOURS[list(labels).index(label) % len(MODEL_COLOURS)]


def swatch(colour: str) -> str:
    return f'<span class="ww-swatch" style="background:{colour}"></span>'
