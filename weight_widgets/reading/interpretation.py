"""What a layer's stored arrays stand for: numbers of types that numpy lacks, and weights from quantised codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .arrays import Array
from .dtypes import decoded, policy_dtype
from .expected import differences
from .layouts import LayerWeights
from .layouts.base import unwrap
from .quantized.weights import dequantize
from .tensors import Skipped

__all__ = ["Interpreted", "interpreted"]


@dataclass(frozen=True)
class Interpreted:
    """A layer's weights as numbers; `codes` are the stored integers of those that are computed from them."""

    weights: Mapping[str, Array]
    codes: Mapping[str, Array]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def interpreted(found: LayerWeights, keras_version: str) -> Interpreted:
    """The weights of a layer as its configuration, the file's marks and Keras' own formulas tell to read them."""
    said = policy_dtype(unwrap(found.class_name, found.config)[1])
    results = {name: decoded(array, said) for name, array in found.weights.items()}
    weights = {name: result.array for name, result in results.items() if not result.reason}
    skipped = [Skipped(result.array.path, result.reason) for result in results.values() if result.reason]
    notes = [
        *dict.fromkeys(result.note for result in results.values() if result.note),
        *differences(found, found.build),
    ]
    told = found if weights == found.weights else replace(found, weights=weights)
    quantized = dequantize(told, keras_version, found.build)
    if quantized is None:
        return Interpreted(weights, {}, tuple(skipped), tuple(notes))
    return Interpreted(quantized.weights, quantized.codes, (*skipped, *quantized.skipped), (*notes, *quantized.notes))
