"""500 flipped bits and 90 truncations of each layout: an error of ours, or arrays of the declared shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layouts import LAYOUTS
from mutations import CUTS, FLIPS, damages
from prober import Prober
from test_corpus import harm

SECONDS = 12


def answers(
    prober: Prober, layout: str, folder: Path, found: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each damage with what became of it, also behind one that the probe did not survive."""
    while found:
        home = folder / str(len(found))
        home.mkdir()
        entry = LAYOUTS[layout](home).relative_to(home).as_posix()
        request = {"mutate": str(home), "entry": entry, "damages": found}
        count = 0
        for count, answer in enumerate(prober.ask(request, SECONDS, len(found)), 1):
            yield found[count - 1], answer
        found = found[count:]


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_damage_by_chance(layout: str, prober: Prober, tmp_path: Path, descriptors: int) -> None:
    pristine = tmp_path / "pristine"
    pristine.mkdir()
    entry = LAYOUTS[layout](pristine)
    sound = next(prober.ask({"open": str(entry)}, SECONDS))
    assert sound.get("read", 0) == sound.get("tensors", -1) > 0, sound

    found = damages(pristine, layout)
    assert len(found) == FLIPS + CUTS
    wrong = []
    refused = 0
    for damage, answer in answers(prober, layout, tmp_path, found):
        refused += "error" in answer
        said = [answer["died"]] if "died" in answer else [*answer["complaints"], *harm(answer, descriptors)]
        if answer.get("seconds", 0) > 10:
            said.append(f"opening took {answer['seconds']:.1f} s")
        wrong += [f"{damage}: {line}" for line in said]
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong[:30])
    # Truncations at least are noticed; otherwise nothing was tried at all.
    assert refused > CUTS / 3
