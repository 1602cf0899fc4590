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
LEFT_OUT = {"kernel_scale", "kernel_zero", "g_idx", "awq_scales", "tiny"}


def files() -> list[Path]:
    found = [
        path for path in FIXTURES.rglob("*") if path.suffix in (".h5", ".keras") and path.parent.parent == FIXTURES
    ]
    shards = {path for path in found if "_0" in path.name}
    return sorted([*(set(found) - shards), *FIXTURES.glob("*/*.weights.json"), *FIXTURES.glob("*/*.unzipped")])


def relative(path: Path) -> str:
    return path.relative_to(FIXTURES).as_posix()


def truth(path: Path) -> dict[Address, np.ndarray]:
    """The weights by (layer, tensor) in model order, as read from the Keras objects when the file was written."""
    with np.load(path.parent / f"{path.name.partition('.')[0]}.npz") as arrays:
        split = {key: key.rpartition("|") for key in arrays}
        return {(layer, name): arrays[key] for key, (layer, _, name) in split.items()}


def has_names(path: Path) -> bool:
    """Whether the file tells the layers' names: in its configuration, its layout or (since 3.6) in attributes."""
    return not path.name.endswith(".weights.h5") or path.parent.name in ("keras3", "keras3_12")


def same(found: np.ndarray, expected: np.ndarray, computed: bool = False) -> bool:
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return False
    # Keras computes a weight from its codes with one rounding more or less, depending on the version.
    return found.tobytes() == expected.tobytes() or (computed and np.allclose(found, expected, rtol=3e-7, atol=0))


def told(path: Path, address: Address, found: Address) -> bool:
    """Whether the name found is the right one, or the file tells none."""
    (layer, name), (found_layer, found_name) = address, found
    numbered = "v3" if _is_v3(path) else ""
    last = layer.rpartition("/")[2]
    open_name = numbered and found_name.startswith("weight ") and (name in OWN_WEIGHTS or last in OF_UNTOLD_CLASS)
    right_name = name == found_name or open_name
    right_layer = layer == found_layer or (not layer and found_layer == "model") or _open_layer(path, layer)
    return bool(right_name and right_layer)


def _is_v3(path: Path) -> bool:
    return path.suffix in (".keras", ".json", ".unzipped") or path.name.endswith(".weights.h5")


def _open_layer(path: Path, layer: str) -> bool:
    if not has_names(path):
        return True
    # Layers inside of layers of the user's own are in no configuration, and these writers gave them no name.
    nameless = path.parent.name in ("keras2", "keras2_13", "keras3_3", "keras3_5")
    if path.suffix == ".keras":
        return nameless and (layer.startswith("block") or path.name.startswith("subclassed"))
    # Keras 2 leaves the name of a model in a TimeDistributed out of its weights' names.
    return nameless and layer.startswith("each_step/")


FILES = files()


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
    left_out = [address for address in missing if address[1] in LEFT_OUT]
    assert missing == left_out
    assert len(checkpoint.skipped) >= len(left_out)
    assert all(entry.reason for entry in checkpoint.skipped)
    assert not misnamed
    assert not found, "read, and not in the model"
