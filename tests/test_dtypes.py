"""Number types that numpy lacks: every bit pattern against ml_dtypes, and what tells one type from another."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from weight_widgets.reading.arrays import Array, of_values
from weight_widgets.reading.dtypes import decoded, policy_dtype, policy_mode


def raw(values: np.ndarray, stored: str = "", **attributes: str) -> Array:
    """An array as the HDF5 reader hands it on: bytes without a type."""
    opaque = values.view(f"|V{values.dtype.itemsize}")
    return Array("/a/kernel", opaque.shape, opaque.dtype, lambda index: np.array(opaque[index]), stored, attributes)


BFLOAT16 = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
FLOAT8 = np.arange(256, dtype=np.uint8).reshape(16, 16)
KINDS = [("bfloat16", BFLOAT16), ("float8_e4m3fn", FLOAT8), ("float8_e5m2", FLOAT8)]


@pytest.mark.parametrize(("name", "patterns"), KINDS)
class TestValues:
    def test_every_pattern_is_what_ml_dtypes_makes_of_it(self, name: str, patterns: np.ndarray) -> None:
        found = decoded(raw(patterns, stored=name)).array
        truth = patterns.view(getattr(ml_dtypes, name)).astype(np.float32)
        values = found.fetch(())
        assert found.dtype == values.dtype == np.float32
        assert found.stored == name
        np.testing.assert_array_equal(values, truth)
        numbers = ~np.isnan(truth)
        # Equal bits tell the zeros apart.
        np.testing.assert_array_equal(values.view(np.uint32)[numbers], truth.view(np.uint32)[numbers])

    @pytest.mark.parametrize("index", [(3,), (3, 5), (slice(2, 9, 3),), (slice(1, 4), 2), (slice(0, 0),)])
    def test_an_index_takes_the_same_of_the_array(
        self, name: str, patterns: np.ndarray, index: tuple[int | slice, ...]
    ) -> None:
        array = decoded(raw(patterns, stored=name)).array
        np.testing.assert_array_equal(array.fetch(index), array.fetch(())[index])

    @pytest.mark.parametrize("stored", [False, True])
    def test_a_mark_is_believed_wherever_it_stands(self, name: str, patterns: np.ndarray, stored: bool) -> None:
        marked = raw(patterns, stored=name) if stored else raw(patterns, dtype=name)
        found = decoded(marked, said="float32")
        assert (found.array.stored, found.reason, found.note) == (name, "", "")

    def test_so_is_the_configuration(self, name: str, patterns: np.ndarray) -> None:
        found = decoded(raw(patterns), said=name)
        assert (found.array.stored, found.reason, found.note) == (name, "", "")


def test_two_bytes_that_nobody_names_are_bfloat16_by_assumption() -> None:
    found = decoded(raw(BFLOAT16))
    assert found.array.stored == "bfloat16"
    assert found.note.startswith("/a/kernel: its values are read as bfloat16")


def test_one_byte_that_nobody_names_stays_opaque() -> None:
    found = decoded(raw(FLOAT8))
    assert found.array.dtype == np.dtype("V1")
    assert "a type that the file does not name" in found.reason


@pytest.mark.parametrize(
    ("array", "said", "who"),
    [
        (raw(BFLOAT16), "float16", "the configuration calls float16"),
        (raw(BFLOAT16, dtype="float8_e5m2"), "", "the file calls float8_e5m2"),
        (raw(FLOAT8, dtype="int4"), "", "the file calls int4"),
    ],
)
def test_a_name_that_does_not_fit_is_told(array: Array, said: str, who: str) -> None:
    assert who in decoded(array, said).reason


def test_what_numpy_knows_is_handed_on() -> None:
    array = of_values("/a", np.ones(3, np.float16))
    assert decoded(array, said="bfloat16").array is array


def policy(class_name: str, **config: Any) -> dict[str, Any]:
    return {"dtype": {"module": "keras", "class_name": class_name, "config": config}}


@pytest.mark.parametrize(
    ("config", "dtype", "mode"),
    [
        ({}, "", ""),
        ({"dtype": "bfloat16"}, "bfloat16", ""),
        ({"dtype": "mixed_bfloat16"}, "float32", ""),
        ({"dtype": "int8_from_mixed_bfloat16"}, "float32", "int8"),
        (policy("Policy", name="mixed_float16"), "float32", ""),
        (policy("Policy", name="_infer"), "", ""),
        (policy("DTypePolicy", name="bfloat16"), "bfloat16", ""),
        (policy("QuantizedDTypePolicy", mode="int8", source_name="bfloat16"), "bfloat16", "int8"),
        (policy("Int4DTypePolicy", mode="int4/128", source_name="float32"), "float32", "int4"),
        (policy("GPTQDTypePolicy", mode="gptq/4/-1", source_name="mixed_float16"), "float32", "gptq"),
        (policy("DTypePolicyMap", default_policy=policy("DTypePolicy", name="float16")["dtype"]), "float16", ""),
        ({"dtype": 7}, "", ""),
        ({"dtype": {"config": {"name": {"config": {"name": {"config": {"name": {"config": {}}}}}}}}}, "", ""),
    ],
)
def test_policies(config: dict[str, Any], dtype: str, mode: str) -> None:
    assert (policy_dtype(config), policy_mode(config)) == (dtype, mode)
