"""Large tensors in the explorer: a sample first, what is near marked as such, and all exact on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
from scipy import stats
from seen import TIMEOUT, Page, grid_rows, having, of_kind, write_model

import weight_widgets as ww
from weight_widgets.analysis import cache, summary
from weight_widgets.analysis.measures import QUANTILES
from weight_widgets.analysis.tables import NEAR
from weight_widgets.panes.style import SAMPLED, percent
from weight_widgets.reading import files
from weight_widgets.state.looks import kept

FIXTURES = Path(__file__).parent / "fixtures" / "keras3"
RNG = np.random.default_rng(53)
ROWS, COLUMNS = 1200, 300
PANES = ("histogram", "heatmap", "table")

Open = Callable[..., ww.WeightExplorer]


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is settled, every tensor large, and nothing known."""
    monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", "0")
    monkeypatch.setattr(files, "SETTLING", -1)
    monkeypatch.setattr(summary, "EXACT_SIZE", 1000)
    monkeypatch.setattr(summary, "RUN", 1000)
    cache._memory.clear()


@pytest.fixture
def previews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "PREVIEW_SIZE", 100_000)
    monkeypatch.setattr(summary, "SAMPLE_SIZE", 1000)


@pytest.fixture
def open_explorer(tmp_path: Path) -> Iterator[Open]:
    made: list[ww.WeightExplorer] = []

    def open_explorer(**models: Mapping[str, np.ndarray] | Path) -> ww.WeightExplorer:
        sources = {
            label: model if isinstance(model, Path) else write_model(tmp_path / f"{label}.h5", model)
            for label, model in models.items()
        }
        explorer = ww.compare(sources)
        made.append(explorer)
        assert explorer.wait(TIMEOUT)
        return explorer

    yield open_explorer
    for explorer in made:
        explorer.close()


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("f4")


def model() -> dict[str, np.ndarray]:
    return {"small": normal(9, 9), "dense": normal(ROWS, COLUMNS), "other": 5 + normal(ROWS, COLUMNS)}


def said_in(explorer: ww.WeightExplorer, pane: str) -> str:
    if pane == "table":
        return " ".join(widget.value for widget in of_kind(explorer, widgets.HTML) if "ww-note" in widget._dom_classes)
    value: str = having(explorer, {"histogram": "ww-counts", "heatmap": "ww-layout"}[pane]).value
    return value


def button(explorer: ww.WeightExplorer, name: str) -> widgets.Button:
    (found,) = [one for one in of_kind(explorer, widgets.Button) if one.description == name]
    return found


