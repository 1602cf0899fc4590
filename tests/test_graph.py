"""What the configuration tells of the layers behind a layer, against what Keras itself connects."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import pytest

import weight_widgets as ww
from weight_widgets.reading.graph import OUTPUT, Graph

FIXTURES = Path(__file__).parent / "fixtures"


def branched(keras: ModuleType) -> Any:
    """A residual block, a nested Sequential, and a layer that two others take."""
    layers = keras.layers
    inputs = keras.Input((4,), name="inputs")
    first = layers.Dense(6, name="first")(inputs)
    normed = layers.BatchNormalization(name="norm")(first)
    active = layers.ReLU(name="relu")(normed)
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="a"), layers.Dense(6, name="b")], name="inner")
    inner.trainable = False
    added = layers.Add(name="add")([first, inner(active)])
    return keras.Model(inputs, [layers.Dense(2, name="last")(added), active], name="branched")


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_branches_and_nested_models(keras: ModuleType, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"model{ending}"
    branched(keras).save(path)
    graph = _graph(path)

    def behind(path: str) -> list[str]:
        found = graph.behind(path)
        assert found is not None
        return sorted("OUTPUT" if layer is OUTPUT else layer.name for layer in found)

    assert behind("inputs") == ["first"]
    assert behind("first") == ["add", "norm"]
    assert behind("norm") == ["relu"]
    assert behind("relu") == ["OUTPUT", "inner"]
    assert behind("inner/a") == ["b"]
    assert behind("inner/b") == ["add"]
    assert behind("last") == ["OUTPUT"]
    assert graph.behind("none such") is None
    assert [path for path in ("first", "inner/a", "inner/b", "last") if graph.frozen(path)] == ["inner/a", "inner/b"]


@pytest.mark.parametrize("folder", ["keras3", "keras3_3", "keras3_5"])
def test_archives_tell_the_same_as_legacy_files(folder: str) -> None:
    graph = _graph(next((FIXTURES / folder).glob("composed.keras")))
    reference = _graph(FIXTURES / "keras3" / "composed.h5")
    for layer in reference.model.children or ():
        assert _names(graph.behind(layer.name)) == _names(reference.behind(layer.name)), layer.name


def test_subclassed_models_do_not_tell() -> None:
    checkpoint = ww.open_checkpoint(FIXTURES / "keras3" / "subclassed.keras")
    assert checkpoint.model is None or all(Graph(checkpoint.model).behind(layer) is None for layer in checkpoint)
    assert ww.open_checkpoint(FIXTURES / "keras3" / "nested.weights.h5").model is None


def test_the_optimizers_settings() -> None:
    """Keras 3 writes them into legacy files, Keras 2 into archives too."""
    assert ww.open_checkpoint(FIXTURES / "keras3" / "convolution.h5").optimizer["class_name"] == "SGD"
    assert ww.open_checkpoint(FIXTURES / "keras2" / "convolution.keras").optimizer["class_name"] == "SGD"
    assert ww.open_checkpoint(FIXTURES / "keras3" / "convolution.keras").optimizer == {}


def _graph(path: Path) -> Graph:
    model = ww.open_checkpoint(path).model
    assert model is not None
    return Graph(model)


def _names(layers: Any) -> list[str] | None:
    return None if layers is None else sorted(layer.name for layer in layers)


def test_broken_settings_of_the_optimizer_leave_the_weights_readable(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes((FIXTURES / "keras3" / "convolution.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs["training_config"] = '{"optimizer_config": '
    checkpoint = ww.open_checkpoint(path)
    assert checkpoint.optimizer == {}
    assert any("training_config" in note for note in checkpoint.notes)
    assert checkpoint["dense"]["kernel"].read().shape == (24, 2)
