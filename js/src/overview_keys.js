// Moving about the overview with the keyboard, as the ARIA treegrid pattern says.
import { clamp } from "./raster.js";

/**
 * @typedef {{ place: number, column: number }} Spot  Place −1 is the header, column −1 the row as a whole.
 * @typedef {"open" | "closed" | "leaf"} Fold
 * @typedef {{ count: number, columns: number, page: number, foldAt: (place: number) => Fold,
 *   parentOf: (place: number) => number }} Rows  `page` is how many are in sight.
 * @typedef {{ spot?: Spot, fold?: boolean, choose?: boolean, dismiss?: boolean, typed?: string }} Act
 * @typedef {{ key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean }} Key
 */

// Between two letters of one word, in milliseconds.
const TYPING = 700;

/**
 * What a key asks for; null for somebody else's.
 * @param {Key} event
 * @param {Spot} spot
 * @param {Rows} rows
 * @returns {Act | null}
 */
export function act({ key, ctrlKey, altKey, metaKey }, spot, rows) {
  const ends = key === "Home" || key === "End";
  if (altKey || metaKey || (ctrlKey && !ends)) return null;
  if (key === "Escape") return { dismiss: true };
  if (key === "Enter" || key === " ") return { choose: true };
  if (key === "ArrowLeft") return left(spot, rows);
  if (key === "ArrowRight") return right(spot, rows);
  if (ends && spot.column >= 0 && !ctrlKey) {
    return { spot: { ...spot, column: key === "Home" ? 0 : rows.columns - 1 } };
  }
  // The header is a row above the first; only a single step reaches it.
  if (Object.hasOwn(STEPS, key)) {
    const step = STEPS[key]?.(rows.page) ?? 0;
    const lowest = key === "ArrowUp" ? -1 : Math.min(rows.count, 1) - 1;
    return { spot: { ...spot, place: clamp(spot.place + step, lowest, rows.count - 1) } };
  }
  return [...key].length === 1 ? { typed: key } : null;
}

/** @type {Record<string, (page: number) => number>} */
const STEPS = {
  ArrowUp: () => -1,
  ArrowDown: () => 1,
  PageUp: (page) => -page,
  PageDown: (page) => page,
  Home: () => -Infinity,
  End: () => Infinity,
};

/**
 * @param {Spot} spot
 * @param {Rows} rows
 * @returns {Act}
 */
function left({ place, column }, { foldAt, parentOf }) {
  if (column >= 0) return { spot: { place, column: column - 1 } };
  if (foldAt(place) === "open") return { fold: true };
  return { spot: { place: place < 0 ? place : parentOf(place), column } };
}

/**
 * @param {Spot} spot
 * @param {Rows} rows
 * @returns {Act}
 */
function right({ place, column }, { columns, foldAt }) {
  if (column < 0 && foldAt(place) === "closed") return { fold: false };
  return { spot: { place, column: Math.min(column + 1, columns - 1) } };
}

/**
 * What was typed so far with one more letter.
 * @param {{ text: string, at: number }} before
 * @param {string} letter
 * @param {number} at  a time in milliseconds
 */
export function typing(before, letter, at) {
  return { text: at - before.at < TYPING ? before.text + letter : letter, at };
}

/**
 * The next place whose label begins so, from the top again after the last; a first letter leaves the present one.
 * @param {string} text
 * @param {number} place
 * @param {number} count
 * @param {(place: number) => string} labelAt
 * @returns {number}  `place` where there is none
 */
export function typeAhead(text, place, count, labelAt) {
  const wanted = text.toLowerCase();
  const from = Math.max(place, -1) + (text.length === 1 || place < 0 ? 1 : 0);
  for (let step = 0; step < count; step++) {
    const at = (from + step) % count;
    if (labelAt(at).toLowerCase().startsWith(wanted)) return at;
  }
  return place;
}
