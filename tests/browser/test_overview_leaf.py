"""The overview alone in a page: by keyboard, by mouse, twice, and with what strangers may write into a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from overview_page import show_overview
from playwright.sync_api import Locator, Page

GRID = "[role=treegrid]"
POPUP = "[role=tooltip]"
# In `overview_model.js`: a nested model, then a layer with three tensors, and so on.
ROWS, MODELS = 600, 3
FIRST_LAYER, FIRST_TENSOR = 1, 2
ACTIVE = (
    "() => document.getElementById(document.querySelector('[role=treegrid]').getAttribute('aria-activedescendant'))"
)
LABELS = """() => [0, 1, 2].flatMap(page =>
    JSON.parse(new TextDecoder().decode(model.get(`outline_${page}`).texts)).map(([label]) => label))"""
HOSTILE = ["<img src=x onerror='window.harmed = 1'>", "</script><b>bold</b>", "\u202egnol \u2066", "n" * 10_000]
# As another outline: of one page, whose buffers do not begin at their first byte.
REPLACE = """names => {
    const offset = bytes => {
        const buffer = new Uint8Array(bytes.length + 5);
        buffer.set(bytes, 5);
        return new DataView(buffer.buffer, 5);
    };
    const rows = names.flatMap(name => [[name, name, name], [name, name, name]]);
    model.set('outline_0', {
        frame: 2,
        texts: offset(new TextEncoder().encode(JSON.stringify(rows))),
        kinds: offset(Uint8Array.from(rows, (_, i) => 1 + i % 2)),
        levels: offset(Uint8Array.from(rows, (_, i) => i % 2)),
    });
    model.set('outline', { frame: 2, count: rows.length });
    model.set('badges', { frame: 2, items: names.map((name, i) => [2 * i, 0, name, 'warning', name]) });
}"""


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    """A page with the overview; its console must stay silent."""
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    show_overview(page, ROWS, MODELS)
    yield page
    page.close()
    assert errors == []


def row(page: Page, place: int) -> Locator:
    """A row by its place from the top, the first below the header being 0."""
    return page.locator(f"{GRID} [role=row][aria-rowindex='{place + 2}']:visible")


def choice(page: Page) -> Any:
    return page.evaluate("() => model.get('choice')")


def active(page: Page) -> Any:
    """The text and the row's index of what is active, null where it is not in the page."""
    return page.evaluate(
        f"""() => {{
            const found = ({ACTIVE})();
            return found && [found.textContent, Number(found.closest('[role=row]').getAttribute('aria-rowindex')) - 2];
        }}"""
    )


def test_keyboard(page: Page) -> None:
    press = page.keyboard.press
    labels = page.evaluate(LABELS)
    page.locator(GRID).focus()
    press("Control+Home")
    for _ in range(FIRST_TENSOR + 1):
        press("ArrowDown")
    assert active(page) == ["recurrent_kernel128 × 512", FIRST_TENSOR + 1]
    # Into the cells, whose numbers are told.
    press("ArrowRight")
    press("ArrowRight")
    cell = page.locator(f"[id='{page.locator(GRID).get_attribute('aria-activedescendant')}']")
    assert cell.get_attribute("aria-colindex") == "3"
    assert cell.get_attribute("aria-label")
    press("Enter")
    assert choice(page) == {"frame": 1, "row": FIRST_TENSOR + 1, "column": 1}
    assert row(page, FIRST_TENSOR + 1).get_attribute("aria-selected") == "true"
    # Out of them, to the layer, which is folded and unfolded.
    for _ in range(3):
        press("ArrowLeft")
    assert active(page)[1] == FIRST_LAYER
    press("ArrowLeft")
    assert row(page, FIRST_LAYER).get_attribute("aria-expanded") == "false"
    assert page.locator(GRID).get_attribute("aria-rowcount") == str(ROWS + 1 - 3)
    # What is chosen is marked where it is folded away.
    assert row(page, FIRST_LAYER).get_attribute("aria-selected") == "true"
    press("ArrowRight")
    assert row(page, FIRST_LAYER).get_attribute("aria-expanded") == "true"
    # To the last row, which was not in the page; the focus stays when the wheel moves it out of sight.
    press("End")
    assert active(page)[1] == ROWS - 1
    assert row(page, ROWS - 1).is_visible()
    page.locator(GRID).evaluate("grid => { grid.scrollTop = 0 }")
    row(page, 0).wait_for()
    press("ArrowUp")
    assert active(page)[1] == ROWS - 2
    press("l")
    press("s")
    assert labels[active(page)[1]].startswith("ls")
    assert page.evaluate(f"document.activeElement === document.querySelector('{GRID}')")


