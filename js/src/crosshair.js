// A crosshair over linked heatmaps and a readout of the weights under it, by mouse and by keys, without the kernel.
import { isOurs, move, panned, zoomed } from "./keys.js";
import { Marker } from "./marker.js";
import { explorerOf, onChange, onceAttached } from "./page.js";
import { PLOT_AREA, placeIn, scaleOf, see } from "./plot.js";
import { cellAtShare, middle, sameCell, sharesOf } from "./raster.js";
import { isShown, readout } from "./readout.js";
import { buildBox, write } from "./readout_box.js";

/**
 * @typedef {import("./raster.js").Cell} Cell
 * @typedef {import("./raster.js").Interval} Interval
 * @typedef {import("./raster.js").Raster} Raster
 * @typedef {import("./readout.js").Picture} Picture
 * @typedef {{
 *   x_scale: string, y_scale: string, figures: string[], picture: Picture | Record<string, never>,
 *   raster_0: Raster, raster_1: Raster, raster_2: Raster,
 * }} Traits
 * @typedef {import("@anywidget/types").AnyModel<Traits>} Model
 * @typedef {import("./plot.js").Scale} Scale
 */

/** @type {["raster_0", "raster_1", "raster_2"]} */
const RASTERS = ["raster_0", "raster_1", "raster_2"];
// Rows or columns that stay in sight, however near one zooms.
const CLOSEST = 4;

/** @type {import("@anywidget/types").Render<Traits>} */
async function render({ model, el }) {
  const closing = new AbortController();
  const box = buildBox();
  el.append(box);
  const [x, y] = await Promise.all([scaleOf(model, model.get("x_scale")), scaleOf(model, model.get("y_scale"))]);
  onceAttached(box, () => new Crosshair(model, { x, y }, box, closing.signal), closing.signal);
  return () => {
    closing.abort();
    box.remove();
  };
}

class Crosshair {
  #model;
  #scales;
  #box;
  #root;
  /** @type {{ selector: string, marker: Marker }[]} */
  #figures;
  /** @type {Cell | null} */
  #cell = null;
  /** @type {Traits["picture"]} the one that the cell is in */
  #picture = {};
  /** @type {MouseEvent | null} what is still to be followed */
  #pointer = null;
  /** @type {MouseEvent | null} where it was last */
  #last = null;
  #hovering = false;
  #frame = 0;
  #resizes = new ResizeObserver(() => this.#request());
  /** @type {WeakSet<Element>} */
  #watched = new WeakSet();

