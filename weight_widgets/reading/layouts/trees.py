"""A tree of groups built step by step, from what is no HDF5 file but is read as if it were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..arrays import Array
from ..hdf5 import Group
from ..tensors import Skipped

__all__ = ["Growing"]


@dataclass
class Growing:
    """A group of which not all is known yet."""

    path: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Growing] = field(default_factory=dict)
    datasets: dict[str, Array] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def group(self, names: Iterable[str]) -> Growing:
        """The group down these names, made where there is none."""
        here = self
        for name in names:
            here = here.groups.setdefault(name, Growing(f"{here.path}/{name}"))
        return here

    def grown(self) -> Group:
        groups = {name: group.grown() for name, group in self.groups.items()}
        return Group(self.path, self.attributes, groups, self.datasets, tuple(self.skipped))
