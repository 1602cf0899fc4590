"""What an explorer leaves behind when it is closed, or when nobody holds it any more: no thread, file or widget."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen import TIMEOUT, widgets_alive, write_model

import weight_widgets as ww
from weight_widgets.state import ExplorerState
from weight_widgets.state import explorer as explorer_module

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    values = np.random.default_rng(3).normal(size=(300, 400)).astype("f4")
    return write_model(tmp_path / "a.h5", {"first": values, "second": values})


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("weight-widgets")]


def ended(before: list[threading.Thread]) -> list[threading.Thread]:
    """The threads that are still there, after each had its time to end."""
    for thread in threads():
        if thread not in before:
            thread.join(TIMEOUT)
    return [thread for thread in threads() if thread not in before]


def descriptors() -> set[str]:
    return {f"{entry.name} {entry.readlink()}" for entry in DESCRIPTORS.iterdir() if entry.exists()}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets go of the table, which otherwise is never finished; it reads on and on."""
    going = threading.Event()
    look = explorer_module.LOOKS["table"]

    def endless(opened: Any, pick: Any, check: Callable[[], None], **settings: Any) -> Any:
        while pick.layer == "second" and not going.is_set():
            check()
            opened["a"]["first"]["kernel"].read((slice(0, 10),))
        return look(opened, pick, check, **settings)

    monkeypatch.setitem(explorer_module.LOOKS, "table", endless)
    yield going
    going.set()


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="counts open files where Linux lists them")
@pytest.mark.parametrize("busy", [False, True])
def test_closing_ends_threads_and_leaves_no_file_open_and_no_widget(
    path: Path, busy: bool, held: threading.Event
) -> None:
    # The process that lists HDF5 is there for all explorers.
    ww.open_checkpoint(path)
    gc.collect()
    before, open_before, alive_before = threads(), descriptors(), widgets_alive()
    for _ in range(3):
        explorer = ww.compare(path)
        assert explorer.wait(TIMEOUT)
        if busy:
            explorer.selection.layer = "second"
            assert not explorer.wait(0.05)
            assert len(threads()) > len(before)
        explorer.histogram.log = True
        assert widgets_alive() > alive_before
        state = weakref.ref(explorer._state)
        explorer.close()
        assert ended(before) == []
        assert widgets_alive() == alive_before
        del explorer
        gc.collect()
        assert state() is None
    assert descriptors() == open_before


@pytest.mark.parametrize("name", ["comparison", "scatter", "spectrum", "parts", "findings"])
@pytest.mark.parametrize("other", ["a", "b"])
def test_panes_that_have_nothing_to_draw_leave_no_widget(name: str, other: str, path: Path, tmp_path: Path) -> None:
    paths = {"a": path, "b": write_model(tmp_path / "b.h5", {"flat": np.ones(3)})}
    ww.open_checkpoint(path)
    gc.collect()
    before = widgets_alive()
    explorer = ww.compare(paths)
    explorer.selection.other = other
    getattr(explorer, name).shown = True
    assert explorer.wait(TIMEOUT)
    explorer.close()
    assert widgets_alive() == before


def test_the_last_reference_to_a_state(path: Path) -> None:
    before = threads()
    state = ExplorerState.of(ww.Selection({"a": path}))
    state.table.seen = 1
    assert state.wait(TIMEOUT)
    found = weakref.ref(state)
    del state
    assert ended(before) == []
    gc.collect()
    assert found() is None


def test_a_closed_explorer_takes_no_more(path: Path) -> None:
    explorer = ww.compare(path)
    assert explorer.wait(TIMEOUT)
    before = threads()
    explorer.close()
    explorer.selection.layer = "second"
    assert ended(before) == []
    assert explorer.table.result is not None
    assert explorer.table.result.pick.layer == "first"
