"""Write what WeightWatcher says of some matrices into weightwatcher.json beside this script.

pip install weightwatcher==0.7.7 torch h5py    (Python 3.11; torch for the CPU is enough)
python make_weightwatcher.py

`make_matrix` needs numpy and h5py alone: the tests make the same matrices with it.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
MIN_VALUES = 50

KINDS = ("gaussian", "pareto", "student", "correlated", "deficient")
SHAPES = ((60, 80), (128, 128), (512, 256))

# All that would change the matrix or the fit is off. These are WeightWatcher's defaults, but for the exact SVD.
OPTIONS = {
    "fit": "PL",
    "pl_package": "ww",
    "fix_fingers": False,
    "xmax": None,
    "randomize": False,
    "glorot_fix": False,
    "mp_fit": False,
    "plot": False,
    "min_evals": MIN_VALUES,
    "svd_method": "accurate",
}
MEASURES = {
    "alpha": float,
    "sigma": float,
    "D": float,
    "xmin": float,
    "num_pl_spikes": int,
    "num_evals": int,
    "spectral_norm": float,
    "log_spectral_norm": float,
    "norm": float,
    "stable_rank": float,
    "sv_max": float,
    "matrix_rank": int,
    "entropy": float,
}


def main() -> None:
    import weightwatcher

    recipes = {**kernels(), **random_matrices()}
    model = {f"{name}.weight": make_matrix(recipe).astype(np.float64) for name, recipe in recipes.items()}
    details = weightwatcher.WeightWatcher(model=model).analyze(**OPTIONS).set_index("name")
    matrices = {}
    for name, recipe in recipes.items():
        row = details.loc[name]
        assert row["status"] == "success", name
        matrices[name] = {
            "recipe": recipe,
            "weightwatcher": {measure: kind(row[measure]) for measure, kind in MEASURES.items()},
        }
    versions = {name: version(name) for name in ("weightwatcher", "powerlaw", "numpy", "scipy", "torch", "h5py")}
    written = {"versions": {"python": platform.python_version(), **versions}, "options": OPTIONS, "matrices": matrices}
    (FOLDER / "weightwatcher.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def kernels() -> dict[str, dict[str, Any]]:
    """The kernels of the example models that have enough singular values."""
    recipes: dict[str, dict[str, Any]] = {}
    for path in sorted((ROOT / "examples" / "models").glob("*.h5")):
        with h5py.File(path) as file:
            if "model_weights" not in file:
                continue

            def add(dataset: str, found: Any, path: Path = path) -> None:
                if isinstance(found, h5py.Dataset) and found.ndim == 2 and min(found.shape) >= MIN_VALUES:
                    layer = dataset.split("/")[0]
                    recipe = {"file": path.name, "dataset": f"model_weights/{dataset}", "layer": layer}
                    recipes[f"{path.stem} {layer}"] = recipe

            file["model_weights"].visititems(add)
    return recipes


def random_matrices() -> dict[str, dict[str, Any]]:
    recipes = {}
    for kind in KINDS:
        for rows, columns in SHAPES:
            recipes[f"{kind} {rows} × {columns}"] = {"kind": kind, "shape": [rows, columns], "seed": len(recipes)}
    return recipes


def make_matrix(recipe: dict[str, Any]) -> np.ndarray:
    if "file" in recipe:
        with h5py.File(ROOT / "examples" / "models" / recipe["file"]) as file:
            return file[recipe["dataset"]][()]
    rows, columns = recipe["shape"]
    source = np.random.PCG64(recipe["seed"])
    rank = min(rows, columns)
    match recipe["kind"]:
        case "gaussian":
            return gaussian(source, rows, columns)
        case "pareto":
            return np.sign(uniform(source, rows, columns) - 0.5) * uniform(source, rows, columns) ** (-1 / 1.5)
        case "student":
            # Quantiles of two degrees of freedom have a closed form.
            share = uniform(source, rows, columns)
            return (2 * share - 1) / np.sqrt(2 * share * (1 - share))
        case "correlated":
            strengths = np.arange(1, rank + 1) ** -0.7
            return gaussian(source, rows, rank) * strengths @ gaussian(source, rank, columns)
        case "deficient":
            rank = rank * 9 // 10
            return gaussian(source, rows, rank) @ gaussian(source, rank, columns)
        case kind:
            raise ValueError(kind)


def uniform(source: np.random.PCG64, rows: int, columns: int) -> np.ndarray:
    """Between 0 and 1, from the raw bits: numpy promises these for all its versions, and the distributions' not."""
    bits = source.random_raw(rows * columns).reshape(rows, columns) >> np.uint64(11)
    return (bits + 0.5) * 2.0**-53


def gaussian(source: np.random.PCG64, rows: int, columns: int) -> np.ndarray:
    """By Box and Muller."""
    return np.sqrt(-2 * np.log(uniform(source, rows, columns))) * np.cos(2 * np.pi * uniform(source, rows, columns))


if __name__ == "__main__":
    main()
