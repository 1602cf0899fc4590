"""The shell alone in a page: what it does for controls that come later, and how often it looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import Lab
from overview_page import load_leaf
from playwright.sync_api import Page

SHOW = """traits => {
    const root = document.querySelector('.weight-widgets');
    window.looked = 0;
    const find = root.querySelectorAll.bind(root);
    root.querySelectorAll = selectors => (selectors.startsWith('select:not') && looked++, find(selectors));
    leaf.render({ model: modelOf(traits), el: root.appendChild(document.createElement('div')) });
}"""
FRAMES = "async count => { while (count--) await new Promise(requestAnimationFrame); return looked }"
# As an observer is told of: each in a turn of its own.
ADD = """async ([selector, tag, count]) => {
    const place = document.querySelector(selector);
    while (count--) {
        place.append(document.createElementNS(place.namespaceURI, tag));
        await null;
    }
}"""


@pytest.fixture
def page(lab: Lab) -> Iterator[Page]:
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    load_leaf(page, "shell", '<svg></svg><p class="ww-set-bins"></p>')
    page.evaluate(SHOW, {"hints": {"ww-set-bins": "How many"}})
    page.wait_for_function("looked > 0")
    yield page
    page.close()


def test_it_looks_once_a_frame_and_never_for_what_is_drawn(page: Page) -> None:
    before = page.evaluate(FRAMES, 2)
    page.evaluate(ADD, ["svg", "path", 30])
    assert page.evaluate(FRAMES, 3) == before
    page.evaluate(ADD, ["p", "select", 30])
    looked = page.evaluate(FRAMES, 3)
    assert before < looked <= before + 2
    assert page.locator("select[data-lm-suppress-shortcuts=true][title='How many']").count() == 30
