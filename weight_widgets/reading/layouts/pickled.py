"""What numpy pickles for a dict of arrays, read as data: nothing is unpickled, imported or called.

A pickle is a program. This reads the few instructions that such a dict needs, makes plain values of them, and refuses
all others. The arrays' bytes are not loaded: where they lie in the file is what comes out.

Keras 3 pickles its variables whole, with the settings around their values. Their class is a mere name here, and so is
that of jax' arrays, which are numpy's inside.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...errors import DamagedFileError, UnsafeFileError
from ..files import Span

__all__ = ["FOREIGN", "Budget", "PickledArray", "read_pickled"]

# Types that numpy does not have, by the name that the package ml_dtypes gives them, and their size.
FOREIGN = {"bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1}
NATIVE = re.compile(r"b1|[iu][1248]|f[248]")
MAX_TEXT = 4096
MAX_DIMENSIONS = 32

MAKE, ARRAY, TYPE, BUFFER, SCALAR = "_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar"
JAX, KERAS = "_reconstruct_array", "a class of Keras"
GLOBALS = {
    ("numpy", ARRAY): ARRAY,
    ("numpy", TYPE): TYPE,
    **{(f"numpy.{core}.multiarray", name): name for core in ("core", "_core") for name in (MAKE, SCALAR)},
    **{(f"numpy.{core}.numeric", BUFFER): BUFFER for core in ("core", "_core")},
    **{("ml_dtypes", name): name for name in FOREIGN},
    ("jax._src.array", JAX): JAX,
}
# Where a variable of Keras has its array.
VALUE = "_value"

PROTO, FRAME, STOP, MARK = b"\x80", b"\x95", b".", b"("
CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
INTEGERS = {b"K": "<B", b"M": "<H", b"J": "<i"}
TEXTS = {b"\x8c": "<B", b"X": "<I", b"\x8d": "<Q"}
BYTES = {b"C": "<B", b"B": "<I", b"\x8e": "<Q", b"\x96": "<Q"}
PUTS = {b"q": "<B", b"r": "<I"}
GETS = {b"h": "<B", b"j": "<I"}
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}


class Symbol(NamedTuple):
    """A global that the pickle names; nothing but its name."""

    name: str


class Budget:
    """How much work all the pickles of a file may make together."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int, where: str) -> None:
        self.left -= steps
        if self.left < 0:
            raise UnsafeFileError(f"{where} holds more instructions than any model's weights need; it is not read.")


@dataclass(eq=False)
class PickledType:
    code: str
    order: str = ""


@dataclass(eq=False)
class PickledArray:
    """An array as the pickle describes it; `content` is where its bytes lie, or a list for one of Python objects."""

    shape: tuple[int, ...] = ()
    code: str = "O"
    order: str = "|"
    fortran: bool = False
    content: Span | list[Any] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"|V{FOREIGN[self.code]}" if self.code in FOREIGN else self.order + self.code)


@dataclass(eq=False)
class PickledObject:
    """An object of Keras' with what it holds."""

    state: dict[str, Any] = field(default_factory=dict)


def read_pickled(data: io.BufferedIOBase, end: int, where: str, budget: Budget) -> dict[str, PickledArray]:
    """The arrays of the pickled dict that starts here and ends before `end`.

    Raises
    ------
    UnsafeFileError
        It asks for anything that a dict of arrays does not need.
    DamagedFileError
    """
    machine = _Machine(data, end, where, budget)
    try:
        whole = machine.run()
    except (IndexError, KeyError, TypeError, ValueError, OSError, struct.error) as error:
        raise DamagedFileError(
            f"{where} is no pickled dict of arrays ({error or type(error).__name__}). Copy or save it again."
        ) from error
    content = whole.content if isinstance(whole, PickledArray) else None
    found = content[0] if isinstance(content, list) and len(content) == 1 else None
    arrays = {}
    for name, value in (found if isinstance(found, dict) else {"": found}).items():
        array = value.state.get(VALUE) if isinstance(value, PickledObject) else value
        if not isinstance(array, PickledArray) or not isinstance(array.content, Span):
            raise UnsafeFileError(f"{where} holds a pickle of something else than a dict of arrays; it is not read.")
        arrays[name] = array
    return arrays


