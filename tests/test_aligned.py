"""Views of a checkpoint under the names of another: what stands where, and what is told apart."""

from __future__ import annotations

import numpy as np
import pytest

import weight_widgets as ww
from weight_widgets.analysis.alignment import align
from weight_widgets.state import Selection
from weight_widgets.state.aligned import Aligned, aligned

RNG = np.random.default_rng(7)
KERNELS = [RNG.normal(size=shape).astype("f4") for shape in ((5, 6), (6, 7), (7, 8))]
BIASES = [RNG.normal(size=size).astype("f4") for size in (6, 7, 8)]


def network(*names: str) -> ww.Checkpoint:
    layers = zip(names, KERNELS, BIASES, strict=True)
    return ww.open_checkpoint({name: {"kernel": kernel, "bias": bias} for name, kernel, bias in layers}, names[0])


def seen(view: Aligned) -> dict[tuple[str, str], np.ndarray]:
    return {(layer, name): tensor.read() for layer, tensors in view.items() for name, tensor in tensors.items()}


@pytest.fixture
def pair() -> tuple[ww.Checkpoint, ww.Checkpoint]:
    return network("dense", "dense_1", "dense_2"), network("dense_1", "dense_2", "dense_3")


def test_every_tensor_stands_where_the_reference_has_its_opposite(pair: tuple[ww.Checkpoint, ww.Checkpoint]) -> None:
    a, b = pair
    view = aligned(b, align(a, b), "b")
    assert [*view] == ["dense", "dense_1", "dense_2"]
    for place, name in enumerate(view):
        assert view[name].name == name
        np.testing.assert_array_equal(view[name]["kernel"].read(), KERNELS[place])
        np.testing.assert_array_equal(view[name]["bias"].read(), BIASES[place])
    assert view.own_address(("dense_1", "bias")) == ("dense_2", "bias")
    assert view.place_of(("dense_3", "kernel")) == ("dense_2", "kernel")
    assert view.aliases["dense"] == ("dense_1",)


def test_without_other_names_it_is_the_checkpoint_itself() -> None:
    a, b = network("in", "mid", "out"), network("in", "mid", "out")
    view = aligned(b, align(a, b), "b")
    assert view.own == {}
    assert view["mid"] is b["mid"]
    assert dict(aligned(a)) == dict(a)


def test_what_only_it_has_keeps_its_name_and_its_place(pair: tuple[ww.Checkpoint, ww.Checkpoint]) -> None:
    a, b = pair
    arrays = {name: {key: tensor.read() for key, tensor in layer.items()} for name, layer in b.items()}
    first, *rest = arrays.items()
    more = ww.open_checkpoint(dict([first, ("extra", {"embeddings": np.ones((2, 9))}), *rest]), "more")
    view = aligned(more, align(a, more), "more")
    assert [*view] == ["dense", "extra", "dense_1", "dense_2"]
    assert len(seen(view)) == len(more.tensors)


def test_a_name_that_means_something_else_is_told_apart(pair: tuple[ww.Checkpoint, ww.Checkpoint]) -> None:
    a, b = pair
    view = aligned(b, align(a, b).unpair("dense_1"), "b")
    # A's dense_1 stood opposite B's dense_2, which keeps its name only where A has none of it.
    assert "dense_1" not in view
    assert [*view] == ["dense", "dense_2 (b)", "dense_2"]
    np.testing.assert_array_equal(view["dense_2 (b)"]["kernel"].read(), KERNELS[1])
    np.testing.assert_array_equal(view["dense_2"]["kernel"].read(), KERNELS[2])
    assert view["dense_2 (b)"].name == "dense_2 (b)"


def test_a_single_tensor_that_stands_alone_is_told_apart_in_its_layer() -> None:
    a, b = network("in", "mid", "out"), network("in", "mid", "out")
    view = aligned(b, align(a, b).unpair(("mid", "kernel")), "b")
    assert [*view["mid"]] == ["kernel (b)", "bias"]
    np.testing.assert_array_equal(view["mid"]["kernel (b)"].read(), KERNELS[1])
    assert view["mid"]["kernel (b)"].name == "kernel (b)"
    assert view.place_of(("mid", "kernel")) == ("mid", "kernel (b)")


def test_tensors_of_several_layers_can_stand_in_one() -> None:
    a, b = network("in", "mid", "out"), network("in", "mid", "out")
    alignment = align(a, b).pair(("in", "kernel"), ("out", "kernel"))
    view = aligned(b, alignment, "b")
    np.testing.assert_array_equal(view["in"]["kernel"].read(), KERNELS[2])
    np.testing.assert_array_equal(view["in"]["bias"].read(), BIASES[0])
    assert len(seen(view)) == 6


def test_every_tensor_is_there_once_whatever_is_paired() -> None:
    a, b = network("in", "mid", "out"), network("mid", "out", "in")
    alignment = align(a, b)
    draws = np.random.default_rng(3)
    for _ in range(60):
        ours, theirs = [row.a for row in alignment if row.a], [row.b for row in alignment if row.b]
        if draws.random() < 0.3:
            alignment = alignment.unpair(ours[draws.integers(len(ours))])
        else:
            alignment = alignment.pair(ours[draws.integers(len(ours))], theirs[draws.integers(len(theirs))])
        view = aligned(b, alignment, "b")
        found = {view.own_address(address): values for address, values in seen(view).items()}
        assert found.keys() == b.tensors.keys()
        for address, values in found.items():
            np.testing.assert_array_equal(values, b.tensors[address].read())
        for row in alignment:
            if row.a and row.b:
                assert view.own_address(row.a) == row.b


def test_a_selection_follows_what_is_chosen_to_its_other_name(pair: tuple[ww.Checkpoint, ww.Checkpoint]) -> None:
    a, b = pair
    selection = Selection({"a": a, "b": b})
    selection.layer, selection.tensor = "dense_1", "bias"
    selection.look_under({"a": aligned(a), "b": aligned(b, align(a, b), "b")})
    assert (selection.layer, selection.tensor) == ("dense_1", "bias")
    assert list(selection.layers) == ["dense", "dense_1", "dense_2"]
    assert selection.aliases("dense_1") == ["dense_2"]
    assert selection.revision == 1
    selection.reference = "b"
    selection.look_under({"a": aligned(a, align(b, a), "a"), "b": aligned(b)})
    assert (selection.layer, selection.tensor) == ("dense_2", "bias")