  /**
   * @param {Model} model
   * @param {{ x: Scale, y: Scale }} scales
   * @param {HTMLElement} box
   * @param {AbortSignal} signal  ends it
   */
  constructor(model, scales, box, signal) {
    this.#model = model;
    this.#scales = scales;
    this.#box = box;
    this.#root = explorerOf(box);
    this.#figures = model.get("figures").map((name) => ({ selector: `.${name}`, marker: new Marker() }));
    this.#listen(signal);
    this.#request();
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const request = () => this.#request();
    const point = (/** @type {MouseEvent} */ event) => this.#point(event);
    // Capturing, since bqplot's own handlers may stop an event on its way up.
    this.#root.addEventListener("pointermove", point, { capture: true, signal });
    this.#root.addEventListener("pointerleave", point, { signal });
    this.#root.addEventListener("pointerup", (event) => this.#release(event), { capture: true, signal });
    this.#root.addEventListener("dblclick", (event) => this.#showAll(event), { capture: true, signal });
    this.#root.addEventListener("wheel", (event) => this.#roll(event), { capture: true, signal });
    this.#box.addEventListener("keydown", (event) => this.#press(event), { signal });
    this.#box.addEventListener("focusout", request, { signal });
    // A figure may come later than this leaf, or be drawn anew.
    const mutations = new MutationObserver(request);
    mutations.observe(this.#root, { childList: true, subtree: true });
    const stops = [
      onChange(this.#model, ["picture", ...RASTERS], request),
      onChange(this.#scales.x, ["min", "max"], request),
      onChange(this.#scales.y, ["min", "max"], request),
    ];
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      mutations.disconnect();
      this.#resizes.disconnect();
      cancelAnimationFrame(this.#frame);
      for (const { marker } of this.#figures) marker.hide();
    });
  }

  /** One update a frame: a pan sets four limits in turn, and only after the pointer's own event. */
  #request() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#update());
  }

  #update() {
    const picture = this.#model.get("picture");
    this.#followPointer();
    const held = this.#hovering || document.activeElement === this.#box;
    if (!held) this.#cell = null;
    this.#drawMarkers();
    const rasters = RASTERS.map((name) => this.#model.get(name));
    write(this.#box, readout(picture, rasters, this.#cell));
  }

  /**
   * Keep the cell over the same weights when another picture comes: it may show a part, or cells of another size.
   * @param {Traits["picture"]} picture
   */
  #stay(picture) {
    if (picture === this.#picture) return;
    const [from, cell] = [this.#picture, this.#cell];
    this.#picture = picture;
    this.#cell = cell && isShown(from) && isShown(picture) ? sameCell(from, picture, cell) : null;
    // What came may lie under a pointer that rests.
    if (!this.#cell) this.#pointer ??= this.#last;
  }

  #followPointer() {
    this.#stay(this.#model.get("picture"));
    if (!this.#pointer) return;
    const under = this.#cellUnder(this.#pointer);
    this.#hovering = under !== null;
    this.#cell = under ?? this.#cell;
    this.#pointer = null;
  }

  #drawMarkers() {
    const box = this.#markedBox();
    for (const { selector, marker } of this.#figures) {
      const figure = this.#root.querySelector(selector);
      const area = figure?.querySelector(PLOT_AREA);
      if (area && !this.#watched.has(area)) {
        this.#watched.add(area);
        this.#resizes.observe(area);
      }
      if (box && area && figure instanceof HTMLElement) marker.show(figure, area, box);
      else marker.hide();
    }
  }

  /** The cell in shares of the plot area. */
  #markedBox() {
    const picture = this.#model.get("picture");
    if (!this.#cell || !isShown(picture)) return null;
    const [left, right] = sharesOf(picture.columns, columnsInSight(this.#scales.x), this.#cell.column);
    const [top, bottom] = sharesOf(picture.rows, rowsInSight(this.#scales.y), this.#cell.row);
    return { left, right, top, bottom };
  }

  /**
   * @param {MouseEvent} event
   * @returns {{ across: number, down: number } | null} the place in the plot area of a figure, in shares
   */
  #placeOf(event) {
    return placeIn(this.#figures.map(({ selector }) => selector).join(), event);
  }

  /**
   * @param {MouseEvent} event
   * @returns {Cell | null}
   */
  #cellUnder(event) {
    const picture = this.#model.get("picture");
    const place = this.#placeOf(event);
    if (!place || !isShown(picture)) return null;
    const column = cellAtShare(picture.columns, columnsInSight(this.#scales.x), place.across);
    const row = cellAtShare(picture.rows, rowsInSight(this.#scales.y), place.down);
    return row === null || column === null ? null : { row, column };
  }

  /** @param {MouseEvent} event */
  #point(event) {
    this.#pointer = this.#last = event;
    this.#request();
  }

  /** @param {PointerEvent} event  the end of a click or of a drag */
  #release(event) {
    // What was dragged there may still have to be read.
    if (!this.#placeOf(event)) return;
    this.#point(event);
    // At once: the pointer may have left before the next frame.
    this.#followPointer();
    // After the notebook, which takes the focus to its cell when a drag ends.
    setTimeout(() => this.#box.focus({ preventScroll: true }));
  }

  /** @param {WheelEvent} event  zooms where the user has clicked; elsewhere it scrolls the page, as everywhere in it */
  #roll(event) {
    if (document.activeElement !== this.#box && this.#placeOf(event)) event.stopPropagation();
  }

  /** @param {MouseEvent} event  shows everything again */
  #showAll(event) {
    const picture = this.#model.get("picture");
    if (!this.#placeOf(event) || !isShown(picture)) return;
    const { rows, columns } = this.#whole();
    this.#see(rows, columns);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const picture = this.#model.get("picture");
    if (!isOurs(event) || !isShown(picture)) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = { side: picture.rows, domain: rowsInSight(this.#scales.y) };
    const columns = { side: picture.columns, domain: columnsInSight(this.#scales.x) };
    // A move of the mouse that came first must not undo the key's.
    this.#followPointer();
    const before = this.#cell;
    if (this.#zoom(event.key, rows, columns)) return;
    this.#cell = move(before, event, rows, columns);
    // Where the crosshair can go no further, more is brought into sight.
    if (before && this.#cell?.row === before.row && this.#cell.column === before.column) this.#pan(event.key);
    this.#request();
  }

  /**
   * Around the crosshair, or the middle.
   * @param {string} key
   * @param {{ side: import("./raster.js").Side, domain: Interval }} rows
   * @param {{ side: import("./raster.js").Side, domain: Interval }} columns
   * @returns {boolean} whether the key zooms
   */
  #zoom(key, rows, columns) {
    const whole = this.#whole();
    const down = zoomed(key, rows.domain, placeOf(rows, this.#cell?.row), whole.rows, CLOSEST);
    const across = zoomed(key, columns.domain, placeOf(columns, this.#cell?.column), whole.columns, CLOSEST);
    if (!down || !across) return false;
    this.#see(down, across);
    return true;
  }

  /** @param {string} key */
  #pan(key) {
    this.#see(...panned(key, rowsInSight(this.#scales.y), columnsInSight(this.#scales.x), this.#whole()));
  }

  #whole() {
    const [rows, columns] = /** @type {Picture} */ (this.#model.get("picture")).whole;
    return { rows: { low: 0, high: rows }, columns: { low: 0, high: columns } };
  }

  /**
   * @param {Interval} rows
   * @param {Interval} columns
   */
  #see(rows, columns) {
    see(this.#scales.x, columns.low, columns.high);
    see(this.#scales.y, -rows.high, -rows.low);
  }
}

/**
 * @param {Scale} scale
 * @returns {Interval} what is in sight after panning and zooming
 */
function columnsInSight(scale) {
  return { low: scale.get("min"), high: scale.get("max") };
}

/**
 * Rows run down from 0 and the scale runs up to it: bqplot pans a reversed scale the wrong way.
 * @param {Scale} scale
 * @returns {Interval}
 */
function rowsInSight(scale) {
  return { low: -scale.get("max"), high: -scale.get("min") };
}

/**
 * @param {{ side: import("./raster.js").Side, domain: Interval }} sight
 * @param {number | undefined} cell  the middle of what is in sight without one
 */
function placeOf({ side, domain }, cell) {
  return cell === undefined ? (domain.low + domain.high) / 2 : middle(side, cell);
}

export default { render };
