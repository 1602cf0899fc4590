"""The explorer in JupyterLab: what a user chooses, by mouse, by keys and from Python, is what the panes show.

Every expected value is computed here with plain h5py and numpy.
"""

from __future__ import annotations

import ast
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer, stored
from lab import Lab

ROOT = Path(__file__).resolve().parent.parent.parent
# Elements with something hidden beyond their right edge, which pointing at them does not show either: a title does, and
# so does the overview's popup.
CUT_OFF = """() => [...document.querySelector('.weight-widgets').querySelectorAll('*')]
    .filter(element => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    .filter(element => getComputedStyle(element).overflowX !== 'visible')
    .filter(element => !element.closest('.bqplot, .ww-crosshair, .ww-grid-scroll, .ww-overview-grid, select'))
    .filter(element => getComputedStyle(element).textOverflow !== 'ellipsis' ||
        !(element.closest('[title]') ?? element.querySelector('[title]')))
    .map(element => element.outerHTML.slice(0, 160))"""
NAMES = ("digits_baseline", "digits_dropout", "digits_wide", "digits_dead")


START = f"""
explorer.selection.set_trait("checkpoints", {NAMES!r})
explorer.selection.reference, explorer.selection.other = {NAMES[:2]!r}
explorer.selection.layer, explorer.selection.tensor, explorer.selection.part = "conv_1", "kernel", ""
explorer.histogram.bins, explorer.histogram.clip = 120, 0
explorer.histogram.density = explorer.histogram.log = False
"""


@pytest.fixture(scope="module")
def opened(lab: Lab) -> Iterator[Explorer]:
    """The notebook of the examples, all cells run; its first explorer."""
    lab.open_notebook(ROOT / "examples" / "compare.ipynb")
    lab.run_all()
    found = Explorer(lab)
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    yield found
    assert lab.errors == []


@pytest.fixture
def explorer(opened: Explorer) -> Explorer:
    """The same explorer, back where each test starts from."""
    opened.lab.set_viewport(1360)
    opened.lab.kernel_eval(START)
    opened.await_shown("conv_1", "kernel")
    return opened


def number(text: str) -> float:
    return math.nan if text == "n/a" else float(text.replace("−", "-").replace("\u2009", "").rstrip(" %"))


def check_panes(explorer: Explorer, weights: dict[str, np.ndarray], pair: tuple[np.ndarray, np.ndarray]) -> None:
    """The three panes against arrays: `weights` by ticked model, `pair` the matrices A and B."""
    explorer.eventually(lambda: check_table(explorer, weights))
    explorer.eventually(lambda: check_histograms(explorer, weights))
    explorer.eventually(lambda: explorer.check_pictures(pair))


def check_table(explorer: Explorer, weights: dict[str, np.ndarray]) -> None:
    table = explorer.table()
    assert list(table) == list(weights)
    for name, values in weights.items():
        row, wide = table[name], values.astype(np.float64)
        assert row["shape"] == " × ".join(map(str, values.shape))
        assert number(row["parameters"]) == values.size
        for column, expected in {
            "mean": wide.mean(),
            "std": wide.std(),
            "min": wide.min(),
            "max": wide.max(),
            "L2 norm": np.sqrt((wide**2).sum()),
            "sparsity": 100 * (wide == 0).mean(),
        }.items():
            assert number(row[column]) == pytest.approx(expected, rel=5.1e-3, abs=1e-12), (name, column)


def check_histograms(explorer: Explorer, weights: dict[str, np.ndarray]) -> None:
    low, high = min(map(np.min, weights.values())), max(map(np.max, weights.values()))
    edges = np.linspace(np.float64(low), np.float64(high), 121)
    drawn = explorer.counts()
    assert len(drawn) == len(weights)
    for counts, values in zip(drawn, weights.values(), strict=True):
        expected = np.histogram(values.astype(np.float64), edges)[0]
        assert counts == pytest.approx(expected, abs=0.02 + expected.max() * 0.002)


