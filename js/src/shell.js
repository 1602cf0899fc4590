// What the page lacks for everybody to use the explorer: names and hints of its figures and controls. And it keeps the
// notebook's one-key commands away from the controls: with the focus on a <select>, JupyterLab would take ArrowDown for
// "next cell" and "b" for "insert a cell below".
import { nameFigures } from "./figures.js";
import { hintControls } from "./hints.js";
import { explorerOf, onceAttached, SUPPRESS_SHORTCUTS } from "./page.js";

const UNMARKED = [
  "select",
  "input",
  "textarea",
  "button",
  "summary",
  ".ww-remark ul",
  ".ww-counts > .widget-html-content",
]
  .map((name) => `${name}:not([${SUPPRESS_SHORTCUTS}="true"])`)
  .join();

/** @type {import("@anywidget/types").Render<{ hints: Record<string, string> }>} */
function render({ model, el }) {
  const closing = new AbortController();
  // Out of the layout, but with a size: that is how its arrival in the page is noticed.
  Object.assign(el.style, { position: "absolute", width: "1px", height: "1px", visibility: "hidden" });
  onceAttached(el, () => guard(explorerOf(el), model.get("hints"), closing.signal), closing.signal);
  return () => closing.abort();
}

const SCROLLERS = ".ww-counts > .widget-html-content, .ww-remark ul";
// What changes often and needs nothing from here: rows look after themselves, and drawings hold no control.
const APART = ".ww-overview-grid, .ww-grid-scroll, svg";

/**
 * @param {HTMLElement} root
 * @param {Record<string, string>} hints
 * @param {AbortSignal} signal
 */
function guard(root, hints, signal) {
  const mark = () => {
    for (const control of root.querySelectorAll(UNMARKED)) control.setAttribute(SUPPRESS_SHORTCUTS, "true");
    hintControls(root, hints);
    nameFigures(root);
    reachScrollers(root);
  };
  let frame = 0;
  const observer = new MutationObserver((records) => {
    if (records.every(({ target }) => target instanceof Element && target.closest(APART))) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(mark);
  });
  observer.observe(root, { childList: true, subtree: true });
  const sizes = new ResizeObserver(() => reachScrollers(root));
  sizes.observe(root);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
    sizes.disconnect();
  });
  mark();
}

/**
 * What is wider or higher than its place is scrolled by keys, too, once it can have the focus.
 * @param {HTMLElement} root
 */
function reachScrollers(root) {
  for (const el of root.querySelectorAll(SCROLLERS)) {
    if (el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight) el.setAttribute("tabindex", "0");
    else el.removeAttribute("tabindex");
  }
}

export default { render };
