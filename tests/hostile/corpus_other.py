"""Sharded files, safetensors, and paths that are no files."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
from cases import BIAS, HARMLESS, KERNEL, MIB, REFUSALS, REFUSED, WHOLE, Expectation, Place, case, raises, register
from corpus_zip import CONFIG, WEIGHTS

MISSING = raises("MissingFileError", "UnsafeFileError", "NotKerasError", "DamagedFileError", "UnsupportedFileError")


def shards(place: Place, weight_map: object, **more: object) -> Path:
    """A sharded file of two honest shards, and this map."""
    with h5py.File(place.folder / "x_00000.weights.h5", "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = KERNEL, BIAS
    with h5py.File(place.folder / "x_00001.weights.h5", "w") as file:
        file["layers/hostile/vars/0"] = KERNEL
    content = {"metadata": {"total_size": 60}, "weight_map": weight_map, **more}
    return place.write("x.weights.json", json.dumps(content))


def hostile_shard(place: Place, target: Callable[[Place], object]) -> Path:
    return shards(place, {"/layers/dense/vars": "x_00000.weights.h5", "/layers/hostile/vars": target(place)})


SHARDS: dict[str, Callable[[Place], object]] = {
    "leads upwards": lambda place: f"../{place.secrets.name}/secret.h5",
    "leads upwards with backslashes": lambda place: f"..\\{place.secrets.name}\\secret.h5",
    "is absolute": lambda place: str(place.secret),
    "is the map itself": lambda place: "x.weights.json",
    "is a fifo": lambda place: f"../{place.secrets.name}/fifo",
    "is missing": lambda place: "x_00007.weights.h5",
    "is empty": lambda place: "",
    "is a folder": lambda place: ".",
    "is a number": lambda place: 5,
    "is null": lambda place: None,
    "is a list of lists": lambda place: [["x_00001.weights.h5"]],
    "is listed a hundred thousand times": lambda place: ["x_00001.weights.h5"] * 100_000,
    "is a hundred thousand files": lambda place: [f"x_{number:05}.weights.h5" for number in range(100_000)],
    "has NUL in its name": lambda place: "x_00001\0.weights.h5",
    "has a name of a million letters": lambda place: "x" * 1_000_000,
    "is an address": lambda place: "http://127.0.0.1:9/x.weights.h5",
}
for _name, _target in SHARDS.items():
    _harmless = "listed" in _name or "NUL" in _name
    register(
        f"a shard that {_name}",
        partial(hostile_shard, target=_target),
        HARMLESS if _harmless else Expectation(REFUSALS | {"MissingFileError"}, "omitted"),
    )
for _map in ({}, [], None, "x", {"a": {}}, {"/layers/dense/vars": []}):
    register(f"a map of shards that is {_map!r}", partial(shards, weight_map=_map), HARMLESS)


def linked_shard(place: Place, target: str) -> Path:
    path = hostile_shard(place, lambda _: "x_00009.weights.h5")
    (place.folder / "x_00009.weights.h5").symlink_to(place.secrets / target)
    return path


# A link beside the map may be the user's own (a cache of models holds such); what it leads to is a file of weights.
register("a shard that is a link to a fifo", partial(linked_shard, target="fifo"), HARMLESS)


@case(HARMLESS)
def a_map_of_a_million_shards(place: Place) -> Path:
    return shards(place, {f"/layers/dense_{number}/vars": "x_00000.weights.h5" for number in range(1_000_000)})


@case(HARMLESS)
def a_map_of_shards_100_000_deep(place: Place) -> Path:
    return place.write("x.weights.json", '{"weight_map": ' + '{"a":' * 100_000)


DATA = KERNEL.tobytes() * 2 + BIAS.tobytes()


def safetensors(place: Place, header: object, data: bytes = DATA, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = (len(text) if length is None else length) % (1 << 64)
    return place.write("a.safetensors", size.to_bytes(8, "little") + text + data)


def tensor(begin: Any = 0, end: Any = 24, dtype: Any = "F32", shape: Any = (2, 3)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def _entries(name: str = "hostile.kernel", **fields: Any) -> dict[str, Any]:
    honest = {"dense.kernel": tensor(), "dense.bias": tensor(48, 60, shape=(3,))}
    return {**honest, name: tensor(**({"begin": 24, "end": 48} | fields))}


HEADERS: dict[str, tuple[object, dict[str, Any]]] = {
    "a header of 2^63 bytes": (_entries(), {"length": 1 << 63}),
    "a header of 2^64 - 1 bytes": (_entries(), {"length": -1}),
    "a header larger than the file": (_entries(), {"length": 100_000}),
    "a header that is cut": (_entries(), {"length": 20}),
    "a header of nothing": (b"", {}),
    "a header that is no JSON": (b"{'a': 1}", {}),
    "a header that is a list": ([1], {}),
    "a header 100,000 deep": (b'{"a":' * 100_000, {}),
    "a header of 200 MB": (b" " * (200 * MIB), {}),
    "doubled names": (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":[]}', {}),
    "offsets beyond the end": (_entries(begin=1000, end=1024), {}),
    "a tensor of 4 TB": (_entries(end=(1 << 42) + 24, shape=(1 << 20, 1 << 20)), {}),
    "negative offsets": (_entries(begin=-24, end=0), {}),
    "offsets the wrong way round": (_entries(begin=48, end=24), {}),
    "offsets that are no numbers": (_entries(begin="0", end=24.5), {}),
    "offsets of 2^64": (_entries(begin=1 << 64, end=(1 << 64) + 24), {}),
    "overlapping offsets": (_entries(begin=0, end=24), {}),
    "a shape that disagrees with the offsets": (_entries(shape=(100, 100)), {}),
    "a shape that overflows": (_entries(shape=(1 << 32, 1 << 32)), {}),
    "a negative shape": (_entries(shape=(-2, -3)), {}),
    "a shape of booleans": (_entries(shape=(True, 6)), {}),
    "a shape of 1000 dimensions": (_entries(shape=(1,) * 1000, end=28), {}),
    "an unknown dtype": (_entries(dtype="F33"), {}),
    "a dtype of Python's": (_entries(dtype="O"), {}),
    "a dtype that is a list": (_entries(dtype=[["a", "O"]]), {}),
    "missing fields": ({"dense.kernel": {"dtype": "F32"}}, {}),
    "metadata that is no mapping": ({**_entries(), "__metadata__": [1]}, {}),
    "a name of markup": (_entries("<img src=x onerror=alert(1)>"), {}),
    "a name that leads upwards": (_entries("../../etc/passwd"), {}),
    "an empty name": (_entries(""), {}),
    "a hundred thousand tensors": ({f"layer_{number}.kernel": tensor() for number in range(100_000)}, {}),
}
HARMLESS_HEADERS = ("doubled", "overlapping", "a shape of", "metadata", "a name", "an empty", "a hundred", "a dtype")
for _name, (_header, _options) in HEADERS.items():
    register(
        f"safetensors with {_name}",
        partial(safetensors, header=_header, **_options),
        HARMLESS if _name.startswith(HARMLESS_HEADERS) else Expectation(REFUSALS, "omitted"),
    )


@case(raises("MissingFileError"))
def nothing_there(place: Place) -> Path:
    return place.folder / "none.h5"


@case(raises("MissingFileError", "NotKerasError"))
def a_name_with_NUL(place: Place) -> Path:
    return place.folder / "a\0.h5"


@case(raises("MissingFileError"))
def a_link_to_itself(place: Place) -> Path:
    (place.folder / "a.h5").symlink_to("a.h5")
    return place.folder / "a.h5"


@case(raises("MissingFileError"))
def a_path_far_too_long(place: Place) -> Path:
    return place.folder / ("n" * 5000 + ".h5")


@case(WHOLE)
def a_good_file_with_a_line_break_in_its_name(place: Place) -> Path:
    return place.write("a\nb\u202e.weights.h5", WEIGHTS)


@case(REFUSED)
def a_bad_file_with_a_line_break_in_its_name(place: Place) -> Path:
    return place.write("a\nb\u202e\x1b[2J.weights.h5", b"nothing of the kind")


@case(REFUSED)
def an_empty_folder(place: Place) -> Path:
    return place.folder


@case(REFUSED)
def a_folder_with_a_file_of_another_kind(place: Place) -> Path:
    place.write("config.json.txt", CONFIG)
    return place.folder


@case(REFUSED)
def one_gigabyte_of_nothing(place: Place) -> Path:
    with (place.folder / "a.h5").open("wb") as file:
        file.truncate(1 << 30)
    return place.folder / "a.h5"


def unzipped(place: Place, special: str) -> Path:
    folder = place.folder / "model"
    folder.mkdir()
    for name, data in {"config.json": CONFIG, "metadata.json": b"{}", "model.weights.h5": WEIGHTS}.items():
        if name != special:
            (folder / name).write_bytes(data)
    return folder


if hasattr(os, "mkfifo"):

    def _fifo_inside(place: Place, name: str) -> Path:
        folder = unzipped(place, name)
        os.mkfifo(folder / name)
        return folder

    def _link_inside(place: Place, name: str) -> Path:
        folder = unzipped(place, name)
        (folder / name).symlink_to(place.fifo)
        return folder

    for _name in ("config.json", "metadata.json", "model.weights.h5"):
        _outcome = HARMLESS if _name == "metadata.json" else Expectation(REFUSALS | {"MissingFileError"}, "")
        register(f"a folder with a fifo called {_name}", partial(_fifo_inside, name=_name), _outcome)
        register(f"a folder with a link to a fifo called {_name}", partial(_link_inside, name=_name), _outcome)

    @case(REFUSED)
    def a_fifo(place: Place) -> Path:
        os.mkfifo(place.folder / "a.h5")
        return place.folder / "a.h5"

    @case(REFUSED)
    def a_link_to_a_fifo(place: Place) -> Path:
        (place.folder / "a.h5").symlink_to(place.fifo)
        return place.folder / "a.h5"

    @case(REFUSED)
    def a_socket(place: Place) -> Path:
        # The path of a socket is short by law, and that of a test's folder is not.
        before = Path.cwd()
        os.chdir(place.folder)
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("a.h5")
        finally:
            os.chdir(before)
        return place.folder / "a.h5"

    for _device in ("/dev/zero", "/dev/random", "/dev/tty", "/dev/stdin"):
        register(f"the device {_device}", lambda place, device=_device: Path(device), MISSING)


if hasattr(os, "geteuid") and os.geteuid() != 0:

    @case(raises("MissingFileError"))
    def a_file_that_may_not_be_read(place: Place) -> Path:
        path = place.write("a.h5", WEIGHTS)
        path.chmod(0)
        return path
