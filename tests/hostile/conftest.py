"""The probe that the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prober import Prober


@pytest.fixture(scope="session")
def prober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    prober = Prober(tmp_path_factory.mktemp("probe") / "home")
    yield prober
    prober.stop()
