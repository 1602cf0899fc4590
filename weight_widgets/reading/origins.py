"""Where values come from, in full, so that what was found out of them can be known again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property

from .files import StoredFile
from .structure import Index

__all__ = ["Origin", "in_memory"]


@dataclass(frozen=True)
class Origin:
    """How values are made; what has equal origins has equal values.

    Attributes
    ----------
    step : str
        ``"stored"`` for bytes of a file as they are, otherwise what is done to the sources: ``"transposed"``.
    settings : tuple
        All that the step depends on beside its sources. Each element says by its `repr` what it is.
    sources : tuple of Origin or StoredFile
        Empty for what is in memory only.
    """

    step: str
    settings: tuple[object, ...]
    sources: tuple[Origin | StoredFile, ...]

    # Asked for again and again, of thousands of tensors.
    @cached_property
    def files(self) -> frozenset[StoredFile]:
        """Those that the values are read from."""
        return frozenset(
            file for source in self.sources for file in (source.files if isinstance(source, Origin) else (source,))
        )

    @cached_property
    def text(self) -> str:
        """All of it in one line, with the identities of the files."""
        sources = (
            source.text if isinstance(source, Origin) else repr((str(source.path.absolute()), *source.identity))
            for source in self.sources
        )
        return f"{self.step!r}{self.settings!r}[{', '.join(sources)}]"

    def part(self, cut: Index) -> Origin:
        """That of what the index `cut` takes."""
        steps = tuple((step.start, step.stop, step.step) if isinstance(step, slice) else int(step) for step in cut)
        return Origin("part", steps, (self,))


def in_memory() -> Origin:
    """The origin of values that no file holds: a new one, even to another process."""
    return Origin("memory", (secrets.token_hex(8),), ())
