"""Widgets that share their layout and their style."""

from __future__ import annotations

import threading
from pathlib import Path

import ipywidgets as widgets
import pytest
from seen import widgets_alive

import weight_widgets as ww
from weight_widgets.panes import plain
from weight_widgets.panes.shown import parts_of


def test_hiding_one_leaves_the_others_in_sight() -> None:
    one, other = plain.Button(description="a"), plain.Button(description="b", classes="ww-row ww-now")
    assert one.layout is other.layout
    assert one.style is other.style
    assert [*other._dom_classes] == ["ww-row", "ww-now"]
    plain.show(one, False)
    assert (one.layout.display, other.layout.display) == ("none", None)
    plain.show(one, True)
    plain.show(other, True)
    assert (one.layout.display, other.layout.display) == (None, None)


def test_what_is_shared_cannot_be_changed() -> None:
    box = plain.Box([])
    with pytest.raises(TypeError, match="many widgets share this layout"):
        box.layout.width = "10px"
    assert plain.Box([]).layout.width is None
    own = plain.Box([], layout=widgets.Layout(width="3px"))
    own.layout.width = "10px"
    assert own.layout is not box.layout


def test_an_explorer_closes_what_is_its_own_alone(models: Path) -> None:
    paths = [models / f"digits_{name}.h5" for name in ("baseline", "dead")]
    before = widgets_alive()
    explorer = ww.compare(*paths)
    layouts = {part.layout for part in parts_of(explorer) if isinstance(part, plain.Plain)}
    assert any(plain.is_shared(layout) for layout in layouts)
    assert not all(plain.is_shared(layout) for layout in layouts)
    explorer.close()
    assert all((layout.comm is not None) == plain.is_shared(layout) for layout in layouts)
    assert widgets_alive() == before


def test_what_somebody_closed_is_made_anew() -> None:
    field = plain.FloatText()
    field.style.close()
    field.layout.close()
    other = plain.FloatText()
    assert other.style.comm is not None
    assert other.layout.comm is not None
    before = field.layout
    plain.show(field, False)
    assert (field.layout.display, before.display) == ("none", None)


def test_two_threads_that_hide_one_make_one_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    field, made, make = plain.Label("a"), [], widgets.Layout
    other = threading.Thread(target=plain.show, args=(field, False))

    def meanwhile(**settings: str) -> widgets.Layout:
        made.append(threading.current_thread())
        if made == [threading.main_thread()]:
            other.start()
            # It comes here too, or it waits for what is made here.
            other.join(0.2)
        return make(**settings)

    monkeypatch.setattr(plain.widgets, "Layout", meanwhile)
    plain.show(field, False)
    other.join()
    assert made == [threading.main_thread()]
    assert field.layout.display == "none"
