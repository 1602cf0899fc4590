"""Sniffing and configurations under hypothesis: whatever the bytes, a checkpoint or an error, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import weight_widgets as ww
from weight_widgets.display import numbered
from weight_widgets.errors import DamagedFileError, UnsafeFileError
from weight_widgets.reading.dtypes import policy_dtype, policy_mode
from weight_widgets.reading.expected import expected_shapes
from weight_widgets.reading.layouts.base import LayerConfig, names_in, natural, parse_config, parse_json
from weight_widgets.reading.layouts.composites import inner_of
from weight_widgets.reading.roles import NAMES, weight_names

FIXTURES = Path(__file__).parent / "fixtures"
SAMPLES = {
    "legacy full model (.h5)": FIXTURES / "keras3" / "convolution.h5",
    "legacy weights (.h5)": FIXTURES / "keras3" / "convolution.legacy.h5",
    "Keras 3 weights (.weights.h5)": FIXTURES / "keras3" / "convolution.weights.h5",
    "Keras 3 archive (.keras)": FIXTURES / "keras3" / "convolution.keras",
}
MAGICS = (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"{", b'{"weight_map": {', struct.pack("<Q", 40) + b'{"a": {', b"")
ENDINGS = (".h5", ".weights.h5", ".keras", ".weights.json", ".safetensors", ".txt", "")

quick = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def opens_or_says_why(path: Path) -> ww.Checkpoint | None:
    """The checkpoint, or None after an error of ours that names the file and is short enough to be read."""
    checkpoint, said = None, ""
    try:
        checkpoint = ww.open_checkpoint(path)
    except ww.WeightWidgetsError as error:
        said = str(error)
    assert checkpoint is not None or (path.name in said and len(said) < 700)
    return checkpoint


@quick
@given(magic=st.sampled_from(MAGICS), tail=st.binary(max_size=3000), ending=st.sampled_from(ENDINGS))
def test_any_bytes_behind_any_magic(magic: bytes, tail: bytes, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(magic + tail)
    opens_or_says_why(path)


@quick
@given(
    sample=st.sampled_from(sorted(SAMPLES.values())),
    start=st.integers(0, 3000),
    junk=st.binary(min_size=1, max_size=200),
    ending=st.sampled_from(ENDINGS),
)
def test_a_valid_file_with_something_else_in_it(
    sample: Path, start: int, junk: bytes, ending: str, tmp_path: Path
) -> None:
    data = bytearray(sample.read_bytes())
    data[start : start + len(junk)] = junk
    path = tmp_path / f"file{ending}"
    path.write_bytes(data)
    if checkpoint := opens_or_says_why(path):
        for tensor in checkpoint.tensors.values():
            with contextlib.suppress(ww.WeightWidgetsError):
                assert tensor.read().shape == tensor.shape


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("format_", SAMPLES)
def test_the_name_says_nothing(format_: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"file{ending}"
    path.write_bytes(SAMPLES[format_].read_bytes())
    found, expected = ww.open_checkpoint(path), ww.open_checkpoint(SAMPLES[format_])
    assert found.format == format_
    assert [*found.tensors] == [*expected.tensors]


@pytest.mark.parametrize("block", [512, 1024, 2048, 4096])
def test_hdf5_behind_a_block_of_the_users(block: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with h5py.File(path, "w", userblock_size=block) as file:
        file["layers/dense/vars/0"] = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ww.open_checkpoint(path)["dense"]["kernel"].read(), np.arange(6.0).reshape(2, 3))


# ---- configurations

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
SETTINGS = (
    *(
        "name",
        "layer",
        "layers",
        "backward_layer",
        "cell",
        "cells",
        "config",
        "class_name",
        "dtype",
        "units",
        "filters",
    ),
    *("kernel_size", "use_bias", "scale", "center", "axis", "equation", "input_dim", "output_dim", "mode", "groups"),
)
classes = st.sampled_from(sorted({*NAMES, "Bidirectional", "RNN", "MultiHeadAttention", "Sequential", "Functional"}))


def _like_keras(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    config = st.dictionaries(st.sampled_from(SETTINGS), inner | anything, max_size=6)
    layer = st.fixed_dictionaries({"class_name": classes | anything, "config": config | inner})
    return layer | st.lists(layer, max_size=3) | st.fixed_dictionaries({"layers": st.lists(layer, max_size=3)})


like_keras = st.recursive(anything, _like_keras, max_leaves=12)


@quick
@given(data=like_keras, place=st.sampled_from(["", "forward", "backward", "cell 0", "query", "forward/cell 1"]))
@example(data={"class_name": "Dense", "config": {"units": 10**400}}, place="")
@example(data={"class_name": "Dense", "config": {"units": float("nan"), "dtype": {"config": []}}}, place="forward")
def test_a_configuration_is_data_whatever_it_holds(data: Any, place: str) -> None:
    parsed = parse_config(parse_json(json.dumps(data), "here"))
    waiting = [parsed] if parsed else []
    while waiting:
        layer = waiting.pop()
        waiting.extend(layer.children or ())
        assert isinstance(layer.name, str)
        assert isinstance(layer.class_name, str)
        class_name, config = inner_of(layer.class_name, layer.config, place)
        weight_names(class_name, config, 3)
        expected_shapes(class_name, config, layer.build)
        assert isinstance(policy_dtype(layer.config), str)
        assert isinstance(policy_mode(layer.config), str)


trees = st.recursive(st.just(None), lambda inner: st.lists(inner, max_size=4), max_leaves=15)


@quick
@given(trees)
def test_the_tree_of_models_is_the_configurations(tree: Any) -> None:
    def written(tree: Any, name: str) -> Any:
        if tree is None:
            return {"class_name": "Dense", "config": {"name": name}}
        layers = [written(inner, f"{name}.{number}") for number, inner in enumerate(tree)]
        return {"class_name": "Sequential", "config": {"name": name, "layers": layers}}

    def read(layer: LayerConfig) -> Any:
        return None if layer.children is None else [read(child) for child in layer.children]

    parsed = parse_config(written(tree, "0"))
    assert parsed is not None
    assert read(parsed) == tree
    for number, child in enumerate(parsed.children or ()):
        assert child.name == f"0.{number}"
        assert parsed.child(child.name) is child


@given(st.text(max_size=40))
def test_text_that_is_no_json_is_an_error_that_names_its_place(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(DamagedFileError, match="over there"):
            parse_json(text, "over there")


@pytest.mark.parametrize("text", ["[" * 200_000, "[" + "[]," * 7_000_000 + "[]]", " " * (65 << 20)])
def test_json_without_measure(text: str) -> None:
    with pytest.raises((DamagedFileError, UnsafeFileError), match="over there"):
        parse_json(text, "over there")


def test_models_in_models_without_end() -> None:
    data: Any = {"class_name": "Dense", "config": {"name": "last"}}
    for _ in range(300):
        data = {"class_name": "Sequential", "config": {"name": "m", "layers": [data]}}
    depth, layer = 0, parse_config(data)
    while layer and layer.children:
        depth, layer = depth + 1, layer.children[0]
    assert depth < 100


@given(st.lists(st.text(max_size=6)))
def test_distinct_names(names: list[str]) -> None:
    found = numbered(names)
    assert len({*found}) == len(found) == len(names)
    for name in {*names}:
        assert found[names.index(name)].startswith(name)


@given(st.permutations(range(30)))
def test_numbers_in_names_count(numbers: list[int]) -> None:
    assert natural(f"dense_{number}" for number in numbers) == [f"dense_{number}" for number in range(30)]


@given(st.lists(st.text(max_size=4), max_size=20), st.integers(1, 7))
def test_names_in_pieces_are_joined(names: list[str], size: int) -> None:
    pieces = {f"weight_names{start // size}": names[start : start + size] for start in range(0, len(names), size)}
    assert names_in(pieces, "weight_names") == names
    assert names_in({"weight_names": names}, "weight_names") == names


# ---- whole files: every dataset is somewhere


def datasets_of(path: Path) -> set[str]:
    found: set[str] = set()
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.add(f"/{name}") if isinstance(item, h5py.Dataset) else None)
    return found


def assert_nothing_lost(path: Path) -> None:
    if checkpoint := opens_or_says_why(path):
        held = len(checkpoint.tensors) + len(checkpoint.training) + len({entry.path for entry in checkpoint.skipped})
        assert held >= len(datasets_of(path))
        assert all(entry.reason for entry in checkpoint.skipped)


STEPS = (
    "layers",
    "dense",
    "dense_1",
    "lstm",
    "cell",
    "cells",
    "forward_layer",
    "backward_layer",
    "layer",
    "query_dense",
)
STEPS += ("optimizer", "metrics", "seed_generator", "blocks", "0", "name", "vars")
paths = st.lists(st.sampled_from(STEPS), min_size=1, max_size=5).map("/".join)
shapes = st.sampled_from([(), (3,), (4, 12), (3, 12), (12,), (2, 2, 3, 4), (0,)])


def write(path: Path, weights: dict[str, tuple[int, ...]], finish: Callable[[h5py.File], None]) -> None:
    with h5py.File(path, "w") as file:
        for name, shape in weights.items():
            # Where a dataset stands in the way of a group, or a group in that of a dataset, h5py refuses.
            with contextlib.suppress(ValueError, OSError, TypeError):
                file[name] = np.ones(shape, "f4")
        finish(file)


@quick
@given(
    weights=st.dictionaries(st.tuples(paths, st.sampled_from("0123")).map(lambda p: f"{p[0]}/vars/{p[1]}"), shapes),
    others=st.dictionaries(paths, shapes, max_size=3),
)
def test_nothing_of_a_keras_3_file_is_lost(
    weights: dict[str, tuple[int, ...]], others: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "file.weights.h5"
    write(path, weights | others, lambda file: None)
    assert_nothing_lost(path)


@quick
@given(
    layers=st.dictionaries(
        st.sampled_from(["a", "b", "a/b", "dense_1", "forward_x", "model"]),
        st.dictionaries(st.sampled_from(["kernel:0", "bias", "a/kernel", "a/b/kernel:0", "cell/bias"]), shapes),
    ),
    unlisted=st.dictionaries(st.sampled_from(["a/x", "free", "optimizer_weights/a"]), shapes),
    config=like_keras,
)
def test_nothing_of_a_legacy_file_is_lost(
    layers: dict[str, dict[str, tuple[int, ...]]], unlisted: dict[str, tuple[int, ...]], config: Any, tmp_path: Path
) -> None:
    def finish(file: h5py.File) -> None:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        file.attrs["model_config"] = json.dumps(config)
        for name, weights in layers.items():
            file.require_group(name).attrs["weight_names"] = [weight.encode() for weight in weights]

    path = tmp_path / "file.h5"
    write(path, {f"{n}/{w}": s for n, ws in layers.items() for w, s in ws.items()} | unlisted, finish)
    assert_nothing_lost(path)
