"""A kernel far away: 200 ms there and back, 2 MB in a second; and a line that breaks.

What is held back by the line is what would wait for the kernel; nothing is timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from explorer import Explorer, stored
from lab import Lab
from playwright.sync_api import WebSocket
from proxy import Proxy, proxy_to
from test_pages import check
from test_sessions import LABELS, NAMES, SHAPES, cells

pytestmark = pytest.mark.hosts

ROUND_TRIP, RATE = 0.2, 2e6
MESSAGE = 300_000
CONNECTION = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.connectionStatus"


@dataclass(frozen=True)
class Remote:
    lab: Lab
    line: Proxy
    sizes: list[int]


@pytest.fixture(scope="module")
def remote(lab: Lab, models: Path) -> Iterator[Remote]:
    """A page of the server behind the line, which is slow once JupyterLab is there; all cells are run."""
    with proxy_to(lab.server.port) as line:
        far = Lab(lab.page.context.browser.new_page(), replace(lab.server, port=line.port))
        sizes: list[int] = []

        def listen(socket: WebSocket) -> None:
            socket.on("framereceived", lambda data: sizes.append(len(data)))
            socket.on("framesent", lambda data: sizes.append(len(data)))

        far.page.on("websocket", listen)
        far.open_notebook(cells(models)[:2], "remote.ipynb")
        line.slow(ROUND_TRIP, RATE)
        far.run_all()
        far.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
        yield Remote(far, line, sizes)
        far.page.close()


def test_choosers_and_readout_wait_for_no_kernel(remote: Remote, models: Path) -> None:
    explorer = Explorer(remote.lab)
    check(explorer, "conv_1", models)
    remote.line.hold()
    explorer.choose("layer", LABELS["dense_1"])
    assert explorer.chosen("layer") == LABELS["dense_1"]
    values = stored(models, NAMES[0], "conv_1", "kernel").reshape(SHAPES["conv_1"])
    for row, column in ((2, 3), (7, 12)):
        explorer.point_at(0, row, column, SHAPES["conv_1"])
        explorer.eventually(lambda value=values[row, column]: reads(explorer, value))
    remote.line.release()
    check(explorer, "dense_1", models)
    assert remote.lab.errors == []


def reads(explorer: Explorer, value: float) -> None:
    assert f"{abs(value):.6g}" in explorer.readout()


def test_no_message_is_large(remote: Remote, models: Path) -> None:
    explorer = Explorer(remote.lab)
    for layer in ("conv_2", "dense_1", "conv_1"):
        explorer.choose("layer", LABELS[layer])
        check(explorer, layer, models)
    for pane in ("compare", "scatter", "parts", "findings"):
        remote.lab.page.locator(f".ww-show-{pane}").first.click()
    explorer.choose("layer", LABELS["dense_1"])
    check(explorer, "dense_1", models)
    assert max(remote.sizes) <= MESSAGE
    # The page has heard of pictures at all.
    assert max(remote.sizes) > 10_000
    assert remote.lab.errors == []


def test_a_line_that_breaks_is_taken_up_again(remote: Remote, models: Path) -> None:
    explorer = Explorer(remote.lab)
    remote.line.cut()
    remote.lab.page.wait_for_function(f"{CONNECTION} !== 'connected'")
    explorer.choose("layer", LABELS["conv_2"])
    assert explorer.chosen("layer") == LABELS["conv_2"]
    remote.line.mend()
    # What was chosen meanwhile reaches the kernel, once JupyterLab has tried again.
    remote.lab.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.reconnect()")
    check(explorer, "conv_2", models)
    explorer.choose("layer", LABELS["dense_1"])
    check(explorer, "dense_1", models)
