"""Whole checkpoints at a glance: numbers of every tensor, with or without its histogram."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ..reading.checkpoint import Checkpoint
from ..reading.fetching import lent
from ..reading.tensors import Tensor
from ..reading.together import read_rows
from .cache import Kind, cached
from .digests import Digests, blank, digest_of, digest_rows, joined, merged, put
from .histograms import Histogram, shared_edges
from .moments import RUN
from .parallel import THREADS, each
from .passes import THREAD_SIZE, Check, gather
from .row_histograms import histogram_rows
from .summary import summarise

__all__ = ["BINS", "Overview", "overview", "scan"]

BINS = 64
# The most rows of a table that is worked on at once, and elements in all of them where there are several.
ROWS = 1 << 10
BATCH = 1 << 16
# Elements of a large tensor that are looked at together: in fewer, threads would wait for the interpreter's lock.
PIECE = 1 << 20

# Places of tensors of one size and dtype.
Batch = list[int]
Part = TypeVar("Part")


@dataclass(frozen=True, eq=False)
class Overview:
    """What is seen of each of n tensors.

    Attributes
    ----------
    digests : Digests
    counts : numpy.ndarray
        Int64, shape (n, 64): finite values between evenly spaced edges from the smallest to the largest.
    uncertain : numpy.ndarray
        Float64, shape (n,): as of `Histogram`, above 0 for large tensors alone.
    """

    digests: Digests
    counts: np.ndarray
    uncertain: np.ndarray

    def __len__(self) -> int:
        return len(self.digests)

    def histogram(self, place: int) -> Histogram | None:
        """The histogram of one tensor; None where it has no finite value, or a range that float64 does not hold."""
        low, high = float(self.digests.minimum[place]), float(self.digests.maximum[place])
        if not np.isfinite(high - low):
            return None
        return Histogram(shared_edges(low, high, BINS), self.counts[place], 0, float(self.uncertain[place]))

    @property
    def nbytes(self) -> int:
        return self.digests.nbytes + self.counts.nbytes + self.uncertain.nbytes


def _pack(found: Overview) -> Mapping[str, np.ndarray]:
    # Most are small, and there are many.
    counts = found.counts.astype(np.min_scalar_type(found.counts.max(initial=0)))
    return {**found.digests.columns, "counts": counts, "uncertain": found.uncertain}


def _unpack(arrays: Mapping[str, np.ndarray]) -> Overview:
    columns = dict(arrays)
    counts, uncertain = columns.pop("counts"), columns.pop("uncertain")
    return Overview(Digests(**columns), counts.astype(np.int64), uncertain)


OVERVIEW = Kind(f"overview in {BINS} bins", 1, _pack, _unpack)
DIGESTS = Kind("digests", 1, lambda found: found.columns, lambda arrays: Digests(**arrays))


def overview(checkpoint: Checkpoint, check: Check) -> Overview:
    """Numbers and a histogram of every tensor of a checkpoint, in the order of its `tensors`; found before or now.

    Parameters
    ----------
    checkpoint : Checkpoint
    check : callable
        Called between steps with the share that is done.

    Raises
    ------
    WeightWidgetsError
        The file cannot be read.
    """
    tensors = list(checkpoint.tensors.values())
    return cached(OVERVIEW, lambda: _overview(tensors, check), *tensors)


def scan(checkpoints: Sequence[Checkpoint], check: Check) -> list[Digests]:
    """The numbers of every tensor of each checkpoint, in the order of its `tensors`; found before or now.

    Mean and standard deviation of float32 are good to about 1e-6 of the root mean square.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
    check : callable
        Called between steps, by any thread, with the share that is done.

    Raises
    ------
    WeightWidgetsError
        A file cannot be read.
    """
    tensors = [list(checkpoint.tensors.values()) for checkpoint in checkpoints]
    found: dict[int, Digests] = {}
    alone = len(tensors) < THREADS

    def look_at(number: int) -> None:
        check(len(found) / len(tensors))
        own = tensors[number]
        found[number] = cached(DIGESTS, lambda: _digests(own, alone, check), *own)

    _on_every_core(look_at, range(len(tensors)), 1 if alone else THREADS, check)
    return [found[number] for number in range(len(tensors))]


def _overview(tensors: Sequence[Tensor], check: Check) -> Overview:
    found = Overview(blank(len(tensors)), np.zeros((len(tensors), BINS), np.int64), np.zeros(len(tensors)))

    def look_at(places: Batch) -> None:
        rows = _floating(read_rows([tensors[place] for place in places]))
        digests = digest_rows(rows)
        put(found.digests, places, digests)
        found.counts[places] = histogram_rows(rows, digests, BINS)

    small, total, large = _sorted_by_size(tensors)
    _on_every_core(look_at, small, _threads(total), check)
    for place in large:
        summary = summarise(tensors[place], check)
        put(found.digests, [place], digest_of(summary.moments))
        span = summary.values.span(0.0)
        if span and np.isfinite(span[1] - span[0]):
            histogram = summary.values.histogram(shared_edges(*span, BINS))
            found.counts[place], found.uncertain[place] = histogram.counts, histogram.uncertain
    return found


def _digests(tensors: Sequence[Tensor], alone: bool, check: Check) -> Digests:
    """The digests of tensors; on every core if they are `alone`, and otherwise by this thread."""
    found = blank(len(tensors))

    def look_at(places: Batch) -> None:
        put(found, places, digest_rows(_floating(read_rows([tensors[place] for place in places]))))

    small, total, large = _sorted_by_size(tensors)
    _on_every_core(look_at, small, _threads(total) if alone else 1, check)
    for place in large:
        tensor, pieces = tensors[place], _Pieces()
        if alone:
            pieces = gather([tensor], lambda _: _Pieces(), PIECE, check)
        else:
            with lent() as memory:
                for piece in tensor.blocks(nbytes=PIECE * tensor.dtype.itemsize, memory=memory):
                    check()
                    pieces.add(piece)
        put(found, [place], merged(joined(pieces.found)))
    return found


class _Pieces:
    """The digests of pieces of one tensor."""

    def __init__(self) -> None:
        self.found: list[Digests] = []

    def add(self, piece: np.ndarray) -> None:
        self.found.append(digest_rows(_floating(piece.reshape(1, -1))))

    def merge(self, other: _Pieces) -> _Pieces:
        self.found += other.found
        return self


def _floating(rows: np.ndarray) -> np.ndarray:
    """In the smallest of the types that numbers are computed in and that holds them."""
    narrow = rows.dtype.kind == "f" and rows.itemsize <= 4
    return rows.astype(np.float32 if narrow else np.float64, copy=False)


def _sorted_by_size(tensors: Sequence[Tensor]) -> tuple[list[Batch], int, list[int]]:
    """Batches of small tensors of one size and dtype, by their places; elements of these; places of the large ones."""
    alike: dict[tuple[int, np.dtype[Any]], list[int]] = {}
    large = []
    for place, tensor in enumerate(tensors):
        size = tensor.size
        if size > RUN:
            large.append(place)
        else:
            alike.setdefault((size, tensor.dtype), []).append(place)
    batches: list[Batch] = []
    for (size, _), places in alike.items():
        step = min(ROWS, max(1, BATCH // max(1, size)))
        batches += (places[start : start + step] for start in range(0, len(places), step))
    return batches, sum(size * len(places) for (size, _), places in alike.items()), large


def _threads(elements: int) -> int:
    return THREADS if elements >= THREAD_SIZE else 1


def _on_every_core(work: Callable[[Part], None], parts: Sequence[Part], threads: int, check: Check) -> None:
    failed = threading.Event()

    def share(first: int) -> None:
        try:
            for part in parts[first::threads]:
                if failed.is_set():
                    # Nobody will hear of it: another one raises.
                    break
                check()
                work(part)
        except BaseException:
            failed.set()
            raise

    each(share, range(threads))
