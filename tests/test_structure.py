"""How tensors of every rank are laid out as matrices, and what their parts are called, against numpy written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from weight_widgets.reading.meanings import structures
from weight_widgets.reading.structure import Structure, generic

Shape = tuple[int, ...]
Config = Mapping[str, Any]

# Of a layer whose configuration has nothing to say of its weights.
SILENT: Config = {"name": "layer"}
FORWARD_LSTM: Config = {"layer": {"class_name": "LSTM", "config": {"units": 2}}}
IN_GROUPS: Config = {"groups": 2}

CLASSES = (
    *("Dense", "Conv1D", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "LSTM", "GRU", "SimpleRNN", "ConvLSTM2D"),
    *("MultiHeadAttention", "GroupNormalization", "BatchNormalization", ""),
)


def numbered(shape: Shape) -> np.ndarray:
    """Every element different, so that no two layouts look the same."""
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


def structure_of(class_name: str, name: str, shape: Shape, config: Config = SILENT, **beside: Shape) -> Structure:
    """As of a layer that has this weight, and `beside` others."""
    return structures(class_name, config, {name: shape, **beside})[name]


def matrix_of(class_name: str, name: str, shape: Shape, config: Config = SILENT) -> np.ndarray:
    structure = structure_of(class_name, name, shape, config)
    matrix = structure.to_matrix(numbered(shape))
    assert structure.shape == shape
    assert structure.matrix.shape == matrix.shape
    return matrix


def cut_out(structure: Structure, values: np.ndarray, place: int) -> np.ndarray:
    part, index = structure.part(place)
    piece = values[index]
    assert part.shape == piece.shape
    assert part.matrix.shape == part.to_matrix(piece).shape
    return piece


def part_of(structure: Structure, name: str) -> tuple[Structure, np.ndarray]:
    """A part's own structure, and its values among the numbered ones."""
    place = structure.part_names().index(name)
    return structure.part(place)[0], cut_out(structure, numbered(structure.shape), place)


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
        ("class_name", "name", "shape", "config"),
        [
            ("Dense", "kernel", (4, 3), SILENT),
            ("Embedding", "embeddings", (11, 4), SILENT),
            ("LSTM", "kernel", (5, 8), SILENT),
            ("LSTM", "recurrent_kernel", (2, 8), SILENT),
            ("GRU", "kernel", (5, 6), SILENT),
            ("SimpleRNN", "recurrent_kernel", (3, 3), SILENT),
            ("Bidirectional", "forward/kernel", (5, 8), FORWARD_LSTM),
        ],
    )
    def test_matrices_stay_as_they_are(self, class_name: str, name: str, shape: Shape, config: Config) -> None:
        np.testing.assert_array_equal(matrix_of(class_name, name, shape, config), numbered(shape))

    @pytest.mark.parametrize(
        ("class_name", "shape"),
        [("Conv1D", (3, 2, 4)), ("Conv2D", (3, 2, 5, 4)), ("Conv3D", (2, 3, 2, 5, 4))],
    )
    def test_a_kernels_filters_run_across(self, class_name: str, shape: Shape) -> None:
        values = numbered(shape)
        expected = np.stack([values[..., place].ravel() for place in range(shape[-1])], axis=1)
        np.testing.assert_array_equal(matrix_of(class_name, "kernel", shape), expected)
        assert expected.shape == (np.prod(shape[:-1]), shape[-1])

    @pytest.mark.parametrize(
        ("class_name", "shape"),
        [("Conv1DTranspose", (3, 4, 2)), ("Conv2DTranspose", (3, 2, 4, 5)), ("Conv3DTranspose", (2, 3, 2, 4, 5))],
    )
    def test_a_transposed_kernels_filters_too(self, class_name: str, shape: Shape) -> None:
        values = numbered(shape)
        expected = np.stack([values[..., place, :].ravel() for place in range(shape[-2])], axis=1)
        np.testing.assert_array_equal(matrix_of(class_name, "kernel", shape), expected)

    def test_the_heads_of_an_output_run_down(self) -> None:
        values = numbered((4, 3, 6))
        matrix = matrix_of("MultiHeadAttention", "output/kernel", (4, 3, 6))
        np.testing.assert_array_equal(matrix, np.concatenate([values[head] for head in range(4)]))

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
            ("MultiHeadAttention", "query/kernel", (6, 12)),
            ("BatchNormalization", "gamma", (2, 2)),
        ],
    )
    def test_a_shape_that_does_not_fit_its_role_has_no_meaning(self, class_name: str, name: str, shape: Shape) -> None:
        found = structure_of(class_name, name, shape)
        assert found == generic(shape, found.doubt)
        # Of a vector there is nothing to say: it lies across in any case.
        assert (class_name in found.doubt) == (len(shape) > 1)

    @given(
        st.sampled_from(CLASSES),
        st.sampled_from(["kernel", "recurrent_kernel", "bias", "gamma", "embeddings", "query/kernel", "output/kernel"]),
        array_shapes(min_dims=0, max_dims=5, max_side=6),
        st.sampled_from([SILENT, IN_GROUPS, {"groups": 3}, {}]),
    )
    def test_no_element_is_lost_and_each_cut_partitions_the_tensor(
        self, class_name: str, name: str, shape: Shape, config: Config
    ) -> None:
        structure, values = structure_of(class_name, name, shape, config), numbered(shape)
        assert sorted(structure.to_matrix(values).ravel()) == sorted(values.ravel())
        names = structure.part_names()
        assert len(set(names)) == len(names)
        for cut in structure.cuts:
            alone = replace(structure, cuts=(cut,))
            pieces = [cut_out(alone, values, place) for place in range(len(alone.part_names()))]
            if pieces:
                assert sorted(np.concatenate([piece.ravel() for piece in pieces])) == sorted(values.ravel())


