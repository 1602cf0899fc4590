"""The spectra of what is picked in the ticked checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...analysis.spectrum import Spectrum, spectrum
from ...display import visible
from ...errors import WeightWidgetsError
from ..selection import Pick, find
from .values import Check, Opened, lack

__all__ = ["Spectra", "look_at_spectra"]


@dataclass(frozen=True)
class Spectra:
    """By label, in the order of the ticks."""

    pick: Pick
    found: tuple[tuple[str, Spectrum], ...]
    notes: tuple[str, ...]


def look_at_spectra(opened: Opened, pick: Pick, check: Check, progress: Callable[[str], None]) -> Spectra:
    """One after the other; `check` raises when nobody waits for them any more."""
    found, notes = [], []
    for number, label in enumerate(pick.checkpoints, 1):
        tensor = find(opened[label], pick)
        if tensor is None:
            notes.append(lack(opened[label], label, pick))
            continue
        start = f"{visible(label)} ({number} of {len(pick.checkpoints)})"
        progress(f"{start}: reading")
        try:
            result = spectrum(tensor, check=check, progress=_after(start, progress))
        except WeightWidgetsError as error:
            notes.append(f"{visible(label)}: {error}")
            continue
        found.append((label, result))
    return Spectra(pick, tuple(found), tuple(notes))


def _after(start: str, progress: Callable[[str], None]) -> Callable[[str], None]:
    return lambda how_far: progress(f"{start}: {how_far}")
