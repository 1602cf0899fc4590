"""What one pass tells of the picked tensors: found before, or a sample first and then all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...analysis.cache import Kind, cached, found_before
from ...analysis.comparison import pooled_difference
from ...analysis.packing import pack_raster, pack_summary, unpack_raster, unpack_summary
from ...analysis.rasters import Raster
from ...analysis.summary import Summary, preview, summarise
from ...reading.tensors import Tensor
from ..selection import Pick
from .values import Check, Opened, found_in

__all__ = ["difference_of", "quick_summary", "summaries_of", "summary_of"]

SUMMARY = Kind("summary", 1, pack_summary, unpack_summary)
DIFFERENCE = Kind("difference", 1, pack_raster, unpack_raster)


def summary_of(tensor: Tensor, check: Check) -> Summary:
    """The summary of a tensor, found before or now."""
    return cached(SUMMARY, lambda: summarise(tensor, check), tensor)


def difference_of(a: Tensor, b: Tensor, check: Check) -> Raster:
    """The raster of B − A in the usual layout, found before or now."""
    return cached(DIFFERENCE, lambda: pooled_difference(a, b, check), a, b)


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
