"""What a cell may end with: shown in every notebook, and as a picture where no widget can load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from .plain import is_shared
from .style import text

__all__ = ["CLOSED", "Shown", "parts_of"]

VIEW = "application/vnd.jupyter.widget-view+json"
CLOSED = "This is closed. Run the cell that made it again to open a new one."
NO_PICTURE = "<p>There is no picture of this: {}</p>"
MAX_SENTENCE = 400


class Shown(widgets.VBox):
    """A box that a front end draws as widgets, or as its picture where it cannot."""

    def picture(self) -> str:
        """Itself as HTML without scripts and style sheets, below 100 KB."""
        raise NotImplementedError

    # Under ipywidgets 8 a widget that ends a cell leaves as the cell's result, which Colab's hook never sees; under 7
    # nothing but the widget is published. So this takes the place of what either would do. That Colab loads widgets of
    # others at all, anywidget asks for.
    def _ipython_display_(self, **kwargs: Any) -> None:
        display(self._bundle(), raw=True)  # type: ignore[no-untyped-call]

    def _bundle(self) -> dict[str, Any]:
        """What is published; a front end takes the richest kind that it knows."""
        if self.comm is None:
            return {"text/plain": CLOSED}
        return {
            "text/plain": f"<{type(self).__name__}>",
            "text/html": self._still(),
            VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.model_id},
        }

    def _still(self) -> str:
        """The picture, or why there is none: the widgets can be shown all the same."""
        try:
            return self.picture()
        except Exception as error:
            return NO_PICTURE.format(text(str(error) or type(error).__name__, MAX_SENTENCE))

    def close(self) -> None:
        """Remove it from the page, with all that it holds."""
        for part in parts_of(self):
            if part is not self:
                part.close()
        super().close()
        # ipywidgets 7 hides the method of a closed one, which would then be shown as a picture that cannot load.
        self.__dict__.pop("_ipython_display_", None)


def parts_of(*given: widgets.Widget) -> set[widgets.Widget]:
    """These widgets and all that they alone hold: children, figures, marks, scales, axes, layouts."""
    found: set[widgets.Widget] = set()
    waiting: list[Any] = [*given]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, widgets.Widget) and item not in found and not is_shared(item):
            found.add(item)
            # Not all that a box holds is among its children now.
            waiting.extend(getattr(item, "held", ()))
            waiting.extend(getattr(item, name) for name in item.keys)
    return found
