"""Standard widgets that share what none of them changes: every layout and style of its own is a message to the page.

An explorer would have 150 layouts otherwise, and a front end takes about a millisecond for each.
"""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets as widgets
from traitlets import default

__all__ = [
    "HTML",
    "BoundedIntText",
    "Box",
    "Button",
    "Checkbox",
    "Dropdown",
    "FloatText",
    "Image",
    "Label",
    "ToggleButton",
    "VBox",
    "is_shared",
    "show",
]

_shared: dict[type, widgets.Widget] = {}
# In a plain script the workers draw, each on its thread: two may need the first of a kind, or hide the same widget.
_making = threading.RLock()


class SharedLayout(widgets.Layout):
    """The layout of all that has none of its own. It stays as it is."""

    def notify_change(self, change: Any) -> None:
        if self.comm is None or change["name"] not in self.keys:
            super().notify_change(change)
            return
        self._trait_values[change["name"]] = change["old"]
        raise TypeError("many widgets share this layout: give this one its own, widget.layout = ipywidgets.Layout(…).")


def _shared_of(kind: type[widgets.Widget]) -> widgets.Widget:
    with _making:
        found = _shared.get(kind)
        # Somebody may have closed all widgets.
        if found is None or found.comm is None:
            found = _shared[kind] = kind()
        return found


def is_shared(widget: widgets.Widget) -> bool:
    """Whether others may need it, too."""
    return _shared.get(type(widget)) is widget


def show(widget: widgets.DOMWidget, wanted: object) -> None:
    """Show a widget if that is true of it, or hide it, which takes a layout of its own."""
    with _making:
        if not isinstance(widget.layout, SharedLayout):
            widget.layout.display = None if wanted else "none"
        elif not wanted:
            widget.layout = widgets.Layout(display="none")


class Plain(widgets.DOMWidget):
    """What takes the shared layout and style, unless it is given one, and has CSS classes from the start."""

    def __init__(self, *args: Any, classes: str = "", **kwargs: Any) -> None:
        super().__init__(*args, _dom_classes=tuple(classes.split()), **kwargs)

    @default("layout")
    def _shared_layout(self) -> widgets.Widget:
        return _shared_of(SharedLayout)

    @default("style")
    def _shared_style(self) -> widgets.Widget:
        kind: Any = self.traits()["style"]
        return _shared_of(kind.klass)


class Box(Plain, widgets.Box):
    """As in ipywidgets."""


class VBox(Plain, widgets.VBox):
    """As in ipywidgets."""


class HTML(Plain, widgets.HTML):
    """As in ipywidgets."""


class Label(Plain, widgets.Label):
    """As in ipywidgets."""


class Image(Plain, widgets.Image):
    """As in ipywidgets."""


class Button(Plain, widgets.Button):
    """As in ipywidgets."""


class ToggleButton(Plain, widgets.ToggleButton):
    """As in ipywidgets."""


class Checkbox(Plain, widgets.Checkbox):
    """As in ipywidgets."""


class Dropdown(Plain, widgets.Dropdown):
    """As in ipywidgets."""


class BoundedIntText(Plain, widgets.BoundedIntText):
    """As in ipywidgets."""


class FloatText(Plain, widgets.FloatText):
    """As in ipywidgets."""
