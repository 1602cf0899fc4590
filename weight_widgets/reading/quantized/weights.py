"""Quantised layers: kernels and embeddings as the numbers that their codes stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...display import visible
from ..arrays import Array
from ..contractions import contraction_of, input_shape
from ..dtypes import policy_mode
from ..layouts.base import LayerWeights, unwrap
from ..tensors import Skipped
from .names import FLOAT8_HELPERS
from .packing import Helpers, packings

__all__ = ["Quantized", "dequantize"]

HISTORY = "kernel_amax_history"
TARGETS = ("kernel", "embeddings", "reverse_embeddings")
STEPWISE = "TimeDistributed"
# What belongs to a target and is no weight itself.
HELPERS = {"scale": "a quantisation scale", "zero": "a quantisation zero point"}
# The codes that are shown as they are, with the helpers that each has.
CALIBRATED = ("kernel_scale", "kernel_zero", "zero_point", "g_idx", "awq_scales")


@dataclass(frozen=True)
class Quantized:
    """A layer without its quantisation.

    Attributes
    ----------
    weights : mapping of str to Array
        The layer's weights; what was quantised has `Array.stored` set.
    codes : mapping of str to Array
        For each weight that was dequantised the integers that stand in the file, unpacked.
    skipped : tuple of Skipped
        The scales and the other helpers.
    notes : tuple of str
        Sentences about what could not be dequantised, and about low-rank updates.
    """

    weights: Mapping[str, Array]
    codes: Mapping[str, Array]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def dequantize(
    found: LayerWeights, keras_version: str = "", build: Mapping[str, Any] | None = None
) -> Quantized | None:
    """The layer with its quantised weights as float32, computed when they are read.

    Parameters
    ----------
    found : LayerWeights
        With Keras' own variable names, and numbers of types that numpy lacks read as float32 already.
    keras_version : str
        As the file says; ``""`` when it does not. It decides where the shapes leave the packing of 4-bit codes open.
    build : mapping, optional
        The layer's ``build_config``.

    Returns
    -------
    Quantized, or None
        None when nothing in the layer is quantised and no low-rank update was merged into it.
    """
    # Most layers have neither codes nor what float8 training leaves behind, and are done with quickly.
    marked = any(array.dtype.itemsize == 1 or name.endswith(HISTORY) for name, array in found.weights.items())
    if not marked and "lora_rank" not in unwrap(found.class_name, found.config)[1]:
        return None
    work = _Work(found, _version(keras_version), build or {})
    for place in dict.fromkeys(name.rpartition("/")[0] for name in found.weights):
        work.take(f"{place}/" if place else "")
    work.tell_lora()
    if not (work.skipped or work.notes):
        return None
    return Quantized(work.weights, work.codes, tuple(work.skipped), tuple(work.notes))


class _Work:
    """The layer while its places are gone through one by one."""

    def __init__(self, found: LayerWeights, version: tuple[int, int] | None, build: Mapping[str, Any]) -> None:
        self.found = found
        self.version = version
        shape = input_shape(build)
        # What it hands to the layer inside is one step of a sequence.
        self.build = {"input_shape": [*shape[:1], *shape[2:]]} if found.class_name == STEPWISE and shape else build
        self.class_name, self.config = unwrap(found.class_name, found.config)
        self.mode = policy_mode(self.config)
        self.weights = dict(found.weights)
        self.codes: dict[str, Array] = {}
        self.skipped: list[Skipped] = []
        self.notes: list[str] = []

    def take(self, place: str) -> None:
        """One place in the layer: ``""``, or ``"query/"`` in an attention layer."""
        if place + "g_idx" in self.weights or self.mode == "ternary":
            for name in ("quantized_kernel", "kernel"):
                if (array := self.weights.get(place + name)) and array.dtype.str[1:] == "u1":
                    self._show_codes(place, place + name)
        for target in TARGETS:
            array = self.weights.get(place + target)
            if array and array.dtype.str[1:] == "i1" and f"{place}{target}_scale" in self.weights:
                self._dequantize(place, target, array)
        if place + HISTORY in self.weights:
            for helper in FLOAT8_HELPERS:
                self._skip(place + helper, "a scale or a history of float8 training; the kernel is stored in full")

    def _dequantize(self, place: str, target: str, array: Array) -> None:
        zero = self.weights.get(f"{place}{target}_zero")
        groups = self.weights.get(f"{place}g_idx") if zero else None
        helpers = Helpers(self.weights[f"{place}{target}_scale"], zero, groups)
        contraction = contraction_of(self.class_name, self.config, place.rstrip("/"), target, self.build)
        found = packings(contraction, target, array, helpers, self.mode, self.version) if contraction else []
        codes, weights = (found[0].codes, found[0].weights) if len(found) == 1 else (None, None)
        if codes is None or weights is None:
            self.weights[place + target] = replace(array, stored="quantised codes")
            self.notes.append(
                f"layer {visible(self.found.name)}: {place}{target} is quantised, and the file does not say enough to "
                "tell the packing of its codes; they are shown as they are stored"
            )
            return
        self.codes[place + target] = codes
        self.weights[place + target] = weights
        for helper, what in HELPERS.items():
            self._skip(f"{place}{target}_{helper}", f"{what}; {target} is shown dequantised by it")
        # The reversed half of an embedding has the same groups and comes last.
        if f"{place}reverse_embeddings_zero" not in self.weights:
            self._skip(f"{place}g_idx", f"quantisation groups; {target} is shown dequantised by them")

    def _show_codes(self, place: str, name: str) -> None:
        """Codes of the methods that need more than a scale."""
        array = self.weights.pop(name)
        calibrated = place + "g_idx" in self.weights
        awq = place + "awq_scales" in self.weights
        kind = ("AWQ" if awq else "GPTQ") if calibrated else "ternary"
        # A legacy file calls them kernel.
        shown = place + ("quantized_kernel" if calibrated else "kernel")
        self.weights = {shown: replace(array, stored=f"{kind} codes"), **self.weights}
        for helper in CALIBRATED:
            self._skip(place + helper, f"belongs to the {kind} codes, which are shown as they are stored")
        self.notes.append(f"layer {visible(self.found.name)}: {shown} holds {kind} codes, shown as they are stored")

    def _skip(self, name: str, reason: str) -> None:
        if array := self.weights.pop(name, None):
            self.skipped.append(Skipped(array.path, reason))

    def tell_lora(self) -> None:
        rank = self.config.get("lora_rank")
        if not isinstance(rank, int) or isinstance(rank, bool) or rank <= 0:
            return
        target = "embeddings" if "embeddings" in self.weights else "kernel"
        apart = f"lora_{target}_a" in self.weights
        state = f"stands beside {target}, which is shown without it" if apart else f"is merged into {target} as saved"
        self.notes.append(f"layer {visible(self.found.name)}: LoRA of rank {str(rank)[:20]} {state}")


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else None
