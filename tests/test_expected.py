"""The shapes that configurations promise: no alarm over any file that Keras wrote, and one where sizes are changed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weight_widgets.reading.arrays import of_values
from weight_widgets.reading.expected import BUILDERS, differences, expected_shapes
from weight_widgets.reading.layouts import read_listing
from weight_widgets.reading.layouts.base import LayerWeights

FIXTURES = Path(__file__).parent / "fixtures"


def layer(
    shapes: Mapping[str, tuple[int, ...]], class_name: str, kind: Any = np.float32, **config: Any
) -> LayerWeights:
    weights = {name: of_values(f"/{name}", np.zeros(shape, kind)) for name, shape in shapes.items()}
    return LayerWeights("dense_1", class_name, config, weights)


def built(shape: list[Any]) -> dict[str, Any]:
    return {"input_shape": shape}


class TestFilesOfKeras:
    def model_config(self, path: Path) -> dict[str, Any] | None:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read("config.json"))
        with h5py.File(path) as file:
            text = file.attrs.get("model_config")
        return None if text is None else json.loads(text)

    def builds(self, model: Any, prefix: str = "") -> dict[str, Any]:
        """The build configuration of every layer under its path."""
        found = {}
        config = model.get("config") if isinstance(model, dict) else None
        layers = config if isinstance(config, list) else config.get("layers", []) if isinstance(config, dict) else []
        for entry in layers:
            inner = entry.get("config")
            path = prefix + str(inner.get("name") if isinstance(inner, dict) else entry.get("name"))
            found[path] = entry.get("build_config") or {}
            found |= self.builds(entry, f"{path}/")
        return found

    @pytest.mark.parametrize("folder", ["keras2", "keras2_13", "keras3", "keras3_3", "keras3_5"])
    def test_are_never_called_different(self, folder: str) -> None:
        checked = 0
        for path in sorted([*(FIXTURES / folder).glob("*.keras"), *(FIXTURES / folder).glob("*.h5")]):
            config = self.model_config(path)
            if config is None:
                continue
            builds = self.builds(config)
            for found in read_listing(path).layers:
                build = builds.get(found.name, {})
                assert differences(found, build) == [], path
                expected = expected_shapes(found.class_name, found.config, build) or {}
                checked += sum(None not in expected[name] for name in expected.keys() & found.weights.keys())
        assert checked > 50


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, tuple[int, ...]]]] = {
    "Dense": ({"units": 4}, built([None, 5]), {"kernel": (5, 4), "bias": (4,)}),
    "Embedding": ({"input_dim": 7, "output_dim": 3}, {}, {"embeddings": (7, 3)}),
    "Conv2D": (
        {"filters": 6, "kernel_size": [3, 2], "groups": 2, "data_format": "channels_last"},
        built([None, 9, 9, 4]),
        {"kernel": (3, 2, 2, 6), "bias": (6,)},
    ),
    "Conv1DTranspose": (
        {"filters": 6, "kernel_size": 3, "data_format": "channels_first"},
        built([None, 4, 9]),
        {"kernel": (3, 6, 4), "bias": (6,)},
    ),
    "DepthwiseConv2D": (
        {"kernel_size": [3, 2], "depth_multiplier": 2, "data_format": "channels_last"},
        built([None, 9, 9, 4]),
        {"kernel": (3, 2, 4, 2), "bias": (8,)},
    ),
    "SeparableConv1D": (
        {"filters": 5, "kernel_size": [3], "depth_multiplier": 2, "data_format": "channels_last"},
        built([None, 9, 4]),
        {"depthwise_kernel": (3, 4, 2), "pointwise_kernel": (1, 8, 5), "bias": (5,)},
    ),
    "SimpleRNN": ({"units": 3}, built([None, 9, 2]), {"kernel": (2, 3), "recurrent_kernel": (3, 3), "bias": (3,)}),
    "LSTM": ({"units": 3}, built([None, 9, 2]), {"kernel": (2, 12), "recurrent_kernel": (3, 12), "bias": (12,)}),
    "GRU": (
        {"units": 3, "reset_after": True},
        built([None, 9, 2]),
        {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)},
    ),
    "ConvLSTM2D": (
        {"filters": 2, "kernel_size": [3, 1], "data_format": "channels_first"},
        built([None, 9, 5, 8, 8]),
        {"kernel": (3, 1, 5, 8), "recurrent_kernel": (3, 1, 2, 8), "bias": (8,)},
    ),
    "BatchNormalization": ({"axis": [3]}, built([None, 8, 8, 6]), {"gamma": (6,), "moving_mean": (6,)}),
    "LayerNormalization": ({"axis": [1, 2]}, built([None, 8, 6]), {"gamma": (8, 6), "beta": (8, 6)}),
    "MultiHeadAttention": (
        {"num_heads": 2, "key_dim": 3, "value_dim": 4},
        {"shapes_dict": {"query_shape": [None, 9, 5], "value_shape": [None, 9, 6]}},
        {"query/kernel": (5, 2, 3), "key/kernel": (6, 2, 3), "value/kernel": (6, 2, 4), "value/bias": (2, 4)},
    ),
    "EinsumDense": (
        {"equation": "abc,cde->abde", "output_shape": [None, 3, 2]},
        built([None, 4, 5]),
        {"kernel": (5, 3, 2)},
    ),
    "Bidirectional": (
        {"layer": {"class_name": "LSTM", "config": {"units": 3}}},
        built([None, 9, 2]),
        {"forward/kernel": (2, 12), "backward/bias": (12,)},
    ),
    "TimeDistributed": (
        {
            "layer": {
                "class_name": "Conv1D",
                "config": {"filters": 2, "kernel_size": 3, "groups": 1, "data_format": "channels_first"},
            }
        },
        built([None, 9, 5, 8]),
        {"kernel": (3, 5, 2), "bias": (2,)},
    ),
}


@pytest.mark.parametrize("class_name", CASES)
class TestEveryClass:
    def test_fits_what_it_makes(self, class_name: str) -> None:
        config, build, shapes = CASES[class_name]
        expected = expected_shapes(class_name, config, build)
        assert expected is not None
        assert {name: expected[name] for name in shapes} == shapes
        assert differences(layer(shapes, class_name, **config), build) == []

    def test_any_other_size_is_told(self, class_name: str) -> None:
        config, build, shapes = CASES[class_name]
        for name, shape in shapes.items():
            for axis in range(len(shape)):
                other = (*shape[:axis], shape[axis] + 1, *shape[axis + 1 :])
                (sentence,) = differences(layer(shapes | {name: other}, class_name, **config), build)
                assert sentence.startswith(f"layer dense_1: its configuration makes {name} {shape[0]}")
                assert sentence.endswith(f"the file holds {' × '.join(map(str, other))}")

    def test_what_the_configuration_leaves_open_is_not(self, class_name: str) -> None:
        config, build, shapes = CASES[class_name]
        less = {key: value for key, value in config.items() if key in ("equation", "axis", "layer")}
        assert differences(layer(shapes, class_name, name="x", **less), {}) == []
        assert differences(layer(shapes, class_name, **config), {}) == []
        assert differences(layer(shapes, class_name), build) == []


def test_the_sentence() -> None:
    found = layer({"kernel": (6, 4), "bias": (3,)}, "Dense", units=4)
    assert differences(found, {}) == [
        "layer dense_1: its configuration makes bias 4, the file holds 3",
    ]
    assert differences(found, built([None, 5])) == [
        "layer dense_1: its configuration makes kernel 5 × 4 and bias 4, the file holds 6 × 4 and 3",
    ]
    assert differences(layer({"kernel": (6, 3)}, "Dense", units=4), {}) == [
        "layer dense_1: its configuration makes kernel ? × 4, the file holds 6 × 3",
    ]


def test_codes_have_other_shapes() -> None:
    shapes = {"kernel": (5, 2)}
    assert differences(layer(shapes, "Dense", np.int8, units=4), built([None, 5])) == []
    assert differences(layer(shapes, "Dense", units=4, dtype="int4_from_float32"), built([None, 5])) == []


SCALARS = st.sampled_from([None, True, -1, 0, 3, 10**400, 2.5, float("nan"), "abc", "channels_last"])
VALUES = (
    SCALARS
    | st.lists(SCALARS | st.lists(SCALARS, max_size=2), max_size=4)
    | st.dictionaries(
        st.sampled_from(["config", "class_name", "query_shape", "value_shape"]), SCALARS | st.lists(SCALARS, max_size=3)
    )
)
SETTINGS = sorted({key for config, _, _ in CASES.values() for key in config})


@given(
    st.sampled_from([*BUILDERS, *CASES, "TimeDistributed", "Other"]),
    st.dictionaries(st.sampled_from([*SETTINGS, "dtype", "backward_layer"]), VALUES),
    st.dictionaries(st.sampled_from(["input_shape", "shapes_dict"]), VALUES),
)
def test_no_configuration_makes_it_raise(class_name: str, config: dict[str, Any], build: dict[str, Any]) -> None:
    for pattern in (expected_shapes(class_name, config, build) or {}).values():
        assert all(size is None or 0 < size < 1 << 200 for size in pattern)
    differences(layer({"kernel": (2, 2), "bias": (2,)}, class_name, **config), build)


@pytest.mark.parametrize("units", ["abc", -4, 0, True, [4], 10**400, 4.0, None])
def test_a_size_that_is_none_says_nothing(units: Any) -> None:
    assert differences(layer({"kernel": (5, 4), "bias": (4,)}, "Dense", units=units), built([None, 5])) == []
