"""Findings in a page: the dead units are listed, a click chooses one, and the status line says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab

TABLE = ".ww-findings-table"


@pytest.fixture
def explorer(lab: Lab, models: Path) -> Iterator[Explorer]:
    paths = [str(models / f"digits_{name}.h5") for name in ("baseline", "wide", "mlp")]
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare(*{paths!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("conv_1", "kernel")
    yield found
    assert lab.errors == []


def test_dead_units_are_listed_and_a_click_leads_to_one(explorer: Explorer, models: Path) -> None:
    page = explorer.lab.page
    with h5py.File(models / "digits_mlp.h5") as file:
        moments = file["optimizer_weights/adam/digits_mlp_dense_1_kernel_velocity"][()]
        live = moments[:, moments.any(axis=0)]
        # Those without any gradient, ever, and those whose gradient has faded.
        dead = np.flatnonzero(moments.mean(axis=0) < 1e-6 * np.median(live.mean(axis=0)))
    assert len(dead) == 3

    page.locator(".ww-show-findings").click()
    rows = page.locator(f"{TABLE} tbody tr")
    rows.first.wait_for()
    assert rows.locator("th").all_inner_texts() == ["digits_mlp"] * rows.count()
    listed = [row.locator("td").all_inner_texts() for row in rows.all()]
    units = [part for severity, layer, _, part, *_ in listed if (severity, layer) == ("warning", "dense_1")]
    assert units == [f"unit {number}" for number in dead]

    rows.nth(1).click()
    explorer.await_shown("dense_1", "kernel", units[1])
    assert explorer.chosen("other") == "digits_mlp"
    assert page.locator(".ww-found").inner_text() == f"1 finding: digits_mlp: dead units {dead[1]}"
    assert rows.nth(1).get_attribute("aria-selected") == "true"

    explorer.choose("part", "all")
    explorer.await_shown("dense_1", "kernel")
    numbers = ", ".join(map(str, dead))
    explorer.eventually(lambda: check_line(explorer, f": dead units {numbers}, silent units"))
    page.wait_for_function(f"!document.querySelector('{TABLE} [aria-selected=true]')")
    page.locator(f"{TABLE} input[type=search]").fill("dense_2 warning")
    explorer.eventually(lambda: check_count(explorer, 1))


def check_line(explorer: Explorer, words: str) -> None:
    assert words in explorer.lab.page.locator(".ww-found").inner_text()


def check_count(explorer: Explorer, count: int) -> None:
    assert explorer.lab.page.locator(f"{TABLE} tbody tr").count() == count
