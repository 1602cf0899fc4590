"""`open_checkpoint`: a file becomes a `Checkpoint`, a mapping of layers whose values are read when asked for."""

from __future__ import annotations

import contextlib
import gc
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from ..display import numbered
from ..errors import InputError, WeightWidgetsError
from .arrays import Array
from .dtypes import decoded
from .expected import contradicted
from .fetching import Passed
from .interpretation import Interpreted, interpreted
from .layouts import LayerWeights, Listing, live, mapping, read_listing
from .meanings import structures
from .roles import in_order, infer_class, writes
from .structure import Index, Structure, generic
from .tensors import Layer, Skipped, Tensor

__all__ = ["Checkpoint", "open_checkpoint"]


UNNAMED = re.compile(r"(param_)?\d+")
HONEST = re.compile(r"(.*/)?weight \d+")


class Checkpoint(Mapping[str, Layer]):
    """One saved network: a mapping from layer paths to layers, in model order where the file tells it.

    Attributes
    ----------
    name : str
        The label that the interface shows.
    path : pathlib.Path or None
        None for what was in memory.
    format : str
        The kind of file, in words; ``"live Keras model"`` or ``"arrays in memory"`` for what was none.
    keras_version : str
        As the file says; ``""`` when it does not.
    training : mapping of str to Tensor
        The optimizer's state, kept apart from the weights.
    model : LayerConfig or None
        The model's configuration as a tree of layers, those without weights included; None where the file has none.
    optimizer : mapping
        The optimizer's class and settings as Keras serialises them; empty where the file does not tell.
    skipped : tuple of Skipped
        What is in the file and is neither, each with its reason.
    notes : tuple of str
        Sentences about what in the file does not fit together.

    Notes
    -----
    Nothing in the file is executed. The file is opened for each read and closed again, never locked.
    """

    def __init__(self, listing: Listing, name: str, path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self.format = listing.format
        self.keras_version = listing.keras_version
        self.model = listing.model
        self.optimizer = listing.optimizer
        # One for all: there are thousands of tensors, and the collector walks whatever is held.
        self._open_still = self._unless_closed
        self._closed = False
        read = [interpreted(found, listing.keras_version) for found in listing.layers]
        self.skipped: tuple[Skipped, ...] = (*listing.skipped, *(entry for layer in read for entry in layer.skipped))
        self.notes: tuple[str, ...] = (*listing.notes, *(note for layer in read for note in layer.notes))
        self.training: Mapping[str, Tensor] = {
            array.path.lstrip("/"): self._tensor(array.path.lstrip("/"), array)
            for array in (decoded(array).array for array in listing.training)
        }
        layers = [
            self._layer(found, weights) for found, weights in zip(listing.layers, read, strict=True) if weights.weights
        ]
        names = numbered(layer.name for layer in layers)
        self.layers: Mapping[str, Layer] = {
            name: layer if layer.name == name else replace(layer, name=name)
            for name, layer in zip(names, layers, strict=True)
        }

    def __getitem__(self, name: str) -> Layer:
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<Checkpoint {self.name!r}: {len(self)} layers, {self.num_params:,} parameters, {self.format}>"

    @cached_property
    def tensors(self) -> Mapping[tuple[str, str], Tensor]:
        """Every tensor under its address, the pair (layer, tensor)."""
        return {(layer, name): tensor for layer, tensors in self.items() for name, tensor in tensors.items()}

    @cached_property
    def num_tensors(self) -> int:
        """Number of tensors, which `tensors` need not be made for."""
        return sum(map(len, self.layers.values()))

    @cached_property
    def num_params(self) -> int:
        """Number of weights, those that are not trained included."""
        return sum(tensor.size for layer in self.layers.values() for tensor in layer.tensors.values())

    def close(self) -> None:
        """Refuse further reads. Layers, names and shapes stay."""
        self._closed = True

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _layer(self, found: LayerWeights, read: Interpreted) -> Layer:
        shapes = {name: array.shape for name, array in read.weights.items()}
        class_name = found.class_name or infer_class(shapes)
        meanings = structures(class_name, found.config, shapes, contradicted(found, found.build))
        for name, array in read.weights.items():
            if not found.config and UNNAMED.fullmatch(array.path.rpartition("/")[2]):
                # Where the file numbers its arrays, names such as kernel are a guess too.
                guessed = not HONEST.fullmatch(name)
                if meanings[name].assumed != guessed:
                    meanings[name] = replace(meanings[name], assumed=guessed)
        tensors = {
            name: self._tensor(name, read.weights[name], meanings[name], read.codes.get(name))
            for name in in_order(read.weights)
        }
        assumed = bool(class_name) and not writes(class_name, found.config)
        return Layer(found.name, class_name, found.config, assumed, tensors)

    def _tensor(
        self, name: str, array: Array, structure: Structure | None = None, codes: Array | None = None
    ) -> Tensor:
        integers = self._tensor(f"{name} codes", codes) if codes else None
        fetch, meaning = Passed(array.fetch, self._open_still), structure or generic(array.shape)
        return Tensor(name, array.dtype, meaning, fetch, array.stored, integers, array.origin, array.path)

    def _unless_closed(self, index: Index) -> Index:
        if self._closed:
            raise WeightWidgetsError(f"{self.path or self.name} was closed; open it again with open_checkpoint.")
        return index


def open_checkpoint(
    source: str | os.PathLike[str] | live.LiveModel | Mapping[str, Any], name: str | None = None
) -> Checkpoint:
    """Open saved weights for reading; Keras itself is not needed and nothing in a file is executed.

    Parameters
    ----------
    source : str, os.PathLike, keras.Model or mapping
        A ``.h5`` (full model or weights), ``.weights.h5``, ``.keras``, ``.weights.json`` (sharded weights) or
        ``.safetensors`` file; what it is, is told by its content. Or a live Keras model, or arrays:
        ``{"dense/kernel": array}``, ``{"dense": {"kernel": array}}``, ``{"dense": layer.get_weights()}``.
    name : str, optional
        The label; by default the file's name without its suffixes, the model's name, or ``"arrays"``.

    Returns
    -------
    Checkpoint
        Of a file it is lazy: names, shapes and dtypes are read now, values when they are asked for. Of a model or of
        arrays it is a snapshot: the values are copied now, so that training on does not change them.

    Raises
    ------
    InputError
        The source is none of these, or holds something that is no array of numbers.
    MissingFileError
        There is no such file.
    NotKerasError
        The file is of no kind that is read, or holds no Keras weights.
    DamagedFileError, UnsupportedFileError
        A Keras file that is damaged, or of a kind that is not read yet.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> model = ww.open_checkpoint("lstm.h5")        # doctest: +SKIP
    >>> model["lstm_1"]["recurrent_kernel"].parts["forget"].read().shape    # doctest: +SKIP
    (64, 64)
    """
    with _collector_paused():
        return _open(source, name)


def _open(source: Any, name: str | None) -> Checkpoint:
    if live.matches(source):
        return Checkpoint(live.read(source), str(source.name) if name is None else name)
    if isinstance(source, Mapping) and not isinstance(source, Checkpoint):
        return Checkpoint(mapping.read(source), "arrays" if name is None else name)
    path = file_path(source)
    return Checkpoint(read_listing(path), file_label(path) if name is None else name, path)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection for the second that a large file takes.

    All that is made then stays; walking it again and again would take longer than the rest.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def file_path(source: object) -> Path:
    """The path that the user means; an `InputError` for what is no path."""
    try:
        # Path.expanduser raises where there is no such user; this leaves the path as it is.
        return Path(os.path.expanduser(source))  # type: ignore[call-overload]  # noqa: PTH111
    except TypeError:
        text = repr(source)
        raise InputError(
            f"{text if len(text) <= 80 else text[:80] + '…'} is neither a path nor a checkpoint, a model or a mapping "
            f"of arrays. {_advice(source)}"
        ) from None


def _advice(source: object) -> str:
    if isinstance(source, Checkpoint):
        return "It is open already."
    if hasattr(source, "get_weights"):
        return "Give the model, or {layer.name: layer.get_weights()}."
    if hasattr(source, "__array__"):
        return 'Give its name with it: {"layer/tensor": array}.'
    if isinstance(source, list | tuple):
        return 'Pass paths one by one: ww.compare(*paths). Name arrays: {"layer": arrays}.'
    return "Give a path."


def file_label(path: Path) -> str:
    """A file's name without what all such files end in: ``"a.weights.h5"`` → ``"a"``."""
    name = path.name
    for suffix in (".weights.h5", ".weights.json", ".h5", ".hdf5", ".keras", ".safetensors"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