def test_choosing_by_mouse_shows_what_the_file_holds(explorer: Explorer, models: Path) -> None:
    explorer.choose("layer", "conv_2 · Conv2D")
    explorer.await_shown("conv_2", "kernel")
    kernels = {name: stored(models, name, "conv_2", "kernel") for name in NAMES}
    matrices = [kernels[name].reshape(-1, kernels[name].shape[-1]) for name in NAMES]
    check_panes(explorer, kernels, (matrices[0], matrices[1]))

    explorer.choose("other", "digits_dead")
    explorer.choose("tensor", "bias")
    explorer.await_shown("conv_2", "bias")
    biases = {name: stored(models, name, "conv_2", "bias") for name in NAMES}
    explorer.lab.page.get_by_label("digits_wide").first.click()
    explorer.lab.page.wait_for_function("document.querySelector('.ww-table tbody').children.length === 3")
    del biases["digits_wide"]
    check_panes(explorer, biases, (biases["digits_baseline"][None], biases["digits_dead"][None]))


def test_a_list_opened_with_the_mouse(explorer: Explorer, models: Path) -> None:
    explorer.click_open("layer")
    explorer.lab.page.keyboard.press("ArrowDown")
    explorer.lab.page.keyboard.press("Enter")
    explorer.await_shown("norm_1", "gamma")
    gammas = {name: stored(models, name, "norm_1", "gamma") for name in NAMES}
    check_panes(explorer, gammas, (gammas["digits_baseline"][None], gammas["digits_dropout"][None]))


def test_a_part_is_shown_alone(explorer: Explorer, models: Path) -> None:
    explorer.choose("layer", "conv_2 · Conv2D")
    explorer.choose("part", "filter 7")
    explorer.await_shown("conv_2", "kernel", "filter 7")
    filters = {name: stored(models, name, "conv_2", "kernel")[..., 7] for name in NAMES}
    # The k × k pictures of the input channels side by side.
    matrices = [np.concatenate(list(np.moveaxis(filters[name], 2, 0)), axis=1) for name in NAMES]
    check_panes(explorer, filters, (matrices[0], matrices[1]))


def test_arrow_keys_choose_and_letters_stay_out_of_the_notebook(explorer: Explorer, models: Path) -> None:
    page = explorer.lab.page
    cells = page.locator(".jp-Cell").count()
    page.locator(".ww-choose-layer select").first.focus()
    page.keyboard.press("ArrowDown")
    explorer.await_shown("norm_1", "gamma")
    page.locator(".ww-choose-tensor select").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    explorer.await_shown("norm_1", "moving_mean")
    means = {name: stored(models, name, "norm_1", "moving_mean") for name in NAMES}
    check_panes(explorer, means, (means["digits_baseline"][None], means["digits_dropout"][None]))

    page.locator(".ww-choose-other select").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelectorAll('.ww-picture-title')[1].textContent.includes('digits_wide')")
    page.keyboard.press("ArrowUp")

    page.locator(".ww-choose-layer select").first.focus()
    page.keyboard.press("ArrowUp")
    explorer.await_shown("conv_1", "kernel")
    page.locator(".ww-choose-part select").first.focus()
    page.keyboard.press("ArrowDown")
    explorer.await_shown("conv_1", "kernel", "filter 0")
    # In command mode each of these keys would change the notebook: insert, cut, turn into Markdown.
    for key in "abxm":
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert page.locator(".jp-MarkdownCell.jp-mod-active").count() == 0


def test_python_moves_the_choosers_and_the_choosers_move_python(explorer: Explorer) -> None:
    explorer.lab.kernel_eval("explorer.selection.layer = 'output'; explorer.selection.tensor = 'bias'")
    explorer.await_shown("output", "bias")
    assert explorer.chosen("layer") == "output · Dense"
    assert explorer.chosen("tensor") == "bias"
    explorer.choose("reference", "digits_wide")
    explorer.choose("layer", "dense_1 · Dense")
    explorer.await_shown("dense_1", "bias")
    assert explorer.lab.kernel_eval("explorer.selection.reference, explorer.selection.layer") == (
        "('digits_wide', 'dense_1')"
    )