class TestParts:
    @pytest.mark.parametrize(
        ("class_name", "name", "shape", "config", "names"),
        [
            ("LSTM", "kernel", (5, 8), SILENT, "input forget cell output"),
            ("GRU", "bias", (6,), SILENT, "update reset candidate"),
            ("ConvLSTM1D", "recurrent_kernel", (3, 2, 8), SILENT, "input forget cell output"),
            ("SimpleRNN", "kernel", (3, 2), SILENT, "unit_0 unit_1"),
            ("Dense", "kernel", (3, 2), SILENT, "unit_0 unit_1"),
            ("Embedding", "embeddings", (2, 3), SILENT, "token_0 token_1"),
            ("Conv1D", "kernel", (3, 2, 3), SILENT, "filter_0 filter_1 filter_2"),
            ("Conv1D", "kernel", (3, 2, 4), IN_GROUPS, "group_0 group_1 filter_0 filter_1 filter_2 filter_3"),
            ("Conv1D", "bias", (4,), IN_GROUPS, "group_0 group_1"),
            ("DepthwiseConv1D", "kernel", (3, 2, 2), SILENT, "channel_0 channel_1 channel_2 channel_3"),
            ("EinsumDense", "kernel", (5, 2, 1), {"equation": "ac,cde->ade"}, "output_d_0 output_d_1"),
            ("MultiHeadAttention", "query/kernel", (6, 2, 3), SILENT, "head_0 head_1"),
            ("MultiHeadAttention", "output/kernel", (2, 3, 6), SILENT, "head_0 head_1"),
            ("GroupNormalization", "gamma", (4,), IN_GROUPS, "group_0 group_1"),
            ("Dense", "bias", (3,), SILENT, ""),
            ("SimpleRNN", "bias", (3,), SILENT, ""),
        ],
    )
    def test_names(self, class_name: str, name: str, shape: Shape, config: Config, names: str) -> None:
        found = structure_of(class_name, name, shape, config).part_names()
        assert found == [part.replace("_", " ") for part in names.split()]

    def test_a_bias_for_the_input_and_one_for_the_state(self) -> None:
        structure = structure_of("GRU", "bias", (2, 6))
        gates = ("update", "reset", "candidate")
        assert structure.part_names() == [f"{row} bias/{gate}" for row in ("input", "recurrent") for gate in gates]
        assert part_of(structure, "recurrent bias/reset")[1].tolist() == [8, 9]

    def test_query_heads_that_share_their_keys(self) -> None:
        config = {"num_query_heads": 4, "num_key_value_heads": 2}
        shapes = {"query/kernel": (6, 4, 3), "key/kernel": (6, 2, 3), "output/kernel": (4, 3, 6)}
        found = structures("GroupedQueryAttention", config, shapes)
        names = ["group 0", "group 1", "head 0", "head 1", "head 2", "head 3"]
        assert found["query/kernel"].part_names() == found["output/kernel"].part_names() == names
        assert found["key/kernel"].part_names() == ["head 0", "head 1"]
        group, values = part_of(found["query/kernel"], "group 1")
        np.testing.assert_array_equal(values, numbered((6, 4, 3))[:, 2:])
        assert [axis.name(0) for axis in group.axes] == ["input 0", "head 2", "dimension 0"]

    def test_an_einsum_without_its_equation_is_guessed(self) -> None:
        found = structures("EinsumDense", {"equation": "ab, bcd"}, {"kernel": (5, 3, 2), "bias": (3, 2)})
        assert [axis.label for axis in found["kernel"].axes] == ["input 0", "output 0", "output 1"]
        assert [axis.label for axis in found["bias"].axes] == ["output 0", "output 1"]
        assert all(structure.assumed for structure in found.values())

    def test_filters_of_a_group_keep_their_numbers(self) -> None:
        group, values = part_of(structure_of("Conv2D", "kernel", (3, 3, 2, 6), {"groups": 3}), "group 1")
        np.testing.assert_array_equal(values, numbered((3, 3, 2, 6))[..., 2:4])
        assert [group.axes[-1].name(place) for place in range(2)] == ["filter 2", "filter 3"]

    def test_a_single_part_is_none(self) -> None:
        assert structure_of("Conv2D", "kernel", (3, 3, 2, 1)).part_names() == []

    def test_there_is_no_part_beyond_the_last(self) -> None:
        with pytest.raises(IndexError, match="no such part"):
            structure_of("LSTM", "kernel", (5, 8)).part(4)

    def test_a_filter_is_laid_out_as_pictures_side_by_side(self) -> None:
        values = numbered((3, 2, 4, 5))
        part, piece = part_of(structure_of("Conv2D", "kernel", values.shape), "filter 3")
        pictures = [values[:, :, channel, 3] for channel in range(4)]
        np.testing.assert_array_equal(part.to_matrix(piece), np.concatenate(pictures, axis=1))

    def test_a_filter_of_a_1d_kernel_is_steps_by_channels(self) -> None:
        part, piece = part_of(structure_of("Conv1D", "kernel", (3, 4, 5)), "filter 2")
        np.testing.assert_array_equal(part.to_matrix(piece), numbered((3, 4, 5))[:, :, 2])

    def test_a_gate_is_inputs_by_units(self) -> None:
        part, piece = part_of(structure_of("LSTM", "recurrent_kernel", (2, 8)), "forget")
        np.testing.assert_array_equal(part.to_matrix(piece), numbered((2, 8))[:, 2:4])
        assert [axis.label for axis in part.axes] == ["state unit", "unit"]

    @pytest.mark.parametrize(
        ("class_name", "name", "shape", "config", "separations"),
        [
            ("LSTM", "kernel", (5, 8), SILENT, (0, 2)),
            ("GRU", "bias", (2, 9), SILENT, (0, 3)),
            ("Conv2D", "kernel", (3, 3, 2, 4), SILENT, (0, 0)),
            ("Conv2D", "kernel", (3, 3, 2, 6), IN_GROUPS, (0, 3)),
            ("MultiHeadAttention", "key/kernel", (6, 2, 3), SILENT, (0, 3)),
            ("MultiHeadAttention", "output/kernel", (4, 3, 6), SILENT, (3, 0)),
            ("Dense", "kernel", (5, 8), SILENT, (0, 0)),
        ],
    )
    def test_separators_stand_between_parts_of_several_rows_or_columns(
        self, class_name: str, name: str, shape: Shape, config: Config, separations: tuple[int, int]
    ) -> None:
        assert structure_of(class_name, name, shape, config).matrix.separations == separations

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
