"""What the parts pane is given, against numpy on arrays that were put into files by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_layer import Save, never, normal, picked, saver, superseded, units

from weight_widgets.state.looks import look_at_parts
from weight_widgets.state.looks.parts import PANELS
from weight_widgets.state.selection import Pick
from weight_widgets.worker import Superseded


@pytest.fixture
def save(tmp_path: Path) -> Save:
    return saver(tmp_path)


# Of a layer: its class and settings, its tensors, and for each strip from the arrays to the parts by numpy.
STRIPS: dict[str, tuple[str, dict[str, Any], dict[str, tuple[int, ...]], dict[str, Callable[[Any], Any]]]] = {
    "units": (
        "Dense",
        {},
        {"kernel": (6, 5), "bias": (5,)},
        # Of a unit the bias is a single number.
        {"kernel": lambda of: dict(zip(units(5), of["kernel"].T, strict=True))},
    ),
    "gates": (
        "GRU",
        {"reset_after": True},
        {"kernel": (2, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)},
        {
            "kernel": lambda of: gates(of["kernel"]),
            "recurrent_kernel": lambda of: gates(of["recurrent_kernel"]),
            "input bias": lambda of: gates(of["bias"][:1]),
            "recurrent bias": lambda of: gates(of["bias"][1:]),
        },
    ),
    "heads": (
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3},
        {
            "query/kernel": (5, 2, 3),
            "query/bias": (2, 3),
            "attention_output/kernel": (2, 3, 5),
            "attention_output/bias": (5,),
        },
        {
            "query/kernel": lambda of: {f"head {head}": of["query/kernel"][:, head] for head in range(2)},
            "query/bias": lambda of: {f"head {head}": of["query/bias"][head] for head in range(2)},
            "output/kernel": lambda of: {f"head {head}": of["attention_output/kernel"][head] for head in range(2)},
        },
    ),
    "groups and filters": (
        "Conv1D",
        {"groups": 2},
        {"kernel": (3, 2, 4), "bias": (4,)},
        {
            "kernel": lambda of: {
                **{f"group {place}": of["kernel"][..., 2 * place : 2 * place + 2] for place in range(2)},
                **{f"filter {place}": of["kernel"][..., place] for place in range(4)},
            },
            "bias": lambda of: {f"group {place}": of["bias"][2 * place : 2 * place + 2] for place in range(2)},
        },
    ),
    "filters": (
        "Conv2D",
        {},
        {"kernel": (2, 3, 4, 3), "bias": (3,)},
        {"kernel": lambda of: {f"filter {place}": of["kernel"][..., place] for place in range(3)}},
    ),
}


def gates(values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(("update", "reset", "candidate"), np.split(values, 3, axis=-1), strict=True))


class TestParts:
    @pytest.mark.parametrize("name", STRIPS)
    def test_counts_are_numpys_on_edges_of_all_parts_and_models(self, name: str, save: Save) -> None:
        class_name, settings, shapes, strips = STRIPS[name]
        arrays = {
            label: {key: normal(*shape) + shift for key, shape in shapes.items()}
            for label, shift in (("a", 0), ("b", 2))
        }
        opened = {label: save(class_name, tensors, **settings) for label, tensors in arrays.items()}
        look = look_at_parts(opened, picked(opened, next(iter(strips))), never, 12, 0)
        assert look.notes == ()
        assert [strip.title for strip in look.strips] == [*strips]
        for strip in look.strips:
            parts = {label: strips[strip.title](tensors) for label, tensors in arrays.items()}
            every = np.concatenate([np.ravel(values) for found in parts.values() for values in found.values()])
            np.testing.assert_allclose(strip.edges, np.histogram_bin_edges(every, 12))
            assert [panel.part for panel in strip.panels] == [*parts["a"]]
            for panel, label in itertools.product(strip.panels, opened):
                found = panel.histograms[label]
                np.testing.assert_array_equal(found.edges, strip.edges)
                np.testing.assert_array_equal(found.counts, np.histogram(parts[label][panel.part], strip.edges)[0])

    def test_who_is_not_ticked_neither_counts_nor_widens_the_edges(self, save: Save) -> None:
        kernel = normal(4, 3)
        opened = {"a": save("Dense", {"kernel": kernel}), "far": save("Dense", {"kernel": kernel + 100})}
        (strip,) = look_at_parts(opened, Pick(("a",), "a", "far", "layer", "kernel", ""), never, 10, 0).strips
        assert (strip.edges[0], strip.edges[-1]) == (kernel.min(), kernel.max())
        assert {label for panel in strip.panels for label in panel.histograms} == {"a"}

    def test_what_is_not_finite_is_neither_counted_nor_widens_the_edges(self, save: Save) -> None:
        kernel = np.array([[1.0, np.nan, 3.0], [2.0, np.inf, -np.inf]])
        opened = {"a": save("Dense", {"kernel": kernel})}
        (strip,) = look_at_parts(opened, picked(opened), never, 10, 0).strips
        assert (strip.edges[0], strip.edges[-1]) == (1.0, 3.0)
        assert [panel.histograms["a"].counts.sum() for panel in strip.panels] == [2, 0, 1]

    @pytest.mark.parametrize("page", [-1, 0, 1, 2, 99])
    def test_pages_hold_every_part_once(self, page: int, save: Save) -> None:
        opened = {"a": save("Dense", {"kernel": normal(2, 2 * PANELS + 1)})}
        look = look_at_parts(opened, picked(opened), never, 10, page)
        shown = min(max(page, 0), 2)
        assert (look.page, look.pages, look.parts) == (shown, 3, 2 * PANELS + 1)
        assert [panel.part for panel in look.strips[0].panels] == units(2 * PANELS + 1)[PANELS * shown :][:PANELS]

    def test_nobody_waits_any_more(self, save: Save) -> None:
        opened = {"a": save("Dense", {"kernel": normal(4, 3)})}
        with pytest.raises(Superseded):
            look_at_parts(opened, picked(opened), superseded, 10, 0)