@pytest.mark.usefixtures("previews")
class TestPreviews:
    @pytest.mark.parametrize("pane", PANES)
    def test_a_sample_comes_first_and_says_so(self, pane: str, open_explorer: Open) -> None:
        explorer = open_explorer(a=model(), b=model())
        for name in PANES:
            getattr(explorer, name).shown = name == pane
        seen: list[tuple[Any, str]] = []
        # After the pane, which has drawn it by then.
        getattr(explorer, pane).observe(lambda change: seen.append((change.new, said_in(explorer, pane))), "result")
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        (sample, marked), (whole, unmarked) = seen
        assert 0 < sample.sampled < 0.5
        assert whole.sampled == 1
        said = SAMPLED.format(percent(sample.sampled))
        assert said in marked
        assert "sample" not in unmarked
        assert {sample.pick.layer, whole.pick.layer} == {"dense"}

    def test_of_a_sample_everything_is_near(self, open_explorer: Open) -> None:
        explorer = open_explorer(a=model(), b=model())
        explorer.histogram.shown = explorer.heatmap.shown = False
        seen: list[list[dict[str, str]]] = []
        explorer.table.observe(lambda _: seen.append(grid_rows(explorer)), "result")
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        sample, whole = seen
        assert all(row[name].startswith("≈") for row in sample for name in ("mean", "std", "min", "L2 norm", "50 %"))
        assert not any(row[name].startswith("≈") for row in whole for name in ("mean", "std", "min", "L2 norm"))
        assert all(row["50 %"].startswith("≈") for row in whole)
        assert all(row["parameters"] == "360\u2009000" for row in (*sample, *whole))

    def test_the_difference_of_two_equal_models_is_zero_in_the_sample_too(self, open_explorer: Open) -> None:
        one = model()
        explorer = open_explorer(a=one, b=one)
        # Of A all is known, of B not.
        explorer.histogram.shown = explorer.table.shown = False
        explorer.selection.other = "a"
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        seen: list[Any] = []
        explorer.heatmap.observe(lambda change: seen.append(change.new), "result")
        explorer.selection.other = "b"
        assert explorer.wait(TIMEOUT)
        assert [pictures.sampled < 1 for pictures in seen] == [True, False]
        for pictures in seen:
            assert not pictures.contrast.rasters[2].mean.any()
            assert pictures.contrast.rasters[0].mean.any()

    @pytest.mark.parametrize("pane", PANES)
    def test_of_what_is_not_chosen_any_more_nothing_is_shown(
        self, pane: str, open_explorer: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        explorer = open_explorer(a=model())
        for name in PANES:
            getattr(explorer, name).shown = name == pane
        preview, moved = kept.preview, False

        def choose_another(tensor: ww.Tensor, check: Any) -> Any:
            nonlocal moved
            found = preview(tensor, check)
            if not moved:
                moved = True
                assert found is not None
                explorer.selection.layer = "other"
            return found

        monkeypatch.setattr(kept, "preview", choose_another)
        seen: list[Any] = []
        getattr(explorer, pane).observe(lambda change: seen.append(change.new), "result")
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        assert moved
        assert [(found.pick.layer, found.sampled < 1) for found in seen] == [("other", True), ("other", False)]

    def test_small_tensors_and_known_ones_have_none(self, open_explorer: Open) -> None:
        explorer = open_explorer(a=model(), b=model())
        seen: list[Any] = []
        explorer.histogram.observe(lambda change: seen.append(change.new), "result")
        for layer in ("dense", "small", "dense"):
            explorer.selection.layer = layer
            assert explorer.wait(TIMEOUT)
        assert [(found.pick.layer, found.sampled < 1) for found in seen] == [
            ("dense", True),
            ("dense", False),
            ("small", False),
            ("dense", False),
        ]


def assert_nearly(counts: np.ndarray, uncertain: float, edges: np.ndarray, values: np.ndarray) -> None:
    """The counts are numpy's but for values that share a cell with an edge."""
    finite = values[np.isfinite(values)].astype("f8")
    expected = np.histogram(finite, edges)[0]
    assert np.abs(np.cumsum(counts - expected)).max() <= uncertain * finite.size + 1


class TestExactly:
    def test_histograms_on_request(self, open_explorer: Open) -> None:
        models = {"a": model(), "b": model()}
        explorer = open_explorer(**models)
        exactly = button(explorer, "Count exactly")
        assert exactly.layout.display == "none"
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display is None
        assert "may stand in a neighbouring bin" in said_in(explorer, "histogram")
        for curve in explorer.histogram.result.curves:
            assert 0 < curve.histogram.uncertain < 0.2
            found = curve.histogram
            assert_nearly(found.counts, found.uncertain, found.edges, models[curve.label]["dense"])
        exactly.click()
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display == "none"
        assert "neighbouring bin" not in said_in(explorer, "histogram")
        for curve in explorer.histogram.result.curves:
            expected = np.histogram(models[curve.label]["dense"].astype("f8"), curve.histogram.edges)[0]
            np.testing.assert_array_equal(curve.histogram.counts, expected)
        # For this weight only.
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display is None

    def test_what_lies_outside_is_near_as_well(self, open_explorer: Open) -> None:
        values = model()
        explorer = open_explorer(a=values)
        explorer.selection.layer = "dense"
        explorer.histogram.clip = 5.0
        assert explorer.wait(TIMEOUT)
        header, row = Page(said_in(explorer, "histogram")).rows
        assert row[header.index("outside")].startswith("≈")
        assert not row[header.index("zeros")].startswith("≈")
        button(explorer, "Count exactly").click()
        assert explorer.wait(TIMEOUT)
        (curve,) = explorer.histogram.result.curves
        low, high = curve.histogram.edges[[0, -1]]
        outside = int(((values["dense"] < low) | (values["dense"] > high)).sum())
        row = Page(said_in(explorer, "histogram")).rows[1]
        assert row[header.index("outside")] == f"{outside:,}".replace(",", "\u2009")

    def test_tables_on_request(self, open_explorer: Open) -> None:
        models = {"a": model(), "b": model()}
        explorer = open_explorer(**models)
        exactly = button(explorer, "Compute exactly")
        assert exactly.layout.display == "none"
        explorer.selection.layer = "dense"
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display is None
        assert "skew and kurtosis (≈) are as if" in said_in(explorer, "table")
        for row in explorer.table.result.rows:
            assert_measures(row, models[row["checkpoint"]]["dense"], near=True)
        exactly.click()
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display == "none"
        assert "≈" not in said_in(explorer, "table") + str(grid_rows(explorer))
        for row in explorer.table.result.rows:
            assert_measures(row, models[row["checkpoint"]]["dense"], near=False)
        explorer.selection.layer = "other"
        assert explorer.wait(TIMEOUT)
        assert exactly.layout.display is None

    def test_parts_say_how_near_they_are(self, open_explorer: Open) -> None:
        values = normal(4800, 4)
        explorer = open_explorer(a={"dense": values})
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        (strip,) = explorer.parts.result.strips
        for panel, unit in zip(strip.panels, values.T, strict=True):
            found = panel.histograms["a"]
            assert 0 < found.uncertain <= explorer.parts.result.uncertain < 0.2
            assert_nearly(found.counts, found.uncertain, found.edges, unit)
        said = " ".join(each.value for each in of_kind(having(explorer, "ww-parts"), widgets.HTML))
        assert "may stand in a neighbouring bin" in said
        explorer.selection.part = strip.panels[1].part
        explorer.histogram.exact = True
        assert explorer.wait(TIMEOUT)
        (curve,) = explorer.histogram.result.curves
        assert curve.histogram.uncertain == 0
        expected = np.histogram(values[:, 1].astype("f8"), curve.histogram.edges)[0]
        np.testing.assert_array_equal(curve.histogram.counts, expected)


def assert_measures(row: Mapping[str, Any], values: np.ndarray, near: bool) -> None:
    """A row's numbers are numpy's: those that are only near within what is promised, the others to six digits."""
    flat = values.ravel().astype("f8")
    finite = np.sort(flat[np.isfinite(flat)])
    size = np.abs(finite).max()
    # Keras computes a weight from its codes with one rounding more or less.
    digits = 2e-7 if row["dequantised"] else 1e-12
    assert (row["nan"], row["inf"]) == (np.isnan(flat).sum(), np.isinf(flat).sum())
    assert row["zeros"] == (flat == 0).sum()
    assert (row["min"], row["max"]) == pytest.approx((finite[0], finite[-1]), rel=digits)
    for name, expected in {"mean": finite.mean(), "std": finite.std(), "l2": np.linalg.norm(finite)}.items():
        assert row[name] == pytest.approx(expected, rel=2e-6, abs=1e-6 * size), name
    quantiles = np.array([row[f"q{percent:g}"] for percent in QUANTILES])
    if near:
        # Each value is moved within its cell.
        def room(values: np.ndarray) -> np.ndarray:
            return 2.0**-7 * np.abs(values) + 2.0**-16 * (finite[-1] - finite[0]) + digits * size

        low, high = (np.quantile(finite, np.array(QUANTILES) / 100, method=side) for side in ("lower", "higher"))
        assert (quantiles >= low - room(low)).all()
        assert (quantiles <= high + room(high)).all()
        assert abs(row["l1"] - np.abs(finite).sum()) <= room(finite).sum()
        return
    np.testing.assert_allclose(quantiles, np.percentile(finite, QUANTILES), rtol=digits, atol=digits * size)
    assert row["l1"] == pytest.approx(np.abs(finite).sum(), rel=1e-6)
    assert row["near_zeros"] == max((np.abs(finite) < row["near_zero_threshold"]).sum(), row["zeros"])
    if finite.std() > 1e-6 * size:
        assert row["skew"] == pytest.approx(stats.skew(finite), rel=1e-5, abs=1e-7)
        assert row["kurtosis"] == pytest.approx(stats.kurtosis(finite), rel=1e-5, abs=1e-7)


KINDS = ["convolutions.keras", "recurrences.keras", "int8.keras", "int4.keras", "float8.keras", "precisions.keras"]


@pytest.mark.parametrize("name", KINDS)
class TestKinds:
    """Tensors of layers that Keras saved, as if they were large: kernels of any rank, gates, codes, short floats."""

    @pytest.fixture(autouse=True)
    def larger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summary, "EXACT_SIZE", 8)
        monkeypatch.setattr(summary, "RUN", 8)

    @pytest.fixture
    def truth(self, name: str) -> dict[tuple[str, str], np.ndarray]:
        with np.load((FIXTURES / name).with_suffix(".npz")) as arrays:
            return {(key.rpartition("|")[0], key.rpartition("|")[2]): arrays[key] for key in arrays}

    def test_the_table_has_numpys_numbers(
        self, name: str, truth: dict[tuple[str, str], np.ndarray], open_explorer: Open
    ) -> None:
        explorer = open_explorer(model=FIXTURES / name)
        for exact in (False, True):
            explorer.table.scope = "model"
            explorer.table.exact = exact
            assert explorer.wait(TIMEOUT)
            rows = {(row["layer"], row["tensor"]): row for row in explorer.table.result.rows}
            known = rows.keys() & truth.keys()
            assert len(known) >= 3
            for address in known:
                if truth[address].size:
                    assert_measures(rows[address], truth[address], near=not exact)
            if not exact:
                assert any(rows[address]["near"] for address in known)

    def test_the_other_panes_have_numpys_counts(
        self, name: str, truth: dict[tuple[str, str], np.ndarray], open_explorer: Open
    ) -> None:
        explorer = open_explorer(model=FIXTURES / name)
        explorer.parts.shown = True
        addresses = [address for address, values in truth.items() if values.ndim > 1 and values.size > 8]
        addresses = [(layer, tensor) for layer, tensor in addresses if tensor in explorer.checkpoints["model"][layer]]
        assert addresses
        for layer, tensor in addresses[:4]:
            values = truth[layer, tensor].astype("f8")
            explorer.selection.layer = layer
            explorer.selection.tensor = tensor
            assert explorer.wait(TIMEOUT)
            assert explorer._state.status.problems == ()
            (curve,) = explorer.histogram.result.curves
            found = curve.histogram
            assert found.counts.sum() + found.outside == values.size
            # Computed from codes, a value may be rounded to the other side.
            assert_nearly(found.counts, found.uncertain, found.edges + 1e-7 * np.abs(found.edges), values)
            raster = explorer.heatmap.result.contrast.rasters[0]
            assert raster.mean.size == values.size
            np.testing.assert_allclose(raster.mean.sum(), values.sum(), rtol=1e-5, atol=1e-5 * np.abs(values).sum())
            np.testing.assert_allclose(np.sort(raster.mean, axis=None), np.sort(values, axis=None), rtol=1e-6)


