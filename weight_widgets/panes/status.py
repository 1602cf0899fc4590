"""The status line: what is shown or being read, with a way to end that, every error in words, and what each file holds
beside weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from ..state import ExplorerState, Selection
from . import plain
from .brief import brief
from .pane import Pane
from .style import Models, alerts, count, text

__all__ = ["StatusLine"]

MAX_LISTED = 200
MAX_PATH, MAX_REASON, MAX_SENTENCE = 80, 200, 600
# Of a name that is cut everywhere else.
MAX_WHOLE = 20_000


class StatusLine(Pane):
    """What is shown or being read, every error in words, and what each file holds beside weights."""

    key = "line"
    waits = False

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _line(state, models)


def _line(state: ExplorerState, models: Models) -> widgets.Box:
    """The line with its button, the problems, and for each model that gives a reason a remark that unfolds."""
    now, progress = (plain.HTML(classes="ww-status-line") for _ in range(2))
    found, problems = (plain.HTML(classes=f"ww-status-line {name}") for name in ("ww-found", "ww-problems"))
    # The style sheet shows it after half a second: most choices are faster.
    cancel = plain.Button(description="Cancel", tooltip="Drop what is being computed", classes="ww-cancel")
    cancel.on_click(lambda _: state.cancel())

    def draw(_: object = None) -> None:
        status = state.status
        now.value = f'<div role="status">{text(status.reading or status.shown, 200)}</div>'
        # Apart from the sentence, which a screen reader would read again with each number.
        progress.value = text(status.progress)
        plain.show(cancel, status.reading)
        problems.value = alerts(status.problems, MAX_SENTENCE)
        plain.show(problems, status.problems)

    def tell(_: object = None) -> None:
        found.value = text(brief(state.findings.chosen, models), MAX_SENTENCE)

    state.findings.observe(tell, "chosen")
    tell()
    state.observe(draw, "status")
    draw()
    remarks = [
        _remark(
            models[label].title,
            checkpoint.notes,
            [(entry.path, entry.reason) for entry in checkpoint.skipped],
            len(checkpoint.training),
        )
        for label, checkpoint in state.opened.items()
        if checkpoint.notes or checkpoint.skipped
    ]
    line = plain.Box([now, progress, cancel, found], classes="ww-now")
    return plain.Box([line, *remarks, _whole_names(state.selection), problems], classes="ww-status")


def _whole_names(selection: Selection) -> widgets.HTML:
    """What is chosen, in full, where its names are too long to be written out elsewhere."""
    whole = plain.HTML(classes="ww-remark ww-whole-names")

    def spell(_: object = None) -> None:
        names = (selection.layer, selection.tensor, selection.part)
        cut = [text(name, MAX_WHOLE) for name in names if text(name) != text(name, MAX_WHOLE)]
        whole.value = _folded("The name in full", cut) if cut else ""
        plain.show(whole, cut)

    selection.observe(spell, ["layer", "tensor", "part"])
    spell()
    return whole


def _folded(title: str, items: Sequence[str]) -> str:
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f"<details><summary>{title}</summary><ul>{listed}</ul></details>"


def _remark(title: str, notes: Sequence[str], skipped: Sequence[tuple[str, str]], training: int) -> widgets.HTML:
    """What a file holds beside weights, and what in it does not fit together. None of it changes later."""
    counts = [_counted(len(notes), "remark"), _counted(len(skipped), "thing", " left out")]
    items = [text(note, MAX_SENTENCE) for note in notes[:MAX_LISTED]]
    items += [f"<b>{text(path, MAX_PATH)}</b> {text(reason, MAX_REASON)}" for path, reason in skipped[:MAX_LISTED]]
    if more := max(0, len(notes) - MAX_LISTED) + max(0, len(skipped) - MAX_LISTED):
        items.append(f"and {count(more)} more")
    if training:
        items.append(f"Optimizer state, kept apart: {_counted(training, 'tensor')}")
    return plain.HTML(_folded(f"{title}: {', '.join(filter(None, counts))}", items), classes="ww-remark")


def _counted(number: int, noun: str, end: str = "") -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}{end}" if number else ""
