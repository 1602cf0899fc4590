"""Two models that call a layer alike and mean different things by it, and layers in an order of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
from seen import final

import weight_widgets as ww
from weight_widgets.reading.checkpoint import Checkpoint
from weight_widgets.state.looks.parts import look_at_parts
from weight_widgets.state.looks.pictures import Pictures, look_at_pictures
from weight_widgets.state.selection import Pick

Make = Callable[[Any], Any]
Both = dict[str, Checkpoint]


@pytest.fixture
def save(keras: ModuleType, tmp_path: Path) -> Callable[..., Checkpoint]:
    """Opens a saved model of one layer, called `layer`, of random weights; with `twice` it is given its input twice."""

    def saved(label: str, make: Make, shape: tuple[int, ...], twice: bool = False) -> Checkpoint:
        inputs, layer = keras.Input(shape), make(keras.layers)
        model = keras.Model(inputs, layer(inputs, inputs) if twice else layer(inputs))
        generator = np.random.default_rng(len(label))
        layer.set_weights([generator.normal(size=weight.shape) for weight in layer.weights])
        model.save(tmp_path / f"{label}.keras")
        return ww.open_checkpoint(tmp_path / f"{label}.keras")

    return saved


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def look(both: Both, tensor: str, part: str = "", **settings: Any) -> Pictures:
    labels = [*both]
    pick = Pick((*labels,), labels[0], labels[-1], "layer", tensor, part)
    return final(look_at_pictures(both, pick, never, **settings))


PAIRS: dict[str, tuple[Make, Make, tuple[int, ...], tuple[int, ...]]] = {
    "gates": (
        lambda layers: layers.GRU(4, name="layer"),
        lambda layers: layers.LSTM(3, name="layer"),
        (3, 12),
        (3, 12),
    ),
    "filters": (
        lambda layers: layers.Conv2D(6, 3, name="layer"),
        lambda layers: layers.Conv2DTranspose(3, 3, name="layer"),
        (8, 8, 3),
        (8, 8, 6),
    ),
}


@pytest.mark.parametrize("by_norm", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_no_difference_of_kernels_whose_axes_mean_other_things(
    name: str, turned: bool, by_norm: bool, save: Callable[..., Checkpoint]
) -> None:
    make_a, make_b, shape_a, shape_b = PAIRS[name]
    both = {"a": save("a", make_a, shape_a), "bb": save("bb", make_b, shape_b)}
    both = dict(reversed(both.items())) if turned else both
    shapes = {checkpoint["layer"]["kernel"].shape for checkpoint in both.values()}
    assert len(shapes) == 1
    pictures = look(both, "kernel", by_norm=by_norm)
    a, b, difference = pictures.contrast.rasters
    assert a is not None
    assert b is not None
    assert difference is None
    assert not pictures.alike
    # Each is in its own order.
    for checkpoint, matrix in zip(both.values(), pictures.matrices, strict=False):
        assert matrix is not None
        own = {axis.label: axis.size for axis in checkpoint["layer"]["kernel"].structure.axes}
        assert {axis.label: axis.size for axis in matrix.axes} == own


def test_a_file_that_does_not_say_is_compared_by_place(save: Callable[..., Checkpoint]) -> None:
    known = save("a", lambda layers: layers.Conv2D(4, 3, name="layer"), (8, 8, 4))
    kernel = known["layer"]["kernel"].read()
    both = {"a": known, "b": ww.open_checkpoint({"layer/kernel": 2 * kernel})}
    assert both["b"]["layer"]["kernel"].structure.doubt
    pictures = look(both, "kernel")
    difference = pictures.contrast.rasters[2]
    assert difference is not None
    np.testing.assert_allclose(difference.mean, kernel.reshape(-1, 4), rtol=1e-6)


def test_transposed_kernels_are_not_compared_with_undecided_ones(save: Callable[..., Checkpoint]) -> None:
    known = save("a", lambda layers: layers.Conv2DTranspose(4, 3, name="layer"), (8, 8, 4))
    both = {"a": known, "b": ww.open_checkpoint({"layer/kernel": known["layer"]["kernel"].read()})}
    assert look(both, "kernel").contrast.rasters[2] is None


class TestGroupsByNorm:
    def test_carry_their_own_numbers(self, save: Callable[..., Checkpoint]) -> None:
        both = {"a": save("a", lambda layers: layers.Conv1D(8, 3, groups=2, name="layer"), (5, 8))}
        kernel = both["a"]["layer"]["kernel"].read()
        pictures = look(both, "kernel", "group 1", by_norm=True)
        raster, matrix = pictures.contrast.rasters[0], pictures.matrices[0]
        assert raster is not None
        assert matrix is not None
        (filters,) = matrix.columns
        names = [filters.name(place) for place in range(filters.size)]
        expected = 4 + np.argsort(-np.linalg.norm(kernel[..., 4:].reshape(-1, 4), axis=0))
        assert names == [f"filter {number}" for number in expected]
        np.testing.assert_allclose(raster.mean, kernel[..., expected].reshape(-1, 4), rtol=1e-6)

    @pytest.mark.parametrize("by_norm", [False, True])
    def test_one_head_is_the_one_of_that_number(self, by_norm: bool, save: Callable[..., Checkpoint]) -> None:
        both = {"a": save("a", lambda layers: layers.GroupQueryAttention(4, 6, 2, name="layer"), (5, 8), twice=True)}
        kernel = both["a"]["layer"]["query/kernel"].read()
        for wanted, shown in ((0, 3), (4, 4), (9, 5)):
            pictures = look(both, "query/kernel", "group 1", way="one head", position=wanted, by_norm=by_norm)
            assert (pictures.position, pictures.positions) == (shown, (3, 5))
            raster = pictures.contrast.rasters[0]
            assert raster is not None
            np.testing.assert_allclose(raster.mean, kernel[:, shown], rtol=1e-6)


class TestPartsOfDifferentModels:
    def test_stand_in_one_pane(self, save: Callable[..., Checkpoint]) -> None:
        both = {
            "a": save("a", lambda layers: layers.GRU(4, name="layer"), (3, 12)),
            "bb": save("bb", lambda layers: layers.LSTM(3, name="layer"), (3, 12)),
        }
        pick = Pick((*both,), "a", "bb", "layer", "kernel", "")
        kernel = both["bb"]["layer"]["kernel"].read().astype(np.float64)
        owners = {}
        for page in range(2):
            found = look_at_parts(both, pick, never, 10, page)
            assert found.pages == 2
            kernels = next(strip for strip in found.strips if strip.title == "kernel")
            for panel in kernels.panels:
                owners[panel.part] = (*panel.histograms,)
                if panel.part == "forget":
                    counts = panel.histograms["bb"].counts
                    np.testing.assert_array_equal(counts, np.histogram(kernel[:, 3:6], kernels.edges)[0])
        assert owners == {
            **dict.fromkeys(("update", "reset", "candidate"), ("a",)),
            **dict.fromkeys(("input", "forget", "cell", "output"), ("bb",)),
        }

    def test_biases_have_the_groups_of_their_kernels(self, save: Callable[..., Checkpoint]) -> None:
        both = {"a": save("a", lambda layers: layers.Conv1D(6, 3, groups=3, name="layer"), (5, 6))}
        found = look_at_parts(both, Pick(("a",), "a", "a", "layer", "kernel", ""), never, 10, 0)
        parts = {strip.title: [panel.part for panel in strip.panels] for strip in found.strips}
        assert parts["bias"] == ["group 0", "group 1", "group 2"]
        assert parts["kernel"][:3] == parts["bias"]


class TestNormsOfUnits:
    @pytest.mark.parametrize("suffix", ["", "_dropout"])
    def test_of_a_recurrent_layer_are_over_all_gates(self, suffix: str, models: Path) -> None:
        path = models / f"sequence_lstm{suffix}.h5"
        with h5py.File(path) as file:
            (stored,) = _datasets(file["model_weights/lstm_1"], "/recurrent_kernel")
        units = stored.shape[1] // 4
        expected = np.sqrt((stored.astype(np.float64) ** 2).sum(axis=0).reshape(4, units).sum(axis=0))
        found = ww.unit_norms(ww.open_checkpoint(path)["lstm_1"]["recurrent_kernel"])
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_of_parts_and_of_tokens(self, save: Callable[..., Checkpoint]) -> None:
        layer = save("a", lambda layers: layers.Embedding(9, 4, name="layer"), (3,))["layer"]
        rows = layer["embeddings"].read().astype(np.float64)
        np.testing.assert_allclose(ww.unit_norms(layer["embeddings"]), np.linalg.norm(rows, axis=1))
        lstm = save("b", lambda layers: layers.LSTM(3, name="layer"), (3, 5))["layer"]["kernel"]
        cell = lstm.read().astype(np.float64)[:, 6:9]
        np.testing.assert_allclose(ww.unit_norms(lstm.parts["cell"]), np.linalg.norm(cell, axis=0))

    def test_of_what_has_none_are_refused(self) -> None:
        layer = ww.open_checkpoint({"layer/weird": np.ones((3, 4))})["layer"]
        with pytest.raises(ww.WeightWidgetsError, match="weird has no norms of units: what its axes mean is not known"):
            ww.unit_norms(layer["weird"])
        with pytest.raises(ww.WeightWidgetsError, match="takes a tensor of an opened checkpoint, not ndarray"):
            ww.unit_norms(np.ones((3, 4)))  # type: ignore[arg-type]


def _datasets(group: h5py.Group, end: str) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    group.visititems(lambda name, item: found.append(item[()]) if f"/{name}".endswith(end) else None)
    return found
