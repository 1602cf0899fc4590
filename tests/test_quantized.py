"""Quantised layers against what Keras makes of them, and lazy arithmetic against numpy written out."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices

from weight_widgets.errors import DamagedFileError
from weight_widgets.reading.arrays import Array, of_values
from weight_widgets.reading.derived import transposed
from weight_widgets.reading.layouts.base import LayerWeights
from weight_widgets.reading.quantized.codes import reshaped, scaled, scaled_by_group, unpacked
from weight_widgets.reading.quantized.names import FLOAT8_HELPERS, quantized_names
from weight_widgets.reading.quantized.weights import Quantized, dequantize
from weight_widgets.reading.roles import snake
from weight_widgets.reading.structure import Index

FIXTURES = Path(__file__).parent / "fixtures"
MODES = {"int8": "int8", "int4": "int4", "int4_blocks": "int4"}
FILES = [path for mode in MODES for path in sorted(FIXTURES.glob(f"*/{mode}.keras"))]
NEWEST = FIXTURES / "keras3"


def packed(codes: np.ndarray, axis: int) -> np.ndarray:
    """Pairs of 4-bit codes in bytes, as Keras packs them."""
    rows = np.moveaxis(codes, axis, 0)
    even = np.concatenate([rows, np.zeros((len(rows) % 2, *rows.shape[1:]), np.int8)])
    return np.ascontiguousarray(np.moveaxis((even[::2] & 15) | (even[1::2] << 4), 0, axis).astype(np.int8))


def dense(weights: Mapping[str, Any], class_name: str = "Dense", **config: Any) -> LayerWeights:
    return LayerWeights("mix", class_name, config, {name: of_values(f"/{name}", w) for name, w in weights.items()})


def quantised(weights: Mapping[str, Any], version: str = "", build: Any = None, **config: Any) -> Quantized:
    found = dequantize(dense(weights, **config), version, build)
    assert found is not None
    return found


def in_archive(path: Path) -> Iterator[tuple[LayerWeights, dict[str, Any], str]]:
    """The layers with weights of a flat model, their build configuration, and the Keras version."""
    with zipfile.ZipFile(path) as archive:
        model, metadata = (json.loads(archive.read(name)) for name in ("config.json", "metadata.json"))
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    seen: Counter[str] = Counter()
    for layer in model["config"]["layers"]:
        key = snake(layer["class_name"])
        group = file["layers"].get(f"{key}_{seen[key]}" if seen[key] else key, {})
        seen[key] += 1
        values = [group["vars"][str(number)][()] for number in range(len(group.get("vars", ())))]
        if values:
            config = layer["config"]
            names = quantized_names(
                layer["class_name"], config, [each.shape for each in values], [each.dtype for each in values]
            )
            weights = {
                name: of_values(f"/{name}", each)
                for name, each in zip(names or ("kernel", "bias"), values, strict=False)
            }
            found = LayerWeights(config["name"], layer["class_name"], config, weights)
            yield found, layer.get("build_config") or {}, metadata["keras_version"]


class TestFilesOfKeras:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
    @pytest.mark.parametrize("versioned", [True, False])
    def test_weights_and_codes_are_those_of_keras(self, path: Path, versioned: bool) -> None:
        truth = dict(np.load(path.with_suffix(".npz")))
        for layer, build, version in in_archive(path):
            found = dequantize(layer, version if versioned else "", build)
            assert found is not None
            assert not found.notes
            assert len(found.skipped) == len(layer.weights) - len(found.weights) > 0
            for name, array in found.weights.items():
                expected = truth.pop(f"{layer.name}|{name}")
                assert array.shape == expected.shape
                np.testing.assert_allclose(array.fetch(()), expected, rtol=1e-6)
            for name, array in found.codes.items():
                assert found.weights[name].stored == array.stored == MODES[path.stem]
                np.testing.assert_array_equal(array.fetch(()), truth.pop(f"{layer.name}|{name} codes"))
        assert not truth

    def test_codes_of_gptq_and_awq_are_shown_as_they_are(self) -> None:
        truth = np.load(NEWEST / "calibrated.npz")
        kinds = {}
        for layer, build, version in in_archive(NEWEST / "calibrated.keras"):
            found = dequantize(layer, version, build)
            assert found is not None
            codes = found.weights["quantized_kernel"]
            np.testing.assert_array_equal(codes.fetch(()), truth[f"{layer.name}|quantized_kernel"])
            assert set(found.weights) <= {"quantized_kernel", "bias"}
            assert len(found.notes) == 1
            kinds[layer.name] = codes.stored
        assert kinds == {"gptq_4": "GPTQ codes", "gptq_8": "GPTQ codes", "awq": "AWQ codes"}

    @pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/float8.keras")), ids=lambda path: path.parent.name)
    def test_float8_training_leaves_the_weights_alone(self, path: Path) -> None:
        truth = np.load(path.with_suffix(".npz"))
        for layer, build, version in in_archive(path):
            found = dequantize(layer, version, build)
            assert found is not None
            assert [entry.path for entry in found.skipped] == [f"/{name}" for name in FLOAT8_HELPERS]
            for name, array in found.weights.items():
                np.testing.assert_array_equal(array.fetch(()), truth[f"{layer.name}|{name}"])

    def test_a_merged_low_rank_update_is_told(self) -> None:
        notes: list[str] = []
        for layer, build, version in in_archive(NEWEST / "lora.keras"):
            found = dequantize(layer, version, build)
            assert found is not None
            notes += found.notes
        assert notes[0] == "layer mix: LoRA of rank 2 is merged into kernel as saved"
        assert len(notes) == 3


class TestPackingIsDecided:
    scale = np.array([2, 4, 8], np.float32)
    codes = np.arange(-6, 6, dtype=np.int8).reshape(4, 3)

    def test_by_the_version_where_a_single_unit_leaves_it_open(self) -> None:
        weights = {"kernel": np.full((4, 1), 0x21, np.int8), "kernel_scale": np.ones(1, np.float32)}
        old, new = (
            quantised(weights, version, units=1, dtype="int4_from_float32", build={"input_shape": [None, None]})
            for version in ("3.12.0", "3.14.1")
        )
        assert new.weights["kernel"].shape == (4, 1)
        assert old.weights["kernel"] is not new.weights["kernel"]
        # Seven inputs or eight: the file does not say.
        assert old.weights["kernel"].stored == "quantised codes"
        seven = quantised(weights, "3.12.0", units=1, dtype="int4_from_float32", build={"input_shape": [None, 7]})
        assert seven.weights["kernel"].fetch(()).tolist() == [[1], [2], [1], [2], [1], [2], [1]]

    @pytest.mark.parametrize(("version", "known"), [("3.5.0", True), ("3.12.0", False), ("3.15.1", True), ("", False)])
    def test_only_where_it_is_certain(self, version: str, known: bool) -> None:
        found = quantised({"kernel": self.codes, "kernel_scale": self.scale}, version)
        if known:
            np.testing.assert_array_equal(found.weights["kernel"].fetch(()), self.codes / self.scale)
        else:
            assert found.weights["kernel"].stored == "quantised codes"
            assert "kernel_scale" in found.weights
            assert "does not say enough" in found.notes[0]

    def test_by_the_input_size_where_the_mode_is_not_said(self) -> None:
        weights = {"kernel": self.codes, "kernel_scale": self.scale}
        whole, halves = (quantised(weights, build={"input_shape": [None, size]}) for size in (4, 7))
        assert (whole.weights["kernel"].stored, halves.weights["kernel"].stored) == ("int8", "int4")
        assert (whole.weights["kernel"].shape, halves.weights["kernel"].shape) == ((4, 3), (7, 3))

    def test_not_against_the_configuration(self) -> None:
        found = quantised({"kernel": self.codes, "kernel_scale": self.scale}, "3.15.1", units=4)
        assert found.weights["kernel"].stored == "quantised codes"

    def test_by_the_heads_of_an_attention_layer(self) -> None:
        codes = np.arange(30, dtype=np.int8).reshape(5, 3, 2)
        weights = {"query/kernel": codes, "query/kernel_scale": np.full((1, 1, 3, 2), 2, np.float32)}
        found = quantised(weights, "3.15.1", class_name="MultiHeadAttention", num_heads=3, key_dim=2)
        np.testing.assert_array_equal(found.weights["query/kernel"].fetch(()), codes / np.float32(2))
        assert [entry.path for entry in found.skipped] == ["/query/kernel_scale"]

    def test_in_a_wrapper_by_one_step_of_its_input(self) -> None:
        inner = {"class_name": "EinsumDense", "config": {"equation": "ab,bc->ac", "output_shape": [3]}}
        weights = {"kernel": self.codes, "kernel_scale": self.scale.reshape(1, 3)}
        found = quantised(
            weights, class_name="TimeDistributed", layer=inner, build={"input_shape": [None, 9, 4]}, version="3.15.0"
        )
        np.testing.assert_array_equal(found.weights["kernel"].fetch(()), self.codes / self.scale)


def test_a_layer_without_codes_is_left_alone() -> None:
    assert dequantize(dense({"kernel": np.ones((2, 3), np.float32)})) is None
    assert dequantize(dense({"kernel": np.ones((2, 3), np.uint8)})) is None
    assert dequantize(dense({"weight 0": np.ones((2, 3), np.int8)})) is None


def test_low_rank_matrices_beside_the_kernel_are_not_called_merged() -> None:
    found = quantised({"kernel": np.ones((2, 3)), "lora_kernel_a": np.ones((2, 1))}, lora_rank=1)
    assert "stands beside kernel" in found.notes[0]


def test_ternary_codes_are_shown_as_they_are() -> None:
    weights = {"kernel": np.full((2, 3), 121, np.uint8), "kernel_scale": np.ones(3, np.float32)}
    found = quantised(weights, dtype="ternary_from_float32")
    assert found.weights["kernel"].stored == "ternary codes"
    assert [entry.path for entry in found.skipped] == ["/kernel_scale"]


SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 3, 10**400, 2.5, float("nan"), "abc", "int4/x_from_", {"config": []}]
)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(["config", "mode"]), SCALARS)
EQUATIONS = st.sampled_from(["abc,cd->abd", "...x,xy->...y", "ab...,bc->ac...", "ab,ab->ab", ",->", "aa,aa->a"])
KEYS = ("units", "equation", "output_shape", "input_dim", "output_dim", "dtype", "lora_rank", "num_heads", "key_dim")
HOSTILE = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON) | {"equation": EQUATIONS | JSON})


@given(
    HOSTILE,
    st.sampled_from(["Dense", "EinsumDense", "Embedding", "MultiHeadAttention", ""]),
    st.dictionaries(
        st.sampled_from(["kernel", "kernel_scale", "kernel_zero", "g_idx", "embeddings", "embeddings_scale"]),
        array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.dictionaries(st.sampled_from(["input_shape", "shapes_dict"]), JSON),
)
def test_no_configuration_and_no_shape_makes_it_raise(
    config: dict[str, Any], class_name: str, shapes: dict[str, tuple[int, ...]], build: dict[str, Any]
) -> None:
    weights = {
        name: np.zeros(shape, np.int8 if name in ("kernel", "embeddings", "kernel_zero") else np.float32)
        for name, shape in shapes.items()
    }
    found = dequantize(dense(weights, class_name, **config), "3.12", build)
    for name, array in (found.weights if found else {}).items():
        assert array.fetch(()).shape == array.shape, name


SHAPES = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)


class TestLazyArithmetic:
    """An index of the result takes what it takes of the whole."""

    def check(self, data: st.DataObject, array: Array, whole: np.ndarray) -> None:
        assert array.shape == whole.shape
        np.testing.assert_array_equal(array.fetch(()), whole)
        index = data.draw(basic_indices(whole.shape, allow_newaxis=False, allow_ellipsis=False))
        steps = index if isinstance(index, tuple) else (index,)
        # What an array has to understand: no step backwards, no count from the end.
        forward = tuple(
            slice(*step.indices(size))
            if isinstance(step, slice) and (step.step or 1) > 0
            else slice(None)
            if isinstance(step, slice)
            else step % size
            for step, size in zip(steps, whole.shape, strict=False)
        )
        np.testing.assert_array_equal(array.fetch(forward), whole[forward])

    @given(st.data(), SHAPES)
    def test_unpacked(self, data: st.DataObject, shape: tuple[int, ...]) -> None:
        codes = data.draw(arrays(np.int8, shape, elements=st.integers(-8, 7)))
        axis = data.draw(st.integers(0, len(shape) - 1))
        self.check(data, unpacked(of_values("/q", packed(codes, axis)), axis, shape[axis]), codes)

    @given(st.data(), SHAPES)
    def test_reshaped(self, data: st.DataObject, shape: tuple[int, ...]) -> None:
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        other = data.draw(st.sampled_from([(-1,), (1, -1), (-1, 1), shape[::-1]])) if values.size else shape[::-1]
        whole = values.reshape(other)
        self.check(data, reshaped(of_values("/v", values), whole.shape), whole)

    @given(st.data(), SHAPES)
    def test_transposed(self, data: st.DataObject, shape: tuple[int, ...]) -> None:
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        order = data.draw(st.permutations(range(len(shape))))
        self.check(data, transposed(of_values("/v", values), order), values.transpose(order))

    @given(st.data(), SHAPES)
    def test_scaled(self, data: st.DataObject, shape: tuple[int, ...]) -> None:
        codes = data.draw(arrays(np.int8, shape))
        shared = tuple(data.draw(st.sampled_from([size, 1])) for size in shape)
        scale = data.draw(arrays(np.float32, shared, elements=st.sampled_from([0.5, 2.0, 3.0])))
        self.check(data, scaled(of_values("/q", codes), of_values("/s", scale)), codes.astype(np.float32) / scale)

    @given(st.data(), SHAPES)
    def test_scaled_by_group(self, data: st.DataObject, shape: tuple[int, ...]) -> None:
        rows, columns = (*shape, 3)[:2]
        codes = data.draw(arrays(np.int8, (rows, columns)))
        axis = data.draw(st.sampled_from([0, 1]))
        groups = data.draw(arrays(np.float32, (codes.shape[axis],), elements=st.sampled_from([0.0, 1.0])))
        sizes = (2, columns) if axis == 0 else (rows, 2)
        scale, zero = np.random.default_rng(0).random((2, *sizes), np.float32)
        taken = groups.astype(int)
        whole = (codes - np.take(zero, taken, axis)) * np.take(scale, taken, axis)
        parts = [of_values("/x", each) for each in (codes, scale, zero, groups)]
        lazy = scaled_by_group(parts[0], parts[1], parts[2], parts[3], axis)
        self.check(data, lazy, whole)


@pytest.mark.parametrize("group", [2, -1, np.nan, np.inf])
def test_groups_that_do_not_exist_are_an_error(group: float) -> None:
    parts = (np.zeros((3, 2), np.int8), np.ones((2, 2), np.float32), np.ones((2, 2)), np.array([0, group, 1]))
    codes, scale, zero, groups = (of_values("/layer/g_idx", each) for each in parts)
    array = scaled_by_group(codes, scale, zero, groups, 0)
    with pytest.raises(DamagedFileError, match="/layer/g_idx"):
        array.fetch(())


def test_a_scale_of_zero_makes_infinities_and_no_warning() -> None:
    array = scaled(of_values("/q", np.array([[0, 1]], np.int8)), of_values("/s", np.zeros((1, 2), np.float32)))
    np.testing.assert_array_equal(array.fetch(()), [[np.nan, np.inf]])


def test_one_row_of_packed_codes_takes_one_row_of_the_file() -> None:
    asked: list[Index] = []
    stored = np.zeros((6, 2), np.int8)

    def fetch(index: Index) -> np.ndarray:
        asked.append(index)
        return stored[index]

    reshaped(unpacked(Array("/q", stored.shape, stored.dtype, fetch), 1, 4), (6, 2, 2)).fetch((slice(3, 4), 1))
    assert asked == [(slice(3, 4), slice(0, 2))]


INT8, UINT8, FLOAT = np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.float32)


@pytest.mark.parametrize(
    ("class_name", "config", "kinds", "names"),
    [
        ("Dense", {}, [INT8, FLOAT], "kernel kernel_scale"),
        ("Dense", {}, [INT8, FLOAT, FLOAT], "kernel bias kernel_scale"),
        ("Dense", {"use_bias": False}, [INT8, FLOAT, FLOAT], None),
        ("Dense", {"use_bias": True}, [INT8, FLOAT], None),
        ("EinsumDense", {"bias_axes": None}, [INT8, FLOAT], "kernel kernel_scale"),
        ("EinsumDense", {"bias_axes": "d"}, [INT8, np.dtype("V2"), FLOAT], "kernel bias kernel_scale"),
        ("EinsumDense", {}, [INT8, FLOAT, INT8, FLOAT], "kernel kernel_scale kernel_zero g_idx"),
        ("Dense", {}, [FLOAT, FLOAT], None),
        ("Conv2D", {}, [INT8, FLOAT], None),
    ],
)
def test_names_by_position(
    class_name: str, config: dict[str, Any], kinds: list[np.dtype[Any]], names: str | None
) -> None:
    found = quantized_names(class_name, config, [(2, 2)] * len(kinds), kinds)
    assert found == (tuple(names.split()) if names else None)


@pytest.mark.parametrize("mode", ["gptq", "awq"])
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_names_of_calibrated_codes_with_and_without_what_keras_forgets(mode: str, zero: bool, bias: bool) -> None:
    shapes = {
        **({"bias": ((5,), FLOAT)} if bias else {}),
        "quantized_kernel": ((3, 6), UINT8),
        "kernel_scale": ((5, 2), FLOAT),
        **({"kernel_zero": ((5, 2), UINT8)} if zero else {}),
        **({"awq_scales": ((6,), FLOAT)} if mode == "awq" else {}),
        "g_idx": ((6,), FLOAT),
    }
    assert quantized_names("Dense", {}, *zip(*shapes.values(), strict=True)) == tuple(shapes)


@pytest.mark.parametrize("blocks", [False, True])
def test_names_of_both_halves_of_a_reversible_embedding(blocks: bool) -> None:
    rank = 2 if blocks else 1
    tokens = [((7, 3), INT8), ((7, 3)[:rank], FLOAT), *([((7, 3), INT8), ((5,), FLOAT)] if blocks else [])]
    back = [((3, 7), INT8), ((3, 7)[-rank:], FLOAT), *([((3, 7), FLOAT)] if blocks else [])]
    found = quantized_names("ReversibleEmbedding", {}, *zip(*tokens, *back, strict=True))
    assert found is not None
    assert found[len(tokens) :][:2] == ("reverse_embeddings", "reverse_embeddings_scale")
    assert ("reverse_embeddings_zero" in found) == ("g_idx" in found) == blocks
