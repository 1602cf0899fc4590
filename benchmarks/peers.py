"""How others find the same numbers: numpy by hand, h5py, plotting and histogram libraries, programs. As users do."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = [
    "absent",
    "add_up",
    "four_statistics",
    "keras_weights",
    "keras_writer",
    "libraries",
    "naive_measures",
    "naive_overview",
    "naive_pairs",
    "program",
    "python",
    "visit",
]

# Names of peers that are not here, each once.
absent: list[str] = []
PERCENTS = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)


def add_up(arrays: Iterable[np.ndarray]) -> None:
    """The floor: the least that any program must do, one look at every value in memory."""
    for values in arrays:
        np.add.reduce(values, axis=None)


def visit(path: Path) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape by its path."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[name] = item.shape

    with h5py.File(path) as file:
        file.visititems(note)
    return shapes


def four_statistics(values: np.ndarray) -> tuple[object, ...]:
    return values.mean(), values.std(), values.min(), values.max()


def naive_measures(values: np.ndarray, bins: int) -> tuple[object, ...]:
    """Eleven measures, quantiles and a histogram."""
    mean, std = values.mean(), values.std()
    deviations = (values - mean) / std
    # Numpy's own power takes ten times as long.
    squares = deviations * deviations
    return (
        *(mean, std, values.min(), values.max()),
        *(np.abs(values).sum(), np.linalg.norm(values.reshape(-1))),
        *((values == 0).sum(), np.isnan(values).sum(), np.isinf(values).sum()),
        *((squares * deviations).mean(), (squares * squares).mean() - 3),
        np.quantile(values, np.array(PERCENTS) / 100),
        np.histogram(values, bins),
    )


def naive_overview(path: Path, names: Iterable[str], bins: int) -> None:
    """Eight numbers and a histogram of every tensor."""
    with h5py.File(path) as file:
        for name in names:
            values = file[name][()]
            four_statistics(values)
            np.linalg.norm(values.reshape(-1))
            np.count_nonzero(values == 0), np.count_nonzero(np.isnan(values)), np.count_nonzero(np.isinf(values))
            np.histogram(values, bins)


def naive_pairs(a: Path, b: Path, names: Iterable[str]) -> None:
    """Six measures of how alike the tensors of two files are."""
    with h5py.File(a) as one, h5py.File(b) as other:
        for name in names:
            left, right = one[name][()].reshape(-1), other[name][()].reshape(-1)
            delta = right - left
            norms = np.linalg.norm(left), np.linalg.norm(right)
            np.dot(left, right) / (norms[0] * norms[1]), np.linalg.norm(delta) / norms[0]
            np.abs(delta).max(), np.corrcoef(left, right)[0, 1], (left == right).mean(), np.linalg.norm(delta)


def libraries(flat: np.ndarray, low: float, high: float, bins: int) -> dict[str, Callable[[], object]]:
    """Histograms of values in memory by the libraries that are installed."""
    found: dict[str, Callable[[], object]] = {f"`np.histogram({bins})`": lambda: np.histogram(flat, bins)}
    if _has("matplotlib"):
        found["`plt.hist(flat, 500)`"] = lambda: _plot(flat)
    if _has("boost_histogram"):
        for threads in (1, 2):
            found[f"boost-histogram, {threads} thread{'s' * (threads > 1)}"] = _boost(flat, low, high, bins, threads)
    if _has("fast_histogram"):
        fast = importlib.import_module("fast_histogram")
        found["fast-histogram"] = lambda: fast.histogram1d(flat, bins, (low, high))
    return found


def _boost(flat: np.ndarray, low: float, high: float, bins: int, threads: int) -> Callable[[], object]:
    boost = importlib.import_module("boost_histogram")
    return lambda: boost.Histogram(boost.axis.Regular(bins, low, high)).fill(flat, threads=threads)


def _plot(flat: np.ndarray) -> None:
    figure = importlib.import_module("matplotlib.figure").Figure()
    figure.subplots().hist(flat, 500)
    importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure).draw()


def program(name: str, *arguments: object, statuses: Sequence[int] = (0,)) -> dict[str, Callable[[], object]]:
    """A program on two files, if it is here; `statuses` are the exits that are no failure."""
    if shutil.which(name) is None:
        _note(name)
        return {}
    return {f"`{name}`": lambda: _run([name, *map(str, arguments)], statuses)}


def _run(command: list[str], statuses: Sequence[int]) -> None:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in statuses:
        raise subprocess.CalledProcessError(done.returncode, command)


def python(code: str) -> None:
    """Some code in a new process, which finds what this one finds."""
    subprocess.run([sys.executable, "-c", code], check=True)


def keras_writer(path: Path, sides: list[int]) -> Path | None:
    """A model of Dense layers that Keras itself saved; None where there is no Keras."""
    keras = _keras()
    if keras is None:
        return None
    layers = [keras.layers.Dense(units) for units in sides[1:]]
    keras.Sequential([keras.Input((sides[0],)), *layers]).save(path)
    return path


def keras_weights(path: Path) -> None:
    keras = _keras()
    assert keras is not None
    keras.models.load_model(path).get_weights()


def _keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module("keras") if _has("keras") and _has(os.environ["KERAS_BACKEND"]) else None


def _has(module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        _note(module)
        return False
    return True


def _note(name: str) -> None:
    if name not in absent:
        absent.append(name)
