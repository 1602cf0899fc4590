"""Alignments against what is known by content: files of one model hold the same arrays, whatever they call them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis.alignment.subsequence import common_subsequence
from weight_widgets.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"
Arrays = dict[str, dict[str, np.ndarray]]


def contents(row: Any, a: ww.Checkpoint, b: ww.Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    return a[row.a[0]][row.a[1]].read(), b[row.b[0]][row.b[1]].read()


def pairs_of(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, str]:
    """Which layer of A stands opposite which of B; all their tensors do by name."""
    alignment = ww.align(ww.open_checkpoint(a), ww.open_checkpoint(b))
    found: dict[str, str] = {}
    for row in alignment:
        if row.a and row.b:
            assert row.a[1] == row.b[1]
            assert found.setdefault(row.a[0], row.b[0]) == row.b[0]
    return found


def dense(*sizes: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        {"kernel": rng.normal(size=pair).astype("f4"), "bias": rng.normal(size=pair[1:]).astype("f4")}
        for pair in itertools.pairwise(sizes)
    ]


def named(layers: list[dict[str, np.ndarray]], *names: str) -> Arrays:
    return dict(zip(names, layers, strict=True))


def drifted(layers: list[dict[str, np.ndarray]], seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Another epoch of the same."""
    rng = np.random.default_rng(seed)
    return [{n: (v + 0.1 * rng.normal(size=v.shape)).astype("f4") for n, v in layer.items()} for layer in layers]


FOLDERS = ("keras2", "keras2_13", "keras3_3", "keras3_5", "keras3")
# Of the first four all versions of Keras were given the same weights.
FAMILIES = {
    **{key: [FOLDERS] for key in ("nested", "recurrent", "bidirectional", "convolution")},
    **{key: [(folder,) for folder in FOLDERS] for key in ("trained", "recurrences", "convolutions", "attentions")},
}
SAME_WEIGHTS = [
    pytest.param(a, b, id=f"{a.relative_to(FIXTURES)}-{b.relative_to(FIXTURES)}")
    for name, groups in FAMILIES.items()
    for folders in groups
    for a, b in itertools.combinations(
        [p for folder in folders for p in sorted((FIXTURES / folder).glob(f"{name}.*")) if p.suffix != ".npz"], 2
    )
]


@pytest.mark.parametrize(("a", "b"), SAME_WEIGHTS)
def test_files_of_one_model(a: Path, b: Path) -> None:
    one, other = ww.open_checkpoint(a), ww.open_checkpoint(b)
    values = [{tensor.read().tobytes() for tensor in each.tensors.values()} for each in (one, other)]
    common = values[0] & values[1]
    found = set()
    for row in ww.align(one, other):
        if row.a and row.b and row.status == "paired":
            first, second = contents(row, one, other)
            if {first.tobytes(), second.tobytes()} & common:
                np.testing.assert_array_equal(first, second)
                found.add(first.tobytes())
    # All that both files hold found its like.
    assert found == common
    assert len(common) > 1


@pytest.mark.parametrize(("a", "b"), [*itertools.combinations(range(0, 10, 3), 2)])
def test_epochs_of_one_run(models: Path, a: int, b: int) -> None:
    files = sorted((models / "epochs").glob("*.weights.h5"))
    alignment = ww.align(files[a], files[b])
    assert {(row.status, row.reason, row.assumed) for row in alignment} == {("paired", "name", False)}
    assert all(row.a == row.b for row in alignment)


