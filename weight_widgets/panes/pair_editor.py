"""The editor of one row of the comparison: which tensor stands opposite the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from ..analysis.alignment import Address, AlignedRow, Alignment
from ..display import numbered, visible
from ..errors import InputError
from ..state import Comparisons
from . import plain
from .style import text

__all__ = ["PairEditor", "address_in_words"]

# Two thousand options take a message of 60 KB.
MAX_OPTIONS = 1000
MAX_NAME = 60
KEEP = (
    "Keep it with explorer.alignment[…].to_json(), and set explorer.alignment[…] = ww.Alignment.from_json(…) to use "
    "it again."
)


class PairEditor:
    """Chooses what stands opposite a row's tensor, and hands the new alignment over."""

    def __init__(self, comparisons: Comparisons) -> None:
        self._comparisons = comparisons
        self._label = ""
        self._row: AlignedRow | None = None
        self._title, self._said = plain.HTML(), plain.HTML(classes="ww-note")
        self._opposite = plain.Dropdown(
            description="opposite", options=[("nothing", None)], classes="ww-choose-opposite"
        )
        self._whole = plain.Checkbox(description="whole layer", indent=False, classes="ww-set-whole")
        pair = plain.Button(description="Pair", tooltip="Let these two stand opposite one another")
        unpair = plain.Button(description="Unpair", tooltip="Let nothing stand opposite this one")
        again = plain.Button(description="Align anew", tooltip="Forget what was paired by hand")
        pair.on_click(lambda _: self._change(self._paired))
        unpair.on_click(lambda _: self._change(self._unpaired))
        again.on_click(lambda _: comparisons.forget(self._label))
        self._buttons = (pair, unpair, again)
        self._line = plain.Box(
            [self._title, self._opposite, self._whole, *self._buttons],
            # Of its own: it keeps its place while it is not to be seen.
            layout=widgets.Layout(),
            classes="ww-row ww-settings ww-now",
        )
        self.box = plain.VBox([self._line, self._said])

    def show(self, label: str, alignment: Alignment | None, row: AlignedRow | None) -> None:
        """Edit a row of the alignment of a model; nothing without one."""
        self._label, self._row = label, row
        self._said.value = text(KEEP, 300) if alignment and any(each.reason == "user" for each in alignment) else ""
        # Its place stays.
        self._line.layout.visibility = None if row and alignment else "hidden"
        if row is None or alignment is None:
            return
        mine, other = ("a", row.b) if row.a else ("b", None)
        address = row.a or row.b
        assert address is not None
        shape = row.shape_a if row.a else row.shape_b
        self._title.value = f"{mine.upper()}: <b>{text(address_in_words(address), MAX_NAME)}</b>"
        side = "b" if row.a else "a"
        candidates = [
            (getattr(each, side), getattr(each, f"shape_{side}")) for each in alignment if getattr(each, side)
        ]
        # Of one shape first: others stand opposite, and are not compared.
        candidates.sort(key=lambda found: (found[0] != other, found[1] != shape))
        addresses: list[Address] = [found for found, _ in candidates[:MAX_OPTIONS]]
        self._offer(addresses, other)

    def _offer(self, addresses: Sequence[Address], chosen: Address | None) -> None:
        names = numbered(visible(address_in_words(address), MAX_NAME) for address in addresses)
        with self._opposite.hold_sync():
            self._opposite.options = [("nothing", None), *zip(names, addresses, strict=True)]
            self._opposite.value = chosen

    def _change(self, make: object) -> None:
        alignment = self._comparisons.alignments.get(self._label)
        if alignment is None or self._row is None or not callable(make):
            return
        try:
            self._comparisons.put(self._label, make(alignment, self._row))
        except InputError as error:
            self._said.value = f'<span role="alert">{text(str(error), 300)}</span>'

    def _paired(self, alignment: Alignment, row: AlignedRow) -> Alignment:
        found: Address | None = self._opposite.value
        if found is None:
            return self._unpaired(alignment, row)
        a, b = (row.a, found) if row.a else (found, row.b)
        assert a is not None
        assert b is not None
        return alignment.pair(a[0], b[0]) if self._whole.value else alignment.pair(a, b)

    def _unpaired(self, alignment: Alignment, row: AlignedRow) -> Alignment:
        if row.a is None or row.b is None:
            raise InputError("Nothing stands opposite it.")
        return alignment.unpair(row.a[0] if self._whole.value else row.a)


def address_in_words(address: Address) -> str:
    return " · ".join(visible(name) for name in address)
