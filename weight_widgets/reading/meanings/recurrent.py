"""Recurrent layers: gates, in the order in which Keras stores them, and their units."""

from __future__ import annotations

from ..structure import Axis, Cut, Structure
from .convolutions import kernel_axes, picture
from .weights import Builder, Weight

__all__ = ["BUILDERS"]

LSTM = ("input", "forget", "cell", "output")
GATES = {
    "SimpleRNN": (),
    "LSTM": LSTM,
    "GRU": ("update", "reset", "candidate"),
    **{f"ConvLSTM{rank}D": LSTM for rank in (1, 2, 3)},
}
BY_GATE = (Cut(("gate",)),)
# A GRU with reset_after has a bias for the input and one for the state.
RESET_AFTER = ("input bias", "recurrent bias")


def _gated(weight: Weight, unit: str) -> tuple[Axis, ...] | None:
    gates, size = GATES[weight.class_name], weight.shape[-1]
    if not gates:
        return (Axis(unit, size),)
    if size % len(gates):
        return None
    return (Axis("gate", len(gates), gates), Axis(unit, size // len(gates)))


def _kernel(rows: str) -> Builder:
    def build(weight: Weight) -> Structure | None:
        gated = _gated(weight, "unit") if len(weight.shape) == 2 else None
        if gated is None:
            return None
        columns = tuple(axis.label for axis in gated)
        cuts = BY_GATE if len(gated) > 1 else (Cut(("unit",)),)
        return Structure(((Axis(rows, weight.shape[0]),), gated), columns, cuts, "unit", part_columns=(rows,))

    return build


def _convolutional(inputs: str) -> Builder:
    def build(weight: Weight) -> Structure | None:
        window = kernel_axes(weight.shape)
        gated = _gated(weight, "filter") if window else None
        if window is None or gated is None or f"{len(window)}D" not in weight.class_name:
            return None
        dims = tuple((axis,) for axis in (*window, Axis(inputs, weight.shape[-2])))
        columns = tuple(axis.label for axis in gated)
        return Structure((*dims, gated), columns, BY_GATE, "filter", picture(window, (inputs,)))

    return build


def _bias(unit: str) -> Builder:
    def build(weight: Weight) -> Structure | None:
        gated = _gated(weight, unit) if weight.shape else None
        if gated is None:
            return None
        columns = tuple(axis.label for axis in gated)
        if len(weight.shape) == 1:
            return Structure((gated,), columns, BY_GATE if len(gated) > 1 else (), unit)
        if weight.class_name == "GRU" and len(weight.shape) == 2 and weight.shape[0] == 2:
            rows = (Axis("", 2, RESET_AFTER),)
            return Structure((rows, gated), columns, (Cut(("", "gate")),), unit)
        return None

    return build


BUILDERS: dict[tuple[str, str], Builder] = {}
for _class_name in GATES:
    if _class_name.startswith("Conv"):
        BUILDERS[_class_name, "kernel"] = _convolutional("input channel")
        BUILDERS[_class_name, "recurrent_kernel"] = _convolutional("state channel")
        BUILDERS[_class_name, "bias"] = _bias("filter")
    else:
        BUILDERS[_class_name, "kernel"] = _kernel("input")
        BUILDERS[_class_name, "recurrent_kernel"] = _kernel("state unit")
        BUILDERS[_class_name, "bias"] = _bias("unit")
