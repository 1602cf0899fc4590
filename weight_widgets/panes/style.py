"""Names, colours and number formats, declared once for every pane."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

import ipywidgets

from ..display import MAX_NAME, numbered, sentence, visible

__all__ = [
    "MODEL_COLOURS",
    "NEUTRAL",
    "SAMPLED",
    "UNSURE",
    "Model",
    "Models",
    "alerts",
    "count",
    "description",
    "models_by_label",
    "number",
    "pair_in_words",
    "percent",
    "size",
    "text",
]

SEVEN = int(ipywidgets.__version__.partition(".")[0]) < 8

# Told apart by trichromats and by dichromats, the first of them best, on light and on dark ground.
MODEL_COLOURS = ("#0fa5a5", "#c3871e", "#a51ef0", "#f03c78", "#2d785a", "#6969a5", "#a578e1", "#c34b1e")
# What belongs to no model.
NEUTRAL = "#8a8f98"

# What every pane says of numbers that are replaced as soon as all weights were read.
SAMPLED = "A sample so far: {} of the weights. The rest is being read."
# And of histograms of large tensors.
UNSURE = "Counted in one pass, from rounded values: up to {} of the weights may stand in a neighbouring bin."

# In tables and titles there is less room than in the choosers.
SHORT_NAME = 26
# What stands between the names of an address.
BETWEEN = " · "
LEFTWARDS = ("R", "AL", "AN")


@dataclass(frozen=True)
class Model:
    """How a checkpoint looks in every pane.

    Parameters
    ----------
    name, short : str
        Plain text, which no other model of the explorer has; `short` is for tables and titles.
    colour : str
    """

    name: str
    short: str
    colour: str

    @property
    def swatch(self) -> str:
        """The colour as HTML."""
        return f'<span class="ww-swatch" style="background:{self.colour}"></span>'

    @property
    def title(self) -> str:
        """The colour and the short name as HTML; where it is cut off, the whole name can be pointed at."""
        return f'{self.swatch}<span title="{escape(self.name)}">{text(self.short)}</span>'

    @property
    def row_header(self) -> str:
        """The first cell of a table's row as HTML."""
        return f'<th scope="row">{self.title}</th>'


Models = Mapping[str, Model]


def pair_in_words(models: Models, a: str, b: str) -> str:
    """Who is compared, by label, as plain text."""
    return f"A {models[a].name} · B {models[b].name}"


def models_by_label(labels: Iterable[str]) -> Models:
    """A colour goes with the place among all that were opened, so ticking never recolours."""
    keys = list(labels)
    names = numbered(visible(label) for label in keys)
    short = numbered(visible(label, SHORT_NAME) for label in keys)
    return {
        label: Model(names[place], short[place], MODEL_COLOURS[place % len(MODEL_COLOURS)])
        for place, label in enumerate(keys)
    }


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


def text(words: str, limit: int = MAX_NAME) -> str:
    """A name from a file, or a sentence with such names, as the content of an element: its markup harmless.

    For an attribute, which can hold no ``<bdi>``, escape a `sentence`.
    """
    shown = escape(sentence(words, limit))
    if shown.isascii() or not any(unicodedata.bidirectional(char) in LEFTWARDS for char in shown):
        return shown
    # Two names that are written from right to left would change places.
    return BETWEEN.join(f"<bdi>{part}</bdi>" for part in shown.split(BETWEEN))


def description(name: str) -> str:
    """A name as the description of a tick, which hosts take for a formula where it has dollars or backslashes."""
    plain = name.replace("$", "＄").replace("\\", "＼")
    # ipywidgets 7 takes it for HTML as well, ipywidgets 8 for text.
    return text(plain, len(plain)) if SEVEN else plain


def size(nbytes: int) -> str:
    """A file's size in words."""
    value, unit = float(nbytes), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def alerts(problems: Iterable[str], limit: int) -> str:
    """What went wrong as a list in HTML, read out as it comes; ``""`` without any."""
    listed = "".join(f"<li>{text(problem, limit)}</li>" for problem in problems)
    return f'<div role="alert"><ul>{listed}</ul></div>' if listed else ""
