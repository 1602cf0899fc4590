"""What is wanted of an HDF5 file, and how much of it at most, whoever lists the file."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["MAX_ATTRIBUTE", "MAX_DEPTH", "MAX_NAMES", "is_wanted"]

MAX_DEPTH = 64
MAX_ATTRIBUTE = 64 << 20
MAX_NAMES = 2_000_000

# What the layouts ask for; other attributes are not even read.
WANTED = ("model_config", "training_config", "keras_version", "backend", "nb_layers", "nb_params", "name", "dtype")
WANTED_LISTS = ("layer_names", "weight_names")


@lru_cache(maxsize=256)
def is_wanted(raw: bytes) -> bool:
    """Whether the layouts ask for the attribute of this name."""
    name = raw.decode("utf-8", "replace")
    return name in WANTED or name.rstrip("0123456789") in WANTED_LISTS
