// The numbers of the overview: one for each tensor and model, with what is known of it.

/**
 * @typedef {import("./overview_tree.js").Tree} Tree
 * @typedef {{ frame: number, measure: string, numbers: DataView, states: DataView }} ValuesPage  As some rows travel.
 * @typedef {{ models: number, numbers: Float32Array, states: Uint8Array }} Values  Row-major.
 * @typedef {{ number: number, state: number }} Cell
 */

// Incomparable: undefined, and different from the reference's; of another shape, for instance.
export const STATE = Object.freeze({
  awaited: 0,
  number: 1,
  absent: 2,
  undefined: 3,
  same: 4,
  changed: 5,
  incomparable: 6,
});

/** @type {Set<number>} */
const NUMBERS = new Set([STATE.number, STATE.same, STATE.changed]);
/** @type {Set<number>} */
const CHANGES = new Set([STATE.changed, STATE.incomparable, STATE.absent]);
// What a group without any number shows: rather that something is still to come than that there is nothing.
const WITHOUT = [STATE.awaited, STATE.incomparable, STATE.undefined, STATE.absent];

/**
 * @param {number} rows
 * @param {number} models
 * @returns {Values}  nothing known yet
 */
export function unknown(rows, models) {
  const size = rows * models;
  return { models, numbers: new Float32Array(size).fill(Number.NaN), states: new Uint8Array(size) };
}

/**
 * Write what came of some rows into all.
 * @param {Values} values
 * @param {number} firstRow
 * @param {ValuesPage} page
 */
export function takePage({ models, numbers, states }, firstRow, page) {
  const start = firstRow * models;
  const count = Math.min(page.states.byteLength, page.numbers.byteLength / 4, states.length - start);
  for (let i = 0; i < count; i++) {
    // A DataView and no Float32Array: a message's buffer may begin at any byte.
    numbers[start + i] = page.numbers.getFloat32(4 * i, true);
    states[start + i] = page.states.getUint8(i);
  }
}

/** @param {number} state */
export function isNumber(state) {
  return NUMBERS.has(state);
}

/**
 * What a row says of a model: a tensor's own number, or the most extreme of those that belong to a group.
 * @param {Tree} tree
 * @param {Values} values
 * @param {number} row
 * @param {number} column
 * @param {number} own  what is no change: the farther from it, the more extreme
 * @returns {Cell}
 */
export function cellOf({ nodes }, { models, numbers, states }, row, column, own) {
  const node = nodes[row];
  const stateAt = (/** @type {number} */ at) => states[at * models + column] ?? STATE.absent;
  const numberAt = (/** @type {number} */ at) => numbers[at * models + column] ?? Number.NaN;
  if (!node || node.tensor) return { number: numberAt(row), state: stateAt(row) };
  const found = new Set();
  let extreme = Number.NaN;
  for (let at = row + 1; at < node.end; at++) {
    if (!nodes[at]?.tensor) continue;
    found.add(stateAt(at));
    if (isNumber(stateAt(at))) extreme = moreExtreme(extreme, numberAt(at), own);
  }
  if (found.has(STATE.changed)) return { number: extreme, state: STATE.changed };
  if (found.has(STATE.number)) return { number: extreme, state: STATE.number };
  if (found.has(STATE.same)) return { number: extreme, state: STATE.same };
  return { number: extreme, state: WITHOUT.find((state) => found.has(state)) ?? STATE.absent };
}

/**
 * What has no end says nothing of how far it is: a change from weights that are all 0, for instance.
 * @param {number} one
 * @param {number} other
 * @param {number} own
 */
function moreExtreme(one, other, own) {
  if (Number.isFinite(one) !== Number.isFinite(other)) return Number.isFinite(one) || Number.isNaN(other) ? one : other;
  return Number.isNaN(one) || Math.abs(other - own) > Math.abs(one - own) ? other : one;
}

/**
 * Whether some number is beyond the limits of the colours.
 * @param {Values} values
 * @param {{ low: number, high: number }} limits
 */
export function isAnyBeyond({ numbers }, { low, high }) {
  // Float32 rounds the limit's own number.
  const slack = 1e-6 * (high - low);
  return numbers.some((number) => number > high + slack || number < low - slack);
}

/**
 * Whether some model's tensor is known to differ from the reference's, or not to be there.
 * @param {Values} values
 * @param {number} row
 */
export function isChanged({ models, states }, row) {
  return states.subarray(row * models, (row + 1) * models).some((state) => CHANGES.has(state));
}
