"""Comparing in a page: a renamed model, the verdicts, the table and the map that choose, and the scatter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from explorer import Explorer
from lab import Lab

RNG = np.random.default_rng(13)
SHAPES = [(20, 30), (30, 40), (40, 10)]
A = {f"dense_{place}": RNG.normal(size=shape).astype("f4") for place, shape in enumerate(SHAPES)}
# Trained a little further, counted on, and the last layer frozen.
B = {
    f"dense_{place + 4}": values + np.float32(0.02 * (place < 2)) * RNG.normal(size=values.shape).astype("f4")
    for place, values in enumerate(A.values())
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("compare")
    found = {}
    for label, layers in (("first", A), ("second", B)):
        path: Path = folder / f"{label}.h5"
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [*layers]
            for name, values in layers.items():
                file[f"{name}/kernel"] = values
                file[name].attrs["weight_names"] = ["kernel"]
        found[label] = str(path)
    return found


@pytest.fixture
def explorer(lab: Lab, sources: dict[str, str]) -> Iterator[Explorer]:
    lab.open_notebook([f"import weight_widgets as ww\nexplorer = ww.compare({sources!r})\nexplorer"])
    lab.run_all()
    found = Explorer(lab)
    found.await_shown("dense_0", "kernel")
    yield found
    assert lab.errors == []


def test_a_renamed_layer_shows_the_right_weights_of_b(explorer: Explorer) -> None:
    named = [option.replace("\xa0", " ").split(" (")[0] for option in explorer.options("layer")]
    assert named == [f"dense_{place} ↔ dense_{place + 4}" for place in range(3)]
    explorer.choose("layer", explorer.options("layer")[1])
    explorer.await_shown("dense_1", "kernel")

    def check() -> None:
        for number, expected in ((0, A["dense_1"]), (1, B["dense_5"]), (2, B["dense_5"] - A["dense_1"])):
            shown, step = explorer.values(number)
            assert shown.shape == expected.shape
            assert np.abs(shown - expected).max() <= step

    explorer.eventually(check)


def test_the_verdict_is_on_top_and_unfolds(explorer: Explorer) -> None:
    line = explorer.lab.page.locator(".ww-verdict:visible")
    line.locator("summary", has_text="Shared origin").wait_for()
    assert line.count() == 1
    assert line.locator("summary").inner_text().startswith("second against first: Shared origin: 3 of 3 kernels")
    assert not line.locator("li").first.is_visible()
    line.locator("summary").click()
    line.locator("li").first.wait_for()
    assert "100 % of the parameters" in line.locator("li").first.inner_text()


def test_a_row_and_a_point_choose_their_tensor(explorer: Explorer) -> None:
    page = explorer.lab.page
    page.locator(".ww-show-compare").click()
    table = page.locator(".ww-compare-table")
    table.locator("tbody tr").nth(2).wait_for()
    assert [row.split("\n")[0] for row in table.locator("tbody tr th").all_inner_texts()] == [
        f"dense_{place} · kernel" for place in range(3)
    ]
    table.locator("tbody tr").nth(2).click()
    explorer.await_shown("dense_2", "kernel")
    assert explorer.chosen("layer").startswith("dense_2 ↔ dense_6")
    # A circle for each changed kernel, in their order.
    points = page.locator(".ww-change-map path.dot")
    points.nth(1).wait_for()
    centres = points.evaluate_all(
        """found => found.map(point => {
            const box = point.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2, getComputedStyle(point).fill];
        }).filter(([, , fill]) => fill === 'rgb(31, 119, 180)')"""
    )
    assert len(centres) == 2
    page.mouse.click(*centres[1][:2])
    explorer.await_shown("dense_1", "kernel")
    page.wait_for_function(
        "document.querySelectorAll('.ww-compare-table tbody tr')[1].getAttribute('aria-selected') === 'true'"
    )


def test_the_scatter_draws_a_against_b(explorer: Explorer) -> None:
    page = explorer.lab.page
    page.locator(".ww-show-scatter").click()
    image = page.locator(".ww-scatter-figure image")
    image.wait_for()

    def check() -> None:
        pixels = explorer.decoded(image.get_attribute("href"))
        one, other = A["dense_0"].ravel(), B["dense_4"].ravel()
        ends = min(one.min(), other.min()), max(one.max(), other.max())
        counts, *_ = np.histogram2d(one, other, 128, (ends, ends))
        filled = pixels[..., 3] > 0
        assert filled.shape == counts.shape
        # Upwards in the picture is up in the rows.
        assert np.count_nonzero(filled != (counts.T[::-1] > 0)) <= 4

    explorer.eventually(check)
    pearson = np.corrcoef(A["dense_0"].ravel(), B["dense_4"].ravel())[0, 1]
    said = page.locator(".ww-scatter tr", has_text="Pearson").locator("td").inner_text()
    assert float(said) == pytest.approx(pearson, abs=5.1e-4)