def test_mouse(page: Page) -> None:
    row(page, FIRST_TENSOR).locator("[role=gridcell]").nth(2).click()
    assert choice(page) == {"frame": 1, "row": FIRST_TENSOR, "column": 2}
    row(page, FIRST_LAYER).locator("[role=rowheader]").click()
    assert choice(page) == {"frame": 1, "row": FIRST_TENSOR, "column": -1}
    # The kernel chooses what is far away.
    page.evaluate("model.set('choice', { frame: 1, row: 500, column: 1 })")
    assert row(page, 500).get_attribute("aria-selected") == "true"
    page.locator("input[type=search]").fill("findings:dead")
    tally = page.locator(".ww-overview output")
    assert tally.text_content() == f"0 of {ROWS} rows"
    page.evaluate(
        "model.set('badges', { frame: 1, items: [[1, 1, '12 dead units', 'warning', 'dead: never updated']] })"
    )
    # The layer, its three tensors and the model around it.
    page.wait_for_function("document.querySelector('output').value.startsWith('5 of')")
    assert "12 dead units" in str(row(page, FIRST_LAYER).text_content())
    page.locator("input[type=search]").fill("")
    page.get_by_label("Kernels").check()
    assert tally.text_content() == f"{ROWS - page.evaluate(LABELS).count('bias')} of {ROWS} rows"
    page.get_by_label("Kernels").uncheck()
    header = page.locator("[role=columnheader]").nth(2)
    header.click()
    assert header.get_attribute("aria-sort") == "descending"
    cells = page.locator(f"{GRID} [role=gridcell][aria-colindex='3'][aria-label*='%']:visible")
    shown = [float(str(cells.nth(place).get_attribute("aria-label")).split()[0]) for place in range(3)]
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) > 1


def test_popup(page: Page) -> None:
    tensor = row(page, FIRST_TENSOR)
    tensor.hover()
    page.locator(POPUP).wait_for()
    assert page.evaluate("model.get('asked')") == {"frame": 1, "row": FIRST_TENSOR}
    page.evaluate(
        """row => model.set('sketch', { frame: 1, row, bins: 2, spans: [-1, 1], texts: ['one', 'two', 'three'],
            counts: new DataView(Float32Array.of(0.5, 1, 1, 0, NaN, NaN).buffer) })""",
        FIRST_TENSOR,
    )
    paths = page.locator(f"{POPUP} path").evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
    assert [bool(path) for path in paths] == [True, True, False]
    assert page.locator(f"{POPUP} li").all_text_contents() == [
        f"epoch_{model}.weights{text}" for model, text in enumerate(("one", "two", "three"))
    ]
    # A click puts it away for as long as the pointer stays on the row, and a scroll does not bring it back.
    tensor.click()
    page.locator(POPUP).wait_for(state="hidden")
    page.clock.install()
    tensor.locator("[role=gridcell]").nth(1).hover()
    page.locator(GRID).evaluate("grid => grid.dispatchEvent(new Event('scroll'))")
    page.clock.run_for(1000)
    assert page.locator(POPUP).is_hidden()
    for place in (FIRST_TENSOR + 1, FIRST_TENSOR):
        row(page, place).hover()
        page.clock.run_for(1000)
        assert page.locator(POPUP).is_visible()
    page.locator(GRID).focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Escape")
    page.locator(POPUP).wait_for(state="hidden")


def test_hostile_names(page: Page) -> None:
    page.evaluate(REPLACE, HOSTILE)
    page.wait_for_function(
        f"document.querySelector('{GRID}').getAttribute('aria-rowcount') === '{2 * len(HOSTILE) + 1}'"
    )
    shown = row(page, 0).locator("[role=rowheader]").text_content()
    assert HOSTILE[0] in str(shown)
    row(page, 0).hover()
    page.locator(POPUP).wait_for()
    assert HOSTILE[0] in str(page.locator(POPUP).text_content())
    assert page.locator(".weight-widgets :is(img, b, script)").count() == 0
    assert page.evaluate("window.harmed") is None
    isolated = page.locator(f"{GRID} bdi").evaluate_all(
        "all => all.every(each => getComputedStyle(each).unicodeBidi === 'isolate')"
    )
    assert isolated
    assert len(str(row(page, 6).text_content())) < 1000
    heights = page.locator(f"{GRID} [role=row]:visible").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert set(heights[1:]) == {24}


def test_two_views_and_an_end(page: Page) -> None:
    page.evaluate("() => { window.endOther = leaf.render({ model, el: document.querySelector('.weight-widgets') }) }")
    page.locator(GRID).nth(1).locator("[role=gridcell][aria-label]").first.wait_for()
    page.locator(GRID).nth(1).locator(f"[role=row][aria-rowindex='{FIRST_TENSOR + 2}'] [role=rowheader]").click()
    assert row(page, FIRST_TENSOR).nth(0).get_attribute("aria-selected") == "true"
    assert row(page, FIRST_TENSOR).nth(1).get_attribute("aria-selected") == "true"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert len(ids) == len(set(ids))
    page.evaluate("() => { end(); endOther(); }")
    assert page.locator(GRID).count() == 0
    assert page.evaluate("model.listeners()") == 0
