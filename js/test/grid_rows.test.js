import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, assemble, isOurs, nextPlace, nextSort } from "../src/grid_rows.js";

const texts = (...cells) => ({ cells, keys: null });
const numbers = (...keys) => ({ cells: keys.map(String), keys: Float64Array.from(keys) });
const rows = (...columns) => ({ frame: 1, count: columns[0].cells.length, colours: [], columns });
const arranged = (table, { sort = null, query = "", visible = table.columns.map(() => true) } = {}) =>
  arrange(table, { sort, query, visible });
const down = (column) => ({ sort: { column, down: true } });
const up = (column) => ({ sort: { column, down: false } });

/** As a message's buffer may come: not at its beginning. */
function sent(...keys) {
  const view = new DataView(new ArrayBuffer(8 * keys.length + 3), 3);
  keys.forEach((key, i) => {
    view.setFloat64(8 * i, key, true);
  });
  return view;
}

test("columns are put together with their table, from any byte of a buffer on", () => {
  const table = { frame: 7, count: 2, colours: ["red", "blue"] };
  const packed = [
    { frame: 7, cells: ["a", "b"], keys: null },
    { frame: 7, cells: ["0.5", "n/a"], keys: sent(0.5, Number.NaN) },
  ];
  const whole = assemble(table, packed);
  assert.deepEqual(whole, {
    ...table,
    columns: [
      { cells: ["a", "b"], keys: null },
      { cells: ["0.5", "n/a"], keys: Float64Array.of(0.5, Number.NaN) },
    ],
  });
});

test("nothing is shown while a column of other rows is among them", () => {
  const table = { frame: 7, count: 1, colours: [] };
  const packed = (frame) => ({ frame, cells: ["a"], keys: null });
  assert.equal(assemble(table, [packed(7), packed(6)]), null);
  assert.equal(assemble(table, [packed(7), packed(8)]), null);
  assert.equal(assemble(table, [packed(7), {}]), null);
});

test("rows stand in the given order until they are sorted", () => {
  assert.deepEqual(arranged(rows(texts("b", "c", "a"))), [0, 1, 2]);
});

test("texts are sorted as people count: layer_2 before layer_10", () => {
  const table = rows(texts("layer_10", "layer_2", "Layer_1", "layer_2"));
  assert.deepEqual(arranged(table, up(0)), [2, 1, 3, 0]);
  assert.deepEqual(arranged(table, down(0)), [0, 1, 3, 2]);
});

test("numbers are sorted by their keys, not by their texts, and equal ones keep their order", () => {
  const table = rows({ cells: ["1 000", "−2.00", "30.0", "1 000"], keys: Float64Array.of(1000, -2, 30, 1000) });
  assert.deepEqual(arranged(table, up(0)), [1, 2, 0, 3]);
  assert.deepEqual(arranged(table, down(0)), [0, 3, 2, 1]);
});

test("NaN is last in both directions, infinities are numbers", () => {
  const table = rows(numbers(Number.NaN, Infinity, 1, -Infinity, Number.NaN, Infinity, 0));
  assert.deepEqual(arranged(table, up(0)), [3, 6, 2, 1, 5, 0, 4]);
  assert.deepEqual(arranged(table, down(0)), [1, 5, 2, 6, 3, 0, 4]);
});

test("a filter's words must all be there, in any visible text, in any case", () => {
  const table = rows(texts("conv_1/kernel", "conv_1/bias", "dense/Kernel"), texts("ours", "theirs", "theirs"));
  assert.deepEqual(arranged(table, { query: " KERNEL " }), [0, 2]);
  assert.deepEqual(arranged(table, { query: "their kernel" }), [2]);
  assert.deepEqual(arranged(table, { query: "kernel nothing" }), []);
  assert.deepEqual(arranged(table, { query: "theirs", visible: [true, false] }), []);
  assert.deepEqual(arranged(table, { query: "(.*" }), []);
});

test("a filter looks at texts, not at numbers, and leaves the sorting alone", () => {
  const table = rows(texts("a1", "a2", "b1"), numbers(1, 2, 3));
  assert.deepEqual(arranged(table, { query: "3" }), []);
  assert.deepEqual(arranged(table, { query: "a", ...down(1) }), [1, 0]);
});

test("a header sorts numbers from the largest, names from the first, then the other way, then not", () => {
  const largest = nextSort(null, 2, true);
  assert.deepEqual(largest, { column: 2, down: true });
  const smallest = nextSort(largest, 2, true);
  assert.deepEqual(smallest, { column: 2, down: false });
  assert.equal(nextSort(smallest, 2, true), null);
  const first = nextSort(smallest, 0, false);
  assert.deepEqual(first, { column: 0, down: false });
  assert.deepEqual(nextSort(first, 0, false), { column: 0, down: true });
});

test("keys move among the rows in sight and stay there; Escape selects none", () => {
  const places = {
    ArrowUp: 19,
    ArrowDown: 21,
    PageUp: 10,
    PageDown: 30,
    Home: 0,
    End: 49,
    Enter: 20,
    " ": 20,
    Escape: -1,
  };
  for (const [key, place] of Object.entries(places)) assert.equal(nextPlace(20, key, 50), place, key);
  assert.equal(nextPlace(0, "ArrowUp", 50), 0);
  assert.equal(nextPlace(45, "PageDown", 50), 49);
});

test("only our keys, and none that a modifier makes somebody else's", () => {
  const plain = { ctrlKey: false, altKey: false, metaKey: false };
  assert.ok(isOurs({ key: "End", ...plain }));
  assert.ok(isOurs({ key: "Escape", ...plain }));
  for (const key of ["Tab", "b", "ArrowLeft", "constructor"]) assert.ok(!isOurs({ key, ...plain }), key);
  for (const modifier of Object.keys(plain)) assert.ok(!isOurs({ key: "End", ...plain, [modifier]: true }), modifier);
});
