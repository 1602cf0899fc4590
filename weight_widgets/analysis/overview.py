"""Whole checkpoints at a glance: numbers of every tensor, with or without its histogram."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ..reading.checkpoint import Checkpoint
from ..reading.fetching import Memory, lent
from ..reading.tensors import Tensor
from ..reading.together import read_rows
from .cache import Kind, cached, cached_each
from .digests import BOUNDS, Digests, added_up, blank, digest_of, digest_rows, digests_of, put, sums_of
from .histograms import Histogram, shared_edges
from .moments import RUN, order_dtype
from .parallel import THREADS, each, shares
from .passes import THREAD_SIZE, Check
from .row_histograms import histogram_rows
from .summary import summarise

__all__ = ["BINS", "Overview", "overview", "scan"]

BINS = 64
# The most rows of a table that is worked on at once, and elements in all of them where there are several.
ROWS = 1 << 10
BATCH = 1 << 16
# Bytes of a large tensor that are looked at together: with fewer, threads would wait for the interpreter's lock.
PIECE = 8 << 20
# Elements of checkpoints that are looked at together, and kept before the next ones are looked at.
TOGETHER = 1 << 27

# Places of tensors of one size and dtype.
Batch = list[int]
# Takes a table of values, the places of their tensors, and room to work in.
Look = Callable[[np.ndarray, Batch, Memory], None]
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
    groups = [list(checkpoint.tensors.values()) for checkpoint in checkpoints]
    found: list[Digests] = []
    for some in _together(groups):
        check(len(found) / len(groups))
        found += _scan(some, check)
    return found


def _scan(groups: Sequence[Sequence[Tensor]], check: Check) -> list[Digests]:
    return cached_each(DIGESTS, lambda new: _digests([groups[number] for number in new], check), groups)


def _together(groups: Sequence[list[Tensor]]) -> Iterator[list[list[Tensor]]]:
    """Runs of groups: python's own work is small beside that on the values of all of them."""
    run: list[list[Tensor]] = []
    elements = 0
    for group in groups:
        size = sum(tensor.size for tensor in group)
        if run and elements + size > TOGETHER:
            yield run
            run, elements = [], 0
        run.append(group)
        elements += size
    if run:
        yield run


def _overview(tensors: Sequence[Tensor], check: Check) -> Overview:
    found = Overview(blank(len(tensors)), np.zeros((len(tensors), BINS), np.int64), np.zeros(len(tensors)))

    def look_at(rows: np.ndarray, places: Batch, memory: Memory) -> None:
        digests = digest_rows(rows, memory)
        put(found.digests, places, digests)
        found.counts[places] = histogram_rows(rows, digests, BINS)

    large = _in_tables(tensors, look_at, check)
    for place in large:
        summary = summarise(tensors[place], check)
        put(found.digests, [place], digest_of(summary.moments))
        span = summary.values.span(0.0)
        if span and np.isfinite(span[1] - span[0]):
            histogram = summary.values.histogram(shared_edges(*span, BINS))
            found.counts[place], found.uncertain[place] = histogram.counts, histogram.uncertain
    return found


def _digests(groups: Sequence[Sequence[Tensor]], check: Check) -> list[Digests]:
    """The digests of the tensors of each group."""
    tensors = [tensor for group in groups for tensor in group]
    found = blank(len(tensors))

    def look_at(rows: np.ndarray, places: Batch, memory: Memory) -> None:
        put(found, places, digest_rows(rows, memory))

    large = _in_tables(tensors, look_at, check)
    if large:
        digests, right = _in_pieces([tensors[place] for place in large], check)
        put(found, large, digests)
        for place in np.array(large)[~right].tolist():
            put(found, [place], digest_of(summarise(tensors[place], check).moments))
    ends = itertools.accumulate(map(len, groups), initial=0)
    return [found.of(np.arange(*pair)) for pair in itertools.pairwise(ends)]


def _in_tables(tensors: Sequence[Tensor], look_at: Look, check: Check) -> list[int]:
    """Look at the small tensors, many of one size and dtype at once; the places of the large ones are returned."""
    batches, elements, large = _sorted_by_size(tensors)

    def read(places: Batch) -> None:
        rows = _floating(read_rows([tensors[place] for place in places]))
        with lent() as memory:
            look_at(rows, places, memory)

    _on_every_core(read, batches, elements, check)
    return large


def _in_pieces(tensors: Sequence[Tensor], check: Check) -> tuple[Digests, np.ndarray]:
    """The digests of large tensors, and which of them are right."""
    dtypes = [order_dtype(tensor.dtype) for tensor in tensors]
    sizes = np.array([tensor.size for tensor in tensors])
    parts = [(place, rows) for place in range(len(tensors)) for rows in _runs(tensors[place], dtypes[place])]
    sums: list[np.ndarray] = [np.empty(0)] * len(parts)

    def add_up(number: int) -> None:
        place, rows = parts[number]
        nbytes = PIECE // dtypes[place].itemsize * tensors[place].dtype.itemsize
        with lent() as memory, lent() as room:
            found = []
            for piece in tensors[place].blocks(rows, nbytes, memory):
                check()
                found.append(sums_of(_floating(piece.reshape(1, -1)), room))
            sums[number] = added_up(np.hstack(found), [0])

    _on_every_core(add_up, range(len(parts)), int(sizes.sum()), check)
    starts = np.searchsorted([place for place, _ in parts], range(len(tensors)))
    bounds = np.array([BOUNDS[dtype] for dtype in dtypes]).T
    found, _, well = digests_of(added_up(np.hstack(sums), starts), sizes, (bounds[0], bounds[1]))
    return found, well


def _runs(tensor: Tensor, dtype: np.dtype[Any]) -> list[range]:
    """The rows of a large tensor in runs of about a piece each, of which threads take one after the other."""
    return shares(tensor.shape[0], max(1, round(tensor.size * dtype.itemsize / PIECE)))


def _floating(rows: np.ndarray) -> np.ndarray:
    """In the smallest of the types that numbers are computed in and that holds them."""
    return rows.astype(order_dtype(rows.dtype), copy=False)


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


def _on_every_core(work: Callable[[Part], None], parts: Iterable[Part], elements: int, check: Check) -> None:
    """Do the work on each part, of so many elements in all."""
    left = deque(parts)

    def share(_: int) -> None:
        # Whoever is free takes the next one, for some take longer than others.
        while left:
            try:
                part = left.popleft()
            except IndexError:
                # Another one took it meanwhile.
                return
            try:
                check()
                work(part)
            except BaseException:
                # Nobody will hear of the others: this one raises.
                left.clear()
                raise

    each(share, range(THREADS if elements >= THREAD_SIZE else 1))
