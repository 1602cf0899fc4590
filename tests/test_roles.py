"""What weights are called by their positions, and what class their names and shapes settle."""

from __future__ import annotations

import pytest

from weight_widgets.reading.roles import infer_class, weight_names

Shape = tuple[int, ...]


@pytest.mark.parametrize(
    ("class_name", "config", "count", "names"),
    [
        ("Dense", {}, 2, ("kernel", "bias")),
        ("Dense", {}, 1, ("kernel",)),
        ("Dense", {"use_bias": False}, 1, ("kernel",)),
        ("Dense", {"use_bias": False}, 2, None),
        ("EinsumDense", {"equation": "ab,bc->ac", "bias_axes": None}, 1, ("kernel",)),
        ("EinsumDense", {"equation": "ab,bc->ac", "bias_axes": "c"}, 2, ("kernel", "bias")),
        ("EinsumDense", {"equation": "ab,bc->ac", "bias_axes": "c"}, 1, None),
        ("BatchNormalization", {}, 4, ("gamma", "beta", "moving_mean", "moving_variance")),
        ("BatchNormalization", {}, 3, None),
        ("BatchNormalization", {}, 2, ("moving_mean", "moving_variance")),
        ("BatchNormalization", {"scale": False}, 3, ("beta", "moving_mean", "moving_variance")),
        ("BatchNormalization", {"center": False}, 3, ("gamma", "moving_mean", "moving_variance")),
        ("LayerNormalization", {}, 1, None),
        ("SomebodysOwn", {}, 2, None),
    ],
)
def test_names_by_position(
    class_name: str, config: dict[str, object], count: int, names: tuple[str, ...] | None
) -> None:
    assert weight_names(class_name, config, count) == names


@pytest.mark.parametrize(
    ("shapes", "class_name"),
    [
        ({"kernel": (5, 8), "recurrent_kernel": (2, 8), "bias": (8,)}, "LSTM"),
        ({"kernel": (5, 6), "recurrent_kernel": (2, 6), "bias": (2, 6)}, "GRU"),
        ({"kernel": (5, 2), "recurrent_kernel": (2, 2)}, "SimpleRNN"),
        ({"kernel": (5, 10), "recurrent_kernel": (2, 10)}, ""),
        ({"kernel": (5, 12), "recurrent_kernel": (2, 8)}, ""),
        ({"kernel": (5, 8), "recurrent_kernel": (2, 8), "bias": (2,)}, ""),
        ({"kernel": (3, 3, 5, 8), "recurrent_kernel": (3, 3, 2, 8)}, "ConvLSTM2D"),
        ({"kernel": (4, 3), "bias": (3,)}, "Dense"),
        ({"kernel": (4, 3, 2), "bias": (3, 2)}, "EinsumDense"),
        ({"kernel": (3, 3, 2, 4), "bias": (4,)}, "Conv2D"),
        ({"kernel": (3, 3, 4, 2), "bias": (4,)}, "Conv2DTranspose"),
        ({"kernel": (3, 3, 4, 2), "bias": (8,)}, "DepthwiseConv2D"),
        ({"kernel": (3, 3, 4, 4), "bias": (4,)}, ""),
        ({"kernel": (3, 3, 4, 1), "bias": (4,)}, ""),
        ({"kernel": (3, 3, 4, 2)}, ""),
        ({"moving_mean": (3,), "moving_variance": (3,)}, "BatchNormalization"),
        ({"gamma": (3,), "beta": (3,)}, ""),
        ({"embeddings": (9, 3)}, "Embedding"),
        ({}, ""),
    ],
)
def test_a_class_is_inferred_only_where_the_weights_settle_it(shapes: dict[str, Shape], class_name: str) -> None:
    assert infer_class(shapes) == class_name
