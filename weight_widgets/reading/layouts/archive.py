"""The ``.keras`` archive: a zip of ``config.json``, ``metadata.json`` and ``model.weights.h5``, read in place."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from ...errors import DamagedFileError, NotKerasError, UnsupportedFileError
from ..hdf5 import Hdf5File, Span
from . import v3
from .base import Listing, parse_config, parse_json

__all__ = ["read"]

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MAX_JSON = 64 << 20


def read(path: Path) -> tuple[Listing, Hdf5File]:
    """The listing of the archive at `path`, and the HDF5 inside of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if CONFIG not in members:
                raise NotKerasError(f"{path} is a zip archive without {CONFIG}: not a .keras file.")
            if WEIGHTS not in members:
                raise UnsupportedFileError(
                    f"{path} holds no {WEIGHTS}; its members are: {', '.join(list(members)[:8])}."
                )
            config = parse_json(_json(archive, members[CONFIG], path), f"{path}: {CONFIG}")
            metadata = (
                parse_json(_json(archive, members[METADATA], path), f"{path}: {METADATA}")
                if METADATA in members
                else {}
            )
            span = _span(path, members[WEIGHTS])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, struct.error) as error:
        raise DamagedFileError(f"{path} is a damaged zip archive ({error}). Copy or save it again.") from error
    file = Hdf5File(path, span)
    version = str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""
    return v3.read(file.tree(), parse_config(config), version, "Keras 3 archive (.keras)"), file


def _json(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise DamagedFileError(
            f"{path}: {member.filename} is larger than {MAX_JSON >> 20} MiB; no Keras configuration is."
        )
    return data


def _span(path: Path, member: zipfile.ZipInfo) -> Span:
    """Where the bytes of an uncompressed member lie: behind its local header, whose two last fields give its length."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise UnsupportedFileError(
            f"{path}: {member.filename} is compressed, and Keras stores it plain. Save the model again with Keras."
        )
    with path.open("rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return Span(member.header_offset + 30 + name + extra, member.file_size)
