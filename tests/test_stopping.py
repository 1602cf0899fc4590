"""How soon work that nobody waits for any more can stop: what is read between two calls of `check`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis.comparison import pooled_difference
from weight_widgets.analysis.exact import histogram_exactly, measure_exactly
from weight_widgets.analysis.overview import overview, scan
from weight_widgets.analysis.pair_summary import summarise_pair
from weight_widgets.analysis.pairs import tensor_pair_moments
from weight_widgets.analysis.summary import summarise
from weight_widgets.analysis.twins import Tolerance, twins
from weight_widgets.reading import storage, together
from weight_widgets.reading.checkpoint import Checkpoint

# What takes 100 ms is many times more: the slowest of these gets through 200 MB a second.
MOST = 8 << 20
SHAPE = 2500, 2000
WIDE = -8.0, 8.0


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> list[Checkpoint]:
    folder, rng = tmp_path_factory.mktemp("stopping"), np.random.default_rng(7)
    return [
        ww.open_checkpoint(
            write_model(
                folder / f"{label}.h5",
                {
                    "large": rng.standard_normal(SHAPE, "f4"),
                    "medium": rng.standard_normal((1400, 1400)),
                    **{f"small_{number}": rng.standard_normal(100, "f4") for number in range(500)},
                },
            )
        )
        for label in "ab"
    ]


def tensors(opened: list[Checkpoint]) -> list[Any]:
    return [checkpoint["large"]["kernel"] for checkpoint in opened]


WORKS: dict[str, Callable[[list[Checkpoint], Any], object]] = {
    "summary": lambda opened, check: summarise(tensors(opened)[0], check),
    "summary of all values": lambda opened, check: summarise(opened[0]["medium"]["kernel"], check),
    "exact measures": lambda opened, check: measure_exactly(tensors(opened)[0], 1e-3, check),
    "exact histogram": lambda opened, check: histogram_exactly(tensors(opened)[0], np.linspace(*WIDE, 61), check),
    "pair": lambda opened, check: tensor_pair_moments(*tensors(opened), check),
    "pair with pictures": lambda opened, check: summarise_pair(*tensors(opened), WIDE, WIDE, check),
    "difference": lambda opened, check: pooled_difference(*tensors(opened), check),
    "twins": lambda opened, check: [*twins([(*tensors(opened),)], Tolerance(), check)],
    "overview": lambda opened, check: overview(opened[0], check),
    "scan": lambda opened, check: scan(opened, check),
    "scan of one": lambda opened, check: scan(opened[:1], check),
}


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_little_is_read_between_two_checks(
    work: Callable[[list[Checkpoint], Any], object], opened: list[Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", "0")
    ww.clear_cache()
    # Each thread stops by itself.
    since: Counter[int] = Counter()
    read: Counter[int] = Counter()
    original = storage.read_into

    def noting(file: Any, offset: int, view: memoryview, path: Path) -> None:
        since[threading.get_ident()] += len(view)
        read[threading.get_ident()] = max(read[threading.get_ident()], since[threading.get_ident()])
        original(file, offset, view, path)

    def check(share: float | None = None) -> None:
        since[threading.get_ident()] = 0

    for module in (storage, together):
        monkeypatch.setattr(module, "read_into", noting)
    work(opened, check)
    assert 0 < max(read.values()) <= MOST
