"""What one pass tells of tensors and of pairs of them: found before, or a sample first and then all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...analysis.cache import Kind, cached, found_before
from ...analysis.comparison import overlay_edges, pooled_difference
from ...analysis.packing import (
    pack_raster,
    pack_scattered,
    pack_summary,
    pack_twin,
    unpack_raster,
    unpack_scattered,
    unpack_summary,
    unpack_twin,
)
from ...analysis.pair_summary import JOINT_BINS, Scattered, summarise_pair
from ...analysis.rasters import Raster
from ...analysis.summary import Summary, preview, summarise
from ...analysis.twins import Tolerance, Twin, twins
from ...errors import WeightWidgetsError
from ...reading.tensors import Tensor
from ..selection import Pick
from .values import Check, Opened, found_in

__all__ = ["difference_of", "quick_summary", "scattered_of", "summaries_of", "summary_of", "twins_of"]

SUMMARY = Kind("summary", 1, pack_summary, unpack_summary)
DIFFERENCE = Kind("difference", 1, pack_raster, unpack_raster)
SCATTERED = Kind("scattered", 1, pack_scattered, unpack_scattered)
TWIN = Kind("twin", 1, pack_twin, unpack_twin)


def summary_of(tensor: Tensor, check: Check) -> Summary:
    """The summary of a tensor, found before or now."""
    return cached(SUMMARY, lambda: summarise(tensor, check), tensor)


def difference_of(a: Tensor, b: Tensor, check: Check) -> Raster:
    """The raster of B − A in the usual layout, found before or now."""
    return cached(DIFFERENCE, lambda: pooled_difference(a, b, check), a, b)


def scattered_of(a: Tensor, b: Tensor, check: Check) -> Scattered:
    """A against B within the range that both have together, found before or now."""

    def compute() -> Scattered:
        values = {name: summary_of(tensor, check).values for name, tensor in (("a", a), ("b", b))}
        edges = overlay_edges(values, JOINT_BINS)
        span = float(edges[0]), float(edges[-1])
        return summarise_pair(a, b, span, span, check).scattered

    return cached(SCATTERED, compute, a, b)


def twins_of(
    pairs: Iterable[tuple[Tensor, Tensor]], tolerance: Tolerance, check: Callable[[], None]
) -> Iterator[Twin | WeightWidgetsError]:
    """As `twins`, with what was found before, which is without a tolerance: there is none here."""
    asked = []
    for pair in pairs:
        check()
        asked.append((pair, _twin_before(*pair)))
    measured = twins([pair for pair, before in asked if before is None], tolerance, check)
    for pair, before in asked:
        found = before or next(measured)
        yield found if before or not isinstance(found, Twin) else _keep(found, *pair)


def _twin_before(a: Tensor, b: Tensor) -> Twin | None:
    try:
        return found_before(TWIN, a, b)
    except WeightWidgetsError:
        # Measuring it says the same, where its row is.
        return None


def _keep(twin: Twin, a: Tensor, b: Tensor) -> Twin | WeightWidgetsError:
    try:
        return cached(TWIN, lambda: twin, a, b)
    except WeightWidgetsError as error:
        return error


def summaries_of(
    opened: Opened, pick: Pick, labels: Iterable[str], check: Check
) -> Iterator[tuple[dict[str, Summary], tuple[str, ...]]]:
    """The summaries of the picked tensor by label, with a sentence for each checkpoint that has or gives none.

    Where that takes a while, samples come first, in the place of all that is not known yet.
    """
    labels = tuple(labels)
    early, notes = found_in(opened, pick, labels, check, lambda tensor: quick_summary(tensor, check))
    if any(found is not None and found.share < 1 for found in early.values()):
        yield {label: found for label, found in early.items() if found is not None}, notes
    yield found_in(opened, pick, labels, check, lambda tensor: summary_of(tensor, check))


def quick_summary(tensor: Tensor, check: Check) -> Summary | None:
    """What was found before, or of a sample; None where neither is there and it is not worth a sample."""
    return found_before(SUMMARY, tensor) or preview(tensor, check)
