"""What every test shares."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest
from comms import catch
from seen import TIMEOUT, Wire, write_model

import weight_widgets

ROOT = Path(__file__).resolve().parent.parent

if Path(weight_widgets.__file__).resolve().is_relative_to(ROOT / "weight_widgets"):
    raise pytest.UsageError("weight_widgets comes from the checkout: test the installed wheel, with `make test-fast`")

# On a busy machine an example takes as long as it takes.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, under which no other test could start one of its own.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests keep on disk, and what the processes that they start do, never meets the cache of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIGHT_WIDGETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


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


@pytest.fixture
def explore(tmp_path: Path) -> Iterator[Any]:
    """A function that opens an explorer of models given as {label: {layer: kernel}}."""
    made: list[weight_widgets.WeightExplorer] = []

    def explore(**models: Mapping[str, np.ndarray]) -> weight_widgets.WeightExplorer:
        sources = {
            label: write_model(tmp_path / f"{place}.h5", tensors)
            for place, (label, tensors) in enumerate(models.items())
        }
        explorer = weight_widgets.compare(sources)
        made.append(explorer)
        assert explorer.wait(TIMEOUT)
        return explorer

    yield explore
    for explorer in made:
        explorer.close()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    catch(monkeypatch, lambda kind, data, buffers: wire.take(data, buffers))
    return wire
