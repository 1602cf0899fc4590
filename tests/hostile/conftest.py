"""The probe that the tests share, and a file that it must be able to read at any time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import Place
from prober import Prober

SECONDS = 10


@pytest.fixture(scope="session")
def prober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    prober = Prober(tmp_path_factory.mktemp("probe") / "home")
    yield prober
    prober.stop()


@pytest.fixture(scope="module")
def good(prober: Prober, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that must be readable whatever was read before; reading it loads all that is loaded late."""
    folder = tmp_path_factory.mktemp("good")
    # In a way that is listed by the process of ours.
    with Place(folder, folder).hdf5(libver="latest") as file:
        del file["layers/hostile"]
    return folder / "a.weights.h5"


@pytest.fixture(scope="module")
def descriptors(prober: Prober, good: Path) -> int:
    """How many a probe has open between two files."""
    next(prober.ask({"open": str(good)}, SECONDS))
    return int(next(prober.ask({"open": str(good)}, SECONDS))["descriptors"])
