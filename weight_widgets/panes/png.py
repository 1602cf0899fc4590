"""Pictures as PNG of at most 256 colours: what bqplot's ``Image`` mark draws fast and crisp, and any page shows."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

__all__ = ["encode", "indexed"]

MISSING = 255
GREY = (0x80, 0x80, 0x80)


def encode(values: np.ndarray, limit: float, palette: np.ndarray, see_through: bool = False) -> bytes:
    """An indexed PNG, one pixel a value.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (rows, columns). What is not finite becomes grey, which is no colour of the palette.
    limit : float
        The value of the last colour; −limit is that of the first. Values beyond take the colour of their end.
    palette : numpy.ndarray
        Shape (255, 3), uint8, red, green and blue.
    see_through : bool
        Whether what is not finite is transparent in place of grey.
    """
    finite = np.isfinite(values)
    scaled = np.clip(np.where(finite, values, 0.0) / limit, -1.0, 1.0)
    middle = (MISSING - 1) // 2
    index = np.where(finite, np.rint(scaled * middle) + middle, MISSING).astype(np.uint8)
    return indexed(
        index, np.vstack([palette, np.array([GREY], np.uint8)]), [255] * MISSING + [0] if see_through else ()
    )


def indexed(index: np.ndarray, palette: np.ndarray, alpha: Sequence[int] = ()) -> bytes:
    """A PNG of some colours, one pixel a value.

    Parameters
    ----------
    index : numpy.ndarray
        Shape (rows, columns), uint8: places in the palette.
    palette : numpy.ndarray
        Shape (colours, 3), uint8, red, green and blue; at most 256 colours.
    alpha : sequence of int
        How opaque each colour is, from 0 to 255; all are where there is none.

    Returns
    -------
    bytes
        As in the PNG specification (third edition), colour type 3.
    """
    rows, columns = index.shape
    filtered = np.concatenate([np.zeros((rows, 1), np.uint8), index], axis=1)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"tRNS", bytes(alpha)) if alpha else b"",
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