class _Machine:
    """The stack and the memo of a pickle's program."""

    def __init__(self, data: io.BufferedIOBase, end: int, where: str, budget: Budget) -> None:
        self.data, self.at, self.end, self.where, self.budget = data, data.tell(), end, where, budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while (opcode := self.take(1)) != STOP:
            self.budget.spend(1, self.where)
            self.step(opcode)
        return self.stack.pop()

    def step(self, opcode: bytes) -> None:
        push = self.stack.append
        if opcode in CONSTANTS:
            push(CONSTANTS[opcode])
        elif opcode in INTEGERS:
            push(self.number(INTEGERS[opcode]))
        elif opcode in TEXTS:
            push(self.text(self.number(TEXTS[opcode])))
        elif opcode in BYTES:
            push(self.span(self.number(BYTES[opcode])))
        elif opcode in PUTS:
            self.memo[self.number(PUTS[opcode])] = self.stack[-1]
        elif opcode in GETS:
            push(self.memo[self.number(GETS[opcode])])
        elif opcode in TUPLES:
            count = TUPLES[opcode]
            self.stack[-count:] = [tuple(self.stack[-count:])]
        elif opcode in STEPS:
            STEPS[opcode](self)
        else:
            raise UnsafeFileError(
                f"{self.where} holds the pickle instruction {opcode!r}, which no dict of arrays needs; it is not read."
            )

    def take(self, count: int) -> bytes:
        if count > self.end - self.at:
            raise ValueError("it is cut off")
        self.at += count
        return self.data.read(count)

    def number(self, form: str) -> int:
        (value,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(value)

    def text(self, length: int) -> str:
        if length > MAX_TEXT:
            raise UnsafeFileError(f"{self.where} holds a name of {length} bytes; it is not read.")
        self.budget.spend(length // 16, self.where)
        return self.take(length).decode("utf-8")

    def span(self, length: int) -> Span:
        if length > self.end - self.at:
            raise ValueError("it is cut off")
        self.at += length
        self.data.seek(length, os.SEEK_CUR)
        return Span(self.at - length, length)

    def above_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not MARK:
            items.append(item)
        return items[::-1]

    def symbol(self, module: Any, name: Any) -> Symbol:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a global has no name")
        if (module, name) in GLOBALS:
            return Symbol(GLOBALS[module, name])
        if module.startswith("keras."):
            return Symbol(KERAS)
        raise UnsafeFileError(
            f"{self.where} asks for {f'{module}.{name}'[:200]}, which no dict of arrays needs. Nothing of it was run. "
            "If the model is yours, save it again with its weights in HDF5."
        )

    def protocol(self) -> None:
        if not 2 <= self.number("<B") <= 5:
            raise ValueError("it has an unknown protocol")

    def long(self) -> None:
        length = self.number("<B")
        if length > 8:
            raise ValueError("a number is too large")
        self.stack.append(int.from_bytes(self.take(length), "little", signed=True))

    def named(self) -> None:
        """A global whose module and name follow as two lines."""
        lines = []
        for _ in range(2):
            line = self.data.readline(min(MAX_TEXT, self.end - self.at))
            self.at += len(line)
            self.budget.spend(len(line) // 16, self.where)
            if not line.endswith(b"\n"):
                raise ValueError("a global has no name")
            lines.append(line[:-1].decode("utf-8"))
        self.stack.append(self.symbol(*lines))

    def named_on_stack(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(self.symbol(module, name))

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        keys, values = items[::2], items[1::2]
        if type(target) is not dict or len(keys) != len(values) or not all(isinstance(key, str) for key in keys):
            raise ValueError("a dict is filled wrongly")
        if len({*keys, *target}) < len(keys) + len(target):
            raise ValueError("a dict has a key twice")
        target.update(zip(keys, values, strict=True))

    def append_items(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise ValueError("a list is filled wrongly")
        self.stack[-1].extend(items)

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        name = function.name if isinstance(function, Symbol) else ""
        if name == MAKE and isinstance(arguments[0], Symbol) and arguments[0].name == ARRAY:
            made: Any = PickledArray()
        elif name == TYPE:
            code = arguments[0].name if isinstance(arguments[0], Symbol) else arguments[0]
            if not isinstance(code, str) or not (code in FOREIGN or code == "O8" or NATIVE.fullmatch(code)):
                raise ValueError("it has a type that no weight has")
            made = PickledType(code)
        elif name == BUFFER:
            content, kind, shape, order = arguments
            made = _filled(PickledArray(), shape, kind, order == "F", content)
        elif name == SCALAR:
            made = _filled(PickledArray(), (), arguments[0], False, arguments[1])
        elif name == JAX:
            made = _restored(PickledArray(), arguments[2])
        else:
            raise UnsafeFileError(f"{self.where} calls what is no function of numpy's; it is not read.")
        self.stack.append(made)

    def new_object(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if not isinstance(kind, Symbol) or kind.name != KERAS or arguments != ():
            raise UnsafeFileError(f"{self.where} makes an object that is no variable of Keras'; it is not read.")
        self.stack.append(PickledObject())

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, PickledObject) and isinstance(state, dict):
            target.state = state
        elif isinstance(target, PickledType):
            # A change of byte order behind an array's back would change what it says.
            if state[1] not in ("<", ">", "|", "=") or target.order:
                raise ValueError("a type has no byte order")
            target.order = state[1]
        elif isinstance(target, PickledArray) and target.content is None:
            _restored(target, state)
        else:
            raise ValueError("a state belongs to nothing")


def _restored(array: PickledArray, state: Any) -> PickledArray:
    """The array with the state that numpy pickled for it."""
    _, shape, kind, fortran, content = state
    return _filled(array, shape, kind, bool(fortran), content)


def _filled(array: PickledArray, shape: Any, kind: Any, fortran: bool, content: Any) -> PickledArray:
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("an array has no shape")
    if not all(type(size) is int and size >= 0 for size in shape) or not isinstance(kind, PickledType):
        raise ValueError("an array has no shape or type")
    array.shape, array.code, array.order, array.fortran = shape, kind.code, kind.order, fortran
    if kind.code == "O8":
        if not isinstance(content, list):
            raise ValueError("an array of objects has none")
    elif not isinstance(content, Span) or content.length != math.prod(shape) * array.dtype.itemsize:
        raise ValueError("an array has not the bytes that its shape needs")
    array.content = content
    return array


STEPS: dict[bytes, Callable[[_Machine], object]] = {
    PROTO: _Machine.protocol,
    # A floating-point number is a setting of a regularizer, and no weight.
    b"G": lambda machine: machine.stack.append(machine.take(8)),
    FRAME: lambda machine: machine.take(8),
    MARK: lambda machine: machine.stack.append(MARK),
    b"t": lambda machine: machine.stack.append(tuple(machine.above_mark())),
    b"]": lambda machine: machine.stack.append([]),
    b"}": lambda machine: machine.stack.append({}),
    b"\x94": lambda machine: machine.memo.update({len(machine.memo): machine.stack[-1]}),
    b"\x8a": _Machine.long,
    b"c": _Machine.named,
    b"\x93": _Machine.named_on_stack,
    b"a": lambda machine: machine.append_items([machine.stack.pop()]),
    b"e": lambda machine: machine.append_items(machine.above_mark()),
    b"s": lambda machine: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    b"u": lambda machine: machine.set_items(machine.above_mark()),
    b"R": _Machine.call,
    b"\x81": _Machine.new_object,
    b"b": _Machine.build,
}
