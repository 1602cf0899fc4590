"""The ways in which tensors are drawn, against numpy written out: every weight in its place, and its place named."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weight_widgets.reading.arrangements import MATRIX, TILES, Arrangement, arrangement, sliced_axis, ways
from weight_widgets.reading.meanings import structures
from weight_widgets.reading.structure import Axis, Matrix, Structure, generic

Shape = tuple[int, ...]
GROUPED: dict[str, Any] = {"groups": 2}


def structure_of(class_name: str, name: str, shape: Shape, config: dict[str, Any] | None = None) -> Structure:
    return structures(class_name, config or {"name": "layer"}, {name: shape})[name]


def numbered(shape: Shape) -> np.ndarray:
    return np.arange(math.prod(shape)).reshape(shape)


def drawn(structure: Structure, way: str = MATRIX, position: int = 0, order: list[int] | None = None) -> np.ndarray:
    found = arrangement(structure, way, position, order)
    picture = found.of(numbered(structure.shape))
    assert picture.shape == found.matrix.shape
    return picture


WAYS: dict[str, tuple[tuple[str, str, Shape], tuple[str, ...]]] = {
    "dense": (("Dense", "kernel", (4, 5)), (MATRIX,)),
    "bias": (("Dense", "bias", (5,)), (MATRIX,)),
    "gates": (("LSTM", "kernel", (3, 8)), (MATRIX, "one input", "one gate", "one unit")),
    "filters": (
        ("Conv2D", "kernel", (3, 2, 4, 6)),
        (MATRIX, TILES, "one kernel row", "one kernel column", "one input channel", "one filter"),
    ),
    "one by one": (("Conv2D", "kernel", (1, 1, 4, 6)), (MATRIX, TILES)),
    "1-D": (("Conv1D", "kernel", (3, 4, 6)), (MATRIX, TILES, "one kernel step", "one input channel", "one filter")),
    "query": (("MultiHeadAttention", "query/kernel", (5, 2, 3)), (MATRIX, "one input", "one head", "one dimension")),
    "tokens": (("Embedding", "embeddings", (9, 4)), (MATRIX,)),
    "unknown": (("", "what", (2, 3, 4)), (MATRIX, "one axis 0", "one axis 1", "one axis 2")),
}


@pytest.mark.parametrize("name", WAYS)
def test_what_is_offered(name: str) -> None:
    of, expected = WAYS[name]
    assert ways(structure_of(*of)) == expected


def test_a_scalar_and_nothing() -> None:
    assert ways(generic(())) == (MATRIX,)
    assert drawn(generic(())).tolist() == [[0]]
    assert drawn(generic((0, 3))).shape == (0, 3)


def rows_of_tiles(tiles: list[np.ndarray], rows: int) -> np.ndarray:
    columns = len(tiles) // rows
    return np.block([tiles[row * columns : (row + 1) * columns] for row in range(rows)])


class TestFilterGrids:
    def test_of_one_channel_is_as_square_as_it_can_be(self) -> None:
        structure = structure_of("Conv2D", "kernel", (3, 3, 1, 16))
        kernel = numbered((3, 3, 1, 16))
        tiles = [kernel[:, :, 0, filter_] for filter_ in range(16)]
        np.testing.assert_array_equal(drawn(structure, TILES), rows_of_tiles(tiles, 4))

    def test_has_the_channels_of_a_filter_above_each_other(self) -> None:
        structure = structure_of("Conv2D", "kernel", (2, 3, 5, 4))
        kernel = numbered((2, 3, 5, 4))
        tiles = [np.concatenate([kernel[:, :, channel, filter_] for channel in range(5)]) for filter_ in range(4)]
        np.testing.assert_array_equal(drawn(structure, TILES), rows_of_tiles(tiles, 1))

    def test_of_a_transposed_convolution(self) -> None:
        structure = structure_of("Conv2DTranspose", "kernel", (3, 3, 4, 2))
        kernel = numbered((3, 3, 4, 2))
        tiles = [np.concatenate([kernel[:, :, filter_, channel] for channel in range(2)]) for filter_ in range(4)]
        np.testing.assert_array_equal(drawn(structure, TILES), rows_of_tiles(tiles, 1))

    def test_of_a_depthwise_convolution_has_a_tile_for_each_channel(self) -> None:
        structure = structure_of("DepthwiseConv2D", "kernel", (3, 3, 4, 2))
        kernel = numbered((3, 3, 4, 2))
        tiles = [np.hstack([kernel[:, :, channel, each] for each in range(2)]) for channel in range(4)]
        picture = drawn(structure, TILES)
        assert picture.shape == (6, 12)
        np.testing.assert_array_equal(picture, rows_of_tiles(tiles, 2))

    def test_of_a_one_dimensional_one_is_steps_by_channels(self) -> None:
        structure = structure_of("Conv1D", "kernel", (3, 4, 6))
        kernel = numbered((3, 4, 6))
        tiles = [kernel[:, :, filter_] for filter_ in range(6)]
        picture = drawn(structure, TILES)
        np.testing.assert_array_equal(picture, rows_of_tiles(tiles, picture.shape[0] // 3))

    def test_separates_the_tiles(self) -> None:
        assert arrangement(structure_of("Conv2D", "kernel", (3, 2, 1, 4)), TILES).matrix.separations == (3, 2)


class TestSlices:
    SHAPE = (3, 2, 4, 6)

    @pytest.mark.parametrize(
        ("way", "position", "expected"),
        [
            ("one filter", 5, lambda k: np.concatenate([k[:, :, c, 5] for c in range(4)], axis=1)),
            ("one input channel", 2, lambda k: k[:, :, 2].reshape(6, 6)),
            ("one kernel row", 1, lambda k: k[1].reshape(8, 6)),
        ],
    )
    def test_of_a_kernel(self, way: str, position: int, expected: Callable[[np.ndarray], np.ndarray]) -> None:
        picture = drawn(structure_of("Conv2D", "kernel", self.SHAPE), way, position)
        wanted = expected(numbered(self.SHAPE))
        # A filter's channels may stand beside or above each other; each is whole.
        assert sorted(picture.ravel()) == sorted(wanted.ravel())
        if way != "one filter":
            np.testing.assert_array_equal(picture, wanted)

    def test_of_a_gate_is_the_part(self) -> None:
        structure = structure_of("LSTM", "kernel", (3, 8))
        for gate in range(4):
            np.testing.assert_array_equal(drawn(structure, "one gate", gate), numbered((3, 8))[:, 2 * gate :][:, :2])

    def test_of_an_axis_that_is_not_there_are_the_matrix(self) -> None:
        structure = structure_of("Dense", "kernel", (4, 5))
        assert sliced_axis(structure, "one gate") is None
        np.testing.assert_array_equal(drawn(structure, "one gate", 3), numbered((4, 5)))


class TestOrder:
    def test_of_columns_and_their_names(self) -> None:
        structure = structure_of("Dense", "kernel", (4, 5))
        order = [3, 0, 4, 1, 2]
        found = arrangement(structure, order=order)
        np.testing.assert_array_equal(found.of(numbered((4, 5))), numbered((4, 5))[:, order])
        (units,) = found.matrix.columns
        assert [units.name(place) for place in range(5)] == [f"unit {number}" for number in order]

    def test_of_the_units_of_every_gate(self) -> None:
        structure = structure_of("LSTM", "kernel", (3, 12))
        order = [2, 0, 1]
        expected = np.concatenate([numbered((3, 12))[:, 3 * gate :][:, :3][:, order] for gate in range(4)], axis=1)
        np.testing.assert_array_equal(drawn(structure, order=order), expected)

    def test_of_tokens_is_one_of_rows(self) -> None:
        order = [3, 1, 0, 2]
        picture = drawn(structure_of("Embedding", "embeddings", (4, 3)), order=order)
        np.testing.assert_array_equal(picture, numbered((4, 3))[order])

    def test_of_tiles(self) -> None:
        structure = structure_of("Conv2D", "kernel", (3, 3, 1, 4))
        order = [2, 3, 1, 0]
        kernel = numbered((3, 3, 1, 4))
        tiles = [kernel[:, :, 0, filter_] for filter_ in order]
        np.testing.assert_array_equal(drawn(structure, TILES, order=order), rows_of_tiles(tiles, 2))


SHAPES: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("Dense", "kernel"): lambda n: (n(), n()),
    ("Conv1D", "kernel"): lambda n: (n(), n(), 2 * n()),
    ("Conv2D", "kernel"): lambda n: (n(), n(), n(), 2 * n()),
    ("Conv3D", "kernel"): lambda n: (n(), n(), n(), n(), n()),
    ("Conv2DTranspose", "kernel"): lambda n: (n(), n(), n(), n()),
    ("DepthwiseConv2D", "kernel"): lambda n: (n(), n(), n(), n()),
    ("LSTM", "kernel"): lambda n: (n(), 4 * n()),
    ("GRU", "bias"): lambda n: (2, 3 * n()),
    ("ConvLSTM2D", "kernel"): lambda n: (n(), n(), n(), 4 * n()),
    ("MultiHeadAttention", "query/kernel"): lambda n: (n(), n(), n()),
    ("MultiHeadAttention", "output/kernel"): lambda n: (n(), n(), n()),
    ("Embedding", "embeddings"): lambda n: (n(), n()),
    ("Mystery", "thing"): lambda n: (n(), n(), n()),
}


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    kind = draw(st.sampled_from([*SHAPES]))
    shape = SHAPES[kind](lambda: draw(st.integers(1, 4)))
    structure = structure_of(*kind, shape, draw(st.sampled_from([None, GROUPED])))
    if names := structure.part_names():
        whole = draw(st.integers(0, len(names)))
        structure = structure if whole == len(names) else structure.part(whole)[0]
    way = draw(st.sampled_from(ways(structure)))
    axis = sliced_axis(structure, way)
    position = draw(st.integers(axis.first, axis.first + axis.size - 1)) if axis else 0
    size = structure.axes[structure.place(structure.unit)].size if structure.unit else 0
    order = draw(st.permutations(range(size))) if size and draw(st.booleans()) else None
    return arrangement(structure, way, position, order)


def address(matrix: Matrix, row: int, column: int) -> dict[str, int]:
    """What a reader makes of a cell: for each label the number that it has there, as the page reads it out."""
    joined: dict[str, tuple[Axis, int]] = {}
    for places, element in ((matrix.down, row), (matrix.across, column)):
        axes = [matrix.axes[place] for place in places]
        for axis, index in zip(axes, np.unravel_index(element, [axis.size for axis in axes]), strict=True):
            before = joined[axis.label][1] if axis.label in joined else 0
            joined[axis.label] = axis, before + int(index) * axis.stride
    return {
        label: axis.numbers[index] if axis.numbers else axis.first + index for label, (axis, index) in joined.items()
    }


@given(arrangements())
def test_every_weight_is_drawn_once_and_its_place_says_which_it_is(found: Arrangement) -> None:
    structure = found.structure
    values = numbered(structure.shape)
    picture = found.of(values)
    logical = values.reshape([axis.size for axis in structure.axes])
    taken = [[index] if isinstance(index, int) else range(size) for index, size in zip(found.taken, logical.shape)]  # noqa: B905
    assert sorted(picture.ravel().tolist()) == sorted(logical[np.ix_(*taken)].ravel().tolist())
    fixed = {
        axis.label: axis.first + index
        for axis, index in zip(structure.axes, found.taken, strict=True)
        if isinstance(index, int)
    }
    for row, column in itertools.product(range(picture.shape[0]), range(picture.shape[1])):
        numbers = fixed | address(found.matrix, row, column)
        index = tuple(numbers[axis.label] - axis.first for axis in structure.axes)
        assert picture[row, column] == logical[index], (row, column, numbers)
