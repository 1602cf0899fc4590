"""The verdicts on top: a sentence for each other model against the reference, which unfolds to what it rests on."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from ..analysis.verdict import Verdict
from ..state import Comparisons, ExplorerState
from . import plain
from .pane import Pane
from .style import Models, percent, text

__all__ = ["VerdictPane"]

MAX_SENTENCE = 600
ARCHITECTURES = {
    "same": "The same architecture, as far as layers with weights tell",
    "overlapping": "The architectures overlap",
    "different": "Other architectures",
}


class VerdictPane(Pane):
    """A sentence for each other model on how it is related to Model A, which unfolds to what it rests on."""

    key = "verdict"
    waits = False

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _lines(state.comparisons, models)


def _lines(comparisons: Comparisons, models: Models) -> widgets.Box:
    """A line for each model but the reference; none where there is no other."""
    # Each by itself: what the reader has unfolded stays so when another line comes.
    lines = {label: plain.HTML(classes="ww-verdict") for label in comparisons.opened}
    listed = plain.VBox(list(lines.values()), classes="ww-verdict-lines")
    progress = plain.HTML(classes="ww-status-line")
    cancel = plain.Button(description="Stop", tooltip="Compare no further", classes="ww-cancel")
    start = plain.Button(description="Compare", tooltip="Compare the other models with the reference")
    cancel.on_click(lambda _: comparisons.cancel())
    start.on_click(lambda _: comparisons.begin())
    now = plain.Box([progress, cancel, start], classes="ww-now")
    box = plain.VBox([listed, now], classes="ww-verdicts")

    def draw(_: object = None) -> None:
        others = comparisons.others
        for label, line in lines.items():
            plain.show(line, label in others)
            line.value = _line(comparisons, models, label) if label in others else ""
        plain.show(box, others)

    def follow(_: object = None) -> None:
        known: Mapping[str, object] = {**comparisons.relations, **comparisons.problems}
        left = [label for label in comparisons.others if label not in known]
        running = comparisons.running
        progress.value = text(f"Comparing {comparisons.progress or '…'}", 200) if running else ""
        plain.show(cancel, running)
        plain.show(start, comparisons.stopped and left)
        plain.show(now, running or (comparisons.stopped and left))

    comparisons.observe(draw, ["reference", "relations", "problems", "stopped"])
    comparisons.observe(follow, ["reference", "relations", "problems", "stopped", "running", "progress"])
    draw()
    follow()
    return box


def _line(comparisons: Comparisons, models: Models, label: str) -> str:
    title = f"<b>{models[label].title}</b>"
    against = f"<span class='ww-dim'>against</span> {models[comparisons.reference].title}"
    relation = comparisons.relations.get(label)
    if relation is not None:
        return _said(f"{title} {against}", relation.verdict)
    why = comparisons.problems.get(label)
    if why is not None:
        return f"<div role='alert'>{title} could not be compared: {text(why, MAX_SENTENCE)}</div>"
    return f"<div>{title} <span class='ww-dim'>is not compared yet</span></div>"


def _said(who: str, verdict: Verdict) -> str:
    evidence = [
        f"{ARCHITECTURES[verdict.architecture]}; {percent(verdict.coverage)} of the parameters were compared.",
        *verdict.evidence,
    ]
    listed = "".join(f"<li>{text(sentence, MAX_SENTENCE)}</li>" for sentence in evidence)
    summary = f"{who}: {text(verdict.sentence, MAX_SENTENCE)}"
    return f"<details><summary>{summary}</summary><ul>{listed}</ul></details>"
