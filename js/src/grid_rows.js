// What a table shows and in which order: columns put together, filtered and sorted.

/**
 * @typedef {{ label: string, hint: string, number: boolean, visible: boolean }} Column
 * @typedef {{ frame: number, count: number, colours: string[] }} Table
 * @typedef {{ frame: number, cells: string[], keys: DataView | null }} Packed  As a column travels.
 * @typedef {{ cells: string[], keys: Float64Array | null }} Cells  Keys order numbers; without them it is text.
 * @typedef {Table & { columns: Cells[] }} Rows
 * @typedef {{ column: number, down: boolean }} Sort
 */

/** @type {Record<string, number>} */
const STEPS = {
  ArrowUp: -1,
  ArrowDown: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
  Enter: 0,
  " ": 0,
};
// So that layer_2 comes before layer_10.
export const natural = new Intl.Collator("en", { numeric: true });

/**
 * Columns travel apart from their table: one of another frame belongs to other rows.
 * @param {Table} table
 * @param {Packed[]} packed
 * @returns {Rows | null}  null until all have come
 */
export function assemble(table, packed) {
  if (packed.some(({ frame }) => frame !== table.frame)) return null;
  return { ...table, columns: packed.map(({ cells, keys }) => ({ cells, keys: keys && numbers(keys) })) };
}

/** @param {DataView} keys  no Float64Array: a message's buffer may begin at any byte */
function numbers(keys) {
  return Float64Array.from({ length: keys.byteLength / 8 }, (_, i) => keys.getFloat64(8 * i, true));
}

/**
 * The rows that have every word of the query in one of the visible texts, in order.
 * @param {Rows} rows
 * @param {{ sort: Sort | null, query: string, visible: boolean[] }} wish
 * @returns {number[]}  places in `rows`
 */
export function arrange({ count, columns }, { sort, query, visible }) {
  const words = wordsOf(query);
  const texts = columns.filter(({ keys }, i) => !keys && visible[i]).map(({ cells }) => cells);
  const has = (/** @type {number} */ row, /** @type {string} */ word) =>
    texts.some((cells) => cells[row]?.toLowerCase().includes(word));
  const found = Array.from({ length: count }, (_, row) => row).filter((row) => words.every((word) => has(row, word)));
  const sorted = sort && columns[sort.column];
  return sorted ? found.sort(comparison(sorted, sort.down)) : found;
}

/**
 * @param {Cells} column
 * @param {boolean} down
 * @returns {(a: number, b: number) => number}
 */
function comparison({ cells, keys }, down) {
  if (!keys) return (a, b) => (down ? -1 : 1) * natural.compare(cells[a] ?? "", cells[b] ?? "");
  return (a, b) => compareNumbers(keys[a] ?? Number.NaN, keys[b] ?? Number.NaN, down);
}

/**
 * What has no number stands at the end, whichever the direction.
 * @param {number} x
 * @param {number} y
 * @param {boolean} down
 */
export function compareNumbers(x, y, down) {
  // No difference: two infinities have none.
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  if (x === y) return 0;
  return x < y === down ? 1 : -1;
}

/**
 * The words of a query, all of which are needed; what stands between quotes is one word, as in `findings:"dead units"`.
 * @param {string} query
 */
export function wordsOf(query) {
  // Elsewhere a quote may be one of a name.
  const found = query.toLowerCase().matchAll(/([^\s":]*:)?"([^"]*)(?:"|$)|\S+/g);
  return [...found]
    .map(([word, field, quoted]) => (quoted === undefined ? word : (field ?? "") + quoted.trim()))
    .filter(Boolean);
}

/**
 * What a click on a header leads to: the largest numbers or the first names, the other way round, the given order.
 * @param {Sort | null} sort
 * @param {number} column
 * @param {boolean} number
 * @returns {Sort | null}
 */
export function nextSort(sort, column, number) {
  if (sort?.column !== column) return { column, down: number };
  return sort.down === number ? { column, down: !number } : null;
}

/** @param {{ key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean }} event */
export function isOurs({ key, ctrlKey, altKey, metaKey }) {
  return (Object.hasOwn(STEPS, key) || key === "Escape") && !ctrlKey && !altKey && !metaKey;
}

/**
 * The place to select after one of our keys.
 * @param {number} place
 * @param {string} key
 * @param {number} count  of the rows in sight
 * @returns {number}  −1 for none
 */
export function nextPlace(place, key, count) {
  if (key === "Escape") return -1;
  return Math.min(Math.max(place + (STEPS[key] ?? 0), 0), count - 1);
}
