// From data coordinates to cells, and from cells to weights. A raster's cell covers one or several elements of each side.

/**
 * @typedef {{
 *   label: string, size: number, names: string[], first?: number, stride?: number, numbers?: number[]
 * }} Axis  Two that share a label count the same thing, one of them in strides.
 * @typedef {{ start?: number, count: number, cells: number, axes: Axis[] }} Side  One side of the picture: so many elements
 *   from `start` on, pooled into cells; the axes are those of the whole tensor.
 * @typedef {{ frame: number, planes: 0 | 1 | 3, values: DataView }} Raster
 * @typedef {{ row: number, column: number }} Cell
 * @typedef {{ low: number, high: number }} Interval
 * @typedef {{ value: number }} Weight
 * @typedef {{ mean: number, min: number, max: number }} Pool
 */

/**
 * The elements that a cell covers, end excluded.
 * @param {Side} side
 * @param {number} cell
 * @returns {[from: number, to: number]}
 */
export function span({ start = 0, count, cells }, cell) {
  return [start + Math.floor((cell * count) / cells), start + Math.floor(((cell + 1) * count) / cells)];
}

/**
 * @param {Side} side
 * @param {number} position  a data coordinate: the picture is stretched evenly over its elements
 * @returns {number | null}  null outside the picture
 */
export function cellAt({ start = 0, count, cells }, position) {
  const cell = Math.floor(((position - start) * cells) / count);
  return cell >= 0 && cell < cells ? cell : null;
}

/**
 * @param {Side} side
 * @param {Interval} domain  what the plot area shows of the side
 * @param {number} share  a place in the plot area, 0 to 1 from its left or top
 * @returns {number | null}  null outside the plot area or the picture
 */
export function cellAtShare(side, { low, high }, share) {
  return share >= 0 && share < 1 ? cellAt(side, low + share * (high - low)) : null;
}

/**
 * Where a cell begins and ends in the plot area; outside [0, 1] where it is out of sight.
 * @param {Side} side
 * @param {Interval} domain
 * @param {number} cell
 * @returns {[begin: number, end: number]}
 */
export function sharesOf({ start = 0, count, cells }, { low, high }, cell) {
  const share = (/** @type {number} */ edge) => (start + (edge * count) / cells - low) / (high - low);
  return [share(cell), share(cell + 1)];
}

/**
 * The cell of another picture in which the middle of a cell lies.
 * @param {{ rows: Side, columns: Side }} from
 * @param {{ rows: Side, columns: Side }} to
 * @param {Cell} cell
 * @returns {Cell | null}
 */
export function sameCell(from, to, { row, column }) {
  const down = cellAt(to.rows, middle(from.rows, row));
  const across = cellAt(to.columns, middle(from.columns, column));
  return down === null || across === null ? null : { row: down, column: across };
}

/**
 * @param {Side} side
 * @param {number} cell
 */
export function middle({ start = 0, count, cells }, cell) {
  return start + ((cell + 0.5) * count) / cells;
}

/**
 * The first and last cell of which something is in sight.
 * @param {Side} side
 * @param {Interval} domain
 * @returns {[first: number, last: number]}
 */
export function visibleCells({ start = 0, count, cells }, { low, high }) {
  const first = Math.floor(((low - start) * cells) / count);
  const last = Math.ceil(((high - start) * cells) / count) - 1;
  return [clamp(first, 0, cells - 1), clamp(last, 0, cells - 1)];
}

/**
 * What a raster says of a cell; null where it has nothing to say.
 * @param {Raster} raster
 * @param {Side} rows
 * @param {Side} columns
 * @param {Cell} cell
 * @returns {Weight | Pool | null}
 */
export function readCell({ planes, values }, rows, columns, { row, column }) {
  if (planes === 0) return null;
  // A DataView and no Float32Array: a message's buffer may begin at any byte.
  const read = (/** @type {number} */ plane) =>
    values.getFloat32(4 * ((plane * rows.cells + row) * columns.cells + column), true);
  return planes === 1 ? { value: read(0) } : { mean: read(0), min: read(1), max: read(2) };
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
