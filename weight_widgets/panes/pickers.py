"""The choosers: who is overlaid, Model A and B, layer, tensor and part. Bound both ways to the selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import ipywidgets as widgets
from traitlets import All
from traitlets.utils.bunch import Bunch

from ..display import named, numbered, visible
from ..state import ExplorerState, Quiet, Selection, paired_name
from . import plain
from .pane import Pane
from .style import Models, description

__all__ = ["LayerChooser", "ModelChooser"]

Options = Sequence[tuple[str, str]]

WHOLE = "all"
# Two thousand options take a message of 60 KB.
MAX_PARTS = 2000


class ModelChooser(Pane):
    """Ticks for who is overlaid, and the dropdowns Model A (the reference) and Model B."""

    waits = False

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _model_pickers(state.selection, models)


class LayerChooser(Pane):
    """Dropdowns for layer, tensor and part. A layer that some model lacks or calls otherwise is marked."""

    waits = False

    def draw(self, state: ExplorerState, models: Models) -> widgets.Widget:
        return _layer_pickers(state.selection, models)


def _model_pickers(selection: Selection, models: Models) -> widgets.Box:
    """Ticks for who is overlaid, and the dropdowns Model A (the reference) and Model B."""
    ticks = {
        label: plain.Checkbox(description=description(model.name), indent=False) for label, model in models.items()
    }
    chips = [plain.Box([plain.HTML(models[label].swatch), tick], classes="ww-chip") for label, tick in ticks.items()]

    showing = Quiet()

    def show(_: object = None) -> None:
        # Half of the ticks are the old ones' until the last is set; nobody chose that.
        with showing:
            for label, tick in ticks.items():
                tick.value = label in selection.checkpoints

    def take(_: Bunch) -> None:
        if showing:
            return
        selection.checkpoints = tuple(label for label, tick in ticks.items() if tick.value)

    show()
    selection.observe(show, "checkpoints")
    for tick in ticks.values():
        tick.observe(take, "value")
    names = [(model.name, label) for label, model in models.items()]
    pair = [
        _chooser("Model A", selection, "reference", lambda: names),
        _chooser("Model B", selection, "other", lambda: names),
    ]
    return plain.Box([plain.Box([plain.Label("Overlaid"), *chips], classes="ww-ticks"), *pair], classes="ww-row")


def _layer_pickers(selection: Selection, models: Models) -> widgets.Box:
    """Dropdowns for layer, tensor and part. A layer that some checkpoint lacks or calls otherwise is marked."""
    names: Sequence[str] = ()
    titled: Options = ()

    def layers() -> Options:
        nonlocal names, titled
        # A thousand titles are made when the names change, and not at every choice.
        if names is not selection.layers:
            names = selection.layers
            titles = numbered(_layer_title(selection, models, name) for name in names)
            titled = list(zip(titles, names, strict=True))
        return titled

    choosers = [
        _chooser("Layer", selection, "layer", layers),
        _chooser("Tensor", selection, "tensor", lambda: _named(selection.tensors)),
        _chooser("Part", selection, "part", lambda: _parts(selection)),
        _part_number(selection),
    ]
    return plain.Box(choosers, classes="ww-row")


def _parts(selection: Selection) -> Options:
    """The parts that the dropdown offers; the chosen one always."""
    found = selection.parts[:MAX_PARTS]
    chosen = [] if selection.part in ("", *found) else [selection.part]
    return [(WHOLE, ""), *_named([*found, *chosen])]


def _part_number(selection: Selection) -> widgets.BoundedIntText:
    """A way to the parts that the dropdown has no room for."""
    field = plain.BoundedIntText(description="no.", min=0, max=0, classes="ww-part-number")
    showing = Quiet()

    def show(_: object = None) -> None:
        parts = selection.parts
        with showing:
            field.max = max(field.max, len(parts) - 1, 0)
            field.value = parts.index(selection.part) if selection.part in parts else 0
            field.max = max(len(parts) - 1, 0)
        plain.show(field, len(parts) > MAX_PARTS)

    def take(change: Bunch) -> None:
        if not showing:
            selection.part = selection.parts[change.new]

    selection.observe(show, ["layer", "tensor", "part"])
    field.observe(take, "value")
    show()
    return field


def _named(names: Iterable[str]) -> Options:
    names = list(names)
    return list(zip(numbered(named(name) for name in names), names, strict=True))


def _layer_title(selection: Selection, models: Models, name: str) -> str:
    lacking = selection.lacking(name)
    who = models[lacking[0]].name if len(lacking) == 1 else f"{len(lacking)} of the models"
    mark = f" — not in {who}" if lacking else ""
    return f"{paired_name(selection.aligned, name)} · {visible(selection.layer_title(name))}{mark}"


def _chooser(title: str, selection: Selection, trait: str, options: Callable[[], Options]) -> widgets.Dropdown:
    """A dropdown bound both ways to a trait of the selection, its options asked for anew at every change."""
    dropdown = plain.Dropdown(description=title, options=list(options()), classes=f"ww-choose-{trait}")
    showing = Quiet()

    def show(_: object = None) -> None:
        # Exchanging the options selects the first of them; nobody chose that one.
        with showing, dropdown.hold_sync():
            fresh = tuple(options())
            if fresh != tuple(dropdown.options):
                dropdown.options = fresh
            dropdown.value = getattr(selection, trait)

    def take(change: Bunch) -> None:
        if not showing:
            setattr(selection, trait, change.new)

    show()
    selection.observe(show, All)
    dropdown.observe(take, "value")
    return dropdown
