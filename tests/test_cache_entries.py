"""One entry of the cache: it comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis.cache.entries import CHECKSUM, HEAD, TYPES, decoded, digest, encoded

NAME = digest("a key")
NUMBERS = st.sampled_from([np.dtype(code) for code in ("i1", "u2", "i4", "u8", "i8", "f2", "f4", "f8")])
MAPPINGS = st.dictionaries(
    st.text(max_size=8),
    NUMBERS.flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))),
    max_size=4,
)
SOME = {"counts": np.arange(40, dtype="i8").reshape(5, 8), "mean": np.array(0.25), "none": np.zeros((0, 3), "f4")}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*TYPES, "|O", "|b1", "<U9", "a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=12,
)


def entry(table: Any, values: bytes = b"", length: int | None = None) -> bytes:
    """An entry that says what it likes, with a checksum that is right."""
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    pad = b"\0" * (-(HEAD.size + len(text)) % 16)
    total = HEAD.size + len(text) + len(pad) + len(values) + CHECKSUM
    head = HEAD.pack(b"\x93WWFOUND", 1, len(text) if length is None else length, total, NAME)
    body = head + text + pad + values
    return body + hashlib.blake2b(body, digest_size=CHECKSUM).digest()


@given(MAPPINGS)
def test_comes_back(values: Mapping[str, np.ndarray]) -> None:
    found = decoded(encoded(values, NAME), NAME)
    assert [*found] == [*values]
    for key, array in values.items():
        assert (found[key].shape, found[key].dtype) == (array.shape, array.dtype)
        assert found[key].tobytes() == array.tobytes()
        assert found[key].flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            found[key][...] = 0


def test_of_columns_and_views() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    found = decoded(encoded({"across": matrix.T, "some": matrix[::2, 1]}, NAME), NAME)
    np.testing.assert_array_equal(found["across"], matrix.T)
    np.testing.assert_array_equal(found["some"], [1.0, 9.0])


@given(st.data())
def test_no_bit_may_change(data: st.DataObject) -> None:
    whole = bytearray(encoded(SOME, NAME))
    places = data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=8, unique=True))
    for place in places:
        whole[place // 8] ^= 1 << place % 8
    with pytest.raises(ValueError, match=r"."):
        decoded(bytes(whole), NAME)


@given(st.integers(0, 10_000), st.binary(max_size=40))
def test_nothing_may_lack_or_follow(length: int, more: bytes) -> None:
    whole = encoded(SOME, NAME)
    changed = whole[: length % len(whole)] + more
    assume(changed != whole)
    with pytest.raises(ValueError, match=r"."):
        decoded(changed, NAME)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(data, NAME)


def test_another_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="not this entry"):
        decoded(encoded(SOME, digest("another key")), NAME)


@given(JSON | st.lists(st.tuples(st.text(max_size=3), st.sampled_from([*TYPES]), st.lists(st.integers(-1, 5)))))
@example([["a", np.dtype("f8").str, [1 << 70]]])
@example([["a", np.dtype("f8").str, [0, 1 << 70]]])
@example([["a", np.dtype("f8").str, [1] * 100]])
@example([["a", np.dtype("f8").str, [True]]])
@example([["a", "|O", [1]]])
@example([["a", "|V8", [1]]])
def test_a_hostile_table_takes_no_more_than_the_entry_has(table: Any) -> None:
    values = bytes(64)
    try:
        found = decoded(entry(table, values), NAME)
    except ValueError:
        return
    assert sum(array.nbytes for array in found.values()) <= len(values)
    assert all(array.dtype in TYPES.values() and not array.dtype.hasobject for array in found.values())


@pytest.mark.parametrize(
    "table",
    [b"[" * 200_000, b"\xff", b"[[", b"9" * 100_000, b"NaN", b'[["a", 1, 2]]', b'[["a", ["f8"], [1]]]'],
    ids=["deep", "no text", "cut off", "a long number", "a number", "numbers", "a list"],
)
def test_a_table_that_is_none(table: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(entry(table), NAME)


@pytest.mark.parametrize("length", [5, 1 << 20, (1 << 32) - 1])
def test_a_table_beyond_the_end(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(entry([], length=length), NAME)


@pytest.mark.parametrize("values", [np.array([{}]), np.array(["a"]), np.array([True]), np.zeros(2, "V2")])
def test_what_is_no_number_is_not_written(values: np.ndarray) -> None:
    with pytest.raises(TypeError, match="not kept"):
        encoded({"counts": np.ones(3), "other": values}, NAME)


def test_the_format_is_as_written_down() -> None:
    """By the module's docstring, so that another format gets another number."""
    data = encoded({"a": np.array([1.5, 2.5])}, NAME)
    magic, version, length, total = struct.unpack_from("<8sIIQ", data)
    assert (magic, version, total, data[24:44]) == (b"\x93WWFOUND", 1, len(data), NAME)
    assert json.loads(data[44 : 44 + length]) == [["a", np.dtype("f8").str, [2]]]
    start = 44 + length + -(44 + length) % 16
    assert np.frombuffer(data, "f8", 2, start).tolist() == [1.5, 2.5]
    assert data[start + 16 :] == hashlib.blake2b(data[:-16], digest_size=16).digest()
