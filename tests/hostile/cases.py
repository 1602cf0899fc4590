"""What a case of the corpus is: a function that makes a hostile file, and what must become of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

KERNEL = np.arange(6, dtype="f4").reshape(2, 3)
BIAS = np.arange(3, dtype="f4")
MARKER = "EXECUTED"
MIB = 1 << 20


@dataclass(frozen=True)
class Expectation:
    """How opening may end.

    Parameters
    ----------
    errors : frozenset of str
        The errors that it may raise.
    opens : str
        ``""``: it must raise; ``"whole"``: every tensor can be read; ``"omitted"``: the layer ``hostile`` is among the
        skipped, or reading it is an error, and the layer ``dense`` beside it is right; ``"harmless"``: whatever is
        listed can be read or is an error of ours.
    seconds : float
        The time that opening may take.
    """

    errors: frozenset[str]
    opens: str
    seconds: float = 10.0


REFUSALS = frozenset({"UnsafeFileError", "DamagedFileError", "UnsupportedFileError", "NotKerasError"})
REFUSED = Expectation(REFUSALS, "")
OMITTED = Expectation(frozenset(), "omitted")
STATED = Expectation(REFUSALS, "omitted")
WHOLE = Expectation(frozenset(), "whole")
HARMLESS = Expectation(REFUSALS, "harmless")


def raises(*errors: str) -> Expectation:
    return Expectation(frozenset(errors), "")


@dataclass(frozen=True)
class Place:
    """Where a case makes its files.

    Parameters
    ----------
    folder : pathlib.Path
        Its own, empty.
    secrets : pathlib.Path
        Files outside of it that nothing may touch: ``secret.h5``, ``secret.bin`` and ``fifo``, at which a reader hangs.
    """

    folder: Path
    secrets: Path

    @property
    def secret(self) -> Path:
        return self.secrets / "secret.h5"

    @property
    def fifo(self) -> Path:
        return self.secrets / "fifo"

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        return path

    @contextmanager
    def hdf5(self, name: str = "a.weights.h5", **options: object) -> Iterator[h5py.File]:
        """A Keras 3 weights file with one honest layer, ``dense``, and room for another, ``hostile``."""
        with h5py.File(self.folder / name, "w", **options) as file:
            honest = file.create_group("layers/dense/vars")
            honest["0"], honest["1"] = KERNEL, BIAS
            file.create_group("layers/hostile/vars")
            yield file

    @contextmanager
    def legacy(self, name: str = "a.h5", **options: object) -> Iterator[h5py.File]:
        """A legacy weights file with the honest layer ``dense``; the attribute ``layer_names`` is the case's to set."""
        with h5py.File(self.folder / name, "w", **options) as file:
            group = file.create_group("dense")
            group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
            group["dense/kernel:0"], group["dense/bias:0"] = KERNEL, BIAS
            yield file


def make_secrets(folder: Path) -> Path:
    folder.mkdir()
    with h5py.File(folder / "secret.h5", "w") as file:
        file["layers/dense/vars/0"] = KERNEL
    (folder / "secret.bin").write_bytes(b"SECRET. " * 64)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "fifo")
    return folder


@dataclass(frozen=True)
class Case:
    make: Callable[[Place], Path]
    expected: Expectation


CASES: dict[str, Case] = {}


def case(expected: Expectation) -> Callable[[Callable[[Place], Path]], Callable[[Place], Path]]:
    """Add the decorated function to the corpus, under its own name in words."""

    def add(make: Callable[[Place], Path]) -> Callable[[Place], Path]:
        register(make.__name__.replace("_", " "), make, expected)
        return make

    return add


def register(name: str, make: Callable[[Place], Path], expected: Expectation) -> None:
    if name in CASES:
        raise ValueError(f"two cases are called {name!r}")
    CASES[name] = Case(make, expected)
