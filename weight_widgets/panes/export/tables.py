"""A table as CSV, Markdown and LaTeX. Names come from files of strangers: none can break out of its cell, or act."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from numbers import Integral

from ...display import sentence
from ..sheet import Column, Row, Sheet, cell_text

__all__ = ["MAX_CELL", "to_csv", "to_latex", "to_markdown"]

# No cell of ours is longer.
MAX_CELL = 2000
# What a spreadsheet takes for a formula (OWASP, "CSV Injection"), in full width as well; at the beginning,
# and after what separates cells where commas are decimal, for quotes count only at the beginning of such a cell.
FORMULA = re.compile(r"""(^|[;\t][\s"]*)(?=[=+\-@＝＋－＠])""")
# All that Markdown, or GitHub's flavour of it, gives a meaning to within a line.
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~$&#!:@]|(?<=www)\.)", re.IGNORECASE)
LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    # A character of another look in the oldest fonts of LaTeX.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # After the end of a row these would be its options.
    "[": "{[}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    # What our own labels and numbers have, for engines that know few characters.
    "−": "$-$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "±": r"$\pm$",
    "≈": r"$\approx$",
    "‖": r"$\|$",
    "→": r"$\to$",
    "↔": r"$\leftrightarrow$",
    "·": r"$\cdot$",
    "…": r"\ldots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "\u2009": r"\,",
}
# Two of them in a row would be another character.
LIGATURES = re.compile(r"([-',])(?=\1)")


def to_csv(sheet: Sheet) -> str:
    """As in RFC 4180; numbers with all their digits, under the names that they have in the data frames.

    Texts are quoted, and what a spreadsheet would take for a formula gets an apostrophe in front. What is not known is
    empty.
    """
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([column.key for column in sheet.columns])
    writer.writerows([_value(column, row) for column in sheet.columns] for row in sheet.rows)
    return file.getvalue()


def to_markdown(sheet: Sheet) -> str:
    """A table of GitHub Flavored Markdown, as it is shown."""
    head = [_markdown(column.label) for column in sheet.columns]
    lines = [head, ["---" if column.format is None else "---:" for column in sheet.columns]]
    lines += [[_markdown(cell_text(column, row)) for column in sheet.columns] for row in sheet.rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def to_latex(sheet: Sheet) -> str:
    """A `tabular` that needs no package, as it is shown."""
    cells = [[_latex(column.label) for column in sheet.columns]]
    cells += [[_latex(cell_text(column, row)) for column in sheet.columns] for row in sheet.rows]
    head, *rows = (" & ".join(texts) + r" \\" for texts in cells)
    kinds = "".join("l" if column.format is None else "r" for column in sheet.columns)
    lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\hline", head, r"\hline", *rows, r"\hline", r"\end{tabular}"]
    return "".join(f"{line}\n" for line in lines)


def _value(column: Column, row: Row) -> str | int | float | None:
    value = row.cells.get(column.key)
    if value is None:
        return None
    if column.format is None:
        return FORMULA.sub(r"\1'", sentence(str(value), MAX_CELL))
    # numpy's own numbers may be written with their type.
    number = int(value) if isinstance(value, Integral) else float(value)
    return None if math.isnan(number) else number


def _markdown(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", sentence(text, MAX_CELL))


def _latex(text: str) -> str:
    escaped = "".join(LATEX.get(char, char) for char in sentence(text, MAX_CELL))
    return LIGATURES.sub(r"\1{}", escaped)
