"""Every fixture is read whole: what Keras itself held when it wrote the file, under the names that all formats share.

The truth beside each file comes from the Keras objects. A value that the file tells no name for is found by its
content, as no two tensors of a model are equal; which names those are is said here, one rule for each reason.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import weight_widgets as ww

FIXTURES = Path(__file__).parent / "fixtures"

Address = tuple[str, str]

# Weights of the fixtures' own layers: a Keras 3 file numbers them, and nothing tells their names.
OWN_WEIGHTS = {"slope", "shift", "memory", "gain", "temperature", "tiny"}
# Layers that are attributes of layers of the user's own: a Keras 3 file tells no class for them.
OF_UNTOLD_CLASS = {"norm", "batch_norm"}
# What only serves to compute weights, or is of a type that the file does not name: left out, and said so.
SKIPPED = {"kernel_scale", "kernel_zero", "g_idx", "awq_scales", "tiny"}
# What Keras 2 leaves out of the paths of weights inside of a custom layer.
LEFT_OUT_BY_KERAS_2 = {"block/norm": "block", "block/mlp/wide": "block/wide", "block/mlp/narrow": "block/narrow"}
# What then only a configuration can tell: that a nested model stands between, or in a wrapper.
LEFT_OUT_WITHOUT_CONFIG = {
    "outer/inner/dense_1": "outer/dense_1",
    "outer/inner/dense_2": "outer/dense_2",
    "each_step/frame/dense_1": "each_step",
}
# The layer that a model's own weights are listed under.
OWN = "model"


def files() -> list[Path]:
    # Those of findings/ have no truth beside them: they are about what training left.
    found = [path for path in FIXTURES.glob("keras*/*") if path.suffix in (".h5", ".keras") and path.is_file()]
    shards = {path for path in found if "_0" in path.name}
    return sorted([*(set(found) - shards), *FIXTURES.glob("*/*.weights.json"), *FIXTURES.glob("*/*.unzipped")])


def relative(path: Path) -> str:
    return path.relative_to(FIXTURES).as_posix()


def truth(path: Path) -> dict[Address, np.ndarray]:
    """The weights by (layer, tensor) in model order, as read from the Keras objects when the file was written."""
    with np.load(path.parent / f"{path.name.partition('.')[0]}.npz") as arrays:
        split = {key: key.rpartition("|") for key in arrays}
        return {(layer, name): arrays[key] for key, (layer, _, name) in split.items()}


def same(found: np.ndarray, expected: np.ndarray, computed: bool = False) -> bool:
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return False
    # Keras computes a weight from its codes with one rounding more or less, depending on the version.
    return found.tobytes() == expected.tobytes() or (computed and np.allclose(found, expected, rtol=3e-7, atol=0))


def is_legacy(path: Path) -> bool:
    return path.suffix == ".h5" and not path.name.endswith(".weights.h5")


def left_out_by(path: Path) -> dict[str, str]:
    """What a legacy file calls the layers whose path is not in it."""
    alone = path.name.endswith(".legacy.h5")
    if path.parent.name.startswith("keras2"):
        return LEFT_OUT_BY_KERAS_2 | (LEFT_OUT_WITHOUT_CONFIG if alone else {})
    return {"each_step/frame/dense_1": "each_step"} if alone else {}


def told(path: Path, address: Address, found: Address) -> bool:
    """Whether the name found is the right one, or the file tells none."""
    (layer, name), (found_layer, found_name) = address, found
    if is_legacy(path):
        return (left_out_by(path).get(layer, layer) or OWN, name) == found
    number = found_name.startswith("weight ")
    open_name = number and (name in OWN_WEIGHTS or layer.rpartition("/")[2] in OF_UNTOLD_CLASS)
    return (name == found_name or open_name) and ((layer or OWN) == found_layer or open_layer(path, layer))


def open_layer(path: Path, layer: str) -> bool:
    """Whether a Keras 3 file tells no name for a layer: those have names (since Keras 3.6) or a configuration."""
    if path.parent.name in ("keras3", "keras3_12"):
        return False
    if path.suffix != ".keras":
        return True
    return path.name.startswith("subclassed") or layer.startswith("block/mlp/")


FILES = files()
CONFIGURED = [
    path
    for path in FILES
    if path.name.count(".") == 1
    and not path.name.startswith(("subclassed", "eighths"))
    and path.parent.name != "keras1"
]


def test_all_are_here() -> None:
    assert {path.parent.name for path in FILES} == {
        *("keras1", "keras2_13", "keras2", "keras3_3", "keras3_5", "keras3_12", "keras3")
    }
    assert len(FILES) > 110


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_it_holds_what_keras_held(path: Path) -> None:
    checkpoint = ww.open_checkpoint(path)
    tensors = dict(checkpoint.tensors)
    tensors |= {(layer, f"{name} codes"): tensor.codes for (layer, name), tensor in [*tensors.items()] if tensor.codes}
    found = {address: tensor.read() for address, tensor in tensors.items()}
    computed = {address for address, tensor in tensors.items() if tensor.codes}
    missing, misnamed = [], []
    for address, values in truth(path).items():
        candidates = [address] if address in found else [*found]
        match = next((other for other in candidates if same(found[other], values, other in computed)), None)
        if match is None:
            missing.append(address)
            continue
        del found[match]
        if not told(path, address, match):
            misnamed.append((address, match))
    left_out = [address for address in missing if address[1] in SKIPPED]
    assert missing == left_out
    assert len(checkpoint.skipped) >= len(left_out)
    assert all(entry.reason for entry in checkpoint.skipped)
    assert not misnamed
    assert not found, "read, and not in the model"


@pytest.mark.parametrize("path", CONFIGURED, ids=relative)
def test_layers_stand_in_the_models_order(path: Path) -> None:
    """Where a configuration tells it; layers inside of the user's own layers are in none."""
    found = [layer.partition("/")[0] for layer in ww.open_checkpoint(path)]
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(layer.partition("/")[0] or OWN for layer, _ in truth(path)))


def test_every_format_has_the_same_names() -> None:
    """One model in each of its formats that tell names, nested and with parts of layers."""
    for model in ("nested", "bidirectional", "recurrent", "convolution"):
        paths = [
            path
            for path in FILES
            if path.name.startswith(f"{model}.")
            and not path.name.endswith(".weights.h5")
            and path.parent.name != "keras1"
        ]
        names = {relative(path): {*ww.open_checkpoint(path).tensors} for path in paths}
        assert len(names) > 5
        assert len({frozenset(found) for found in names.values()}) == 1, names
