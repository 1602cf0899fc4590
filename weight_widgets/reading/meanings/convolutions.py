"""Convolutions: plain, grouped, transposed, depthwise and separable."""

from __future__ import annotations

import re

from ..structure import Axis, Cut, Structure
from .weights import Builder, Weight, vector

__all__ = ["BUILDERS", "kernel_axes", "picture"]

RANK = re.compile(r"([1-3])D")
PLACES = {1: ("step",), 2: ("row", "column"), 3: ("depth", "row", "column")}


def kernel_axes(shape: tuple[int, ...]) -> tuple[Axis, ...] | None:
    """The axes of the window of a kernel of this shape, the last two of which are channels; None for other ranks."""
    places = PLACES.get(len(shape) - 2)
    if places is None:
        return None
    return tuple(Axis(f"kernel {place}", size) for place, size in zip(places, shape, strict=False))


def picture(window: tuple[Axis, ...], channels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels of the rows and columns of one filter drawn as a picture; of a 1-D one steps × channels."""
    labels = tuple(axis.label for axis in window[-2:])
    return labels if len(labels) == 2 else (*labels, *channels[:1]) if channels else ()


def _structure(weight: Weight, channels: tuple[str, str], across: tuple[str, ...], cuts: tuple[Cut, ...]) -> Structure:
    axes = kernel_axes(weight.shape) or ()
    ends = tuple(Axis(label, size) for label, size in zip(channels, weight.shape[-2:], strict=True))
    left = tuple(label for label in channels if label not in across)
    # A single filter is drawn as its pictures side by side, one for each input channel; a 1-D one as steps × channels.
    pictures = (*left, axes[-1].label) if len(axes) > 1 else left or (axes[-1].label,)
    dims = tuple((axis,) for axis in (*axes, *ends))
    return Structure(dims, across, cuts, across[0], picture(axes, left), pictures)


def _kernel(weight: Weight) -> Structure | None:
    if not _fits(weight):
        return None
    filters, groups = weight.shape[-1], weight.groups
    cuts: tuple[Cut, ...] = (Cut(("filter",)),)
    grouped = groups > 1 and filters % groups == 0
    if grouped:
        cuts = (Cut(("filter",), "group", run=filters // groups), *cuts)
    inputs = "input channel of the group" if grouped else "input channel"
    return _structure(weight, (inputs, "filter"), ("filter",), cuts)


def _transposed(weight: Weight) -> Structure | None:
    if not _fits(weight):
        return None
    return _structure(weight, ("filter", "input channel"), ("filter",), (Cut(("filter",)),))


def _depthwise(weight: Weight) -> Structure | None:
    """Output channel c · multiplier + m stands at [c, m] of the last two axes."""
    if not _fits(weight):
        return None
    labels = ("input channel", "multiplier")
    return _structure(weight, labels, labels, (Cut(labels, "channel"),))


def _pointwise(weight: Weight) -> Structure | None:
    if not _fits(weight):
        return None
    return _structure(weight, ("channel", "filter"), ("filter",), (Cut(("filter",)),))


def _bias(weight: Weight) -> Structure | None:
    if len(weight.shape) != 1:
        return None
    filters, groups = weight.shape[0], weight.groups
    grouped = groups > 1 and filters % groups == 0
    cuts = (Cut(("filter",), "group", run=filters // groups),) if grouped else ()
    return Structure(((Axis("filter", filters),),), ("filter",), cuts, "filter")


def _fits(weight: Weight) -> bool:
    """Whether the kernel has the rank that its class has in its name."""
    rank = RANK.search(weight.class_name)
    return rank is not None and len(weight.shape) == int(rank[1]) + 2


RANKS = (1, 2, 3)
BUILDERS: dict[tuple[str, str], Builder] = {
    **{(f"Conv{rank}D", "kernel"): _kernel for rank in RANKS},
    **{(f"Conv{rank}D", "bias"): _bias for rank in RANKS},
    **{(f"Conv{rank}DTranspose", "kernel"): _transposed for rank in RANKS},
    **{(f"Conv{rank}DTranspose", "bias"): vector("filter") for rank in RANKS},
    **{(f"DepthwiseConv{rank}D", "kernel"): _depthwise for rank in RANKS},
    **{(f"DepthwiseConv{rank}D", "bias"): vector("channel") for rank in RANKS},
    **{(f"SeparableConv{rank}D", "depthwise_kernel"): _depthwise for rank in RANKS},
    **{(f"SeparableConv{rank}D", "pointwise_kernel"): _pointwise for rank in RANKS},
    **{(f"SeparableConv{rank}D", "bias"): vector("filter") for rank in RANKS},
}
