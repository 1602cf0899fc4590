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

__all__ = ["browser", "memory", "opening", "scroll", "wire"]

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
# From the end of a drag to the first frame with another picture.
PANNED = """heatmaps => { window.panned = new Promise((resolve, reject) => addEventListener('mouseup', async () => {
    const start = performance.now(), before = JSON.stringify(eval(heatmaps)), end = start + 20000;
    while (performance.now() < end) {
        await new Promise(requestAnimationFrame);
        if (JSON.stringify(eval(heatmaps)) !== before) return resolve(performance.now() - start);
    }
    reject(new Error('no other picture came'));
}, { once: true, capture: true })); }"""
PLOT = "document.querySelector('.ww-heatmap .plotarea_events').getBoundingClientRect().toJSON()"
SINGLE = "document.querySelector('.ww-layout').textContent.includes('each cell is one weight')"


# The time between two frames, scrolled by so many pixels before each.
FRAMES = """async ([step, count]) => {
    const grid = document.querySelector('[role=treegrid]'), took = [];
    let last = await new Promise(requestAnimationFrame);
    for (let frame = 0; frame < count; frame++) {
        grid.scrollTop += step;
        const now = await new Promise(requestAnimationFrame);
        took.push((now - last) / 1e3);
        last = now;
    }
    return took;
}"""
SCROLLED_MODELS = 8
# From the run of the cells until the overview has rows, and until one of them has numbers.
OPENED = """async awaited => {
    const start = performance.now(), end = start + 60000, took = [];
    jupyterapp.commands.execute("notebook:run-all-cells");
    for (const selector of awaited) {
        do {
            if (performance.now() > end) throw new Error(`nothing is like ${selector}`);
            await new Promise(requestAnimationFrame);
        } while (!document.querySelector(selector));
        took.push((performance.now() - start) / 1e3);
    }
    return took;
}"""
OPEN = "from weight_widgets import compare, open_checkpoint\nopened = [*map(open_checkpoint, {})]"
AWAITED = {"first rows": "[role=treegrid] [role=row][aria-level]", "first numbers": "[role=gridcell][data-look=number]"}


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


def scroll(bench: Bench) -> Iterator[Quantity]:
    """The overview alone in Chromium: until its first rows are there, and the frames while it is scrolled."""
    if not _has_browser():
        return
    from ensure_chromium import launch_chromium
    from overview_page import show_overview
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        page = launch_chromium(playwright).new_page(viewport={"width": 1360, "height": 900})
        of = f"overview of {bench.size.rows} rows × {SCROLLED_MODELS} models"
        yield Quantity(f"{of}: first numbers", show_overview(page, bench.size.rows, SCROLLED_MODELS), "ms", 1000.0)
        # By some rows, as a wheel does, and by more than is in sight.
        page.evaluate(FRAMES, [100, 20])
        for what, step in (("slowly", 100), ("fast", 600)):
            page.evaluate("document.querySelector('[role=treegrid]').scrollTop = 0")
            took = sorted(page.evaluate(FRAMES, [step, 20 * bench.size.repeats]))
            yield Quantity.of_times(f"{of}: a frame, scrolled {what}", took, 20.0)
            yield Quantity(f"… its 95th percentile, scrolled {what}", 1000 * took[int(0.95 * len(took))], "ms")


def opening(bench: Bench) -> Iterator[Quantity]:
    """From the run of a notebook's cell to what the overview shows first; the kernel is a new one each time."""
    if not _has_browser():
        return
    from lab import open_lab

    # A Dense layer is three rows. What is open has told its names.
    cell, known = bench.size.layers, -(-bench.size.rows // 3)
    # With what is asked of the kernel before, the cell, and the goal.
    cases = (
        (f"run of the cell, {cell} layers", cell, "", "import weight_widgets as ww\nww.compare(*{})", None),
        (f"names known, {3 * known} rows", known, OPEN, "compare(*opened)", 1000.0),
    )
    with TemporaryDirectory(prefix="weight-widgets-lab-") as folder, open_lab(Path(folder)) as lab:
        for of, layers, before, code, goal in cases:
            paths = [str(bench.deep(f"_{number}.h5", layers)) for number in range(SCROLLED_MODELS)]
            took = []
            for _ in range(max(bench.size.repeats // 3, 1)):
                lab.open_notebook([code.format(paths)])
                lab.kernel_eval(before.format(paths))
                ww.clear_cache()
                took.append(lab.page.evaluate(OPENED, [*AWAITED.values()]))
            for what, seconds, bound in zip(AWAITED, zip(*took, strict=True), (goal, None), strict=True):
                yield Quantity.of_times(f"{of} × {SCROLLED_MODELS} models → {what}", seconds, bound)


def browser(bench: Bench) -> Iterator[Quantity]:
    """From a control's event to the panes' redraw, in JupyterLab in Chromium."""
    if not _has_browser():
        return
    from lab import open_lab

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
        yield _panned(lab, bench)


def _has_browser() -> bool:
    """Make what the browser tests share importable; say so where something that it needs is absent."""
    sys.path[:0] = [path for path in TESTS if path not in sys.path]
    try:
        import lab  # noqa: F401
    except ImportError as error:
        peers.absent.append(f"the browser ({error.name})")
        return False
    return True


def _panned(lab: Any, bench: Bench) -> Quantity:
    """From the end of a drag in the heatmap of fc1 to the picture of single weights."""
    page, tensor = lab.page, bench.fc1
    lab.open_notebook(["import weight_widgets as ww", f"explorer = ww.compare({str(bench.vgg(0))!r})\nexplorer"])
    lab.run_all()
    lab.kernel_eval("explorer.selection.set_trait('layer', 'fc1'), explorer.wait()")
    page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 1")
    page.locator(".ww-heatmap").first.scroll_into_view_if_needed()
    box = page.evaluate(PLOT)

    def at(share: float) -> tuple[float, float]:
        return box["x"] + box["width"] / 2, box["y"] + share * box["height"]

    page.mouse.click(*at(0.5))
    # In small steps: where single weights are just to be told apart, little was read around what is in sight.
    while not page.evaluate(SINGLE):
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(300)
        lab.kernel_eval("explorer.wait()")
    took = []
    for number in range(2 * bench.size.repeats):
        start, end = (0.1, 0.9) if number % 2 else (0.9, 0.1)
        lab.kernel_eval("explorer.wait()")
        page.wait_for_timeout(600)
        page.evaluate(PANNED, PANES["the heatmaps"])
        page.mouse.move(*at(start))
        page.mouse.down()
        page.mouse.move(*at(end), steps=5)
        page.mouse.up()
        took.append(page.evaluate("window.panned") / 1e3)
        assert page.evaluate(SINGLE)
    return Quantity.of_times(f"end of a pan → sharp picture, {tensor.size / 1e6:.0f} M elements", took, 200.0)
