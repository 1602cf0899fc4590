"""One small model in every layout that is read, made from the fixtures without Keras: what the mutations begin with."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np

FIXTURES = Path(__file__).parent.parent / "fixtures"
MODELS = ("convolution", "nested", "recurrent", "bidirectional")


def smallest(suffix: str, version: int = 3) -> Path:
    """The smallest fixture of a kind among the models of several layers."""
    found = [path for stem in MODELS for path in FIXTURES.glob(f"keras{version}*/{stem}{suffix}")]
    return min(found, key=lambda path: (path.stat().st_size, path))


def copy(folder: Path, suffix: str, version: int = 3) -> Path:
    return Path(shutil.copy(smallest(suffix, version), folder))


def weights() -> io.BytesIO:
    """The weights of the smallest archive."""
    with zipfile.ZipFile(smallest(".keras")) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def unzipped(folder: Path) -> Path:
    with zipfile.ZipFile(smallest(".keras")) as archive:
        archive.extractall(folder / "model.keras")
    return folder / "model.keras"


def oldest(folder: Path) -> Path:
    """Keras 1 before its names: ``layer_0/param_0``."""
    with h5py.File(folder / "oldest.h5", "w") as file:
        file.attrs["nb_layers"] = 2
        for number in range(2):
            layer = file.create_group(f"layer_{number}")
            layer.attrs["nb_params"] = 2
            layer["param_0"] = np.arange(12, dtype="f4").reshape(3, 4)
            layer["param_1"] = np.arange(4, dtype="f4")
    return folder / "oldest.h5"


def sharded(folder: Path) -> Path:
    with h5py.File(weights()) as source:
        groups = list(source["layers"])
        weight_map = {f"/layers/{name}/vars": f"x_{number % 2:05}.weights.h5" for number, name in enumerate(groups)}
        for shard in sorted(set(weight_map.values())):
            with h5py.File(folder / shard, "w") as file:
                for name in groups:
                    if weight_map[f"/layers/{name}/vars"] == shard:
                        source.copy(f"layers/{name}", file.require_group("layers"))
    entry = folder / "x.weights.json"
    entry.write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": weight_map}))
    return entry


def safetensors(folder: Path) -> Path:
    header, data = {}, b""
    for name, shape in {"dense.kernel": (3, 4), "dense.bias": (4,), "conv.kernel": (3, 3, 2, 2)}.items():
        values = np.arange(np.prod(shape), dtype="f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    entry = folder / "a.safetensors"
    entry.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return entry


def compressed(folder: Path) -> Path:
    """Keras writes no filters, but whoever shrinks a file with h5repack does."""
    with h5py.File(weights()) as source, h5py.File(folder / "a.weights.h5", "w") as file:

        def put(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.shape:
                chunks = tuple(max(1, size // 2) for size in item.shape)
                file.create_dataset(name, data=item[()], chunks=chunks, compression="gzip", shuffle=True)

        source.visititems(put)
    return folder / "a.weights.h5"


def latest(folder: Path) -> Path:
    """The newer structures of HDF5: object headers with checksums, heaps of links."""
    with (
        h5py.File(smallest(".weights.h5")) as source,
        h5py.File(folder / "a.weights.h5", "w", libver="latest") as file,
    ):
        for name in source:
            source.copy(name, file)
    return folder / "a.weights.h5"


def numpy_weights(folder: Path) -> Path:
    """What Keras wrote with ``weights_format="npz"``: a pickled dictionary of arrays for each layer."""
    with h5py.File(weights()) as source:
        stores = {
            f"layers/{name}": {key: np.asarray(value[()]) for key, value in layer["vars"].items()}
            for name, layer in source["layers"].items()
            if len(layer.get("vars", ()))
        }
    inner = folder / "model.weights.npz"
    np.savez(inner, **{name: np.array(store, dtype=object) for name, store in stores.items()})
    with zipfile.ZipFile(smallest(".keras")) as old, zipfile.ZipFile(folder / "a.keras", "w") as new:
        for name in ("metadata.json", "config.json"):
            new.writestr(name, old.read(name))
        new.write(inner, inner.name)
    inner.unlink()
    return folder / "a.keras"


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "Keras 1": oldest,
    "Keras 2 full model": partial(copy, suffix=".h5", version=2),
    "Keras 2 weights": partial(copy, suffix=".legacy.h5", version=2),
    "Keras 2 new weights": partial(copy, suffix=".weights.h5", version=2),
    "Keras 3 full model": partial(copy, suffix=".h5"),
    "Keras 3 legacy weights": partial(copy, suffix=".legacy.h5"),
    "Keras 3 weights": partial(copy, suffix=".weights.h5"),
    "Keras 3 archive": partial(copy, suffix=".keras"),
    "Keras 3 archive of numpy": numpy_weights,
    "Keras 3 unzipped": unzipped,
    "sharded": sharded,
    "safetensors": safetensors,
    "compressed": compressed,
    "newer HDF5": latest,
}
