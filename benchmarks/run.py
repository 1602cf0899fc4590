"""How long things take, as ratios to a floor or to a peer that ran in turn with them: `make bench`.

Milliseconds depend on the machine and on what else it does; a ratio of two medians from one interleaved run much less
so. Differences below 1.3 × are noise.

    python benchmarks/run.py            about a minute
    python benchmarks/run.py --smoke    seconds, small files; the ratios mean nothing
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

import weight_widgets as ww
from weight_widgets.analysis.measures import measure
from weight_widgets.state.looks import look_at_histograms, look_at_pictures
from weight_widgets.state.selection import Pick

LAYER = "dense_0"
BINS = 120


@dataclass(frozen=True)
class Size:
    """How much is measured: layers of the deep model, side of the wide model's square kernel, repeats."""

    layers: int
    side: int
    repeats: int


FULL = Size(layers=1000, side=2048, repeats=9)
SMOKE = Size(layers=30, side=320, repeats=2)


@dataclass(frozen=True)
class Case:
    """One action of ours, and what it is held against."""

    action: str
    ours: Callable[[], object]
    against: dict[str, Callable[[], object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="small files and two repeats: does it run at all?")
    size = SMOKE if parser.parse_args().smoke else FULL
    with TemporaryDirectory(prefix="weight-widgets-bench-") as folder:
        rows = [row for case in cases(Path(folder), size) for row in measured(case, size.repeats)]
    print(f"Median of {size.repeats} interleaved repeats, files in the page cache, {os.cpu_count()} cores.\n")
    print("| action | ms | against | ratio |")
    print("|---|---:|---|---:|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def measured(case: Case, repeats: int) -> list[tuple[str, str, str, str]]:
    """Time an action and what it is held against in turn; a table row for each pair."""
    actions = {"": case.ours, **case.against}
    for action in actions.values():
        action()
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ours = medians.pop("")
    return [(case.action, f"{1000 * ours:.1f}", name, f"{ours / other:.2f}") for name, other in medians.items()]


def cases(folder: Path, size: Size) -> list[Case]:
    deep = [write_model(folder / f"deep_{seed}.h5", [(16, 16)] * size.layers, seed) for seed in range(8)]
    wide = [write_model(folder / f"wide_{seed}.h5", [(size.side, size.side)], seed) for seed in (0, 1)]
    opened = {path.stem: ww.open_checkpoint(path) for path in wide}
    tensor = opened["wide_0"][LAYER]["kernel"]
    values = tensor.read()
    labels = tuple(opened)
    pick = Pick(labels, labels[0], labels[1], LAYER, "kernel", "")
    side = f"{size.side} × {size.side} kernel"
    return [
        Case(
            f"open a model of {size.layers} layers: every name, shape and attribute",
            lambda: ww.open_checkpoint(deep[0]),
            {"`h5py.visititems`, names and shapes": lambda: visit(deep[0])},
        ),
        Case(
            f"explorer of eight models of {size.layers} layers, built and its first looks computed",
            lambda: explore(deep),
            {"`h5py.visititems` of all eight": lambda: [visit(path) for path in deep]},
        ),
        Case(
            f"all measures of a {side}, read",
            lambda: measure(tensor.read()),
            {
                "floor: `np.add.reduce` in memory": lambda: np.add.reduce(values, axis=None),
                "h5py read, then mean, std, min and max": lambda: four_statistics(read(wide[0])),
            },
        ),
        Case(
            f"histogram look at two {side}s",
            lambda: look_at_histograms(opened, pick, lambda: None, BINS, 0.0),
            {
                "floor: h5py read of both": lambda: [read(path) for path in wide],
                f"h5py read, then `np.histogram({BINS})`": lambda: [np.histogram(read(path), BINS) for path in wide],
            },
        ),
        Case(
            f"heatmap look at two {side}s and their difference",
            lambda: look_at_pictures(opened, pick, lambda: None),
            {"floor: h5py read of both and B − A": lambda: np.subtract(*map(read, reversed(wide)))},
        ),
        Case(
            "`import weight_widgets` in a new process",
            lambda: python("import weight_widgets"),
            {"`import numpy, h5py, ipywidgets`": lambda: python("import numpy, h5py, ipywidgets")},
        ),
        Case(
            "`from weight_widgets import compare` in a new process",
            lambda: python("from weight_widgets import compare"),
            {
                "`import numpy, h5py, ipywidgets`": lambda: python("import numpy, h5py, ipywidgets"),
                "`import numpy, h5py, bqplot, anywidget`": lambda: python("import numpy, h5py, bqplot, anywidget"),
            },
        ),
    ]


def write_model(path: Path, kernels: list[tuple[int, int]], seed: int) -> Path:
    """A legacy ``.h5`` of Dense layers, laid out as Keras does it."""
    rng = np.random.default_rng(seed)
    names = [f"dense_{number}" for number in range(len(kernels))]
    layers = [
        {"class_name": "Dense", "config": {"name": name, "units": units}}
        for name, (_, units) in zip(names, kernels, strict=True)
    ]
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = names
        for name, shape in zip(names, kernels, strict=True):
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel", f"{name}/bias"]
            group[f"{name}/kernel"] = rng.normal(0.0, 0.05, shape).astype(np.float32)
            group[f"{name}/bias"] = np.zeros(shape[1], np.float32)
    return path


def read(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file[f"model_weights/{LAYER}/{LAYER}/kernel"][()]


def visit(path: Path) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[name] = item.shape

    with h5py.File(path) as file:
        file.visititems(note)
    return shapes


def four_statistics(values: np.ndarray) -> tuple[float, ...]:
    return values.mean(), values.std(), values.min(), values.max()


def explore(paths: list[Path]) -> None:
    explorer = ww.compare(*paths)
    explorer.wait()
    explorer.close()


def python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
