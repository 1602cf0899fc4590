"""Which cells the heatmaps are given by norm and in slices, against numpy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_layer import Save, never, normal, picked, saver
from seen import final

from weight_widgets.state.looks import look_at_pictures


@pytest.fixture
def save(tmp_path: Path) -> Save:
    return saver(tmp_path)


# Of a layer: its class and settings, the tensor, its shape, the axes that a norm is over in `logical` numpy axes, and
# from the array and the order of its units to the picture.
SORTED: dict[str, tuple[str, dict[str, Any], str, tuple[int, ...], Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "columns": ("Dense", {}, "kernel", (6, 5), lambda k: k.T, lambda k, order: k[:, order]),
    "rows": ("Embedding", {}, "embeddings", (7, 3), lambda k: k, lambda k, order: k[order]),
    "units of gates": (
        "LSTM",
        {},
        "kernel",
        (3, 16),
        lambda k: k.reshape(3, 4, 4).transpose(2, 0, 1),
        lambda k, order: np.concatenate([gate[:, order] for gate in np.split(k, 4, axis=1)], axis=1),
    ),
    "heads": (
        "MultiHeadAttention",
        {"num_heads": 4},
        "query/kernel",
        (5, 4, 2),
        lambda k: k.transpose(1, 0, 2),
        lambda k, order: np.concatenate([k[:, head] for head in order], axis=1),
    ),
    "heads of an output": (
        "MultiHeadAttention",
        {"num_heads": 4},
        "attention_output/kernel",
        (4, 2, 5),
        lambda k: k,
        lambda k, order: np.concatenate([k[head] for head in order]),
    ),
    "filters": (
        "Conv3D",
        {},
        "kernel",
        (2, 3, 2, 2, 4),
        lambda k: k.transpose(4, 0, 1, 2, 3),
        lambda k, order: np.stack([k[..., place].ravel() for place in order], axis=1),
    ),
    "groups": (
        "Conv1D",
        {"groups": 2},
        "kernel",
        (3, 2, 6),
        lambda k: k.transpose(2, 0, 1),
        lambda k, order: np.stack([k[..., place].ravel() for place in order], axis=1),
    ),
}


class TestPictures:
    @pytest.mark.parametrize("name", SORTED)
    def test_by_norm_is_numpys_order_of_model_a_for_both(self, name: str, save: Save) -> None:
        class_name, settings, tensor, shape, by_unit, laid_out = SORTED[name]
        a, b = normal(*shape), normal(*shape)
        count = len(by_unit(a))
        for values, ranks in ((a, np.roll(np.arange(count), 1)), (b, np.arange(count))):
            for unit, rank in zip(by_unit(values), ranks, strict=True):
                unit *= 100.0**rank
        # Neither as stored nor as in B.
        order = np.array([0, *range(count - 1, 0, -1)])
        opened = {label: save(class_name, {tensor: values}, **settings) for label, values in (("a", a), ("b", b))}
        read = tensor.removeprefix("attention_")
        look = final(look_at_pictures(opened, picked(opened, read), never, by_norm=True))
        wanted = laid_out(a, order), laid_out(b, order), laid_out(b - a, order)
        for raster, expected in zip(look.contrast.rasters, wanted, strict=True):
            assert raster is not None
            np.testing.assert_array_equal(raster.mean, expected)

    def test_units_without_a_norm_stand_last_and_equal_ones_as_they_are_stored(self, save: Save) -> None:
        kernel = np.array([[1.0, np.nan, 2.0, -1.0, 2.0], [1.0, np.inf, 0.0, 1.0, 0.0]])
        opened = {"a": save("Dense", {"kernel": kernel})}
        raster = final(look_at_pictures(opened, picked(opened), never, by_norm=True)).contrast.rasters[0]
        assert raster is not None
        np.testing.assert_array_equal(raster.mean, kernel[:, [2, 4, 0, 3, 1]])

    def test_a_model_with_more_units_has_an_order_of_its_own(self, save: Save) -> None:
        a, b = normal(4, 3), normal(4, 6)
        opened = {"a": save("Dense", {"kernel": a}), "b": save("Dense", {"kernel": b})}
        look = final(look_at_pictures(opened, picked(opened), never, by_norm=True))
        for raster, kernel in zip(look.contrast.rasters, (a, b), strict=False):
            assert raster is not None
            np.testing.assert_array_equal(raster.mean, kernel[:, np.argsort(-np.linalg.norm(kernel, axis=0))])
        assert look.contrast.rasters[2] is None

    @pytest.mark.parametrize(("asked", "shown"), [(0, 0), (3, 3), (99, 4)])
    def test_a_filter_that_is_not_there_gives_the_nearest_and_b_its_own_last(
        self, asked: int, shown: int, save: Save
    ) -> None:
        a, b = normal(3, 3, 1, 5), normal(3, 3, 1, 2)
        opened = {"a": save("Conv2D", {"kernel": a}), "b": save("Conv2D", {"kernel": b})}
        look = final(look_at_pictures(opened, picked(opened), never, "one filter", asked))
        assert (look.way, look.position, look.positions) == ("one filter", shown, (0, 4))
        for raster, kernel, place in zip(look.contrast.rasters, (a, b), (shown, min(shown, 1)), strict=False):
            assert raster is not None
            np.testing.assert_array_equal(raster.mean, kernel[:, :, 0, place])

    def test_a_way_that_the_tensor_does_not_have_gives_the_matrix(self, save: Save) -> None:
        kernel = normal(4, 3)
        opened = {"a": save("Dense", {"kernel": kernel})}
        look = final(look_at_pictures(opened, picked(opened), never, "filter grid", 7))
        raster = look.contrast.rasters[0]
        assert raster is not None
        assert (look.way, look.ways, look.position) == ("matrix", ("matrix",), 0)
        np.testing.assert_array_equal(raster.mean, kernel)
