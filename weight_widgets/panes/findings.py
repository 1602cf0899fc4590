"""The findings pane: what is dead, sparse, unstable or untrained, each with its rule, threshold and evidence."""

from __future__ import annotations

from collections.abc import Iterator

import ipywidgets as widgets

from ..analysis.findings.finding import Finding
from ..display import visible
from ..state import ExplorerState, FindingsState, Quiet, Selection
from . import plain
from .export import Export, exporting
from .grid import Grid
from .pane import Pane
from .runs import run_controls
from .sheet import Column, Row
from .style import Models, alerts, count, number, text

__all__ = ["FindingsPane"]

# More than anybody reads in a page; the data frame has them all.
MAX_ROWS = 1000
MAX_LISTED = 200
MAX_SENTENCE = 600
COLUMNS = (
    Column("model", "model"),
    Column("severity", "severity", "A warning is to be looked at; a note may well be meant"),
    Column("layer", "layer", "As it is called among the choosers"),
    Column("tensor", "tensor"),
    Column("part", "part"),
    Column("message", "message"),
    Column("rule", "rule", "As docs/findings.md explains it"),
    Column("value", "value", "What was measured", number),
    Column("threshold", "threshold", "The line that the value is beyond", number),
    Column("evidence", "rests on"),
)
NOTHING = "Nothing is found dead, sparse, unstable or untrained, as far as the files tell."
NOT_YET = "All weights are read once, and the optimizer's state, to see what is dead, sparse, unstable or untrained."
EVERYWHERE = "all"


class FindingsPane(Pane):
    """What is dead, sparse, unstable or untrained in all models, and what that rests on."""

    key = "findings"

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _findings(state.findings, state.selection, models)


def _findings(state: FindingsState, selection: Selection, models: Models) -> widgets.Box:
    """The pane. Selecting a row chooses what it speaks of."""
    grid = Grid(COLUMNS, NOTHING)
    grid.add_class("ww-findings-table")
    said = plain.HTML(classes="ww-remark")
    shown: tuple[Finding, ...] = ()
    choosing = Quiet()

    def draw(_: object = None) -> None:
        nonlocal shown
        result = state.result
        shown = result.found[:MAX_ROWS] if result else ()
        grid.show([Row(_cells(row, state, models), _colour(row, models)) for row in shown])
        # Where a file could not be looked at, nobody can say that nothing is found.
        listed = result is not None and (shown or not result.problems)
        said.value = "".join(_said(state, models))
        pane.children = [heading, grid, said] if listed else [heading, said]

    def choose(_: object) -> None:
        if grid.selected < 0:
            return
        with choosing:
            state.choose(shown[grid.selected])

    def follow(_: object) -> None:
        # So that a row can be selected again, once something else was chosen.
        if not choosing and grid.selected >= 0 and not state.is_chosen(shown[grid.selected]):
            grid.selected = -1

    controls = run_controls(state, state.begin, state.cancel, "Look", "Look for findings in all models")
    heading = plain.Box([plain.HTML("<h3>Findings</h3>"), controls], classes="ww-heading")
    pane = plain.VBox(classes="ww-pane ww-findings")
    state.observe(draw, "result")
    # Other models may have other names for the same.
    selection.observe(draw, "revision")
    grid.observe(choose, "selected")
    selection.observe(follow, ["layer", "tensor", "part"])
    draw()
    return exporting(pane, Export("findings", lambda: "", table=lambda: grid.sheet if shown else None))


def _cells(row: Finding, state: FindingsState, models: Models) -> dict[str, str | float | None]:
    layer, tensor, part = state.place_of(row)
    own = f" ↔ {visible(row.layer)}" if layer != row.layer else ""
    return {
        "model": models[row.checkpoint].name if row.checkpoint else EVERYWHERE,
        "layer": visible(layer) + own,
        "tensor": visible(tensor),
        "part": visible(part),
        "rule": row.rule,
        "severity": row.severity,
        "value": row.value,
        "threshold": row.threshold,
        "message": visible(row.message, MAX_SENTENCE),
        "evidence": visible(row.evidence, MAX_SENTENCE),
    }


def _colour(row: Finding, models: Models) -> str:
    return models[row.checkpoint].colour if row.checkpoint else ""


def _said(state: FindingsState, models: Models) -> Iterator[str]:
    """What is no row: why there are none, and what the files cannot show."""
    result = state.result
    if result is None:
        yield f"<div>{text(NOT_YET, MAX_SENTENCE)}</div>"
        return
    yield alerts(result.problems, MAX_SENTENCE)
    if len(result.found) > MAX_ROWS:
        yield f"<div>The first {count(MAX_ROWS)} of {count(len(result.found))}; ww.findings gives all of them.</div>"
    if result.missing:
        items = [_missing(row, state, models) for row in result.missing[:MAX_LISTED]]
        if more := len(result.missing) - len(items):
            items.append(f"<li>and {count(more)} more</li>")
        summary = f"n/a: {count(len(result.missing))} that the files do not tell"
        yield f"<details><summary>{summary}</summary><ul>{''.join(items)}</ul></details>"


def _missing(row: Finding, state: FindingsState, models: Models) -> str:
    layer, tensor, _ = state.place_of(row)
    who = [models[row.checkpoint].title] if row.checkpoint else []
    who += [text(name) for name in (layer, tensor) if name]
    return f"<li><b>{text(row.rule)}</b> {' · '.join(who)}{': ' if who else ''}{text(row.message, MAX_SENTENCE)}</li>"
