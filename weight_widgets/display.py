"""How text from a file is shown to people: as text that cannot act, hide or run on.

Names, reasons and paths are chosen by whoever wrote the file. They may turn the writing direction around, look like
another name, send escape sequences to a terminal, or be ten thousand characters long.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

__all__ = ["MAX_NAME", "named", "numbered", "sentence", "visible"]

# Runs are told apart by the end of their names as often as by the beginning, so both are kept.
MAX_NAME = 48
# No script needs more on one letter; a tower of them covers the lines above.
MAX_MARKS = 3
NAMELESS = "⟨no name⟩"
THOUSANDS = re.compile(r"(?<=\d)⟨U\+2009⟩(?=\d{3})")
# Blank to the eye, though Unicode counts them among letters, marks and symbols.
BLANK = frozenset(
    itertools.chain(
        "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U00016fe4\U0001d159",
        map(chr, range(0x180B, 0x1810)),
        map(chr, range(0xFE00, 0xFE10)),
        map(chr, range(0xE0100, 0xE01F0)),
    )
)


def visible(text: str, limit: int = MAX_NAME) -> str:
    """A text of which every character is seen, cut in the middle where it is longer than `limit`.

    Control characters become their pictures (``␀``), whatever else has no look of its own its number (``⟨U+202E⟩``).
    What has been through here once is not changed by a second time.
    """
    # No mark, nothing blank and nothing composed is below U+0100.
    plain = text.isprintable() and max(text, default="") < "\u0100" and "  " not in text and text == text.strip(" ")
    if plain and len(text) <= limit:
        return text
    # At most four characters of a text melt into one, so what is left is still too long.
    glyphs = _glyphs(text if len(text) <= 6 * limit else text[: 3 * limit] + text[-3 * limit :])
    if sum(map(len, glyphs)) <= limit:
        return "".join(glyphs)
    half = (limit - 1) // 2
    return "".join([*_fitting(glyphs, half), "…", *reversed(_fitting(glyphs[::-1], half))])


def named(text: str, limit: int = MAX_NAME) -> str:
    """The same for what must have words to be chosen by."""
    return visible(text, limit) or NAMELESS


def sentence(words: str, limit: int = MAX_NAME) -> str:
    """Words of our own with names in them: as `visible`, but the thin spaces between thousands stay."""
    return THOUSANDS.sub("\u2009", visible(words, limit))


def numbered(shown: Iterable[str]) -> list[str]:
    """The texts, each that looks like an earlier one with a number that no other has: ``a``, ``a (2)``."""
    texts = list(shown)
    taken = set(texts)
    if len(taken) == len(texts):
        return texts
    count: Counter[str] = Counter()
    found = []
    for text in texts:
        count[text] += 1
        while count[text] > 1 and f"{text} ({count[text]})" in taken:
            count[text] += 1
        found.append(text if count[text] == 1 else f"{text} ({count[text]})")
    return found


def _glyphs(text: str) -> list[str]:
    """What stands beside one another on the screen: letters with their marks, and symbols."""
    glyphs: list[str] = []
    marks, before = 0, " "
    for char in unicodedata.normalize("NFC", text):
        if char in BLANK or not char.isprintable():
            glyphs.append(_symbol(char))
            marks = MAX_MARKS
        elif not unicodedata.category(char).startswith("M"):
            # A page draws several spaces as one, and none at either end.
            glyphs.append("␣" if char == before == " " else char)
            marks = 0
        elif glyphs and marks < MAX_MARKS:
            glyphs[-1] += char
            marks += 1
        else:
            glyphs.append(_symbol(char))
            marks = MAX_MARKS
        before = char
    if glyphs and glyphs[-1] == " ":
        glyphs[-1] = "␣"
    return glyphs


def _symbol(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def _fitting(glyphs: list[str], room: int) -> list[str]:
    """As many of the first glyphs as there is room for."""
    ends = itertools.accumulate(map(len, glyphs))
    return glyphs[: sum(1 for end in ends if end <= room)]
