// Lets a figure be zoomed by the wheel once it was clicked, and shows all of it again after a double click.
import { isOurs, panned, zoomed } from "./keys.js";
import { explorerOf, onceAttached, SUPPRESS_SHORTCUTS } from "./page.js";
import { placeIn, scaleOf, see } from "./plot.js";

/**
 * @typedef {import("./plot.js").Scale} Scale
 * @typedef {{ figure: string, scales: string[], home: [low: number, high: number][] }} Traits
 */

const STILL = { low: 0, high: 1 };
// A plot's axis runs upwards, a picture's rows down.
/** @type {Record<string, string>} */
const UPWARDS = { ArrowUp: "ArrowDown", ArrowDown: "ArrowUp" };

/** @type {import("@anywidget/types").Render<Traits>} */
async function render({ model, el }) {
  const closing = new AbortController();
  el.className = "ww-zoom";
  el.tabIndex = 0;
  el.setAttribute("role", "application");
  el.setAttribute("aria-label", "Zoom of the figure: + and - zoom, arrow keys pan, 0 shows everything");
  el.setAttribute(SUPPRESS_SHORTCUTS, "true");
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
  el.addEventListener("keydown", (event) => press(event, scales, model.get("home")), { signal });
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

/**
 * @param {KeyboardEvent} event
 * @param {Scale[]} scales
 * @param {[low: number, high: number][]} home
 */
function press(event, scales, home) {
  const [x, y] = scales.map((scale) => ({ low: scale.get("min"), high: scale.get("max") }));
  const [columns, rows = STILL] = home.map(([low, high]) => ({ low, high }));
  // The others scroll the page, as everywhere in it.
  if (!isOurs(event) || !/^(Arrow|.$)/.test(event.key) || !x || !columns) return;
  event.preventDefault();
  event.stopPropagation();
  const [down, across] = panned(UPWARDS[event.key] ?? event.key, y ?? STILL, x, { rows, columns });
  const seen = [
    zoomed(event.key, x, (x.low + x.high) / 2, columns) ?? across,
    y && (zoomed(event.key, y, (y.low + y.high) / 2, rows) ?? down),
  ];
  for (const [number, scale] of scales.entries()) {
    const ends = seen[number];
    if (ends) see(scale, ends.low, ends.high);
  }
}

export default { render };
