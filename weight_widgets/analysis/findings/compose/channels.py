"""Which layers have a ReLU behind, and the channels that never pass it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ....errors import WeightWidgetsError
from ....reading.graph import Graph
from ....reading.layouts.base import LayerConfig
from ....reading.tensors import Layer
from ..finding import Finding
from ..normalization import firing_rates, small_gammas
from .context import Context, Subject, several

__all__ = ["has_relu", "of_channels"]

RELUS = {"relu", "relu6"}


def is_relu(setting: object) -> bool:
    """Whether an activation, as a configuration writes it, gives exactly 0 for all that is negative."""
    if isinstance(setting, str):
        return setting.rpartition(">")[2] in RELUS
    if not isinstance(setting, Mapping):
        return False
    inner = setting.get("config")
    if setting.get("class_name") == "function" and isinstance(inner, str):
        return is_relu(inner)
    return isinstance(inner, Mapping) and _is_relu_layer(str(setting.get("class_name")), inner)


def _is_relu_layer(class_name: str, config: Mapping[str, Any]) -> bool:
    if class_name == "Activation":
        return is_relu(config.get("activation"))
    return class_name == "ReLU" and not config.get("negative_slope") and not config.get("threshold")


def has_relu(graph: Graph | None, layer: Layer, config: Mapping[str, Any]) -> str:
    """What says that a ReLU takes all outputs of a layer, perhaps normalised before; ``""`` where nothing does."""
    activation = config.get("activation", "linear")
    if is_relu(activation):
        return "the layer's activation is a ReLU"
    if activation not in (None, "linear") or graph is None:
        return ""
    behind = graph.behind(layer.name)
    if _all_relu(behind):
        return "a ReLU stands directly behind it"
    if behind and len(behind) == 1 and behind[0].class_name == "BatchNormalization":
        path = f"{layer.name.rpartition('/')[0]}/{behind[0].name}".lstrip("/")
        if graph.layer(path) is behind[0] and _all_relu(graph.behind(path)):
            return "a batch normalisation and a ReLU stand directly behind it"
    return ""


def _all_relu(behind: tuple[LayerConfig, ...] | None) -> bool:
    return bool(behind) and all(_is_relu_layer(each.class_name, each.config) for each in behind or ())


def of_channels(context: Context, layer: Layer) -> Iterator[Finding]:
    """What gamma and beta of a batch normalisation tell."""
    gamma, beta = layer.tensors.get("gamma"), layer.tensors.get("beta")
    about = gamma or beta
    if layer.class_name != "BatchNormalization" or about is None or len(about.shape) != 1:
        return
    try:
        scale, shift = (tensor.read() if tensor else None for tensor in (gamma, beta))
    except WeightWidgetsError as error:
        yield context.missing("dead-channels", f"It cannot be read: {error}", layer.name)
        return
    if any(values is not None and not np.isfinite(values).all() for values in (scale, shift)):
        return
    if scale is not None and gamma is not None:
        yield from _small(Subject(context, layer, gamma, scale), scale)
    if context.graph is None or layer.assumed:
        return
    behind = context.graph.behind(layer.name)
    if behind is None:
        yield context.missing("dead-channels", "The configuration does not tell what stands behind it.", layer.name)
    elif _all_relu(behind):
        limit = context.thresholds.firing_rate
        rates = firing_rates(scale, shift)
        subject = Subject(context, layer, about, scale if scale is not None else shift)  # type: ignore[arg-type]
        yield from several(
            subject,
            np.flatnonzero(rates < limit),
            rates,
            "dead-channels",
            "warning",
            lambda who, value: f"The ReLU behind it is expected to let {who} pass {value:.2g} of the time.",
            "Φ(β/|γ|), a ReLU directly behind, and the assumption that the channel's values are normal",
            limit,
        )


def _small(subject: Subject, gamma: np.ndarray) -> Iterator[Finding]:
    limit = subject.context.thresholds.small_gamma
    positions = small_gammas(gamma, limit)
    if not positions.size:
        return
    typical = float(np.median(np.abs(gamma)))
    shares = np.abs(gamma.astype(np.float64)) / typical if typical else np.abs(gamma.astype(np.float64))
    what = "the median" if typical else "1: residual branches start so"
    yield from several(
        subject,
        positions,
        shares,
        "small-gamma",
        "note",
        lambda who, value: f"Gamma of {who} is {value:.2g} of {what}.",
        "the values",
        limit,
    )
