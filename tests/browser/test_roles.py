"""Parts, filter grids, spectra and the table in JupyterLab, read back from the page and held against h5py and numpy."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import VERTICAL_TICKS, VISIBLE_PATHS, Explorer, ruler
from lab import Lab

GATES = ("input", "forget", "cell", "output")
LSTMS = ("sequence_lstm", "sequence_lstm_dropout")
DIGITS = ("digits_baseline", "digits_mlp")
DASHED = """paths => paths
    .filter(path => path.getClientRects().length && getComputedStyle(path).strokeDasharray !== 'none')
    .map(path => path.getAttribute('d'))"""


def open_explorer(lab: Lab, models: Path, names: tuple[str, ...]) -> Explorer:
    paths = [str(models / f"{name}.h5") for name in names]
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare(*{paths!r})\nexplorer"])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.ww-heatmap image').length >= 4")
    return Explorer(lab)


@pytest.fixture
def lstms(lab: Lab, models: Path) -> Iterator[Explorer]:
    yield open_explorer(lab, models, LSTMS)
    assert lab.errors == []


@pytest.fixture
def digits(lab: Lab, models: Path) -> Iterator[Explorer]:
    yield open_explorer(lab, models, DIGITS)
    assert lab.errors == []


def stored(models: Path, name: str, layer: str, tensor: str) -> np.ndarray:
    """A weight by the end of its path, wherever this Keras has put it."""
    found: list[np.ndarray] = []
    with h5py.File(models / f"{name}.h5") as file:
        file["model_weights"][layer].visititems(
            lambda path, item: found.append(item[()]) if path.endswith(f"/{tensor}") else None
        )
    (values,) = found
    return values.astype(np.float64)


def points(path: str) -> np.ndarray:
    return np.array([[float(number) for number in point.split(",")] for point in path[1:].rstrip("Z").split("L")])


def test_a_histogram_for_each_gate_of_each_model(lstms: Explorer, models: Path) -> None:
    page = lstms.lab.page
    lstms.choose("layer", "lstm_1 · LSTM")
    page.locator(".ww-show-parts").click()
    page.locator(".ww-parts path.line").first.wait_for()
    expected: dict[tuple[str, str, str], np.ndarray] = {}
    for tensor in ("kernel", "recurrent_kernel", "bias"):
        both = {name: stored(models, name, "lstm_1", tensor) for name in LSTMS}
        edges = np.linspace(min(map(np.min, both.values())), max(map(np.max, both.values())), 41)
        for name, values in both.items():
            for gate, part in zip(GATES, np.split(values, 4, axis=-1), strict=True):
                expected[name, tensor, gate] = np.histogram(part, edges)[0]
    # As they are drawn: a model after the other.
    expected = dict(sorted(expected.items(), key=lambda item: LSTMS.index(item[0][0])))
    tallest = {
        (tensor, gate): max(expected[name, tensor, gate].max() for name in LSTMS) for _, tensor, gate in expected
    }

    def check() -> None:
        # The first is the ground on which the bars stand.
        _, *paths = page.locator(".ww-parts path.line").evaluate_all(VISIBLE_PATHS)
        assert len(paths) == len(expected)
        drawn = {key: points(path) for key, path in zip(expected, paths, strict=True)}
        for (name, tensor, gate), outline in drawn.items():
            base = outline[0, 1]
            top = min(drawn[each, tensor, gate][:, 1].min() for each in LSTMS)
            shares = (base - outline[1:-1:2, 1]) / (base - top)
            wanted = expected[name, tensor, gate] / tallest[tensor, gate]
            assert shares == pytest.approx(wanted, abs=0.01), (name, tensor, gate)

    lstms.eventually(check)
    words = page.locator(".ww-parts").inner_text()
    assert all(gate in words for gate in GATES)
    # One model less: its outlines are gone, the others have the pane for themselves.
    page.get_by_label(LSTMS[1]).first.click()
    lstms.eventually(lambda: _has_paths(lstms, 1 + len(expected) // 2))
    page.locator(".ww-show-parts").click()
    lstms.eventually(lambda: _has_paths(lstms, 0))


def _has_paths(explorer: Explorer, count: int) -> None:
    assert len(explorer.lab.page.locator(".ww-parts path.line").evaluate_all(VISIBLE_PATHS)) == count


def test_the_heatmap_names_the_gates(lstms: Explorer) -> None:
    lstms.choose("layer", "lstm_1 · LSTM")
    lstms.await_shown("lstm_1", "kernel")

    def check() -> None:
        # Of B: beside A stand the rows as well.
        words = lstms.lab.page.locator(".ww-heatmap .bqplot").nth(1).locator(".axis text").all_text_contents()
        assert words == ["gate", *"ifco"]

    lstms.eventually(check)
    lstms.choose("part", "forget")
    lstms.await_shown("lstm_1", "kernel", "forget")


def tiles(kernel: np.ndarray, rows: int, order: np.ndarray) -> np.ndarray:
    """The filters of one input channel in so many rows."""
    high, wide, channels, filters = kernel.shape
    assert channels == 1
    columns = filters // rows
    picture = np.empty((rows * high, columns * wide))
    for place, number in enumerate(order):
        row, column = divmod(place, columns)
        picture[row * high :, column * wide :][:high, :wide] = kernel[:, :, 0, number]
    return picture


def test_filters_as_a_grid_and_by_norm(digits: Explorer, models: Path) -> None:
    page = digits.lab.page
    digits.lab.kernel_eval("explorer.selection.layer = 'conv_1'")
    digits.await_shown("conv_1", "kernel")
    kernel = stored(models, DIGITS[0], "conv_1", "kernel")
    as_given = np.arange(kernel.shape[-1])
    by_norm = np.argsort(-np.sqrt((kernel**2).sum(axis=(0, 1, 2))))
    assert (by_norm != as_given).any()

    def check(order: np.ndarray) -> None:
        shown, step = digits.values(0)
        rows, left = divmod(shown.shape[0], 3)
        assert (left, rows > 1, kernel.shape[-1] % rows) == (0, True, 0)
        assert np.abs(shown - tiles(kernel, rows, order)).max() <= 1.5 * step

    page.locator(".ww-set-way select").first.select_option(label="filter grid")
    digits.eventually(lambda: check(as_given))
    page.get_by_label("filters by norm").click()
    digits.eventually(lambda: check(by_norm))
    # The second tile holds the filter of the second largest norm.
    shape = digits.values(0)[0].shape
    digits.point_at(0, 1, 4, shape)
    page.wait_for_function("document.querySelector('.ww-readout').textContent.includes('filter')")
    said = digits.readout()
    assert f"filter {by_norm[1]}" in said
    assert f"{kernel[1, 1, 0, by_norm[1]]:+.4g}".replace("-", "−")[:6] in said
    page.locator(".ww-set-way select").first.select_option(label="one filter")
    number = page.locator(".ww-set-position input").first
    number.fill("3")
    number.press("Enter")
    digits.eventually(lambda: _shows(digits, kernel[:, :, 0, 3]))


def _shows(explorer: Explorer, matrix: np.ndarray) -> None:
    shown, step = explorer.values(0)
    assert shown.shape in (matrix.shape, matrix.reshape(-1, 1).shape)
    assert np.abs(shown.reshape(matrix.shape) - matrix).max() <= 1.5 * step


def test_what_the_initializer_gave_is_drawn_over_the_histogram(digits: Explorer, models: Path) -> None:
    page = digits.lab.page
    digits.choose("layer", "dense_1 · Dense")
    digits.await_shown("dense_1", "kernel")
    kernels = [stored(models, name, "dense_1", "kernel") for name in DIGITS]
    edges = np.linspace(min(map(np.min, kernels)), max(map(np.max, kernels)), 121)
    limit = math.sqrt(6 / sum(kernels[0].shape))  # Glorot and Bengio's uniform distribution
    shares = np.diff(np.clip((edges + limit) / (2 * limit), 0, 1))

    def check() -> None:
        figure = page.locator(".ww-histogram-figure").first
        paths = figure.locator("path.line").evaluate_all(DASHED)
        assert len(paths) == 1
        height = ruler(figure.evaluate(VERTICAL_TICKS))
        drawn = [height(y) for _, y in points(paths[0])[::2]]
        assert drawn == pytest.approx(kernels[0].size * shares, abs=0.5)

    digits.eventually(check)
    page.get_by_label("initial", exact=True).first.click()
    digits.eventually(lambda: _has_dashes(digits, 0))
    page.get_by_label("initial", exact=True).first.click()
    digits.eventually(check)


def _has_dashes(explorer: Explorer, count: int) -> None:
    assert len(explorer.lab.page.locator(".ww-histogram-figure path.line").evaluate_all(DASHED)) == count


class TestSpectrum:
    def test_is_computed_when_it_is_asked_for(self, digits: Explorer, models: Path) -> None:
        page = digits.lab.page
        digits.choose("layer", "dense_1 · Dense")
        digits.await_shown("dense_1", "kernel")
        page.locator(".ww-show-spectrum").click()
        pane = page.locator(".ww-spectrum")
        pane.get_by_text("can be cancelled").wait_for()
        pane.get_by_role("button", name="Compute").click()
        pane.locator("td").first.wait_for()
        values = {name: np.linalg.svd(stored(models, name, "dense_1", "kernel"), compute_uv=False) for name in DIGITS}
        head = pane.locator("th").all_text_contents()
        columns = {name: place for place, name in enumerate(head)}
        for place, name in enumerate(DIGITS):
            cells = pane.locator("tr").nth(1 + place).locator("td").all_text_contents()
            assert float(cells[columns["spectral norm"]]) == pytest.approx(values[name][0], rel=5.1e-3)
            stable = (values[name] ** 2).sum() / values[name][0] ** 2
            assert float(cells[columns["stable rank"]]) == pytest.approx(stable, rel=5.1e-3)

        def check() -> None:
            paths = pane.locator("path.line").evaluate_all(VISIBLE_PATHS)
            assert [len(points(path)) for path in paths] == [len(found) for found in values.values()]
            for path, found in zip(paths, values.values(), strict=True):
                y = points(path)[:, 1]
                # A logarithmic axis: heights go with logarithms.
                share = (y - y[0]) / (y[-1] - y[0])
                assert share == pytest.approx(np.log(found / found[0]) / np.log(found[-1] / found[0]), abs=0.01)

        digits.eventually(check)
        # The numbers of one weight do not stay beside another.
        digits.choose("layer", "output · Dense")
        pane.get_by_text("can be cancelled").wait_for()
        assert pane.locator("td").count() == 0

    def test_can_be_cancelled_and_the_kernel_answers(self, lab: Lab, tmp_path: Path) -> None:
        size = 4096
        with h5py.File(tmp_path / "large.h5", "w") as file:
            file.attrs["layer_names"] = ["dense"]
            file.create_dataset("dense/kernel", data=np.random.default_rng(0).standard_normal((size, size), "f4"))
            file["dense"].attrs["weight_names"] = ["kernel"]
        lab.open_notebook(
            [f"import weight_widgets as ww\nexplorer = ww.compare({str(tmp_path / 'large.h5')!r})\nexplorer"]
        )
        lab.run_all()
        explorer = Explorer(lab)
        explorer.await_shown("dense", "kernel")
        page = lab.page
        page.locator(".ww-show-spectrum").click()
        pane = page.locator(".ww-spectrum")
        pane.get_by_role("button", name="Compute").click()
        pane.get_by_text(re.compile(r"\d+ s of about \d+ s")).wait_for()
        assert ast.literal_eval(lab.kernel_eval("6 * 7")) == 42
        pane.get_by_role("button", name="Cancel").click()
        pane.get_by_role("button", name="Compute").wait_for()
        assert pane.locator("td").count() == 0
        alive = "import threading\n[one.name for one in threading.enumerate() if one.name == 'weight-widgets spectrum']"

        def check() -> None:
            assert ast.literal_eval(lab.kernel_eval(alive)) == []

        explorer.eventually(check)
        assert lab.errors == []


class TestTable:
    def test_sorts_and_filters_and_leads_to_a_weight(self, digits: Explorer, models: Path) -> None:
        page = digits.lab.page
        digits.choose("layer", "dense_1 · Dense")
        page.locator(".ww-set-scope select").first.select_option(label="all layers")
        grid = page.locator(".ww-table").first
        page.wait_for_function("document.querySelectorAll('.ww-table tbody tr').length > 10")
        names = grid.locator("tbody tr").evaluate_all("rows => rows.map(row => row.textContent)")
        place = grid.locator("thead th:not([hidden])").all_text_contents().index("L2 norm")
        grid.get_by_role("button", name="L2 norm").click()
        norms = [
            float(text)
            for text in grid.locator(f"tbody td:nth-child({place + 1})").all_text_contents()
            if text != "n/a"
        ]
        assert len(norms) == len(names)
        assert norms == sorted(norms, reverse=True)
        largest = max(
            np.linalg.norm(stored(models, name, layer, "kernel"))
            for name in DIGITS
            for layer in _layers_with_kernels(models, name)
        )
        assert norms[0] == pytest.approx(largest, rel=5.1e-3)
        grid.get_by_label("Filter the rows").fill("output bias")
        page.wait_for_function("document.querySelectorAll('.ww-table tbody tr').length === 2")
        grid.locator("tbody tr").first.click()
        digits.await_shown("output", "bias")
        assert digits.chosen("layer") == "output · Dense"
        assert digits.chosen("tensor") == "bias"
        grid.get_by_label("Filter the rows").fill("")

    def test_columns_can_be_chosen(self, digits: Explorer, models: Path) -> None:
        page = digits.lab.page
        digits.choose("layer", "dense_1 · Dense")
        digits.await_shown("dense_1", "kernel")
        grid = page.locator(".ww-table").first
        grid.locator("summary").click()
        grid.get_by_label("25 %", exact=True).check()
        grid.get_by_label("sparsity", exact=True).uncheck()
        head = grid.locator("thead th:not([hidden])").all_text_contents()
        assert "sparsity" not in head
        cells = grid.locator(f"tbody td:nth-child({head.index('25 %') + 1})").all_text_contents()
        expected = [np.quantile(stored(models, name, "dense_1", "kernel"), 0.25) for name in DIGITS]
        assert [float(cell.replace("−", "-")) for cell in cells] == pytest.approx(expected, rel=5.1e-3)


def _layers_with_kernels(models: Path, name: str) -> list[str]:
    with h5py.File(models / f"{name}.h5") as file:
        group = file["model_weights"]
        return [layer for layer in group if any("kernel" in str(one) for one in group[layer].attrs["weight_names"])]
