"""How tensors of every rank are laid out as matrices, and what their parts are called, against numpy written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from weight_widgets.reading.roles import infer_class, structure_of, weight_names
from weight_widgets.reading.structure import Structure, generic

Shape = tuple[int, ...]


def numbered(shape: Shape) -> np.ndarray:
    """Every element different, so that no two layouts look the same."""
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


def matrix_of(class_name: str, name: str, shape: Shape) -> np.ndarray:
    structure = structure_of(class_name, name, shape)
    matrix = structure.to_matrix(numbered(shape))
    assert structure.shape == shape
    assert structure.matrix.shape == matrix.shape
    return matrix


class TestMatrix:
    def test_scalar(self) -> None:
        assert generic(()).to_matrix(np.array(7.0)).tolist() == [[7.0]]
        assert generic(()).matrix.shape == (1, 1)

    @pytest.mark.parametrize(
        ("class_name", "name", "shape"),
        [
            ("Dense", "bias", (5,)),
            ("Conv2D", "bias", (5,)),
            ("BatchNormalization", "gamma", (5,)),
            ("LSTM", "bias", (8,)),
            ("GRU", "bias", (6,)),
            ("GRU", "bias", (2, 6)),
            ("SimpleRNN", "bias", (5,)),
            ("", "whatever", (5,)),
        ],
    )
    def test_vectors_lie_across(self, class_name: str, name: str, shape: Shape) -> None:
        expected = numbered(shape).reshape(-1, shape[-1])
        np.testing.assert_array_equal(matrix_of(class_name, name, shape), expected)

    @pytest.mark.parametrize(
        ("class_name", "name", "shape"),
        [
            ("Dense", "kernel", (4, 3)),
            ("Embedding", "embeddings", (11, 4)),
            ("LSTM", "kernel", (5, 8)),
            ("LSTM", "recurrent_kernel", (2, 8)),
            ("GRU", "kernel", (5, 6)),
            ("SimpleRNN", "recurrent_kernel", (3, 3)),
            ("Bidirectional", "forward/kernel", (5, 8)),
        ],
    )
    def test_matrices_stay_as_they_are(self, class_name: str, name: str, shape: Shape) -> None:
        np.testing.assert_array_equal(matrix_of(class_name, name, shape), numbered(shape))

    @pytest.mark.parametrize(
        ("class_name", "shape"),
        [("Conv1D", (3, 2, 4)), ("Conv2D", (3, 2, 5, 4)), ("Conv3D", (2, 3, 2, 5, 4))],
    )
    def test_a_kernels_filters_run_across(self, class_name: str, shape: Shape) -> None:
        values = numbered(shape)
        expected = np.stack([values[..., place].ravel() for place in range(shape[-1])], axis=1)
        np.testing.assert_array_equal(matrix_of(class_name, "kernel", shape), expected)
        assert expected.shape == (np.prod(shape[:-1]), shape[-1])

    @given(array_shapes(min_dims=1, max_dims=5, max_side=4))
    def test_of_unknown_meaning_the_last_axis_runs_across(self, shape: Shape) -> None:
        structure = generic(shape)
        np.testing.assert_array_equal(structure.to_matrix(numbered(shape)), numbered(shape).reshape(-1, shape[-1]))
        assert structure.part_names() == []

    @pytest.mark.parametrize(
        ("class_name", "name", "shape"),
        [
            ("Dense", "kernel", (2, 3, 4)),
            ("Dense", "bias", ()),
            ("Conv2D", "kernel", (3, 3)),
            ("LSTM", "kernel", (5, 9)),
            ("GRU", "bias", (3, 6)),
            ("GRU", "bias", ()),
            ("BatchNormalization", "gamma", (2, 2)),
        ],
    )
    def test_a_shape_that_does_not_fit_its_role_has_no_meaning(self, class_name: str, name: str, shape: Shape) -> None:
        assert structure_of(class_name, name, shape) == generic(shape)

    @given(
        st.sampled_from(["Dense", "Conv1D", "Conv2D", "Conv3D", "LSTM", "GRU", "SimpleRNN", "BatchNormalization", ""]),
        st.sampled_from(["kernel", "recurrent_kernel", "bias", "gamma", "embeddings", "forward/kernel"]),
        array_shapes(min_dims=0, max_dims=5, max_side=6),
    )
    def test_no_element_is_lost_and_parts_partition_the_tensor(self, class_name: str, name: str, shape: Shape) -> None:
        structure, values = structure_of(class_name, name, shape), numbered(shape)
        assert sorted(structure.to_matrix(values).ravel()) == sorted(values.ravel())
        names = structure.part_names()
        assert len(set(names)) == len(names)
        pieces = [cut_out(structure, values, place) for place in range(len(names))]
        if names:
            assert sorted(np.concatenate([piece.ravel() for piece in pieces])) == sorted(values.ravel())


def cut_out(structure: Structure, values: np.ndarray, place: int) -> np.ndarray:
    part, index = structure.part(place)
    piece = values[index]
    assert part.shape == piece.shape
    assert part.matrix.shape == part.to_matrix(piece).shape
    return piece


class TestParts:
    def test_names(self) -> None:
        assert structure_of("LSTM", "kernel", (5, 8)).part_names() == ["input", "forget", "cell", "output"]
        assert structure_of("GRU", "bias", (6,)).part_names() == ["update", "reset", "candidate"]
        assert structure_of("GRU", "bias", (2, 3)).part_names() == [
            "input bias/update",
            "input bias/reset",
            "input bias/candidate",
            "recurrent bias/update",
            "recurrent bias/reset",
            "recurrent bias/candidate",
        ]
        assert structure_of("Conv1D", "kernel", (3, 2, 3)).part_names() == ["filter 0", "filter 1", "filter 2"]
        assert structure_of("SimpleRNN", "kernel", (3, 4)).part_names() == []

    def test_a_single_part_is_none(self) -> None:
        assert structure_of("Conv2D", "kernel", (3, 3, 2, 1)).part_names() == []

    def test_a_filter_is_laid_out_as_pictures_side_by_side(self) -> None:
        structure, values = structure_of("Conv2D", "kernel", (3, 2, 4, 5)), numbered((3, 2, 4, 5))
        part, index = structure.part(3)
        pictures = [values[:, :, channel, 3] for channel in range(4)]
        np.testing.assert_array_equal(part.to_matrix(values[index]), np.concatenate(pictures, axis=1))

    def test_a_filter_of_a_1d_kernel_is_steps_by_channels(self) -> None:
        structure, values = structure_of("Conv1D", "kernel", (3, 4, 5)), numbered((3, 4, 5))
        part, index = structure.part(2)
        np.testing.assert_array_equal(part.to_matrix(values[index]), values[:, :, 2])

    def test_a_gate_is_inputs_by_units(self) -> None:
        structure, values = structure_of("LSTM", "recurrent_kernel", (2, 8)), numbered((2, 8))
        part, index = structure.part(1)
        np.testing.assert_array_equal(part.to_matrix(values[index]), values[:, 2:4])
        assert [axis.label for axis in part.axes] == ["state unit", "unit"]

    def test_separators_stand_between_gates(self) -> None:
        assert structure_of("LSTM", "kernel", (5, 8)).matrix.separation == 2
        assert structure_of("Conv2D", "kernel", (3, 3, 2, 4)).matrix.separation == 1
        assert structure_of("Dense", "kernel", (5, 8)).matrix.separation == 0

    @pytest.mark.parametrize(
        ("class_name", "name", "shape", "sentence"),
        [
            ("Dense", "kernel", (4, 3), "4 × 3: input (rows) × unit (columns)"),
            ("LSTM", "kernel", (5, 8), "5 × 8: input (rows) × gate (input, forget, cell, output) · unit (columns)"),
            (
                "Conv2D",
                "kernel",
                (3, 2, 5, 4),
                "30 × 4: kernel row · kernel column · input channel (rows) × filter (columns)",
            ),
            ("", "scale", (), "1 × 1: 1 (rows) × 1 (columns)"),
        ],
    )
    def test_the_layout_in_words(self, class_name: str, name: str, shape: Shape, sentence: str) -> None:
        assert structure_of(class_name, name, shape).matrix.sentence == sentence


class TestNames:
    @pytest.mark.parametrize(
        ("class_name", "config", "count", "names"),
        [
            ("Dense", {}, 2, ("kernel", "bias")),
            ("Dense", {}, 1, ("kernel",)),
            ("Dense", {"use_bias": False}, 1, ("kernel",)),
            ("Dense", {"use_bias": False}, 2, None),
            ("BatchNormalization", {}, 4, ("gamma", "beta", "moving_mean", "moving_variance")),
            ("BatchNormalization", {}, 3, None),
            ("BatchNormalization", {}, 2, ("moving_mean", "moving_variance")),
            ("BatchNormalization", {"scale": False}, 3, ("beta", "moving_mean", "moving_variance")),
            ("BatchNormalization", {"center": False}, 3, ("gamma", "moving_mean", "moving_variance")),
            ("LayerNormalization", {}, 1, None),
            ("SomebodysOwn", {}, 2, None),
        ],
    )
    def test_by_position(
        self, class_name: str, config: dict[str, object], count: int, names: tuple[str, ...] | None
    ) -> None:
        assert weight_names(class_name, config, count) == names

    @pytest.mark.parametrize(
        ("shapes", "class_name"),
        [
            ({"kernel": (5, 8), "recurrent_kernel": (2, 8), "bias": (8,)}, "LSTM"),
            ({"kernel": (5, 6), "recurrent_kernel": (2, 6), "bias": (2, 6)}, "GRU"),
            ({"kernel": (5, 2), "recurrent_kernel": (2, 2)}, "SimpleRNN"),
            ({"kernel": (5, 10), "recurrent_kernel": (2, 10)}, ""),
            ({"kernel": (4, 3), "bias": (3,)}, "Dense"),
            ({"kernel": (3, 3, 2, 4), "bias": (4,)}, "Conv2D"),
            ({"kernel": (3, 3, 4, 4), "bias": (4,)}, ""),
            ({"kernel": (3, 3, 4, 2), "bias": (4,)}, ""),
            ({"moving_mean": (3,), "moving_variance": (3,)}, "BatchNormalization"),
            ({"gamma": (3,), "beta": (3,)}, ""),
            ({"embeddings": (9, 3)}, "Embedding"),
            ({}, ""),
        ],
    )
    def test_a_class_is_inferred_only_where_the_weights_settle_it(
        self, shapes: dict[str, Shape], class_name: str
    ) -> None:
        assert infer_class(shapes) == class_name
