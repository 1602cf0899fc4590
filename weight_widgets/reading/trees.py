"""Trees of groups and arrays: what HDF5 files hold, and what is read as if it were one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .arrays import Array
from .tensors import Skipped

__all__ = ["Group", "Growing"]


@dataclass(frozen=True)
class Group:
    """A group with all that is below it."""

    path: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    datasets: Mapping[str, Array] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    def find(self, path: str) -> Group | Array | None:
        """The group or dataset at a path relative to this group; None when there is none."""
        here: Group | Array | None = self
        for name in path.split("/"):
            if not isinstance(here, Group):
                return None
            here = here.groups.get(name) or here.datasets.get(name)
        return here

    def walk(self) -> Iterator[Group]:
        """This group and all below it, each before those inside of it."""
        waiting = [self]
        while waiting:
            group = waiting.pop()
            yield group
            waiting.extend([*group.groups.values()][::-1])

    def all_datasets(self) -> Iterator[Array]:
        for group in self.walk():
            yield from group.datasets.values()


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

    def walk(self) -> Iterator[Growing]:
        """As `Group.walk`."""
        waiting = [self]
        while waiting:
            group = waiting.pop()
            yield group
            waiting.extend([*group.groups.values()][::-1])

    def grown(self) -> Group:
        groups = {name: group.grown() for name, group in self.groups.items()}
        return Group(self.path, self.attributes, groups, self.datasets, tuple(self.skipped))
