"""The overview alone in a page, with a model that `overview_model.js` makes up in place of the kernel's."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from weight_widgets.panes.bundles import bundle

# As anywidget does: from text.
LOAD = """async ([leaf, model]) => {
    const load = text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    window.leaf = (await load(leaf)).default;
    Object.assign(window, await load(model));
}"""
SHOW = """async ([rows, models]) => {
    window.model = modelOf(traitsOf(rows, models));
    const start = performance.now();
    window.end = leaf.render({ model, el: document.querySelector('.weight-widgets') });
    do await new Promise(requestAnimationFrame); while (!document.querySelector('[role=gridcell][aria-label]'));
    return performance.now() - start;
}"""


def show_overview(page: Page, rows: int, models: int) -> float:
    """Put it into an empty page; return how many milliseconds passed until cells had numbers.

    The page then has the globals `model`, `leaf`, and `end`, which takes the view away.
    """
    load_leaf(page, "overview")
    return float(page.evaluate(SHOW, [rows, models]))


def load_leaf(page: Page, name: str, content: str = "") -> None:
    """Make a leaf's module the global `leaf` of an empty page that has an explorer's root with this content."""
    head = f"<title>{name}</title><style>{bundle('shell.css')}{bundle(f'{name}.css')}</style>"
    page.set_content(f'<!doctype html><html lang="en">{head}<div class="weight-widgets">{content}</div>')
    page.evaluate(LOAD, [bundle(f"{name}.js"), Path(__file__).with_name("overview_model.js").read_text("utf-8")])
