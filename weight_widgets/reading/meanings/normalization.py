"""Normalisations, activations with weights, and statistics of data."""

from __future__ import annotations

from ..structure import Axis, Cut, Structure
from .weights import Builder, Weight, plain, vector

__all__ = ["BUILDERS"]

BATCH = ("gamma", "beta", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev")


def _by_group(weight: Weight) -> Structure | None:
    if len(weight.shape) != 1:
        return None
    channels, groups = weight.shape[0], weight.groups
    grouped = 1 < groups < channels and channels % groups == 0
    cuts = (Cut(("channel",), "group", run=channels // groups),) if grouped else ()
    return Structure(((Axis("channel", channels),),), ("channel",), cuts, "channel")


def _elements(label: str) -> Builder:
    """One number for each element of the normalised axes."""

    def build(weight: Weight) -> Structure | None:
        labels = (label,) if len(weight.shape) == 1 else tuple(f"{label} {axis}" for axis in range(len(weight.shape)))
        return plain(*labels, columns=min(1, len(labels)))(weight)

    return build


BUILDERS: dict[tuple[str, str], Builder] = {
    **{("BatchNormalization", role): vector("channel") for role in BATCH},
    **{("GroupNormalization", role): _by_group for role in ("gamma", "beta")},
    **{("LayerNormalization", role): _elements("element") for role in ("gamma", "beta")},
    ("RMSNormalization", "scale"): _elements("element"),
    ("Normalization", "mean"): _elements("feature"),
    ("Normalization", "variance"): _elements("feature"),
    ("Normalization", "count"): plain(columns=0),
    ("PReLU", "alpha"): _elements("element"),
}
