"""Verdicts over pairs of known relation (scripts/verdict_pairs.py), and what they say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import verdict_pairs

import weight_widgets as ww
from weight_widgets.errors import InputError

RNG = np.random.default_rng(3)
REPLACEABLE = {"identical", "renamed", "recast"}
QUICK = [
    *verdict_pairs.example_pairs(),
    *verdict_pairs.fixture_pairs(),
    *verdict_pairs.edited_pairs(),
    *verdict_pairs.hard_pairs(),
    *verdict_pairs.drawn_pairs(),
]


def check(pair: verdict_pairs.Pair) -> None:
    found = ww.verdict(pair.a, pair.b)
    assert (found.architecture, found.weights) == (pair.architecture, pair.weights), (found.sentence, *found.evidence)
    assert found.may_drop == (pair.weights in REPLACEABLE)
    assert ("One of the two is enough" in found.sentence) == found.may_drop
    assert 0 <= found.coverage <= 1
    assert (found.coverage == 1) == (found.architecture == "same")


@pytest.mark.parametrize("pair", QUICK, ids=lambda pair: f"{pair.group}-{pair.about}")
def test_pairs_of_known_relation(pair: verdict_pairs.Pair) -> None:
    check(pair)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize` method:UserWarning")
def test_pairs_that_keras_trains(keras: Any, tmp_path: Path) -> None:
    for pair in itertools.chain(verdict_pairs.trained_pairs(tmp_path), verdict_pairs.held_out_pairs()):
        check(pair)


@pytest.mark.parametrize("pair", QUICK[::5], ids=lambda pair: f"{pair.group}-{pair.about}")
def test_the_other_way_round(pair: verdict_pairs.Pair) -> None:
    found = ww.verdict(pair.b, pair.a)
    assert (found.architecture, found.weights) == (pair.architecture, pair.weights), (found.sentence, *found.evidence)


def test_the_page_has_no_pair_off_the_diagonal() -> None:
    page = (Path(__file__).parent.parent / "docs" / "verdict.md").read_text(encoding="utf-8")
    table = page.split(verdict_pairs.MARKS[0])[1].split(verdict_pairs.MARKS[1])[0]
    rows = [line for line in table.splitlines() if line.startswith("| **")]
    counts = [[0 if cell.strip() == "·" else int(cell) for cell in row.split("|")[2:-1]] for row in rows]
    matrix = np.array(counts)
    assert matrix.shape == (7, 7)
    assert matrix.sum() == np.trace(matrix) >= 60
    # Each pair of this script stands in it.
    listed = [line for line in table.splitlines() if line.endswith("✓ |")]
    assert len(listed) == matrix.sum()
    assert all(f"| {pair.group} | {pair.about} |" in table for pair in QUICK)


class TestEvidence:
    def test_one_weight_that_moved(self, models: Path) -> None:
        a = verdict_pairs.values_of(models / "digits_baseline.h5")
        b = verdict_pairs.values_of(models / "digits_baseline.h5")
        kernel = b["dense_1"]["kernel"]
        before = float(kernel[3, 4])
        kernel[3, 4] = np.nextafter(kernel[3, 4], np.float32(9))
        moved = abs(float(kernel[3, 4]) - before)
        evidence = "\n".join(ww.verdict(a, b).evidence)
        assert f"dense_1/kernel: 1 of {kernel.size} weights moved, by {moved:.3g}" in evidence
        assert "Equal bit by bit or in value (15 of 16 tensors)" in evidence

    def test_what_is_frozen_and_what_moved(self, models: Path) -> None:
        found = ww.verdict(models / "digits_baseline.h5", models / "digits_finetuned.h5")
        evidence = "\n".join(found.evidence)
        assert "Equal bit by bit or in value (6 of 16 tensors): conv_1/kernel, conv_1/bias, norm_1/gamma" in evidence
        assert "Changed (10 of 16 tensors): conv_2/kernel by" in evidence
        assert "1 of them bit by bit" in found.sentence

    def test_pruning(self, models: Path) -> None:
        a = verdict_pairs.values_of(models / "digits_baseline.h5")
        b = verdict_pairs.changed(a, lambda v: verdict_pairs._pruned(v, 75))
        assert "dense_1/kernel: 25.0% of the weights are equal" in "\n".join(ww.verdict(a, b).evidence)

    def test_coverage(self, models: Path) -> None:
        a, b = (ww.open_checkpoint(models / f"digits_{name}.h5") for name in ("baseline", "wide"))
        common = sum(t.size for at, t in a.tensors.items() if b.tensors[at].shape == t.shape)
        assert ww.verdict(a, b).coverage == pytest.approx(2 * common / (a.num_params + b.num_params))

    def test_names_cannot_act(self) -> None:
        a = {"<b>\u202e": {"kernel": RNG.normal(size=(9, 9))}, "x": {"kernel": RNG.normal(size=(9, 5))}}
        b = {name: {"kernel": values["kernel"] + 0.1} for name, values in a.items()}
        found = ww.verdict(a, b)
        assert "\u202e" not in "".join((found.sentence, *found.evidence))

    def test_itself(self, models: Path) -> None:
        checkpoint = ww.open_checkpoint(models / "digits_mlp.h5")
        found = ww.verdict(checkpoint, checkpoint)
        assert found.weights == "identical"
        assert "Both are one and the same file." in found.evidence


def test_settings_that_change_what_is_computed(keras: Any, tmp_path: Path) -> None:
    files = []
    for activation in ("relu", "tanh"):
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation, name="one")])
        model.set_weights([np.full(w.shape, 0.5) for w in model.get_weights()])
        files.append(tmp_path / f"{activation}.keras")
        model.save(files[-1])
    found = ww.verdict(*files)
    assert found.weights == "identical"
    assert not found.may_drop
    assert "one: activation is relu in A and tanh in B." in found.evidence
    assert "they compute something else" in found.sentence


def test_with_an_alignment_of_ones_own(models: Path) -> None:
    file = models / "digits_baseline.h5"
    alignment = ww.align(file, file).unpair("conv_1").unpair("dense_1")
    found = ww.verdict(file, file, alignment)
    assert (found.architecture, found.weights) == ("overlapping", "shared origin")


def test_nothing_opposite_anything() -> None:
    found = ww.verdict({"a": {"kernel": RNG.normal(size=(9, 9))}}, {"b": {"bias": RNG.normal(size=7)}})
    assert (found.architecture, found.weights, found.coverage) == ("different", "undetermined", 0)


@pytest.mark.parametrize("ask", [ww.verdict, ww.compare_table])
def test_a_third_model_is_refused_in_words(ask: Callable[..., Any], models: Path) -> None:
    paths = [str(models / name) for name in ("digits_baseline.h5", "digits_dropout.h5", "digits_mlp.h5")]
    with pytest.raises(InputError, match="two checkpoints are compared, and what comes third is an Alignment, not str"):
        ask(*paths)
