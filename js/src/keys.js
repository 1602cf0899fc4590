// Moving the crosshair with the keyboard.
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

/** @param {{ key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean }} event */
export function isOurs({ key, ctrlKey, altKey, metaKey }) {
  return (Object.hasOwn(STEPS, key) || key === "Escape") && !ctrlKey && !altKey && !metaKey;
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
