"""HDF5 that leads out of the file: links, external storage, virtual datasets; and data that are no plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from cases import HARMLESS, KERNEL, OMITTED, STATED, Place, case, register
from h5py import h5d, h5g, h5p, h5s, h5t

VARS = "layers/hostile/vars"
ZERO = f"{VARS}/0"


def link(place: Place, make: Callable[[Place], object], at: str) -> Path:
    with place.hdf5() as file:
        if at == "layers/hostile":
            del file[at]
        file[at] = make(place)
    return place.folder / "a.weights.h5"


LINKS: dict[str, Callable[[Place], object]] = {
    "soft link": lambda place: h5py.SoftLink("/layers/dense/vars/0"),
    "soft link to nothing": lambda place: h5py.SoftLink("/nowhere"),
    "soft link to itself": lambda place: h5py.SoftLink("/" + ZERO),
    "external link": lambda place: h5py.ExternalLink(place.secret, "/layers/dense/vars/0"),
    "external link by a relative path": lambda place: h5py.ExternalLink(
        f"../{place.secrets.name}/secret.h5", "/layers/dense/vars/0"
    ),
    "external link to nothing": lambda place: h5py.ExternalLink("none.h5", "/x"),
    "external link to a fifo": lambda place: h5py.ExternalLink(place.fifo, "/x"),
    "external link to itself": lambda place: h5py.ExternalLink("a.weights.h5", "/" + ZERO),
}
for _name, _make in LINKS.items():
    register(_name, partial(link, make=_make, at=ZERO), OMITTED)
register(
    "external link for a whole layer",
    partial(link, make=lambda place: h5py.ExternalLink(place.secret, "/layers/dense"), at="layers/hostile"),
    OMITTED,
)
register(
    "soft link for a whole layer",
    partial(link, make=lambda place: h5py.SoftLink("/layers/dense"), at="layers/hostile"),
    OMITTED,
)


def external_storage(place: Place, target: str) -> Path:
    with place.hdf5() as file:
        file.create_dataset(ZERO, (8,), "f4", external=[(place.secrets / target, 0, 32)])
    return place.folder / "a.weights.h5"


for _target in ("secret.bin", "fifo"):
    register(f"external storage in {_target}", partial(external_storage, target=_target), OMITTED)


@case(OMITTED)
def external_storage_in_many_pieces(place: Place) -> Path:
    with place.hdf5() as file:
        pieces = [(place.secrets / "secret.bin", 4 * number, 4) for number in range(1000)]
        file.create_dataset(ZERO, (1000,), "f4", external=pieces)
    return place.folder / "a.weights.h5"


def virtual(place: Place, source: Callable[[Place], str]) -> Path:
    with place.hdf5() as file:
        layout = h5py.VirtualLayout((2, 3), "f4")
        layout[:] = h5py.VirtualSource(source(place), "layers/dense/vars/0", (2, 3), "f4")
        file.create_virtual_dataset(ZERO, layout)
    return place.folder / "a.weights.h5"


VIRTUAL: dict[str, Callable[[Place], str]] = {
    "virtual dataset": lambda place: str(place.secret),
    "virtual dataset over a fifo": lambda place: str(place.fifo),
    "virtual dataset over its own file": lambda place: ".",
    "virtual dataset over nothing": lambda place: "none.h5",
}
for _name, _source in VIRTUAL.items():
    register(_name, partial(virtual, source=_source), OMITTED)


@case(OMITTED)
def virtual_dataset_over_numbered_files(place: Place) -> Path:
    """``%b`` in a source's name makes the library try one file after the other, without end."""
    plist = h5p.create(h5p.DATASET_CREATE)
    space = h5s.create_simple((1, 3), (h5s.UNLIMITED, 3))
    space.select_hyperslab((0, 0), (h5s.UNLIMITED, 1), stride=(1, 3), block=(1, 3))
    plist.set_virtual(space, f"{place.secrets}/secret%b.h5".encode(), b"layers/dense/vars/0", h5s.create_simple((1, 3)))
    with place.hdf5() as file:
        h5d.create(file[VARS].id, b"0", h5t.IEEE_F32LE, space, plist)
    return place.folder / "a.weights.h5"


def of_type(place: Place, kind: Callable[[h5py.File], Any], count: int = 4) -> Path:
    with place.hdf5() as file:
        h5d.create(file[VARS].id, b"0", kind(file), h5s.create_simple((count,)))
        if count > 1:
            _fill(file[ZERO])
    return place.folder / "a.weights.h5"


def _fill(dataset: h5py.Dataset) -> None:
    """Write some bytes, so that it is the type and not the lack of values for which a dataset is refused."""
    try:
        dataset.id.write(h5s.ALL, h5s.ALL, np.zeros(4 * dataset.id.get_type().get_size(), "u1"), dataset.id.get_type())
    except (TypeError, ValueError, OSError):
        dataset.id.get_space_status()


def _compound(_: h5py.File) -> Any:
    kind = h5t.create(h5t.COMPOUND, 12)
    kind.insert(b"a", 0, h5t.IEEE_F32LE)
    kind.insert(b"b", 4, h5t.IEEE_F64LE)
    return kind


def _enumeration(_: h5py.File) -> Any:
    kind = h5t.enum_create(h5t.STD_I8LE)
    for value, name in enumerate((b"RED", b"GREEN", b"BLUE")):
        kind.enum_insert(name, value)
    return kind


