"""Hostile text in HDF5: configurations, lists of names, and names that are meant for whoever shows them."""

from __future__ import annotations

import base64
import json
import marshal
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from cases import HARMLESS, KERNEL, MARKER, MIB, STATED, WHOLE, Place, case, register
from h5py import h5a, h5g, h5s, h5t

MODULE = "hostile_payload"
TEXT = h5py.string_dtype()


def names(place: Place, value: object, attribute: str = "layer_names") -> Path:
    """A legacy file with this list of layers, or of weights of the layer ``hostile``."""
    with place.legacy(libver="latest") as file:
        hostile = file.create_group("hostile")
        hostile["kernel"] = KERNEL
        hostile.attrs["weight_names"] = [b"kernel"]
        file.attrs["layer_names"] = [b"dense", b"hostile"]
        (file if attribute == "layer_names" else hostile).attrs[attribute] = value(file) if callable(value) else value
    return place.folder / "a.h5"


NAMES: dict[str, Any] = {
    "lead upwards": ["dense", "../../secrets/secret.h5", ".."],
    "are absolute": ["dense", "/etc/passwd", "/"],
    "are empty": ["dense", "", " "],
    "are dots": ["dense", ".", "./dense"],
    "hold NUL": lambda file: np.array([b"dense", b"de\0nse"], "S8"),
    "are doubled": ["dense"] * 1000,
    "are numbers": np.arange(5),
    "are one number": 1.5,
    "are a matrix": np.array([[b"dense", b"x"], [b"y", b"dense"]], "S8"),
    "are references": lambda file: np.array([file.ref, file.ref], h5py.ref_dtype),
    "are one text": "dense",
    "are no text at all": lambda file: h5py.Empty("S4"),
    "are bytes of no encoding": [b"dense", b"\xff\xfe\x80"],
    "are a million": lambda file: np.full(1_000_000, b"d", "S1"),
    "are as long as a book": lambda file: np.array([b"dense", b"n" * 10_000_000]),
}
for _name, _value in NAMES.items():
    register(f"layer names that {_name}", partial(names, value=_value), HARMLESS)
    register(f"weight names that {_name}", partial(names, value=_value, attribute="weight_names"), HARMLESS)


@case(HARMLESS)
def layer_names_in_a_hundred_thousand_pieces(place: Place) -> Path:
    with place.legacy(libver="latest") as file:
        space, kind = h5s.create(h5s.SCALAR), h5t.C_S1.copy()
        kind.set_size(5)
        for number in range(100_000):
            h5a.create(file.id, b"layer_names%d" % number, kind, space)
    return place.folder / "a.h5"


def config(place: Place, text: str | bytes) -> Path:
    """A legacy full model with this configuration."""
    with place.legacy(libver="latest") as file:
        group = file.create_group("model_weights")
        file.move("dense", "model_weights/dense")
        group.attrs["layer_names"] = [b"dense"]
        kind = TEXT if isinstance(text, str) else h5py.string_dtype("utf-8", len(text))
        file.attrs.create("model_config", text, dtype=kind)
    return place.folder / "a.h5"


def model(layers: object, **more: object) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": layers}, **more})


def dense(**more: object) -> dict[str, object]:
    settings = {"name": "dense", "units": 3, "use_bias": True}
    return {"class_name": "Dense", "config": settings, "module": "keras.layers", "registered_name": None} | more


def nested(depth: int, opening: str, closing: str, inside: str = "null") -> str:
    return opening * depth + inside + closing * depth


CODE = base64.b64encode(marshal.dumps(compile(f"open({MARKER!r}, 'w')", "<lambda>", "exec"))).decode()
LAYERS = '{"class_name": "Functional", "config": {"layers": ['
INNER = '{"class_name": "Wrapper", "config": {"layer": '
UNREADABLE = {
    "that is no JSON": "import os; os.system('true')",
    "of nothing": "",
    "of 300 MB of spaces": b" " * (300 * MIB),
    "of 300 MB of brackets": b"[" * (300 * MIB),
    "100,000 lists deep": nested(100_000, "[", "]"),
    "100,000 objects deep": nested(100_000, '{"config": ', "}"),
    "with a number of 100,000 digits": model([dense(config={"name": "dense", "units": 0})]).replace(
        '"units": 0', f'"units": {"9" * 100_000}'
    ),
}
# A configuration that makes no sense costs the layers' classes, or the file; it never costs the notebook.
HOSTILE_CONFIGS: dict[str, str] = {
    "that names modules": model(
        [dense(module=MODULE, class_name="system", registered_name=f"{MODULE}>run")], module=MODULE
    ),
    "with a Lambda of marshalled code": model(
        [
            dense(class_name="Lambda", config={"name": "dense", "function": [CODE, None, None]}),
            {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}},
        ]
    ),
    "with a command": model([dense(module="os", class_name="system", config={"command": f"touch {MARKER}"})]),
    "with addresses": model(
        [dense(config={"name": "dense", "vocabulary": "http://127.0.0.1:9/v", "path": "file:///etc/passwd"})]
    ),
    "with NaN and Infinity": '{"class_name": "Sequential", "config": {"layers": [], "a": NaN, "b": -Infinity}}',
    "with a number of 1e999": '{"class_name": "Sequential", "config": {"layers": [], "a": 1e999}}',
    "with doubled keys": '{"config": {"layers": 5}, "class_name": 3, "config": {"layers": []}}',
    "that is a list": "[]",
    "that is a number": "5",
    "that is null": "null",
    "whose layers are an object": model({"a": 1}),
    "whose layers are of all kinds": model([None, 1, "dense", [], {}, {"config": None}, {"config": []}, dense()]),
    "whose names are no text": model(
        [{"class_name": ["Dense"], "config": {"name": {"a": 1}}}, dense(config={"name": 5}), dense(class_name=None)]
    ),
    "with 100,000 layers": model([dense(config={"name": f"dense_{number}"}) for number in range(100_000)]),
    "with 100,000 layers of one name": model([dense()] * 100_000),
    "with models nested 400 deep": nested(400, LAYERS, "]}}"),
    "with models nested 5000 deep": nested(5000, LAYERS, "]}}"),
    "with wrappers nested 400 deep": model([json.loads(nested(400, INNER, "}}", json.dumps(dense())))]),
    "with lone surrogates": r'{"class_name": "\ud800", "config": {"name": "\udfff", "layers": []}}',
}
for _name, _text in UNREADABLE.items():
    register(f"a configuration {_name}", partial(config, text=_text), HARMLESS)
