"""Findings of models that real Keras trained: what each rule speaks of, and what it must not speak of.

`fixtures/make_findings.py` trained them; the examples' README says what a forward pass over all data found dead.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pandas as pd
import pytest

import weight_widgets as ww
from weight_widgets.analysis.findings.compose import gather

FOLDER = Path(__file__).parent / "fixtures" / "findings"
EPOCHS = [FOLDER / f"run_{epoch}.weights.h5" for epoch in range(6)]
DIVERGING = [*EPOCHS[:4], *(FOLDER / f"jump_{epoch}.weights.h5" for epoch in (4, 5))]
# Of a single checkpoint these can tell nothing.
OVER_RUNS = {"jump", "frozen"}


def found(*paths: Path, **settings: object) -> pd.DataFrame:
    return ww.findings(*paths, **settings)


def told(table: pd.DataFrame, *severities: str) -> set[tuple[str, str, str, str]]:
    """Rule, layer, part and severity of the rows of these severities."""
    rows = table[table.severity.isin(severities)]
    return {(row.rule, row.layer, row.part, row.severity) for row in rows.itertuples() if row.rule not in OVER_RUNS}


WARNINGS = {
    "dead.h5": {("dead-units", "units", "unit 2"), ("dead-units", "units", "unit 5")},
    "dead.keras": {("dead-units", "units", "unit 2"), ("dead-units", "units", "unit 5")},
    "channels.keras": {
        ("dead-units", "units", "unit 2"),
        ("dead-units", "units", "unit 5"),
        ("dead-channels", "norm", ""),
    },
    "diverged.keras": {("not-finite", "units", ""), ("not-finite", "output", "")},
    "exploded.keras": {("large-norm", "units", "")},
    "outlier.keras": {("outlier", "units", "")},
    "alike.keras": {("duplicate-units", "units", "")},
    "recurrent_start.keras": {("never-trained", "lstm", ""), ("never-trained", "norm", "")},
    "spoilt.keras": {("not-finite", "units", ""), ("not-finite", "output", "")},
}
NOTES = {
    "cut.keras": {("no-gradient", "units", "")},
    "dead_all.keras": {("no-gradient", "units", "")},
    "dead_all_late.keras": {("silent-units", "units", "")},
    "dead_early.keras": {("dead-units", "units", "unit 2"), ("dead-units", "units", "unit 5")},
    "dead_late.keras": {("silent-units", "units", "unit 2"), ("silent-units", "units", "unit 5")},
    "duplicates.keras": {("duplicate-units", "units", "unit 9"), ("duplicate-units", "units", "unit 20")},
    "exploded.keras": {("near-zeros", "units", "")},
    "pruned.keras": {("sparsity", "units", "")},
    "pruned_scattered.keras": {("sparsity", "units", "")},
    "rate.keras": {("update-step", "units", ""), ("update-step", "output", "")},
    "recurrent_frozen.keras": {("never-trained", "lstm", ""), ("never-trained", "norm", "")},
    "recurrent_start.keras": {("never-trained", "", "")},
    "residual_start.keras": {("never-trained", "", ""), ("small-gamma", "norm", "")},
    "shrunk.keras": {
        *(("small-units", "units", f"unit {unit}") for unit in (2, 5, 14, 21)),
        ("near-zeros", "units", ""),
        ("duplicate-units", "units", "unit 5"),
    },
    "tokens.keras": {("untouched-rows", "table", "")},
}
NOT_AVAILABLE = {
    "dead_frozen.keras": {("dead-units", "units", "")},
    "dead_l2.keras": {("dead-units", "units", "")},
    "shrunk.keras": {("dead-units", "units", "")},
    "shrunk_early.keras": {("dead-units", "units", "")},
    "spoilt.keras": {("dead-units", "units", "")},
    "tokens_l2.keras": {("untouched-rows", "table", "")},
    **{
        f"{name}.keras": {("dead-units", "", ""), ("update-step", "", "")}
        for name in ("dead_sgd", "diverged", "exploded", "recurrent_start", "residual_start")
    },
}
MODELS = sorted(path for path in FOLDER.iterdir() if ".weights" not in path.name)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_says_what_is_there_and_no_more(path: Path) -> None:
    """A model in none of the lists is one that no rule may speak of: trained well, late, rarely, or for an epoch."""
    table = found(path)
    for severity, expected in (("warning", WARNINGS), ("note", NOTES), ("n/a", NOT_AVAILABLE)):
        assert told(table, severity) == {(*row, severity) for row in expected.get(path.name, ())}


def test_the_list_is_whole() -> None:
    names = {path.name for path in MODELS}
    assert {*WARNINGS, *NOTES, *NOT_AVAILABLE} <= names
    assert len(names - {*WARNINGS, *NOTES, *NOT_AVAILABLE}) >= 9


def test_the_dead_never_fire_and_the_others_do(keras: ModuleType) -> None:
    model = keras.saving.load_model(FOLDER / "dead.keras")
    inputs = np.random.default_rng(1).normal(size=(4096, 6)).astype("float32")
    kernel, bias = model.get_layer("units").get_weights()
    fires = (inputs @ kernel + bias > 0).any(axis=0)
    assert [*np.flatnonzero(~fires)] == [2, 5]
    # What a look at the norms alone would say: one of the two has the largest.
    assert np.linalg.norm(kernel, axis=0).argmax() == 2


@pytest.mark.parametrize(("name", "fires"), [("cut.keras", True), ("dead_all.keras", False)])
def test_a_layer_without_gradient_is_dead_or_cut_off(keras: ModuleType, name: str, fires: bool) -> None:
    """Nothing that it could change changes the outputs, whether its units fire or not."""
    model = keras.saving.load_model(FOLDER / name)
    inputs = np.random.default_rng(1).normal(size=(4096, 6)).astype("float32")
    layer = model.get_layer("units")
    kernel, bias = layer.get_weights()
    assert (inputs @ kernel + bias > 0).any() == fires
    before = model.predict(inputs, verbose=0)
    layer.set_weights([kernel * 1.1, bias])
    assert np.array_equal(model.predict(inputs, verbose=0), before)


def test_the_units_that_a_penalty_shrank_never_fire(keras: ModuleType) -> None:
    kernel, bias = keras.saving.load_model(FOLDER / "shrunk.keras").get_layer("units").get_weights()
    inputs = np.random.default_rng(1).normal(size=(4096, 6)).astype("float32")
    rows = found(FOLDER / "shrunk.keras").query("rule == 'small-units'")
    small = [int(part.removeprefix("unit ")) for part in rows.part]
    norms = np.linalg.norm(kernel.astype(float), axis=0)
    assert rows.value.to_numpy() == pytest.approx((norms / np.median(norms))[small], rel=1e-6)
    assert small == [*np.flatnonzero(~(inputs @ kernel + bias > 0).any(axis=0))]


def test_the_examples_as_a_forward_pass_saw_them(models: Path) -> None:
    mlp = found(models / "digits_mlp.h5")
    units = {(row.layer, row.part) for row in mlp.itertuples() if row.rule in ("dead-units", "silent-units")}
    # 5 of 64 and 2 of 32, as the README has it.
    assert [sum(layer == name for layer, _ in units) for name in ("dense_1", "dense_2")] == [5, 2]
    assert len(mlp[(mlp.rule == "dead-units") & (mlp.severity == "warning")]) == 4
    dead = found(models / "digits_dead.h5")
    assert set(dead[dead.rule == "silent-units"].layer) == {"conv_1", "conv_2", "dense_1"}
    assert told(dead, "warning") == set()


@pytest.mark.parametrize(
    "name",
    ["baseline.h5", "baseline.keras", "dropout.h5", "wide.h5", "finetuned.h5", "twin_init.h5"],
)
def test_well_trained_models_have_no_findings(models: Path, name: str) -> None:
    assert told(found(models / f"digits_{name}"), "warning", "note") == set()


def test_tokens_that_never_occur(models: Path) -> None:
    for path in models.glob("sequence_*.h5"):
        rows = told(found(path), "warning", "note")
        assert ("untouched-rows", "embedding", "token 0", "note") in rows
        assert not {row for row in rows if row[-1] == "warning"}


class TestRuns:
    def test_a_jump_is_found_where_it_is(self) -> None:
        table = found(*DIVERGING)
        jumps = table[table.rule == "jump"]
        assert set(jumps.checkpoint) == {"jump_4"}
        assert set(jumps.severity) == {"warning"}
        assert set(zip(jumps.layer, jumps.tensor, strict=True)) == {("units", "kernel"), ("output", "kernel")}
        before, after = (ww.open_checkpoint(path)["units"]["kernel"].read() for path in DIVERGING[3:5])
        step = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert jumps[jumps.layer == "units"].value.item() == pytest.approx(step, rel=1e-6)
        assert (jumps.value > jumps.threshold).all()

    @pytest.mark.parametrize("count", [6, 5])
    def test_a_quiet_run_has_none(self, count: int) -> None:
        assert "jump" not in set(found(*EPOCHS[:count]).rule)

    def test_the_examples_run_slows_down_and_does_not_jump(self, models: Path) -> None:
        table = found(*sorted((models / "epochs").iterdir()))
        assert set(table.severity) == {"n/a"}
        assert set(table.rule) == {"dead-units", "dead-channels"}
        assert set(table.checkpoint) == {""}

    def test_models_of_different_runs_do_not_jump(self, models: Path) -> None:
        names = ("baseline", "dropout", "wide", "twin_init", "finetuned", "dead")
        rows = found(*(models / f"digits_{name}.h5" for name in names)).query("rule == 'jump'")
        assert rows.severity.tolist() == ["n/a"]
        assert "different runs" in rows.message.item()

    def test_copies_of_one_file_and_another_are_no_jump(self, models: Path, tmp_path: Path) -> None:
        for copy in range(5):
            (tmp_path / f"{copy}.weights.h5").write_bytes(EPOCHS[3].read_bytes())
        assert "jump" not in set(found(*sorted(tmp_path.iterdir()), EPOCHS[4]).rule)

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_too_few_are_told(self, count: int) -> None:
        table = found(*EPOCHS[:count])
        assert table[table.rule == "jump"].severity.tolist() == ["n/a"]

    def test_a_layer_that_rests(self) -> None:
        table = found(*EPOCHS[:2])
        rows = table[table.rule == "frozen"]
        assert rows.layer.tolist() == ["still"]
        assert rows.severity.tolist() == ["note"]

    def test_a_resting_layer_among_models_of_one_start(self, models: Path) -> None:
        pair = found(models / "digits_baseline.h5", models / "digits_finetuned.h5")
        rows = pair[pair.rule == "frozen"]
        assert rows.layer.tolist() == ["conv_1", "norm_1"]
        assert rows.evidence.str.contains("not trained").all()
        pair = found(models / "digits_baseline.h5", models / "digits_twin_init.h5")
        assert "frozen" not in set(pair.rule)

    def test_the_same_twice_is_said_once(self, models: Path) -> None:
        table = found(models / "digits_baseline.h5", models / "digits_baseline.keras")
        rows = table[table.rule == "frozen"]
        assert rows.layer.tolist() == [""]
        assert "same" in rows.message.item()


def test_rank_is_looked_for_on_request_only() -> None:
    path = FOLDER / "collapsed.keras"
    assert "rank-collapse" not in set(found(path).rule)
    rows = found(path, spectra=True).query("rule == 'rank-collapse'")
    assert rows[["layer", "severity"]].to_numpy().tolist() == [["second", "note"]]
    values = np.linalg.svd(ww.open_checkpoint(path)["second"]["kernel"].read().astype(float), compute_uv=False)
    shares = values / values.sum()
    assert rows.value.item() == pytest.approx(np.exp(-(shares * np.log(shares)).sum()) / 16, rel=1e-6)
    for name in ("healthy.keras", "recurrent.keras"):
        assert "rank-collapse" not in set(found(FOLDER / name, spectra=True).rule)


def test_thresholds_are_parameters() -> None:
    assert told(found(FOLDER / "dead.keras", thresholds=ww.Thresholds(min_steps=1000)), "warning") == set()
    rare = found(FOLDER / "channels_rare.keras", thresholds=ww.Thresholds(firing_rate=0.05))
    assert ("dead-channels", "norm", "", "warning") in told(rare, "warning")
    leaky = found(FOLDER / "channels_leaky.keras", thresholds=ww.Thresholds(firing_rate=0.05))
    assert told(leaky, "warning") == set()


def test_numbers_without_names_find_the_same(tmp_path: Path, keras: ModuleType) -> None:
    """Weights alone have no configuration, so that no ReLU is known; the slots are told by shape all the same."""
    path = tmp_path / "dead.weights.h5"
    keras.saving.load_model(FOLDER / "dead.keras").save_weights(path)
    rows = found(path).query("rule == 'dead-units'")
    assert rows.severity.tolist() == ["n/a"]
    assert "configuration" in rows.message.item()


def test_rows_are_plain_and_errors_clear(models: Path) -> None:
    table = found(FOLDER / "dead.keras")
    assert [*table.columns] == [
        *("checkpoint", "layer", "tensor", "part", "rule", "severity", "value", "threshold", "message", "evidence")
    ]
    assert table.severity.tolist() == sorted(table.severity, key=["warning", "note", "n/a"].index)
    checkpoint = ww.open_checkpoint(models / "digits_mlp.h5")
    for row in gather({"a": checkpoint}):
        if row.part:
            assert row.part in checkpoint[row.layer][row.tensor].parts
    with pytest.raises(ValueError, match="no checkpoint"):
        ww.findings()
    with pytest.raises(ValueError, match="Thresholds"):
        ww.findings(FOLDER / "dead.keras", thresholds={"dead": 1})  # type: ignore[arg-type]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "dead.h5"
    path.write_bytes((FOLDER / "dead.h5").read_bytes())
    checkpoint = ww.open_checkpoint(path)
    checkpoint.close()
    with pytest.raises(ww.WeightWidgetsError, match="closed"):
        ww.findings(checkpoint)


def test_a_damaged_state_of_the_optimizer_costs_its_own_rules_only(tmp_path: Path) -> None:
    path = tmp_path / "dead.h5"
    path.write_bytes((FOLDER / "dead.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        slots: list[str] = []
        file["optimizer_weights"].visit(
            lambda name: slots.append(name) if name.endswith("units_kernel_velocity") else None
        )
        (slot,) = (f"optimizer_weights/{name}" for name in slots)
        values = file[slot][()]
        del file[slot]
        file.create_dataset(slot, data=values, chunks=values.shape, compression="gzip")
        chunk = file[slot].id.get_chunk_info(0)
    with path.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(bytes(chunk.size))
    table = found(path)
    assert ("dead-units", "units", "", "n/a") in told(table, "n/a")
    assert "cannot be read" in table[(table.rule == "dead-units") & (table.layer == "units")].message.item()
    assert told(table, "warning") == set()


def test_arrays_without_anything_around_them() -> None:
    kernel = np.random.default_rng(0).normal(size=(9, 9)).astype("float32")
    kernel[4, 4] = np.nan
    table = ww.findings({"a": {"layer/kernel": kernel}})
    assert told(table, "warning") == {("not-finite", "layer", "", "warning")}
    assert told(table, "n/a") == {(rule, "", "", "n/a") for rule in ("dead-units", "update-step")}
