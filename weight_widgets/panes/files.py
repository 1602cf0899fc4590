"""Model files to pick from, with a tick each, and a button that opens those that are ticked."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from traitlets import dlink, link

from ..display import numbered, visible
from ..state import FilesState, FoundFile
from . import plain
from .shown import parts_of
from .style import alerts, count, description, size, text

__all__ = ["files_pane"]

# More is a list that nobody reads: words in the search field leave fewer.
MAX_OFFERED = 60
MAX_PATH, MAX_SENTENCE = 160, 600
NOTHING = "No model file is here: none ends in .h5, .hdf5, .keras, .weights.json or .safetensors."


def files_pane(state: FilesState, compare: Callable[[], None], demo: Callable[[], None]) -> widgets.Box:
    """The pane: `compare` opens what is picked, `demo` the models that come with the package."""
    where, offered, said = plain.HTML(), plain.VBox(classes="ww-files"), plain.HTML(classes="ww-problems")
    search = widgets.Text(placeholder="Search, e.g. epochs 07", continuous_update=True)
    search.add_class("ww-search-files")
    link((state, "query"), (search, "value"))

    def offer(_: object = None) -> None:
        before = offered.children
        offered.children = _ticks(state)
        for part in parts_of(*before):
            part.close()

    def tell(_: object = None) -> None:
        where.value = _where(state)
        said.value = alerts(filter(None, [state.problem]), MAX_SENTENCE)

    state.observe(offer, ["query", "found"])
    state.observe(tell, ["query", "found", "problem"])
    offer()
    tell()
    top = plain.Box([plain.HTML("<h3>Models to compare</h3>"), search], classes="ww-heading")
    return plain.VBox([top, where, offered, _buttons(state, compare, demo), said], classes="ww-pane")


def _buttons(state: FilesState, compare: Callable[[], None], demo: Callable[[], None]) -> widgets.Box:
    start = plain.Button(
        tooltip="Open these in the explorer; the one ticked first is Model A", classes="ww-compare-files"
    )
    dlink((state, "picked"), (start, "disabled"), lambda picked: not picked)
    dlink((state, "picked"), (start, "description"), lambda picked: f"Compare {len(picked)}" if picked else "Compare")
    start.on_click(lambda _: compare())
    again = plain.Button(description="Search again", tooltip="Look through the folder once more")
    again.on_click(lambda _: state.search())
    bundled = plain.Button(
        description="Show examples", tooltip="Small models that come with the package: ww.demo()", classes="ww-demo"
    )
    bundled.on_click(lambda _: demo())
    return plain.Box([start, again, bundled], classes="ww-row")


def _ticks(state: FilesState) -> list[widgets.Checkbox]:
    """A tick for each file that is picked or offered."""
    files = [*dict.fromkeys((*state.picked, *state.offered[:MAX_OFFERED]))]
    names = numbered(f"{visible(file.name, MAX_PATH)} · {size(file.nbytes)}" for file in files)
    return [_tick(state, file, name) for file, name in zip(files, names, strict=True)]


def _tick(state: FilesState, file: FoundFile, name: str) -> widgets.Checkbox:
    tick = plain.Checkbox(value=file in state.picked, description=description(name), indent=False)
    tick.observe(lambda change: state.pick(file, change.new), "value")
    return tick


def _where(state: FilesState) -> str:
    found, offered = state.found, len(state.offered)
    folder = f"<b>{text(str(found.folder), MAX_PATH)}</b>"
    if not found.files:
        return f"{text(NOTHING, MAX_SENTENCE)} Looked under {folder}."
    said = f"{count(offered)} of {count(len(found.files))} files under {folder}"
    if offered > MAX_OFFERED:
        said += f", the first {MAX_OFFERED} are shown"
    return said + ("." if found.complete else "; there is more than was looked through: give paths to ww.compare.")
