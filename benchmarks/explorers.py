"""Rows about the explorer as a whole: memory, what goes to the browser, and how soon that draws."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import comm
import peers
from goals import Bench, never, told
from rows import Quantity

import weight_widgets as ww
from weight_widgets.analysis.exact import measure_exactly
from weight_widgets.analysis.measures import NEAR_ZERO
from weight_widgets.analysis.overview import overview, scan
from weight_widgets.analysis.pair_summary import summarise_pair
from weight_widgets.analysis.pairs import tensor_pair_moments
from weight_widgets.analysis.summary import preview, summarise

__all__ = ["browser", "memory", "wire"]

ROOT = Path(__file__).resolve().parent.parent
TESTS = [str(ROOT / place) for place in ("scripts", "tests/browser", "tests/shared")]
MIB = 64.0
PANES = {
    "the histogram": "[...document.querySelectorAll('.ww-histogram-figure path.line')].map(e => e.getAttribute('d'))",
    "the heatmaps": "[...document.querySelectorAll('.ww-heatmap image')].map(e => e.getAttribute('href'))",
}
# From the event of a control to the first frame in which what a pane shows is another.
REDRAWN = """async ([selector, value, panes]) => {
    const shown = () => panes.map(pane => JSON.stringify(eval(pane)));
    const before = shown(), control = document.querySelector(selector), start = performance.now();
    control.value = value;
    for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, { bubbles: true }));
    const end = start + 20000;
    while (performance.now() < end) {
        await new Promise(requestAnimationFrame);
        if (shown().every((now, place) => now !== before[place])) return performance.now() - start;
    }
    throw new Error('nothing was redrawn');
}"""


def memory(bench: Bench) -> Iterator[Quantity]:
    """The largest memory beyond what was held before, as Python's tracemalloc sees it, numpy's arrays included."""
    tensor, other = (ww.open_checkpoint(bench.vgg(seed))["fc1"]["kernel"] for seed in (0, 1))
    checkpoint = ww.open_checkpoint(bench.vgg(0))
    size = f"{tensor.nbytes / 1e6:.0f} MB"
    actions: dict[str, Callable[[], object]] = {
        f"pick fc1 ({size})": lambda: told(summarise(tensor, never)),
        "first picture of fc1": lambda: preview(tensor, never),
        "exact measures of fc1": lambda: measure_exactly(tensor, NEAR_ZERO, never),
        "fc1 of two models, 6 measures": lambda: tensor_pair_moments(tensor, other, never),
        "fc1 of two models, with pictures": lambda: summarise_pair(tensor, other, (-1.0, 1.0), (-1.0, 1.0), never),
        "overview of VGG16": lambda: (ww.clear_cache(), overview(checkpoint, never)),
        "scan of VGG16": lambda: (ww.clear_cache(), scan([checkpoint], never)),
    }
    for name, action in actions.items():
        tracemalloc.start()
        try:
            action()
            peak = tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()
        yield Quantity(f"extra memory: {name}", peak, "MiB", MIB)


def wire(bench: Bench) -> Iterator[Quantity]:
    """Bytes of all messages to the browser after a choice."""
    sent: list[int] = []

    class Counted(comm.base_comm.BaseComm):  # type: ignore[misc]
        def publish_msg(
            self, msg_type: str, data: object = None, metadata: object = None, buffers: Any = None, **_: Any
        ):
            sent.append(len(json.dumps(data)) + sum(memoryview(each).nbytes for each in buffers or ()))

    before, comm.create_comm = comm.create_comm, Counted
    try:
        explorer = ww.compare(*(bench.square(bench.size.drawn, seed) for seed in (0, 1)))
        explorer.parts.shown = True
        explorer.wait()
        for what, choose in (
            ("another layer", lambda: explorer.selection.set_trait("layer", "two")),
            ("another tensor", lambda: explorer.selection.set_trait("tensor", "bias")),
            ("other bins", lambda: explorer.histogram.set_trait("bins", 500)),
        ):
            sent.clear()
            choose()
            explorer.wait()
            yield Quantity(f"to the browser: {what}, all together", sum(sent) / 1e3, "kB", 1000.0)
            yield Quantity(f"to the browser: {what}, largest message", max(sent, default=0) / 1e3, "kB", 300.0)
        explorer.close()
    finally:
        comm.create_comm = before


def browser(bench: Bench) -> Iterator[Quantity]:
    """From a control's event to the panes' redraw, in JupyterLab in Chromium."""
    sys.path[:0] = [path for path in TESTS if path not in sys.path]
    try:
        from lab import open_lab
    except ImportError as error:
        peers.absent.append(f"the browser ({error.name})")
        return
    paths = [str(bench.square(bench.size.drawn, seed)) for seed in (0, 1)]
    cells = ["import weight_widgets as ww", f"explorer = ww.compare(*{paths!r})\nexplorer"]
    with TemporaryDirectory(prefix="weight-widgets-lab-") as folder, open_lab(Path(folder)) as lab:
        lab.open_notebook(cells)
        lab.run_all()
        lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
        elements = f"{bench.size.drawn**2 / 1e6:.1f} M elements"
        panes = [*PANES.values()]

        def seconds(selector: str, values: list[str], watched: list[str]) -> list[float]:
            took = []
            for number in range(2 * bench.size.repeats):
                lab.kernel_eval("explorer.wait()")
                # Fast changes rest for a quarter of a second, so that they do not pile up; this is not about those.
                lab.page.wait_for_timeout(600)
                took.append(lab.page.evaluate(REDRAWN, [selector, values[number % len(values)], watched]) / 1e3)
            return took[len(values) :] or took

        layer = ".ww-choose-layer select"
        values = lab.page.locator(f"{layer} option").evaluate_all("options => options.map(option => option.value)")
        # The first is chosen.
        took = seconds(layer, [*values[1:], values[0]], panes)
        yield Quantity.of_times(f"another layer → panes redrawn, {elements}", took, 250.0)
