"""The explorer in a page, as a user meets it: what is drawn, read back from pixels, paths and cells."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from lab import TIMEOUT_MS, Host
from playwright.sync_api import Download, Locator

# Where the ticks of the vertical axis stand and what is written there: the way from pixels back to values.
VERTICAL_TICKS = """figure => [...figure.querySelectorAll('.axis')]
    .map(axis => [...axis.querySelectorAll('.tick')].map(tick =>
        [...tick.getAttribute('transform').match(/-?[\\d.]+/g).map(Number), tick.textContent]))
    .find(ticks => ticks.length > 1 && ticks.every(([x]) => x === ticks[0][0]))"""
# Without what narrow pages show under a model's name.
OWN_TEXT = "cell => [...cell.childNodes].find(node => node.nodeType === Node.TEXT_NODE).textContent"
# Without the dashed one, which no model has drawn.
VISIBLE_PATHS = """paths => paths
    .filter(path => path.getClientRects().length && getComputedStyle(path).strokeDasharray === 'none')
    .map(path => path.getAttribute('d'))"""
PIXELS = """async address => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { rows: canvas.height, columns: canvas.width, data: [...data] };
}"""
SETTLED = """([number, layer, tensor, part]) => {
    const line = document.querySelectorAll('.weight-widgets')[number]?.querySelector('.ww-status [role=status]');
    return line?.textContent === 'Showing ' + [layer, tensor, part].filter(Boolean).join(' · ');
}"""


@dataclass(frozen=True)
class Explorer:
    """An explorer of the page, the first unless another is asked for."""

    lab: Host
    number: int = 0

    @property
    def root(self) -> Locator:
        return self.lab.page.locator(".weight-widgets").nth(self.number)

    def choose(self, trait: str, value: str) -> None:
        """Choose an entry of a dropdown by the text that it shows: the events of a click on it, without the pointer.

        The list that opens is drawn outside of the page, where the driver's pointer does not reach.
        """
        select = self.root.locator(f".ww-choose-{trait} select").first
        select.select_option(label=value)

    def click_open(self, trait: str) -> None:
        """Open a dropdown's list with the mouse."""
        select = self.root.locator(f".ww-choose-{trait} select").first
        select.scroll_into_view_if_needed()
        box = select.bounding_box()
        assert box is not None
        self.lab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def chosen(self, trait: str) -> str:
        select = self.root.locator(f".ww-choose-{trait} select").first
        return str(select.evaluate("select => select.selectedOptions[0].textContent")).replace("\xa0", " ")

    def options(self, trait: str) -> list[str]:
        return self.root.locator(f".ww-choose-{trait} select").first.locator("option").all_text_contents()

    def click_overview(self, layer: str) -> None:
        """Click a layer's row in the overview, which chooses its first tensor."""
        self.lab.page.locator(".ww-overview-label").get_by_text(layer, exact=True).first.click()

    def save(self, name: str, format_: str) -> Download:
        """Choose a figure or a table in the export menu, with the mouse."""
        page = self.lab.page
        page.locator(".ww-export > button").first.click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=f"Save the {name} as {format_}").click()
        return download.value

    def await_shown(self, layer: str, tensor: str, part: str = "") -> None:
        self.lab.page.wait_for_function(SETTLED, arg=[self.number, layer, tensor, part])

    def eventually(self, check: Callable[[], None]) -> None:
        """Wait until what is drawn passes the check: the page draws some frames after it has heard."""
        end = time.monotonic() + TIMEOUT_MS / 1000
        while True:
            try:
                return check()
            # What is drawn in part cannot be read, in whatever way that fails: a path without a shape is None.
            except Exception:
                if time.monotonic() > end:
                    raise
            self.lab.page.evaluate("new Promise(requestAnimationFrame)")

    def table(self) -> dict[str, dict[str, str]]:
        """The table pane: by model, by column."""
        table = self.root.locator(".ww-table table").first
        head = table.locator("thead th:not([hidden])").all_text_contents()
        rows = {}
        for row in table.locator("tbody tr").all():
            rows[row.locator("th").evaluate(OWN_TEXT)] = dict(
                zip(head[1:], row.locator("td").all_text_contents(), strict=True)
            )
        return rows

    def counts(self) -> list[list[float]]:
        """The bars of each visible histogram line, read off the path with the ticks of the y axis as the ruler."""
        figure = self.root.locator(".ww-histogram-figure").first
        value_at = ruler(figure.evaluate(VERTICAL_TICKS))
        paths = figure.locator("path.line").evaluate_all(VISIBLE_PATHS)
        return [[value_at(float(point.split(",")[1])) for point in path[1:].split("L")[::2]] for path in paths if path]

    def image(self, number: int, close: bool = False) -> Locator:
        """The picture A (0), B (1) or B − A (2), of everything or of what is in sight; or the colour bar (3)."""
        figure = self.root.locator(".ww-pictures").first.locator(".bqplot").nth(number)
        return figure.locator("image").nth(1 if close else 0)

    def pixels(self, number: int, close: bool = False) -> np.ndarray:
        """Of one of these images: shape (rows, columns, 4), uint8."""
        return self.decoded(self.image(number, close).get_attribute("href"))

    def colour(self, x: float, y: float) -> np.ndarray:
        """What the screen has at a place: shape (1, 1, 3), uint8."""
        png = self.lab.page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
        return self.decoded("data:image/png;base64," + base64.b64encode(png).decode())[..., :3]

    def decoded(self, address: str | None) -> np.ndarray:
        found = self.lab.page.evaluate(PIXELS, address)
        return np.array(found["data"], np.uint8).reshape(found["rows"], found["columns"], 4)

    def values(self, number: int, close: bool = False) -> tuple[np.ndarray, float]:
        """The picture's values as a reader takes them: each colour looked up on the colour bar, and the bar's step."""
        return self.looked_up(self.pixels(number, close)[..., :3])

    def looked_up(self, pixels: np.ndarray) -> tuple[np.ndarray, float]:
        """The values of colours, shape (rows, columns, 3), and the bar's step."""
        bar = self.pixels(3)[:, 0, :3].astype(int)
        figure = self.root.locator(".ww-colour-bar").first
        value_at = ruler(figure.evaluate(VERTICAL_TICKS))
        height = figure.locator("image").first.evaluate("image => image.getBoundingClientRect().height")
        levels = np.array([value_at((row + 0.5) / len(bar) * height) for row in range(len(bar))])
        nearest = np.abs(pixels[:, :, None, :].astype(int) - bar).sum(axis=3).argmin(axis=2)
        return levels[nearest], float(abs(levels[0] - levels[1]))

    def check_pictures(self, pair: tuple[np.ndarray, np.ndarray]) -> None:
        """The pictures against the matrices A and B."""
        for picture, matrix in enumerate((*pair, pair[1] - pair[0])):
            shown, step = self.values(picture)
            assert shown.shape == matrix.shape
            # A colour of 255 stands for the value next to it, and the bar's labels are rounded.
            assert np.abs(shown - matrix).max() <= 1.5 * step

    def point_at(self, picture: int, row: float, column: float, shape: tuple[int, int]) -> None:
        """Move the mouse to a place of the picture, wherever pan and zoom have put it."""
        self.root.locator(".ww-pictures").first.scroll_into_view_if_needed()
        box = self.image(picture).evaluate("image => image.getBoundingClientRect().toJSON()")
        x = box["x"] + box["width"] * (column + 0.5) / shape[1]
        y = box["y"] + box["height"] * (row + 0.5) / shape[0]
        self.lab.page.mouse.move(x, y)

    def readout(self) -> str:
        return self.root.locator(".ww-readout").first.inner_text()


def stored(models: Path, name: str, layer: str, tensor: str) -> np.ndarray:
    """A weight of a Sequential model's file, by its path as `h5dump` shows it."""
    with h5py.File(models / f"{name}.h5") as file:
        return file[f"model_weights/{layer}/digits/{layer}/{tensor}"][()]


def ruler(ticks: list[tuple[float, float, str]]) -> Callable[[float], float]:
    """From a pixel's height to the value there, by the first and the last tick; d3 draws these half a pixel lower."""
    (_, low, first), *_, (_, high, last) = ticks
    # A tick that is being drawn has no words yet.
    assert first, ticks
    assert last, ticks
    start, end = (float(text.replace("−", "-").replace("k", "e3")) for text in (first, last))
    return lambda y: start + (y + 0.5 - low) / (high - low) * (end - start)