class TestNotFinite:
    def test_in_every_pane(self, open_explorer: Open) -> None:
        values = normal(ROWS, COLUMNS)
        values[5, 7], values[40, 250], values[41, 251], values[900:903, 3] = np.nan, np.inf, -np.inf, np.nan
        values[600] = 0
        only = np.full((ROWS, COLUMNS), np.nan, "f4")
        explorer = open_explorer(some={"dense": values}, none={"dense": only})
        explorer.parts.shown = True
        assert explorer.wait(TIMEOUT)
        assert explorer._state.status.problems == ()
        some, none = explorer.histogram.result.curves
        assert (some.moments.nan, some.moments.inf, some.moments.zeros) == (4, 2, COLUMNS)
        assert some.histogram.counts.sum() == values.size - 6
        assert_nearly(some.histogram.counts, some.histogram.uncertain, some.histogram.edges, values)
        assert (none.moments.nan, none.histogram.counts.sum()) == (only.size, 0)
        rows = {row["checkpoint"]: row for row in explorer.table.result.rows}
        assert_measures(rows["some"], values, near=True)
        assert rows["none"]["nan"] == only.size
        assert all(np.isnan(rows["none"][name]) for name in ("mean", "std", "q50", "l2"))
        a, b, delta = explorer.heatmap.result.contrast.rasters
        down, across = a.mean.shape
        cells = np.zeros((down, across), bool)
        for row, column in np.argwhere(~np.isfinite(values)):
            cells[
                np.searchsorted(np.arange(down) * ROWS // down, row, "right") - 1,
                np.searchsorted(np.arange(across) * COLUMNS // across, column, "right") - 1,
            ] = True
        np.testing.assert_array_equal(~np.isfinite(a.mean), cells)
        assert not np.isfinite(b.mean).any()
        assert not np.isfinite(delta.mean).any()
        assert f"{cells.sum()} cells of A and {b.mean.size} of B" in said_in(explorer, "heatmap")
        explorer.table.exact = True
        assert explorer.wait(TIMEOUT)
        assert_measures(explorer.table.result.rows[0], values, near=False)


def test_what_is_marked_are_columns_of_the_table() -> None:
    """A renamed column would lose its mark."""
    from weight_widgets.panes.table import COLUMNS as SHOWN

    assert {*NEAR} <= {column.key for column in SHOWN}