def test_different_shapes_have_no_difference_and_say_so(explorer: Explorer) -> None:
    explorer.lab.kernel_eval(
        "explorer.selection.layer = 'dense_1'; explorer.selection.tensor = 'kernel';"
        "explorer.selection.other = 'digits_wide'"
    )
    page = explorer.lab.page
    page.wait_for_function("document.querySelector('.ww-layout').textContent.includes('No difference')")
    # The status is another message, which may come later.
    page.locator(".ww-status [role=alert]").get_by_text(
        "digits_baseline is 96 × 64 and digits_wide is 96 × 96"
    ).wait_for()
    explorer.choose("other", "digits_dropout")
    page.wait_for_function("!document.querySelector('.ww-layout').textContent.includes('No difference')")


def test_the_settings_of_the_histogram(explorer: Explorer, models: Path) -> None:
    explorer.choose("layer", "dense_1 · Dense")
    explorer.await_shown("dense_1", "kernel")
    page = explorer.lab.page
    bins = page.locator(".ww-set-bins input").first
    bins.fill("40")
    bins.press("Enter")
    page.locator(".ww-set-clip select").first.select_option(label="1–99 %")
    values = [stored(models, name, "dense_1", "kernel").astype(np.float64) for name in NAMES]
    ranges = [np.percentile(array, [1, 99]) for array in values]
    edges = np.linspace(min(low for low, _ in ranges), max(high for _, high in ranges), 41)
    expected = [np.histogram(array, edges)[0] for array in values]
    outside = [array.size - counts.sum() for array, counts in zip(values, expected, strict=True)]
    cell = ".ww-counts tr:nth-child(5) td:nth-child(5)"
    page.wait_for_function(
        "([cell, count]) => document.querySelector(cell)?.textContent.replace(/\\D/g, '') === String(count)",
        arg=[cell, int(outside[3])],
    )

    def check(heights: list[np.ndarray], tolerance: float) -> None:
        for drawn, height in zip(explorer.counts(), heights, strict=True):
            assert drawn == pytest.approx(height, abs=height.max() * tolerance)

    explorer.eventually(lambda: check(expected, 0.005))
    page.locator(".ww-set-density select").first.select_option(label="density")
    densities = [counts / (counts.sum() * np.diff(edges)) for counts in expected]
    explorer.eventually(lambda: check(densities, 0.005))
    assert "density" in page.locator(".ww-histogram-figure").first.inner_text()
    explorer.lab.kernel_eval("explorer.histogram.bins = 120; explorer.histogram.density = False")
    page.wait_for_function("document.querySelector('.ww-histogram-figure').textContent.includes('count')")
    assert bins.input_value() == "120"


def test_the_crosshair_reads_the_weights_before_and_after_a_zoom(explorer: Explorer, models: Path) -> None:
    explorer.choose("layer", "dense_1 · Dense")
    explorer.await_shown("dense_1", "kernel")
    a, b = (stored(models, name, "dense_1", "kernel") for name in NAMES[:2])
    page = explorer.lab.page

    def expect(row: int, column: int) -> None:
        start = f"input {row}, unit {column}: "
        page.wait_for_function(
            "start => document.querySelector('.ww-readout').textContent.startsWith(start)", arg=start
        )
        shown = [float(text.replace("−", "-")) for text in re.findall(r" ([+−][\d.e−]+|0)(?= ·|$)", explorer.readout())]
        wide = a[row, column].astype(np.float64), b[row, column].astype(np.float64)
        assert shown == pytest.approx([*wide, wide[1] - wide[0]], rel=1e-5)

    def click_and_await_focus() -> None:
        page.mouse.down()
        # The notebook takes the focus to its cell, and the crosshair takes it back when the button is up.
        page.wait_for_function("document.activeElement.className !== 'ww-crosshair'")
        page.mouse.up()
        page.wait_for_function("document.activeElement.className === 'ww-crosshair'")

    for picture in range(3):
        explorer.point_at(picture, 12 + picture, 40, a.shape)
        expect(12 + picture, 40)
    # The wheel scrolls the page until a click says that the picture is meant.
    click_and_await_focus()
    before = page.locator(".ww-heatmap image").first.evaluate("image => image.getBoundingClientRect().width")
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "width => document.querySelector('.ww-heatmap image').getBoundingClientRect().width > 1.2 * width", arg=before
    )
    widths = [
        explorer.image(number).evaluate("image => Math.round(image.getBoundingClientRect().width)")
        for number in range(3)
    ]
    assert max(widths) - min(widths) <= 1
    for row, column in ((15, 38), (9, 45)):
        explorer.point_at(1, row, column, a.shape)
        expect(row, column)

    explorer.point_at(0, 14, 40, a.shape)
    expect(14, 40)
    click_and_await_focus()
    cells = page.locator(".jp-Cell").count()
    for key, row, column in (("ArrowRight", 14, 41), ("ArrowDown", 15, 41), ("ArrowLeft", 15, 40), ("ArrowUp", 14, 40)):
        page.keyboard.press(key)
        expect(row, column)
    page.keyboard.press("b")
    assert page.locator(".jp-Cell").count() == cells
    page.get_by_text("Reset view").first.click()
    page.wait_for_function(
        "width => Math.abs(document.querySelector('.ww-heatmap image').getBoundingClientRect().width - width) < 1",
        arg=before,
    )


