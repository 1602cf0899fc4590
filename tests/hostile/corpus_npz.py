"""Numpy weights of an archive: pickles for whoever unpickles, headers for whoever evaluates, sizes."""

from __future__ import annotations

import builtins
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from cases import HARMLESS, KERNEL, MARKER, MIB, STATED
from corpus_zip import add, bomb, members
from zipmaker import DEFLATED, U32, Member, archive


class Call:
    """Whoever unpickles this calls a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.function, self.arguments


def npz(data: bytes) -> bytes:
    """An archive of weights with these bytes for two layers."""
    files = {"layers/dense": data, "layers/hostile": data}
    return archive([Member(f"{name}.npy".encode(), data) for name, data in files.items()])


def npy(header: bytes, data: bytes = b"", length: int | None = None, version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def _shape(shape: str, descr: str = "'<f4'", data: bytes = bytes(24)) -> bytes:
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode(), data)


TOUCH = f"touch {MARKER}"
PICKLES = {
    "that runs a command": pickle.dumps(Call(os.system, TOUCH)),
    "that runs a command inside what Keras writes": pickle.dumps({"0": KERNEL, "1": Call(os.system, TOUCH)}),
    "that evaluates": pickle.dumps({"0": Call(builtins.eval, f"open({MARKER!r}, 'w')")}),
    "that imports": b"chostile_payload\nrun\n)R.",
    "that gets an attribute of an attribute": b"\x80\x04\x8c\x05numpy\x8c\x0ef2py.os.system\x93\x8c"
    + bytes([len(TOUCH)])
    + TOUCH.encode()
    + b"\x85R.",
    "of 2^62 bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"a.",
    "of a buffer of 1 TB": pickle.dumps(Call(bytearray, 1 << 40)),
    "of a repetition": pickle.dumps(Call(np.ones, (1 << 20, 1 << 20))),
    "of tuples that hold two of the last": b"\x80\x02)" + b"2\x86" * 60 + b".",
    "nested 100,000 deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "cut off": pickle.dumps({"0": KERNEL})[:-20],
}
NPY = {
    **{f"a pickle {name}": _shape("()", "'|O'", data) for name, data in PICKLES.items()},
    "a pickle alone": PICKLES["that runs a command"],
    "an expression": npy(
        b"{'descr': __import__('os').system('touch " + MARKER.encode() + b"'), 'fortran_order': False, 'shape': (1,)}\n"
    ),
    "a huge shape": _shape("(1152921504606846976,)"),
    "a negative shape": _shape("(-1, -6)"),
    "a shape that overflows": _shape("(4294967296, 4294967296)"),
    "a shape of booleans": _shape("(True, 6)"),
    "a shape of text": _shape("('a',)"),
    "100,000 brackets": npy(b"(" * 60_000),
    "a header of 4 GB": npy(b"{}", length=U32, version=2),
    "a header of no end": npy(b"{" + b" " * (4 * MIB), version=2),
    "elements of 1 GB": _shape("(0,)", "'|V1000000000'"),
    "fields": _shape("(1,)", "[('a', '<f4'), ('b', '|O')]"),
    "an unknown version": npy(b"{}", version=9),
    "nothing": b"",
    "a bomb's size": _shape("(268435456,)"),
}
for _name, _npy in NPY.items():
    add(
        f"numpy weights that hold {_name}",
        STATED if _name.startswith(("a pickle", "an expr")) else HARMLESS,
        partial(lambda data: archive(members(weights=Member(b"model.weights.npz", npz(data)))), _npy),
    )
add(
    "numpy weights that are a bomb",
    HARMLESS,
    lambda: archive(
        members(
            weights=Member(
                b"model.weights.npz",
                archive([Member(b"layers/dense.npy", zlib.compress(npy(b"{}"))[2:-4], DEFLATED), bomb(b"b.npy")]),
            )
        )
    ),
)
add("both kinds of weights", HARMLESS, lambda: archive([*members(), Member(b"model.weights.npz", npz(b""))]))
