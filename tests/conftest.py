"""What every test shares."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import weight_widgets

ROOT = Path(__file__).resolve().parent.parent

if Path(weight_widgets.__file__).resolve().is_relative_to(ROOT / "weight_widgets"):
    raise pytest.UsageError("weight_widgets comes from the checkout: test the installed wheel, with `make test-fast`")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, under which no other test could start one of its own.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def keras() -> Iterator[ModuleType]:
    """Keras itself, on the backend that is quickest to install."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        yield importlib.import_module("keras")


@pytest.fixture(scope="session")
def models() -> Path:
    """Return the folder of the committed example models."""
    return ROOT / "examples" / "models"