def test_nothing_jumps_when_the_crosshair_speaks(explorer: Explorer) -> None:
    page = explorer.lab.page
    explorer.choose("layer", "dense_1 · Dense")
    explorer.await_shown("dense_1", "kernel")
    page.mouse.move(2, 2)
    height = "document.querySelector('.weight-widgets').getBoundingClientRect().height"
    silent = page.evaluate(height)
    explorer.point_at(0, 3, 3, (96, 64))
    page.wait_for_function("document.querySelector('.ww-readout').textContent.startsWith('input 3')")
    assert page.evaluate(height) == silent


@pytest.mark.parametrize("width", [1360, 700])
def test_nothing_is_wider_than_the_explorer(explorer: Explorer, width: int) -> None:
    explorer.lab.set_viewport(width)
    explorer.lab.page.wait_for_function("width => innerWidth === width", arg=width)
    assert explorer.lab.page.evaluate(CUT_OFF) == []


def test_fifty_layers_in_two_seconds_end_on_the_last(lab: Lab, tmp_path: Path) -> None:
    """A key held down: the browser sends a change every 40 ms, and the explorer shows some of them and the last."""
    layers = [f"dense_{place}" for place in range(50)]
    values = {}
    for model in "ab":
        with h5py.File(tmp_path / f"{model}.h5", "w") as file:
            file.attrs["layer_names"] = layers
            for seed, layer in enumerate(layers):
                values[model, layer] = np.random.default_rng(seed).normal(size=(64, 64)).astype("f4")
                file.create_dataset(f"{layer}/kernel", data=values[model, layer])
                file[layer].attrs["weight_names"] = ["kernel"]
    lab.open_notebook(
        [
            "import weight_widgets as ww\nlooks = []\n"
            f"explorer = ww.compare({str(tmp_path / 'a.h5')!r}, {str(tmp_path / 'b.h5')!r})\n"
            "explorer.table.observe(lambda change: looks.append(change.new.pick.layer), 'result')\nexplorer"
        ]
    )
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("dense_0", "kernel")
    lab.page.locator(".ww-choose-layer select").focus()
    started = time.monotonic()
    for _ in layers[1:]:
        lab.page.keyboard.press("ArrowDown", delay=20)
    found.await_shown("dense_49", "kernel")
    looks = ast.literal_eval(lab.kernel_eval("looks"))
    assert looks[-1] == "dense_49"
    # At most one look in 0.25 s, however slow this machine presses keys.
    assert len(looks) <= (time.monotonic() - started) / 0.25 + 2
    assert number(found.table()["a"]["max"]) == pytest.approx(values["a", "dense_49"].max(), rel=5e-3)
    assert lab.errors == []
    # Nothing is left to come.
    assert ast.literal_eval(lab.kernel_eval("explorer.wait(0), looks")) == (True, looks)
