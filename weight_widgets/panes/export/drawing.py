"""SVG elements that hold names from files of strangers as text."""

from __future__ import annotations

import unicodedata
from xml.etree.ElementTree import Element, SubElement

from ...display import sentence

__all__ = ["child", "decimal", "text_width", "write"]

# No text in a picture is longer.
MAX_TEXT = 300
# Of a letter, beside the size of the type: an upper bound for most, so that nothing is cut off.
LETTER, WIDE_LETTER = 0.54, 1.0


def child(parent: Element, tag: str, **attributes: str | float | None) -> Element:
    """Add an element; underscores in the names of attributes stand for hyphens, and None for none."""
    return SubElement(
        parent,
        tag,
        {
            name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else decimal(value)
            for name, value in attributes.items()
            if value is not None
        },
    )


def write(parent: Element, x: float, y: float, words: str, **attributes: str | float | None) -> Element:
    """Add a text. XML has no place for control characters, not even escaped: `sentence` makes pictures of them."""
    element = child(parent, "text", x=x, y=y, **attributes)
    element.text = sentence(words, MAX_TEXT)
    return element


def decimal(value: float) -> str:
    """A length with the hundredths that can be seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text_width(words: str, size: float) -> float:
    """About how wide a text is, at most."""
    return size * sum(WIDE_LETTER if unicodedata.east_asian_width(char) in "WF" else LETTER for char in words)
