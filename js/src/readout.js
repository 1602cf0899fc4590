// The sentence under the heatmaps, as pieces that the page turns into text nodes.
import { readCell, span } from "./raster.js";
import { exactPlace, formatNumber, place } from "./words.js";

/**
 * @typedef {import("./raster.js").Cell} Cell
 * @typedef {import("./raster.js").Side} Side
 * @typedef {import("./raster.js").Raster} Raster
 * @typedef {{
 *   frame: number, whole: [rows: number, columns: number], rows: Side, columns: Side, labels: string[],
 *   exact_digits: number, pooled_digits: number,
 * }} Picture
 * @typedef {{ text: string, role: "place" | "label" | "value" | "aside" }} Piece
 */

const HINT = "Point at a heatmap to read it. Click it, and the wheel zooms, a drag pans, the arrow keys move.";
const UNAVAILABLE = "n/a";
const AWAITED = "…";

/**
 * @param {Partial<Picture>} picture
 * @returns {picture is Picture}
 */
export function isShown(picture) {
  return "frame" in picture;
}

/**
 * @param {Partial<Picture>} picture
 * @param {Raster[]} rasters  one for each of the picture's labels
 * @param {Cell | null} cell
 * @returns {Piece[]}
 */
export function readout(picture, rasters, cell) {
  if (!isShown(picture)) return [];
  if (!cell) return [{ text: HINT, role: "aside" }];
  // Rasters travel apart from the picture: one of another frame belongs to another tensor.
  const current = rasters.filter(({ frame }) => frame === picture.frame);
  const where = describe(
    picture,
    cell,
    current.some(({ planes }) => planes === 3),
  );
  /** @type {Piece[]} */
  const pieces = where ? [{ text: `${where}: `, role: "place" }] : [];
  picture.labels.forEach((label, i) => {
    const raster = rasters[i];
    if (i > 0) pieces.push({ text: " · ", role: "aside" });
    pieces.push({ text: `${label} `, role: "label" });
    pieces.push(...(raster && current.includes(raster) ? figures(picture, raster, cell) : [aside(AWAITED)]));
  });
  return pieces;
}

/**
 * @param {Picture} picture
 * @param {Cell} cell
 * @param {boolean} pooled
 */
function describe({ rows, columns }, cell, pooled) {
  const [top, bottom] = span(rows, cell.row);
  const [left, right] = span(columns, cell.column);
  if (!pooled) return exactPlace(rows, columns, { row: top, column: left });
  const where = [place(rows, cell.row, "row"), place(columns, cell.column, "column")].filter(Boolean).join(", ");
  return `${where} (mean of ${(bottom - top) * (right - left)} weights)`;
}

/**
 * @param {Picture} picture
 * @param {Raster} raster
 * @param {Cell} cell
 * @returns {Piece[]}
 */
function figures({ rows, columns, exact_digits, pooled_digits }, raster, cell) {
  const found = readCell(raster, rows, columns, cell);
  if (!found) return [aside(UNAVAILABLE)];
  if ("value" in found) return [{ text: formatNumber(found.value, exact_digits), role: "value" }];
  const [mean, min, max] = [found.mean, found.min, found.max].map((value) => formatNumber(value, pooled_digits));
  return [aside("mean "), { text: `${mean}`, role: "value" }, aside(` (${min}…${max})`)];
}

/**
 * @param {string} text
 * @returns {Piece}
 */
function aside(text) {
  return { text, role: "aside" };
}
