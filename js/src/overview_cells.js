// How a cell looks and reads: a colour, a bar as long as the number is large, a mark, words.
import { isNumber, STATE } from "./overview_values.js";
import { clamp } from "./raster.js";
import { formatNumber } from "./words.js";

/**
 * @typedef {import("./overview_values.js").Cell} Cell
 * @typedef {{ key: string, label: string, hint: string, palette: string, percent: boolean, signed: boolean,
 *   own: number }} Measure  `own` is what the reference has beside itself.
 * @typedef {{ low: number, high: number }} Limits
 * @typedef {{ palette: DataView, limits: Limits | null, measure: Measure }} Shading  No limits until they are known.
 * @typedef {{ name: string, colour: string, dark: boolean, bar: [from: number, to: number], mark: string, short: string,
 *   words: string }} Look  `dark` is the colour's, `bar` in shares of the cell.
 */

const COLOURS = 255;
const DIGITS = 3;

/** @type {Record<number, { name: string, mark: string, words: string }>} */
const WITHOUT = {
  [STATE.awaited]: { name: "awaited", mark: "…", words: "not yet known" },
  [STATE.absent]: { name: "absent", mark: "", words: "no such tensor" },
  [STATE.undefined]: { name: "undefined", mark: "n/a", words: "n/a" },
  [STATE.incomparable]: { name: "undefined", mark: "n/a", words: "n/a, not the same as the reference" },
};
const SAME = ", the same as the reference";

/**
 * @param {Cell} cell
 * @param {Shading} shading
 * @returns {Look}
 */
export function lookOf({ number, state }, { palette, limits, measure }) {
  const known = isNumber(state) && !Number.isNaN(number);
  if (!known || !limits) {
    const without = WITHOUT[isNumber(state) ? (known ? STATE.awaited : STATE.undefined) : state];
    return { name: "absent", mark: "", words: "", ...without, colour: "", dark: false, bar: [0, 0], short: "" };
  }
  const origin = measure.signed ? 0.5 : 0;
  const share = shareOf(number, limits, origin);
  const [red, green, blue] = colourAt(palette, share);
  const short = numberText(number, measure);
  return {
    name: "number",
    colour: `rgb(${red},${green},${blue})`,
    dark: 0.299 * red + 0.587 * green + 0.114 * blue < 140,
    bar: [Math.min(origin, share), Math.max(origin, share)],
    mark: state === STATE.same ? "=" : "",
    short,
    words: state === STATE.same ? short + SAME : short,
  };
}

/**
 * @param {number} number
 * @param {Limits} limits
 * @param {number} origin  where all numbers are where they are all the same
 */
function shareOf(number, { low, high }, origin) {
  return high > low ? clamp((number - low) / (high - low), 0, 1) : origin;
}

/**
 * @param {DataView} palette
 * @param {number} share
 * @returns {[red: number, green: number, blue: number]}
 */
function colourAt(palette, share) {
  const start = 3 * Math.round(share * (COLOURS - 1));
  return [palette.getUint8(start), palette.getUint8(start + 1), palette.getUint8(start + 2)];
}

/**
 * @param {number} number
 * @param {Measure} measure
 */
export function numberText(number, { percent, signed }) {
  return percent ? `${formatNumber(100 * number, DIGITS, signed)} %` : formatNumber(number, DIGITS, signed);
}

/**
 * The palette as CSS, from its low end to its high one.
 * @param {DataView} palette
 */
export function gradient(palette) {
  const stops = Array.from({ length: 17 }, (_, i) => `rgb(${colourAt(palette, i / 16)})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
