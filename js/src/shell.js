// Keeps the notebook's one-key commands away from the explorer's controls: with the focus on a <select>, JupyterLab would
// take ArrowDown for "next cell" and "b" for "insert a cell below".
import { explorerOf, onceAttached, SUPPRESS_SHORTCUTS } from "./page.js";

const UNMARKED = ["select", "input", "textarea", "button", "summary", ".ww-remark ul"]
  .map((name) => `${name}:not([${SUPPRESS_SHORTCUTS}="true"])`)
  .join();

/** @type {import("@anywidget/types").Render} */
function render({ el }) {
  const closing = new AbortController();
  // Out of the layout, but with a size: that is how its arrival in the page is noticed.
  Object.assign(el.style, { position: "absolute", width: "1px", height: "1px", visibility: "hidden" });
  onceAttached(el, () => guard(explorerOf(el), closing.signal), closing.signal);
  return () => closing.abort();
}

/**
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function guard(root, signal) {
  const mark = () => {
    for (const control of root.querySelectorAll(UNMARKED)) control.setAttribute(SUPPRESS_SHORTCUTS, "true");
  };
  const observer = new MutationObserver(mark);
  observer.observe(root, { childList: true, subtree: true });
  signal.addEventListener("abort", () => observer.disconnect());
  mark();
}

export default { render };
