"""What assistive technology and the keyboard meet in the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async selector => {
    const { violations } = await axe.run(selector, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${impact}: ${id}: ${html}: ${failureSummary}`));
}"""
# A tabbed table row or cell is no control; a heading's button says by its words what it sorts by.
FOCUSED = """selector => {
    const el = document.activeElement;
    if (!el.closest(selector)) return null;
    window.stops ??= new Map();
    if (!stops.has(el)) stops.set(el, stops.size);
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(el);
    const marked = [el, ...el.querySelectorAll("*")].some(one => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow.includes("inset");
    });
    const labels = [...(el.labels ?? [])].map(({ textContent }) => textContent).join("");
    return {
        place: stops.get(el),
        html: el.outerHTML.slice(0, 160),
        name: labels + (el.getAttribute("aria-label") ?? "") + (el.matches("select, input") ? "" : el.textContent),
        hint: el.title || el.closest("label")?.title,
        control: el.matches("select, input, .jupyter-button") && !el.matches("[type=search], .ww-grid input"),
        seen: marked,
    };
}"""
STICKING_OUT = """selector => {
    const right = document.querySelector(selector).getBoundingClientRect().right;
    // These scroll in themselves: a table has as many columns as it has.
    const scrollers = ".ww-grid-scroll, .ww-overview-grid, .ww-counts > .widget-html-content, svg";
    return [...document.querySelectorAll(selector + " *")]
        .filter(el => !el.matches("canvas, .ww-marker, .ww-marker *") && el.checkVisibility())
        .filter(el => el.getBoundingClientRect().right > right + 1)
        .filter(el => !el.parentElement.closest(scrollers))
        .map(el => el.outerHTML.slice(0, 160));
}"""


def violations(page: Page, selector: str) -> list[str]:
    """What axe-core finds below the elements that match: impact, rule, HTML, and what to do."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(RUN, selector)
    return found


def focus_walk(page: Page, selector: str, most: int = 300) -> list[dict[str, Any]]:
    """Where Tab stops within an element, from its first stop to the one outside."""
    page.locator(f"{selector} :is(input, select, button)").first.focus()
    # A focus that was not brought by a key has no ring.
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    stops = []
    while (stop := page.evaluate(FOCUSED, selector)) is not None:
        stops.append(stop)
        assert len(stops) < most, "Tab never leaves"
        page.keyboard.press("Tab")
    return stops


def sticking_out(page: Page, selector: str) -> list[str]:
    """What reaches beyond the right edge of an element."""
    found: list[str] = page.evaluate(STICKING_OUT, selector)
    return found
