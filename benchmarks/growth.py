"""How times grow: with the elements of a tensor, with layers, with models, and with the side of a matrix, as plots."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import files
import numpy as np
import peers
from goals import BINS, FLOOR, Bench, deep, never, told
from timing import Action, interleaved

import weight_widgets as ww
from weight_widgets.analysis.comparison import overlay
from weight_widgets.analysis.overview import overview
from weight_widgets.analysis.pairs import tensor_pair_moments
from weight_widgets.analysis.summary import summarise

__all__ = ["plot_growth"]

# Seconds after which an action is not repeated.
PATIENCE = 2.0
# One file of rows, whose first n make the tensor of n rows.
COLUMNS = 1000


@dataclass(frozen=True)
class Plot:
    """Milliseconds over a size, a line for each action."""

    name: str
    title: str
    across: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def plot_growth(bench: Bench, folder: Path, smoke: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for plot in plots(bench, smoke):
        _draw(plot, folder / f"growth-{plot.name}.svg")
        print(f"**{plot.title}**, ms\n\n| {plot.across} | {' | '.join(plot.lines)} |")
        print("|---:" * (1 + len(plot.lines)) + "|")
        sizes = dict.fromkeys(size for line in plot.lines.values() for size, _ in line)
        for size in sizes:
            cells = [dict(line).get(size) for line in plot.lines.values()]
            print(f"| {size:,.0f} | {' | '.join('' if cell is None else f'{cell:.3g}' for cell in cells)} |")
        print()


def plots(bench: Bench, smoke: bool) -> Iterator[Plot]:
    most = {"elements": 10**5, "layers": 30, "models": 4, "side": 128} if smoke else {}
    yield _of_elements(bench, _powers(10**4, most.get("elements", 10**8)))
    yield _of_layers(bench, _powers(10, most.get("layers", 10**4)))
    yield from _of_models(bench, [1 << power for power in range(6) if 1 << power <= most.get("models", 32)])
    yield _of_sides([64 << power for power in range(6) if 64 << power <= most.get("side", 2048)])


def _of_elements(bench: Bench, sizes: Sequence[int]) -> Plot:
    def actions(size: int) -> dict[str, Action]:
        rows = size // COLUMNS
        path = files.write(bench.folder / f"rows_{rows}.h5", [files.dense("layer", rows, COLUMNS)])
        tensor = ww.open_checkpoint(path)["layer"]["kernel"]
        values = tensor.read()
        return {
            "measures, histogram, rasters": lambda: told(summarise(tensor, never)),
            "numpy by hand": lambda: peers.naive_measures(values, BINS),
            FLOOR.replace("`", ""): lambda: peers.add_up([values]),
        }

    return _timed("elements", "One tensor", "elements", sizes, actions)


def _of_layers(bench: Bench, counts: Sequence[int]) -> Plot:
    def actions(count: int) -> dict[str, Action]:
        path = files.write(bench.folder / f"deep_{count}.h5", deep(count))
        opened = ww.open_checkpoint(path)
        inner = [f"model_weights/{layer}/{layer}/{name}" for layer, name in opened.tensors]
        return {
            "open": lambda: ww.open_checkpoint(path),
            "h5py.visititems": lambda: peers.visit(path),
            "overview": lambda: (ww.clear_cache(), overview(opened, never)),
            "overview by hand": lambda: peers.naive_overview(path, inner, BINS),
        }

    return _timed("layers", "One model", "layers", counts, actions)


def _of_models(bench: Bench, counts: Sequence[int]) -> Iterator[Plot]:
    opened = [ww.open_checkpoint(bench.square(bench.size.medium // 2, seed)) for seed in range(counts[-1])]
    tensors = [checkpoint["one"]["kernel"] for checkpoint in opened]

    def linear(count: int) -> dict[str, Action]:
        some = tensors[:count]

        def histograms() -> None:
            overlay({str(place): summarise(tensor, never).values for place, tensor in enumerate(some)}, BINS, 0.0)

        return {
            "one layer of each: histograms on shared edges": histograms,
            "all layers of each: overview": lambda: (
                ww.clear_cache(),
                [overview(each, never) for each in opened[:count]],
            ),
        }

    def pairwise(count: int) -> dict[str, Action]:
        pairs = [*itertools.combinations(tensors[:count], 2)]
        return {"one layer, every two models: 6 measures": lambda: [tensor_pair_moments(*two, never) for two in pairs]}

    yield _timed("models", "N models, each by itself", "models", counts, linear)
    yield _timed("pairs", "N models, N × (N − 1) / 2 pairs", "models", counts[1:], pairwise)


def _of_sides(sides: Sequence[int]) -> Plot:
    def actions(side: int) -> dict[str, Action]:
        values = np.random.default_rng(side).standard_normal((side, side), np.float32)
        return {
            "spectrum, in a process of its own": lambda: ww.spectrum(values),
            "np.linalg.svd, values alone": lambda: np.linalg.svd(values, compute_uv=False),
        }

    return _timed("spectra", "Singular values of a square matrix", "side", sides, actions)


def _timed(
    name: str, title: str, across: str, sizes: Iterable[int], actions: Callable[[int], Mapping[str, Action]]
) -> Plot:
    lines: dict[str, list[tuple[float, float]]] = {}
    for size in sizes:
        made = actions(size)
        start = time.perf_counter()
        for action in made.values():
            action()
        repeats = 1 if time.perf_counter() - start > PATIENCE else 5
        for label, times in interleaved(made, repeats).items():
            lines.setdefault(label, []).append((size, 1000 * times.least))
    return Plot(name, title, across, lines)


def _powers(first: int, last: int) -> list[int]:
    """1 and 3 times each power of ten."""
    return [count for power in range(9) for count in (10**power, 3 * 10**power) if first <= count <= last]


def _draw(plot: Plot, path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same file for the same numbers.
    with mpl.rc_context({"svg.hashsalt": plot.name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        axes = figure.subplots()
        for (label, line), marker in zip(plot.lines.items(), "os^D", strict=False):
            axes.plot(*zip(*line, strict=True), marker=marker, markersize=3.5, linewidth=1.2, label=label)
        axes.set(xscale="log", yscale="log", xlabel=plot.across, ylabel="ms", title=plot.title)
        sizes = sorted({size for line in plot.lines.values() for size, _ in line})
        if sizes[-1] < 10**4:
            axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
            axes.set_xticks([], minor=True)
        axes.grid(alpha=0.3, linewidth=0.5)
        axes.legend(frameon=False, fontsize=8)
        figure.savefig(path, metadata={"Date": None})
