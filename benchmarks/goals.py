"""The rows of the table of goals, by name: what is measured, and how good it is to be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import files
import numpy as np
import peers
from rows import Quantity, Race

import weight_widgets as ww
from weight_widgets.analysis.histograms import shared_edges
from weight_widgets.analysis.measures import NEAR_ZERO
from weight_widgets.analysis.overview import BINS as OVERVIEW_BINS
from weight_widgets.analysis.overview import overview, scan
from weight_widgets.analysis.pairs import tensor_pair_moments
from weight_widgets.analysis.summary import Summary, preview, summarise
from weight_widgets.reading.tensors import Tensor
from weight_widgets.state.looks import look_at_histograms
from weight_widgets.state.selection import Pick

__all__ = ["FULL", "ROWS", "SMOKE", "Bench", "Row", "Size", "never"]

BINS = 120
# Seconds.
SETTLING = 2.1
FLOOR = "floor: `np.add.reduce` in memory"


@dataclass(frozen=True)
class Size:
    """How large everything is: layers of the deep model, a divisor of channels, sides of kernels, checkpoints, rows."""

    layers: int
    scale: int
    medium: int
    drawn: int
    checkpoints: int
    rows: int
    repeats: int


FULL = Size(layers=1000, scale=1, medium=1800, drawn=2236, checkpoints=100, rows=10_000, repeats=9)
SMOKE = Size(layers=30, scale=16, medium=300, drawn=300, checkpoints=3, rows=600, repeats=2)


@dataclass
class Bench:
    """The files of a run, each written when it is first asked for."""

    folder: Path
    size: Size

    def deep(self, suffix: str = ".h5", layers: int | None = None) -> Path:
        count = layers or self.size.layers
        return files.write(self.folder / f"deep_{count}{suffix}", deep(count))

    def vgg(self, seed: int, copy: str = "") -> Path:
        return files.write(self.folder / f"vgg16_{seed}{copy}.h5", files.vgg16(self.size.scale), seed)

    def resnet(self, suffix: str) -> Path:
        return files.write(self.folder / f"resnet50{suffix}", files.resnet50(self.size.scale))

    def square(self, side: int, seed: int = 0) -> Path:
        layers = [files.dense("one", side, side), files.dense("two", side, side)]
        return files.write(self.folder / f"square_{side}_{seed}.h5", layers, seed)

    def checkpoint(self, number: int) -> Path:
        sides = [max(1, side // self.size.scale) for side in (784, 2048, 1024, 10)]
        layers = [files.dense(f"dense_{place}", *sides[place : place + 2]) for place in range(3)]
        return files.write(self.folder / f"epoch_{number}.weights.h5", layers, number)

    def forget(self) -> None:
        """From now on nothing is known. A file system is slow to give out again what was removed just now."""
        os.environ["WEIGHT_WIDGETS_CACHE"] = mkdtemp(dir=self.folder)
        ww.clear_cache()

    @cached_property
    def fc1(self) -> Tensor:
        return ww.open_checkpoint(self.vgg(0))["fc1"]["kernel"]


Row = Callable[[Bench], Iterator[Race | Quantity]]


def deep(count: int) -> list[files.Layer]:
    return [files.dense(f"dense_{number}", 64, 64) for number in range(count)]


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def wait_until_settled(path: Path) -> None:
    """What is found out of a file that was changed just now is not kept, so that nothing would be found again."""
    while time.time() - path.stat().st_ctime < SETTLING:
        time.sleep(0.1)


def names(bench: Bench) -> Iterator[Race]:
    path = bench.deep()
    visited = "`h5py.visititems`"
    yield Race(
        f"layer names of {bench.size.layers} layers, `.h5`",
        lambda: [*ww.open_checkpoint(path)],
        {visited: lambda: peers.visit(path)},
        {visited: 0.15},
    )
    yield Race(
        "… and every tensor's shape",
        lambda: {place: tensor.shape for place, tensor in ww.open_checkpoint(path).tensors.items()},
        {visited: lambda: peers.visit(path)},
        {visited: 0.8},
    )


def archives(bench: Bench) -> Iterator[Race]:
    for what, path in (("ResNet50", bench.resnet), (f"{bench.size.layers} layers", bench.deep)):
        archive, plain = path(".keras"), path(".weights.h5")
        same = "the same as `.weights.h5`"
        yield Race(
            f"open `.keras`, {what}",
            lambda archive=archive: ww.open_checkpoint(archive),
            {same: lambda plain=plain: ww.open_checkpoint(plain)},
            {same: 1.3},
        )


def pick(bench: Bench) -> Iterator[Race]:
    tensor = bench.fc1
    values = tensor.read()
    flat, low, high = values.reshape(-1), float(values.min()), float(values.max())
    naive, plot = "numpy by hand: 11 measures, quantiles, `np.histogram`", "`plt.hist(flat, 500)`"
    others = peers.libraries(flat, low, high, BINS)
    yield Race(
        "pick fc1: measures, histogram, rasters",
        lambda: told(summarise(tensor, never)),
        {FLOOR: lambda: peers.add_up([flat])},
        {FLOOR: 5.5},
    )
    yield Race(
        "pick fc1: measures, histogram, rasters",
        lambda: told(summarise(tensor, never)),
        {naive: lambda: peers.naive_measures(values, BINS), **others},
        {naive: 0.1, plot: 1.0},
        repeats=3,
    )
    yield Race(
        "first picture of fc1, of a sample",
        lambda: told(preview(tensor, never) or summarise(tensor, never)),
        {FLOOR: lambda: peers.add_up([flat])},
        {FLOOR: 1.0},
    )


def told(found: Summary) -> object:
    """What the panes show of it."""
    span = found.values.span(0.0) or (0.0, 0.0)
    return found.measures(NEAR_ZERO), found.values.histogram(shared_edges(*span, BINS)), found.raster


def again(bench: Bench) -> Iterator[Quantity]:
    with ww.open_checkpoint(bench.vgg(0)) as opened:
        choice = Pick(("vgg",), "vgg", "vgg", "fc1", "kernel", "")

        def look(bins: int, clip: float) -> None:
            [*look_at_histograms({"vgg": opened}, choice, never, bins, clip)]

        wait_until_settled(bench.vgg(0))
        look(BINS, 0.0)
        for what, settings in (("the same", (BINS, 0.0)), ("other bins", (300, 0.0)), ("other range", (BINS, 1.0))):
            yield Quantity.of_action(f"fc1 again: {what}", lambda settings=settings: look(*settings), 5.0)


def medium(bench: Bench) -> Iterator[Race]:
    tensor = ww.open_checkpoint(bench.square(bench.size.medium))["one"]["kernel"]
    values = tensor.read()
    others = "4 numpy statistics and `np.histogram`"
    yield Race(
        f"pick a tensor of {tensor.size / 1e6:.1f} M",
        lambda: told(summarise(tensor, never)),
        {others: lambda: (peers.four_statistics(values), np.histogram(values, BINS))},
        {others: 0.5},
    )


def pairs(bench: Bench) -> Iterator[Race]:
    paths = bench.vgg(0), bench.vgg(1)
    copy = bench.vgg(0, "_copy")
    one, other = (ww.open_checkpoint(path).tensors for path in paths)
    values = [tensor.read() for tensor in (*one.values(), *other.values())]
    floor = "floor: `np.add.reduce` of both in memory"
    naive = "h5py and numpy by hand"
    inner = [f"model_weights/{layer}/{layer}/{name}" for layer, name in one]
    yield Race(
        f"two models of {sum(each.nbytes for each in values) / 2e6:.0f} MB, every tensor, 6 measures",
        lambda: [tensor_pair_moments(one[place], other[place], never) for place in one],
        {
            floor: lambda: peers.add_up(values),
            **peers.program("cmp", paths[0], copy),
            **peers.program("h5diff", *paths, statuses=(0, 1)),
            naive: lambda: peers.naive_pairs(*paths, inner),
        },
        {floor: 2.0, "`cmp`": 1.0, "`h5diff`": 0.2},
        repeats=5,
    )


def glance(bench: Bench) -> Iterator[Race]:
    path = bench.deep()
    checkpoint = ww.open_checkpoint(path)
    inner = [f"model_weights/{layer}/{layer}/{name}" for layer, name in checkpoint.tensors]
    wait_until_settled(path)
    naive = f"h5py, numpy and `np.histogram({OVERVIEW_BINS})` one by one"
    yield Race(
        f"overview of {bench.size.layers} layers with histograms",
        lambda: (bench.forget(), overview(checkpoint, never)),
        {naive: lambda: peers.naive_overview(path, inner, OVERVIEW_BINS)},
        {naive: 1 / 12},
    )


def many(bench: Bench) -> Iterator[Race]:
    opened = [ww.open_checkpoint(bench.checkpoint(number)) for number in range(bench.size.checkpoints)]
    values = [tensor.read() for checkpoint in opened for tensor in checkpoint.tensors.values()]
    wait_until_settled(bench.checkpoint(bench.size.checkpoints - 1))
    floor = {FLOOR: lambda: peers.add_up(values)}
    yield Race(
        f"scan of {len(opened)} checkpoints, {sum(each.nbytes for each in values) / 1e6:.0f} MB together",
        lambda: (bench.forget(), scan(opened, never)),
        floor,
        {FLOOR: 1.5},
    )
    scan(opened, never)
    yield Race("… again, unchanged", lambda: scan(opened, never), floor, {FLOOR: 0.05})


def imports(_: Bench) -> Iterator[Race]:
    others = "`import numpy, h5py, ipywidgets`"
    yield Race(
        "`import weight_widgets` in a new process",
        lambda: peers.python("import weight_widgets"),
        {others: lambda: peers.python("import numpy, h5py, ipywidgets")},
        {others: 1.2},
    )
    yield Race(
        "`from weight_widgets import compare` in a new process",
        lambda: peers.python("from weight_widgets import compare"),
        {
            others: lambda: peers.python("import numpy, h5py, ipywidgets"),
            "`import bqplot, anywidget`": lambda: peers.python("import bqplot, anywidget"),
        },
    )


def keras(bench: Bench) -> Iterator[Race]:
    sides = [side // bench.size.scale for side in (2048, 4096, 2048, 1024)]
    path = peers.keras_writer(bench.folder / "of_keras.keras", sides)
    if path is not None:
        yield Race(
            "open a model that Keras saved, read every weight",
            lambda: [tensor.read() for tensor in ww.open_checkpoint(path).tensors.values()],
            {"Keras' `load_model` and `get_weights`": lambda: peers.keras_weights(path)},
            repeats=5,
        )


ROWS: dict[str, Row] = {
    "names": names,
    "archives": archives,
    "pick": pick,
    "again": again,
    "medium": medium,
    "pairs": pairs,
    "overview": glance,
    "scan": many,
    "import": imports,
    "keras": keras,
}
