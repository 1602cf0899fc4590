"""Dense layers, contractions in general, and tables of embeddings."""

from __future__ import annotations

from dataclasses import replace

from ..structure import SHARED, Axis, Cut, Structure
from .weights import Builder, Weight, matrix, plain, vector

__all__ = ["BUILDERS"]


def _einsum_kernel(weight: Weight) -> Structure | None:
    letters, kept, shared = weight.letters
    if not letters:
        return _unsaid_einsum(weight)
    if len(letters) != len(weight.shape):
        return None
    outputs = [letter for letter in letters if letter in kept and letter not in shared]
    single = len(outputs) == 1
    labels = tuple(_label(letter, kept, shared, single) for letter in letters)
    return _outputs_across(weight.shape, labels, tuple(_label(letter, kept, shared, single) for letter in outputs))


def _unsaid_einsum(weight: Weight) -> Structure | None:
    """Without the equation the axes of the bias tell the outputs, where they are the kernel's last ones."""
    bias = weight.bias or ()
    inputs = len(weight.shape) - len(bias)
    if not bias or inputs < 1 or weight.shape[inputs:] != bias:
        return None
    outputs = _outputs(len(bias))
    labels = (*(f"input {number}" for number in range(inputs)), *outputs)
    return replace(_outputs_across(weight.shape, labels, outputs), assumed=True)


def _outputs(count: int) -> tuple[str, ...]:
    return ("unit",) if count == 1 else tuple(f"output {number}" for number in range(count))


def _outputs_across(shape: tuple[int, ...], labels: tuple[str, ...], outputs: tuple[str, ...]) -> Structure:
    dims = tuple((Axis(label, size),) for label, size in zip(labels, shape, strict=True))
    inputs = tuple(label for label in labels if label not in outputs)
    return Structure(
        dims,
        columns=outputs or labels[-1:],
        cuts=tuple(Cut((label,)) for label in outputs),
        unit=outputs[0] if outputs else "",
        part_columns=inputs[-1:],
    )


def _einsum_bias(weight: Weight) -> Structure | None:
    """Its axes are the output's last ones, whichever of them ``bias_axes`` names; the others have the size 1."""
    letters, kept, shared = weight.letters
    if not letters:
        labels = _outputs(len(weight.shape))
        structure = plain(*labels, unit=labels[0])(weight) if labels else None
        return structure and replace(structure, assumed=True)
    single = len([letter for letter in kept if letter not in shared]) == 1
    labels = tuple(_label(letter, kept, shared if letter in kept else letters, single) for letter in letters)
    return plain(*labels, unit=next((label for label in labels if not label.startswith(SHARED)), ""))(weight)


def _label(letter: str, kept: str, shared: str, single: bool) -> str:
    """The meaning of a letter; an output that stands alone counts the units."""
    if letter in shared:
        return SHARED + letter
    if letter in kept:
        return "unit" if single else f"output {letter}"
    return f"input {letter}"


def _locally_connected(weight: Weight) -> Structure | None:
    """Keras' first implementation: a kernel for each place of the output."""
    return plain("place", "input", "filter", unit="filter")(weight)


BUILDERS: dict[tuple[str, str], Builder] = {
    ("Dense", "kernel"): matrix("input", "unit", unit="unit"),
    ("Dense", "bias"): vector("unit"),
    ("Dense", "lora_kernel_a"): plain("input", "rank"),
    ("Dense", "lora_kernel_b"): plain("rank", "unit", unit="unit"),
    ("EinsumDense", "kernel"): _einsum_kernel,
    ("EinsumDense", "bias"): _einsum_bias,
    ("Embedding", "embeddings"): matrix("token", "dimension", unit="token"),
    ("Embedding", "lora_embeddings_a"): plain("token", "rank", unit="token"),
    ("Embedding", "lora_embeddings_b"): plain("rank", "dimension"),
    ("ReversibleEmbedding", "embeddings"): matrix("token", "dimension", unit="token"),
    ("ReversibleEmbedding", "reverse_embeddings"): matrix("dimension", "token", unit="token"),
    ("LocallyConnected1D", "kernel"): _locally_connected,
    ("LocallyConnected1D", "bias"): plain("place", "filter", unit="filter"),
    ("LocallyConnected2D", "kernel"): _locally_connected,
    ("LocallyConnected2D", "bias"): plain("row", "column", "filter", unit="filter"),
}