def _odd_float(_: h5py.File) -> Any:
    kind = h5t.IEEE_F32LE.copy()
    kind.set_ebias(1000)
    return kind


def _odd_integer(_: h5py.File) -> Any:
    kind = h5t.STD_I32LE.copy()
    kind.set_size(3)
    return kind


def _opaque(_: h5py.File) -> Any:
    kind = h5t.create(h5t.OPAQUE, 16)
    kind.set_tag(b"pickle")
    return kind


def _nested_vlen(_: h5py.File) -> Any:
    kind = h5t.IEEE_F32LE
    for _level in range(500):
        kind = h5t.vlen_create(kind)
    return kind


def _wide_compound(_: h5py.File) -> Any:
    kind = h5t.create(h5t.COMPOUND, 4 * 500)
    for number in range(500):
        kind.insert(b"%d" % number, 4 * number, h5t.IEEE_F32LE)
    return kind


def _fixed_text(_: h5py.File) -> Any:
    kind = h5t.C_S1.copy()
    kind.set_size(8)
    return kind


TYPES: dict[str, Callable[[h5py.File], Any]] = {
    "text": lambda file: h5t.py_create(h5py.string_dtype(), logical=True),
    "text of fixed length": _fixed_text,
    "sequences": lambda file: h5t.vlen_create(h5t.IEEE_F32LE),
    "sequences nested deeply": _nested_vlen,
    "compound": _compound,
    "compound of 500 fields": _wide_compound,
    "object references": lambda file: h5t.STD_REF_OBJ,
    "region references": lambda file: h5t.STD_REF_DSETREG,
    "arrays": lambda file: h5t.array_create(h5t.IEEE_F32LE, (3, 2)),
    "arrays of huge size": lambda file: h5t.array_create(h5t.IEEE_F64LE, (1 << 14, 1 << 14)),
    "times": lambda file: h5t.UNIX_D32LE,
    "an enumeration": _enumeration,
    "opaque bytes": _opaque,
    "bit fields": lambda file: h5t.STD_B32LE,
}
ODD_TYPES: dict[str, Callable[[h5py.File], Any]] = {
    "floats of another bias": _odd_float,
    "integers of 3 bytes": _odd_integer,
    "long doubles": lambda file: h5t.NATIVE_LDOUBLE,
    "VAX order": lambda file: h5t.VAX_F32 if hasattr(h5t, "VAX_F32") else _odd_float(file),
}
for _name, _kind in TYPES.items():
    register(f"values that are {_name}", partial(of_type, kind=_kind, count=1 if "huge" in _name else 4), OMITTED)
for _name, _kind in ODD_TYPES.items():
    register(f"values that are {_name}", partial(of_type, kind=_kind), HARMLESS)


@case(OMITTED)
def a_type_where_a_dataset_should_be(place: Place) -> Path:
    with place.hdf5() as file:
        file[ZERO] = np.dtype("f4")
    return place.folder / "a.weights.h5"


@case(OMITTED)
def no_dataspace(place: Place) -> Path:
    with place.hdf5() as file:
        file[ZERO] = h5py.Empty("f4")
    return place.folder / "a.weights.h5"


@case(HARMLESS)
def empty_datasets(place: Place) -> Path:
    with place.hdf5() as file:
        for number, shape in enumerate([(0,), (0, 5), (5, 0), (2**40, 0), (0,) * 32]):
            file.create_dataset(f"{VARS}/{number}", shape, "f4")
    return place.folder / "a.weights.h5"


@case(HARMLESS)
def more_dimensions_than_numpy_had(place: Place) -> Path:
    with place.hdf5() as file:
        h5d.create(file[VARS].id, b"0", h5t.IEEE_F32LE, h5s.create_simple((1,) * 32)).write(
            h5s.ALL, h5s.ALL, np.ones((1,) * 32, "f4")
        )
    return place.folder / "a.weights.h5"


@case(STATED)
def a_dataset_where_a_group_should_be(place: Place) -> Path:
    with place.hdf5() as file:
        del file["layers/hostile"]
        file["layers/hostile"] = KERNEL
    return place.folder / "a.weights.h5"


@case(HARMLESS)
def a_group_that_holds_itself(place: Place) -> Path:
    with place.hdf5() as file:
        file["layers/hostile/vars/vars"] = file["layers"]
        file["layers/layers"] = file["/"]
    return place.folder / "a.weights.h5"


@case(HARMLESS)
def two_links_at_every_level(place: Place) -> Path:
    """Sixty levels, each linked twice from the one above: 2^60 ways down."""
    with place.hdf5() as file:
        group = file["layers/hostile"]
        for level in range(60):
            below = group.create_group(f"a{level}")
            group[f"b{level}"] = below
            group = below
        group["vars/0"] = KERNEL
    return place.folder / "a.weights.h5"


@case(HARMLESS)
def groups_5000_deep(place: Place) -> Path:
    with place.hdf5() as file:
        below = h5g.create(file.id, None)
        for _level in range(5000):
            above = h5g.create(file.id, None)
            h5py.Group(above)["x"] = h5py.Group(below)
            below = above
        file["layers/hostile/x"] = h5py.Group(below)
    return place.folder / "a.weights.h5"