class TestSiblings:
    """Layers of the same shapes, whose names Keras counts out."""

    layers = dense(8, 16, 16, 16, 16, 4)

    @pytest.mark.parametrize("start", [1, 2, 5, 40])
    def test_numbered_on(self, start: int) -> None:
        names = [["dense", *(f"dense_{n}" for n in range(1, 5))], [f"dense_{n + start}" for n in range(5)]]
        a, b = named(self.layers, *names[0]), named(drifted(self.layers), *names[1])
        assert pairs_of(a, b) == dict(zip(*names, strict=True))

    @pytest.mark.parametrize("place", [1, 2, 3, 4])
    def test_one_inserted(self, place: int) -> None:
        names = [f"dense_{n}" for n in range(5)]
        more = drifted(self.layers)
        more.insert(place, dense(16, 16, seed=7)[0])
        expected = {name: f"dense_{n + (n >= place)}" for n, name in enumerate(names)}
        assert pairs_of(named(self.layers, *names), named(more, *(f"dense_{n}" for n in range(6)))) == expected

    def test_more_than_are_compared_at_a_time(self) -> None:
        kernels = np.random.default_rng(3).normal(size=(1100, 10, 10)).astype("f4")
        places = np.random.default_rng(4).permutation(len(kernels)).tolist()
        # Some of them in another precision.
        a = {f"dense_{n}": {"kernel": one.astype("f4" if n % 3 else "f8")} for n, one in enumerate(kernels)}
        b = {f"dense_{n}": {"kernel": kernels[place] + np.float32(0.1)} for n, place in enumerate(places)}
        assert pairs_of(a, b) == {f"dense_{place}": f"dense_{n}" for n, place in enumerate(places)}

    def test_that_cannot_be_read_any_more(self, tmp_path: Path) -> None:
        kernels = [layer["kernel"] for layer in dense(*[16] * 5)]
        names = [f"dense_{n}" for n in range(len(kernels))]
        paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
        for path, order in zip(paths, (kernels, kernels[::-1]), strict=True):
            write_model(path, dict(zip(names, order, strict=True)))
        opened = [ww.open_checkpoint(path) for path in paths]
        assert [row.b[0] for row in ww.align(*opened)] == names[::-1]
        write_model(paths[1], {"dense_0": np.zeros(3)})
        assert [row.b[0] for row in ww.align(*opened)] == names

    def test_one_dropped(self) -> None:
        left = drifted(self.layers)
        del left[2]
        found = pairs_of(named(self.layers, *"vwxyz"), named(left, *"1234"))
        assert found == {"v": "1", "w": "2", "y": "3", "z": "4"}

    def test_strangers_are_paired_in_order_and_assumed(self) -> None:
        a = ww.open_checkpoint(named(self.layers, *"vwxyz"))
        b = ww.open_checkpoint(named(dense(8, 16, 16, 16, 16, 4, seed=9), *"12345"))
        rows = [row for row in ww.align(a, b) if row.a and row.a[1] == "kernel"]
        assert [row.b[0] for row in rows if row.b] == [*"12345"]
        assert all(row.reason == "order" and row.assumed for row in rows)

    def test_numbers_in_another_order_than_the_file(self) -> None:
        names = [f"dense_{n}" for n in range(5)]
        shuffled = dict(sorted(named(drifted(self.layers), *names).items(), reverse=True))
        assert pairs_of(named(self.layers, *names), shuffled) == dict(zip(names, names, strict=True))


class TestNames:
    layers = dense(8, 16, 16, 4)

    @pytest.mark.parametrize(("before", "behind"), [("student_", ""), ("encoder/", ""), ("", "_copy"), ("a/b/", "")])
    def test_with_a_prefix_or_suffix(self, before: str, behind: str) -> None:
        names = ["first", "second", "third"]
        # What a prefix says comes before order.
        others = dict(reversed(named(dense(8, 16, 16, 4, seed=3), *(f"{before}{n}{behind}" for n in names)).items()))
        a, b = ww.open_checkpoint(named(self.layers, *names)), ww.open_checkpoint(others)
        for one, other in ((a, b), (b, a)):
            rows = ww.align(one, other).rows
            assert len(rows) == 6
            for row in rows:
                assert row.a
                assert row.b
                assert row.a[0].replace(before, "").replace(behind, "") == row.b[0].replace(before, "").replace(
                    behind, ""
                )
                assert (row.reason, row.assumed) == ("renamed", False)

    def test_given_ones_come_before_order_and_shape(self) -> None:
        a = named(self.layers, "in", "mid", "out")
        b = named(dense(8, 32, 32, 4), "in", "mid", "out")
        alignment = ww.align(ww.open_checkpoint(a), ww.open_checkpoint(dict(reversed(b.items()))))
        assert all(row.a == row.b and row.reason == "name" for row in alignment)
        assert {row.status for row in alignment if row.a and row.a[1] == "kernel"} == {"reshaped"}
        assert {row.status for row in alignment if row.a == ("out", "bias")} == {"paired"}

    def test_a_layer_of_another_class_is_not_paired(self, keras: Any, tmp_path: Path) -> None:
        files = []
        for kind in (keras.layers.Conv2D, keras.layers.Conv2DTranspose):
            model = keras.Sequential([keras.Input((8, 8, 4)), kind(4, 3, name="layer")])
            files.append(tmp_path / f"{kind.__name__}.keras")
            model.save(files[-1])
        assert {row.status for row in ww.align(*files)} == {"removed", "added"}


def test_weights_of_a_layer_are_paired_by_name_and_not_by_place() -> None:
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=8).astype("f4") for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    a, b = {"norm": vectors}, {"norm": {name: vectors[name] for name in sorted(vectors, reverse=True)}}
    for row in ww.align(ww.open_checkpoint(a), ww.open_checkpoint(b)):
        assert row.a == row.b


def test_every_tensor_is_in_one_row(models: Path) -> None:
    files = sorted(models.glob("*.h5"))
    for a, b in itertools.combinations(files[:9], 2):
        one, other = ww.open_checkpoint(a), ww.open_checkpoint(b)
        alignment = ww.align(one, other)
        assert sorted(row.a for row in alignment if row.a) == sorted(one.tensors)
        assert sorted(row.b for row in alignment if row.b) == sorted(other.tensors)
        assert [row.a for row in alignment if row.a] == [*one.tensors]
        for row in alignment:
            shapes = [each.tensors[at].shape if at else None for each, at in ((one, row.a), (other, row.b))]
            assert [row.shape_a, row.shape_b] == shapes


