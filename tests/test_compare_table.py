"""compare_table against plain h5py, numpy and scipy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.stats

import weight_widgets as ww
from weight_widgets.analysis.comparing import COLUMNS
from weight_widgets.errors import InputError

RNG = np.random.default_rng(11)
MISSING = ("reshaped", "added", "removed")


def stored(path: Path) -> dict[tuple[str, str], np.ndarray]:
    """The weights of a legacy file of Keras 3, by layer and name."""
    found: dict[tuple[str, str], np.ndarray] = {}
    with h5py.File(path) as file:
        for layer, group in file["model_weights"].items():
            for name in group.attrs["weight_names"]:
                found[layer, name.rpartition("/")[2]] = group[name][()]
    return found


@pytest.mark.parametrize("other", ["dropout", "twin_init", "finetuned", "dead"])
def test_measures_are_those_of_numpy_and_scipy(models: Path, other: str) -> None:
    files = models / "digits_baseline.h5", models / f"digits_{other}.h5"
    a, b = (stored(path) for path in files)
    table = ww.compare_table(*files)
    assert len(table) == len(a)
    for row in table.itertuples():
        x, y = (side[row.layer_a, row.tensor_a].astype(np.float64).ravel() for side in (a, b))
        assert (row.layer_a, row.tensor_a, row.size) == (row.layer_b, row.tensor_b, x.size)
        assert row.status == ("same" if (x == y).all() else "changed")
        norms = np.linalg.norm(x), np.linalg.norm(y)
        expected = {
            "relative_change": np.linalg.norm(y - x) / norms[0],
            "symmetric_distance": 2 * np.linalg.norm(y - x) / sum(norms),
            "cosine": x @ y / norms[0] / norms[1],
            "pearson": scipy.stats.pearsonr(x, y).statistic,
            "max_abs": np.abs(y - x).max(),
            "equal_share": np.mean(x == y),
            "close_share": np.mean(x == y),
            "wasserstein": scipy.stats.wasserstein_distance(x, y),
        }
        for name, value in expected.items():
            slack = 1e-6 if name in ("cosine", "pearson") else 1e-9
            assert getattr(row, name) == pytest.approx(value, rel=1e-5, abs=slack), (row.layer_a, row.tensor_a, name)
        kernel = a[row.layer_a, row.tensor_a]
        if kernel.ndim > 1:
            units = [np.sort(np.linalg.norm(v.reshape(-1, kernel.shape[-1]), axis=0)) for v in (x, y)]
            distance = 2 * np.linalg.norm(units[1] - units[0]) / (np.linalg.norm(units[0]) + np.linalg.norm(units[1]))
            assert row.unit_distance == pytest.approx(distance, rel=1e-5, abs=1e-9)
        assert pd.isna(row.unit_distance) == (kernel.ndim == 1)
        assert pd.isna(row.null_low) == pd.isna(row.null_high) == (kernel.ndim == 1)


def test_columns_are_documented_and_typed(models: Path) -> None:
    table = ww.compare_table(models / "digits_baseline.h5", models / "digits_wide.h5")
    assert [*table.columns] == [*COLUMNS]
    for name, dtype in table.dtypes.items():
        assert dtype == COLUMNS[name], name
    documented = (ww.compare_table.__doc__ or "").split("Notes")[1]
    for name in COLUMNS:
        assert f"``{name}``" in documented or (name == "null_high" and "…_high" in documented)


def test_rows_without_a_pair_have_no_measures(models: Path) -> None:
    table = ww.compare_table(models / "sequence_lstm.h5", models / "sequence_gru.h5")
    alone = table[table.status.isin(MISSING)]
    assert {*alone.status} == {"added", "removed"}
    assert alone.loc[:, "relative_change":].isna().all(axis=None)
    assert alone.layer_b[alone.status == "removed"].isna().all()
    assert (alone.layer_b[alone.status == "added"] == "gru_1").all()


def test_large_tensors_are_measured_piece_by_piece() -> None:
    a = RNG.normal(size=(1500, 2001)).astype("f4")
    b = (a + 0.3 * RNG.normal(size=a.shape)).astype("f4")
    b[:7] = a[:7]
    table = ww.compare_table({"layer/kernel": a}, {"layer/kernel": b})
    (row,) = table.itertuples()
    x, y = a.astype("f8").ravel(), b.astype("f8").ravel()
    assert row.relative_change == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x), rel=1e-6)
    assert row.cosine == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), abs=1e-7)
    assert row.equal_share == np.mean(x == y)
    # Of so many, every twenty-third value or so: the error of such a sample.
    assert row.wasserstein == pytest.approx(scipy.stats.wasserstein_distance(x, y), abs=0.01)
    norms = [np.sort(np.linalg.norm(v.astype("f8"), axis=0)) for v in (a, b)]
    distance = 2 * np.linalg.norm(norms[1] - norms[0]) / (np.linalg.norm(norms[0]) + np.linalg.norm(norms[1]))
    assert row.unit_distance == pytest.approx(distance, rel=1e-4)
    assert row.null_high < 0.01 < row.cosine


class TestTolerance:
    a = np.array([[1.0, 100.0, 0.0, np.nan, np.inf, -1.0]])
    b = np.array([[1.001, 100.1, 1e-9, np.nan, np.inf, 1.0]])

    @pytest.mark.parametrize(("atol", "rtol"), [(0, 0), (1e-8, 0), (0, 2e-3), (1e-8, 2e-3), (0.01, 0), (10, 0)])
    def test_is_that_of_numpy(self, atol: float, rtol: float) -> None:
        table = ww.compare_table({"x/kernel": self.a}, {"x/kernel": self.b}, atol=atol, rtol=rtol)
        # numpy's is relative to the second.
        assert table.close_share[0] == np.isclose(self.b, self.a, rtol=rtol, atol=atol).mean()

    @pytest.mark.parametrize("value", [-1, np.nan, np.inf, "1"])
    def test_that_makes_no_sense(self, value: Any) -> None:
        with pytest.raises(InputError, match=r"rtol is .* a finite number from 0 on"):
            ww.compare_table({"x/kernel": self.a}, {"x/kernel": self.b}, rtol=value)


def test_permuted_units_are_apart_and_their_norms_are_not() -> None:
    a = RNG.normal(size=(40, 30)) * np.exp(RNG.normal(size=30))
    order = RNG.permutation(30)
    table = ww.compare_table({"x/kernel": a}, {"x/kernel": a[RNG.permutation(40)][:, order]}, singular_values=True)
    assert table.relative_change[0] > 1
    assert table.unit_distance[0] < 1e-12
    assert table.singular_distance[0] < 1e-12
    assert table.wasserstein[0] < 1e-12


def test_singular_values() -> None:
    a, b = RNG.normal(size=(2, 30, 20))
    table = ww.compare_table({"x/kernel": a}, {"x/kernel": b}, singular_values=True)
    values = [np.linalg.svd(each, compute_uv=False) for each in (a, b)]
    expected = 2 * np.linalg.norm(values[1] - values[0]) / (np.linalg.norm(values[0]) + np.linalg.norm(values[1]))
    assert table.singular_distance[0] == pytest.approx(expected)
    assert pd.isna(ww.compare_table({"x/kernel": a}, {"x/kernel": b}).singular_distance[0])


def test_nan_is_counted_and_left_out() -> None:
    a, b = RNG.normal(size=(2, 30, 20))
    a[3, 3] = b[5, 5] = b[6, 6] = np.nan
    known = np.isfinite(a) & np.isfinite(b)
    (row,) = ww.compare_table({"x/kernel": a}, {"x/kernel": b}).itertuples()
    assert (row.nan_a, row.nan_b) == (1, 2)
    assert row.cosine == pytest.approx(a[known] @ b[known] / np.linalg.norm(a[known]) / np.linalg.norm(b[known]))
    assert pd.isna(row.null_low)
    sides = [values[np.isfinite(values)] for values in (a, b)]
    assert row.wasserstein == pytest.approx(scipy.stats.wasserstein_distance(*sides))


def test_with_an_alignment_of_ones_own() -> None:
    a, b = RNG.normal(size=(2, 3, 8, 8))
    one, other = ({"x/kernel": v[0], "y/kernel": v[1], "z/kernel": v[2]} for v in (a, b))
    alignment = ww.align(one, other).pair(("x", "kernel"), ("z", "kernel")).unpair("y")
    table = ww.compare_table(one, other, alignment)
    row = table[table.layer_a == "x"].iloc[0]
    assert (row.layer_b, row.reason) == ("z", "user")
    assert row.relative_change == pytest.approx(np.linalg.norm(b[2] - a[0]) / np.linalg.norm(a[0]))
    assert table.status[table.layer_a == "y"].tolist() == ["removed"]
    # It is checked against the checkpoints.
    with pytest.raises(InputError, match="x/kernel of shape"):
        ww.compare_table({"x/kernel": a[0, :4]}, other, alignment)
    rows = json.loads(alignment.to_json())
    rows["rows"].pop()
    with pytest.raises(InputError, match="the alignment has 2 tensors for"):
        ww.compare_table(one, other, ww.Alignment.from_json(json.dumps(rows)))


def test_tensors_that_cannot_be_read_have_rows(tmp_path: Path) -> None:
    for name in "ab":
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            for layer in ("first", "second"):
                file[f"layers/{layer}/vars/0"] = RNG.normal(size=(40, 30))
    one, other = (ww.open_checkpoint(tmp_path / f"{name}.h5") for name in "ab")
    (tmp_path / "b.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:5000])
    with pytest.warns(
        UserWarning, match=r"(first|second)/.* cannot be read, its measures are missing: .*was rewritten"
    ):
        table = ww.compare_table(one, other)
    assert table.status.tolist() == ["changed", "changed"]
    assert table.loc[:, "relative_change":].isna().all(axis=None)
    verdict = ww.verdict(one, other)
    assert (verdict.weights, verdict.coverage) == ("undetermined", 0)
    assert "some weights cannot be read" in verdict.sentence