for _name, _text in HOSTILE_CONFIGS.items():
    register(f"a configuration {_name}", partial(config, text=_text), HARMLESS)
for _name in ("that names modules", "with a Lambda of marshalled code", "with a command", "with addresses"):
    register(f"a good file with a configuration {_name}", partial(config, text=HOSTILE_CONFIGS[_name]), WHOLE)

ABSURD = (-1, 0, 10**30, 1.5, "x" * 1000, None, True, [], {}, [[1] * 100] * 100)
CLASSES = """
    Dense EinsumDense Embedding Conv2D Conv2DTranspose DepthwiseConv2D SeparableConv2D LSTM GRU
    ConvLSTM2D RNN Bidirectional TimeDistributed BatchNormalization LayerNormalization
    GroupNormalization MultiHeadAttention GroupQueryAttention SpectralNormalization Normalization
    PReLU TextVectorization
"""
SETTINGS = """
    units filters groups kernel_size depth_multiplier use_bias axis center scale reset_after
    equation bias_axes num_heads key_dim layer cell cells forward_layer dtype quantization_config
    lora_rank input_dim vocabulary
"""


def absurd(place: Place, value: object) -> Path:
    layers = [
        {"class_name": name, "config": {"name": "dense", **dict.fromkeys(SETTINGS.split(), value)}}
        for name in CLASSES.split()
    ]
    return config(place, model(layers))


for _value in ABSURD:
    register(f"settings that are all {str(_value)[:20]}", partial(absurd, value=_value), HARMLESS)


def called(place: Place, name: bytes) -> Path:
    with place.hdf5() as file:
        group = h5g.create(file["layers"].id, name)
        h5py.Group(group)["vars/0"] = KERNEL
        h5py.Group(group)["vars"].attrs["name"] = np.bytes_(name[:1000])
    return place.folder / "a.weights.h5"


DISPLAYED: dict[str, bytes] = {
    "markup": b"<img src=x onerror=alert(1)><script>alert(2)<\\script>",
    "marks that turn the text round": "\u202egnirts\u2066 \u200f\u200b\ufeff".encode(),
    "control characters": b"a\x1b[2J\x07\r\nb\x7f",
    "ten thousand letters": b"n" * 10_000,
    "a million letters": b"n" * 1_000_000,
    "no encoding": b"\xff\xfe\x80\xc3",
    "an encoded surrogate": b"\xed\xa0\x80",
    "a space": b" ",
    "a name of Python's": b"__class__",
    "a formula": b'=cmd|" calc"!A1',
}
for _name, _bytes in DISPLAYED.items():
    register(f"a layer called {_name}", partial(called, name=_bytes), HARMLESS)


@case(STATED)
def an_attribute_that_declares_a_terabyte(place: Place) -> Path:
    with place.legacy() as file:
        file.attrs["layer_names"] = np.array([b"dense", b"hostile"], "S8")
    path = place.folder / "a.h5"
    data = bytearray(path.read_bytes())
    at = data.index(b"layer_names\0")
    # The name is followed by the type and, in the older kind of dataspace, by rank and dimensions.
    space = data.index((2).to_bytes(8, "little"), at)
    data[space : space + 8] = (1 << 37).to_bytes(8, "little")
    path.write_bytes(data)
    return path


@case(HARMLESS)
def a_text_in_the_heap_that_is_longer_than_the_heap(place: Place) -> Path:
    path = config(place, model([dense()]))
    data = bytearray(path.read_bytes())
    length = len(model([dense()]))
    needle = length.to_bytes(4, "little")
    while needle in data:
        at = data.index(needle)
        data[at : at + 4] = (0x7FFFFFFF).to_bytes(4, "little")
    path.write_bytes(data)
    return path