class TestEditing:
    @pytest.fixture
    def alignment(self) -> ww.Alignment:
        a, b = named(dense(4, 6, 6), "one", "two"), named(dense(4, 6, 6), "two", "three")
        return ww.align(ww.open_checkpoint(a), ww.open_checkpoint(b))

    @staticmethod
    def opposite(alignment: ww.Alignment, address: tuple[str, str]) -> Any:
        return next(row for row in alignment if row.a == address)

    def test_pair_and_unpair(self, alignment: ww.Alignment) -> None:
        everything = {row.a for row in alignment}, {row.b for row in alignment}
        edited = alignment.pair(("one", "kernel"), ("two", "kernel"))
        row = self.opposite(edited, ("one", "kernel"))
        assert (row.b, row.status, row.reason, row.assumed) == (("two", "kernel"), "paired", "user", False)
        assert self.opposite(edited, ("two", "kernel")).status == "removed"
        assert {row.a for row in edited} | {None} == everything[0] | {None}
        assert {row.b for row in edited} | {None} == everything[1] | {None}
        alone = edited.unpair(("one", "kernel"))
        assert self.opposite(alone, ("one", "kernel")).b is None
        assert any(row.b == ("two", "kernel") and row.a is None for row in alone)
        # The one it was made from stays.
        assert self.opposite(alignment, ("one", "kernel")) == self.opposite(alignment, ("one", "kernel"))

    def test_layers(self, alignment: ww.Alignment) -> None:
        edited = alignment.pair("one", "two")
        for name in ("kernel", "bias"):
            assert self.opposite(edited, ("one", name)).b == ("two", name)
        assert all(row.b is None for row in edited.unpair("one") if row.a and row.a[0] == "one")

    def test_other_shapes(self, alignment: ww.Alignment) -> None:
        row = self.opposite(alignment.pair(("one", "bias"), ("three", "kernel")), ("one", "bias"))
        assert (row.status, row.reason) == ("reshaped", "user")

    def test_what_there_is_not(self, alignment: ww.Alignment) -> None:
        with pytest.raises(InputError, match="A has no tensor 'nine/kernel'"):
            alignment.pair(("nine", "kernel"), ("two", "kernel"))
        with pytest.raises(InputError, match="B has no layer 'one'"):
            alignment.pair("one", "one")
        with pytest.raises(InputError, match="not one of each"):
            alignment.pair("one", ("two", "kernel"))
        with pytest.raises(InputError, match="A has no layer 'nine'"):
            alignment.unpair("nine")

    def test_json(self, alignment: ww.Alignment) -> None:
        edited = alignment.pair("one", "two").unpair("two")
        assert ww.Alignment.from_json(edited.to_json()) == edited

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"format": "weight-widgets alignment 1"}',
            '{"format": "weight-widgets alignment 1", "rows": [{}]}',
            "[" * 9999,
        ],
    )
    def test_other_json(self, text: str) -> None:
        with pytest.raises(InputError, match="no alignment that to_json wrote"):
            ww.Alignment.from_json(text)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("a", ["one"]), ("a", None), ("shape_a", [-1]), ("shape_a", None), ("reason", "because"), ("b", [1, 2])],
    )
    def test_json_that_makes_no_sense(self, alignment: ww.Alignment, field: str, value: Any) -> None:
        found = json.loads(alignment.to_json())
        found["rows"][0][field] = value
        with pytest.raises(InputError, match="no alignment that to_json wrote"):
            ww.Alignment.from_json(json.dumps(found))


def test_a_thousand_layers_without_common_names() -> None:
    rng = np.random.default_rng(0)
    layers = [{"kernel": rng.normal(size=(8, 8 + n % 3)).astype("f4")} for n in range(1000)]
    dropped = {*range(5, 1000, 97)}
    left = [layer for n, layer in enumerate(layers) if n not in dropped]
    a = {f"x{n}": layer for n, layer in enumerate(layers)}
    found = pairs_of(a, {f"other {n}": layer for n, layer in enumerate(left)})
    kept = [n for n in range(1000) if n not in dropped]
    assert found == {f"x{n}": f"other {place}" for place, n in enumerate(kept)}


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_the_common_subsequence_is_a_longest_one(a: list[int], b: list[int]) -> None:
    found = common_subsequence(a, b)
    assert all(a[i] == b[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in itertools.pairwise(found))
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, j in itertools.product(range(len(a)), range(len(b))):
        table[i + 1, j + 1] = table[i, j] + 1 if a[i] == b[j] else max(table[i, j + 1], table[i + 1, j])
    assert len(found) == table[-1, -1]
