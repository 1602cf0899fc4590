// Lets a figure be zoomed by the wheel once it was clicked, and shows all of it again after a double click.
import { explorerOf, onceAttached } from "./page.js";
import { placeIn, scaleOf, see } from "./plot.js";

/**
 * @typedef {import("./plot.js").Scale} Scale
 * @typedef {{ figure: string, scales: string[], home: [low: number, high: number][] }} Traits
 */

/** @type {import("@anywidget/types").Render<Traits>} */
async function render({ model, el }) {
  const closing = new AbortController();
  el.className = "ww-zoom";
  el.tabIndex = -1;
  const scales = await Promise.all(model.get("scales").map((reference) => scaleOf(model, reference)));
  onceAttached(el, () => watch(model, scales, el, closing.signal), closing.signal);
  return () => closing.abort();
}

/**
 * @param {import("@anywidget/types").AnyModel<Traits>} model
 * @param {Scale[]} scales
 * @param {HTMLElement} el  has the focus after a click into the figure
 * @param {AbortSignal} signal
 */
function watch(model, scales, el, signal) {
  const root = explorerOf(el);
  const isHere = (/** @type {MouseEvent} */ event) => placeIn(`.${model.get("figure")}`, event) !== null;
  const listen = { capture: true, signal };
  root.addEventListener(
    "wheel",
    (event) => {
      // Elsewhere it scrolls the page, as everywhere in it.
      if (document.activeElement !== el && isHere(event)) event.stopPropagation();
    },
    listen,
  );
  root.addEventListener(
    "pointerup",
    (event) => {
      // After the notebook, which takes the focus to its cell when a drag ends.
      if (isHere(event)) setTimeout(() => el.focus({ preventScroll: true }));
    },
    listen,
  );
  root.addEventListener(
    "dblclick",
    (event) => {
      if (!isHere(event)) return;
      for (const [number, scale] of scales.entries()) {
        const ends = model.get("home")[number];
        if (ends) see(scale, ...ends);
      }
    },
    listen,
  );
}

export default { render };
