// Moving the crosshair, zooming and panning with the keyboard.
import { cellAt, clamp, visibleCells } from "./raster.js";

/**
 * @typedef {import("./raster.js").Cell} Cell
 * @typedef {import("./raster.js").Side} Side
 * @typedef {import("./raster.js").Interval} Interval
 * @typedef {{ side: Side, domain: Interval }} Sight  One side of the picture and what is in sight of it.
 */

/** @type {Record<string, [rows: number, columns: number]>} */
const STEPS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-Infinity, 0],
  PageDown: [Infinity, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

// By how much what is in sight grows.
/** @type {Record<string, number>} */
const ZOOMS = { "+": 0.5, "=": 0.5, "-": 2, _: 2, 0: Infinity };
// Of the whole: well before both ends of what is in sight are one number.
const LEAST = 1e-6;

/** @param {{ key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean }} event */
export function isOurs({ key, ctrlKey, altKey, metaKey }) {
  return (
    (Object.hasOwn(STEPS, key) || Object.hasOwn(ZOOMS, key) || key === "Escape") && !ctrlKey && !altKey && !metaKey
  );
}

/**
 * The cell after one of our keys, always one in sight. With no cell yet, an arrow key starts at the centre.
 * @param {Cell | null} cell
 * @param {{ key: string, shiftKey: boolean }} event
 * @param {Sight} rows
 * @param {Sight} columns
 * @returns {Cell | null}
 */
export function move(cell, { key, shiftKey }, rows, columns) {
  const step = STEPS[key];
  if (!step) return null;
  const start = cell ?? { row: centre(rows), column: centre(columns) };
  if (!cell && key.startsWith("Arrow")) return start;
  const stride = shiftKey ? 10 : 1;
  return {
    row: keepInSight(start.row + stride * step[0], rows),
    column: keepInSight(start.column + stride * step[1], columns),
  };
}

/**
 * What is in sight after a key that zooms; null for the others. The place stays where it is, unless the whole ends there.
 * @param {string} key
 * @param {Interval} seen
 * @param {number} place
 * @param {Interval} whole
 * @param {number} [least]  how much stays in sight, where the whole has so much
 * @returns {Interval | null}
 */
export function zoomed(key, { low, high }, place, whole, least = LEAST * (whole.high - whole.low)) {
  const factor = ZOOMS[key];
  if (factor === undefined) return null;
  if (factor === Infinity) return { ...whole };
  const width = Math.min(Math.max((high - low) * factor, least), whole.high - whole.low);
  const share = high > low ? (place - low) / (high - low) : 0.5;
  return within(place - share * width, width, whole);
}

/**
 * What is in sight of the rows, downwards, and of the columns after an arrow key: a quarter further on, within the whole.
 * @param {string} key
 * @param {Interval} rows
 * @param {Interval} columns
 * @param {{ rows: Interval, columns: Interval }} whole
 * @returns {[rows: Interval, columns: Interval]}
 */
export function panned(key, rows, columns, whole) {
  const [down, across] = key.startsWith("Arrow") ? (STEPS[key] ?? [0, 0]) : [0, 0];
  return [quarterOn(rows, down, whole.rows), quarterOn(columns, across, whole.columns)];
}

/**
 * @param {Interval} seen
 * @param {number} direction
 * @param {Interval} whole
 */
function quarterOn({ low, high }, direction, whole) {
  return within(low + (direction * (high - low)) / 4, high - low, whole);
}

/**
 * @param {number} low
 * @param {number} width
 * @param {Interval} whole
 * @returns {Interval}
 */
function within(low, width, whole) {
  const start = clamp(low, whole.low, whole.high - width);
  return { low: start, high: start + width };
}

/** @param {Sight} sight */
function centre({ side, domain }) {
  const middle = cellAt(side, (domain.low + domain.high) / 2);
  return middle ?? visibleCells(side, domain)[0];
}

/**
 * @param {number} cell
 * @param {Sight} sight
 */
function keepInSight(cell, { side, domain }) {
  return clamp(cell, ...visibleCells(side, domain));
}
