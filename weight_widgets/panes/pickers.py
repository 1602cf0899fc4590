"""The choosers: who is overlaid, Model A and B, layer, tensor and part. Bound both ways to the selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets
from traitlets import All
from traitlets.utils.bunch import Bunch

from ..state import Selection
from .style import model_colour, shown, swatch, text

__all__ = ["layer_pickers", "model_pickers"]

Options = Sequence[tuple[str, str]]

WHOLE = "all"


def model_pickers(selection: Selection, labels: Sequence[str]) -> widgets.Box:
    """Ticks for who is overlaid, and the dropdowns Model A (the reference) and Model B."""
    # ipywidgets 7 takes a description for HTML, ipywidgets 8 for text.
    describe = text if int(widgets.__version__.partition(".")[0]) < 8 else shown
    ticks = {label: widgets.Checkbox(description=describe(label), indent=False) for label in labels}
    chips = [
        _row([widgets.HTML(swatch(model_colour(labels, label))), tick], "ww-chip") for label, tick in ticks.items()
    ]

    showing = False

    def show(_: object = None) -> None:
        nonlocal showing
        # Half of the ticks are the old ones' until the last is set; nobody chose that.
        showing = True
        for label, tick in ticks.items():
            tick.value = label in selection.checkpoints
        showing = False

    def take(_: Bunch) -> None:
        if showing:
            return
        selection.checkpoints = tuple(label for label, tick in ticks.items() if tick.value)

    show()
    selection.observe(show, "checkpoints")
    for tick in ticks.values():
        tick.observe(take, "value")
    names = [(shown(label), label) for label in labels]
    pair = [
        _chooser("Model A", selection, "reference", lambda: names),
        _chooser("Model B", selection, "other", lambda: names),
    ]
    return _row([_row([widgets.Label("Overlaid"), *chips], "ww-ticks"), *pair], "ww-row")


def layer_pickers(selection: Selection) -> widgets.Box:
    """Dropdowns for layer, tensor and part. A layer that some checkpoint lacks is offered and marked."""
    layers = [(_layer_label(selection, name), name) for name in selection.layers]

    def tensors() -> Options:
        return [(shown(name), name) for name in selection.tensors]

    def parts() -> Options:
        return [(WHOLE, ""), *((shown(name), name) for name in selection.parts)]

    choosers = [
        _chooser("Layer", selection, "layer", lambda: layers),
        _chooser("Tensor", selection, "tensor", tensors),
        _chooser("Part", selection, "part", parts),
    ]
    return _row(choosers, "ww-row")


def _layer_label(selection: Selection, name: str) -> str:
    lacking = selection.lacking(name)
    who = shown(lacking[0]) if len(lacking) == 1 else f"{len(lacking)} of the models"
    mark = f" — not in {who}" if lacking else ""
    return f"{shown(name)} · {selection.layer_title(name)}{mark}"


def _chooser(title: str, selection: Selection, trait: str, options: Callable[[], Options]) -> widgets.Dropdown:
    """A dropdown bound both ways to a trait of the selection, its options asked for anew at every change."""
    dropdown = widgets.Dropdown(description=title, options=list(options()))
    dropdown.add_class(f"ww-choose-{trait}")
    showing = False

    def show(_: object = None) -> None:
        nonlocal showing
        # Exchanging the options selects the first of them; nobody chose that one.
        showing = True
        try:
            with dropdown.hold_sync():
                fresh = tuple(options())
                if fresh != tuple(dropdown.options):
                    dropdown.options = fresh
                dropdown.value = getattr(selection, trait)
        finally:
            showing = False

    def take(change: Bunch) -> None:
        if not showing:
            setattr(selection, trait, change.new)

    show()
    selection.observe(show, All)
    dropdown.observe(take, "value")
    return dropdown


def _row(children: Sequence[widgets.Widget], name: str) -> widgets.Box:
    row = widgets.Box(children)
    row.add_class(name)
    return row
