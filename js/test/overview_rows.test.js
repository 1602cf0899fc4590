import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsOf } from "../src/grid_rows.js";
import { apart } from "../src/overview_labels.js";
import { arrange, badgesByRow, chipsOf } from "../src/overview_order.js";
import { ancestors, assembleTree, firstTensor } from "../src/overview_tree.js";
import { cellOf, isAnyBeyond, STATE, takePage, unknown } from "../src/overview_values.js";

const [MODEL, LAYER, TENSOR, KERNEL] = [0, 1, 2, 10];
const MODELS = 2;
// label, note, address, kind, level
const ROWS = [
  ["encoder", "Functional", "encoder", MODEL, 0],
  ["lstm_10", "LSTM", "encoder/lstm_10 · LSTM", LAYER, 1],
  ["kernel", "3 × 8", "encoder/lstm_10 · LSTM · kernel", KERNEL, 2],
  ["bias", "8", "encoder/lstm_10 · LSTM · bias", TENSOR, 2],
  ["lstm_2", "LSTM", "encoder/lstm_2 · LSTM", LAYER, 1],
  ["kernel", "8 × 8", "encoder/lstm_2 · LSTM · kernel", KERNEL, 2],
  ["dropout", "Dropout", "dropout · Dropout", LAYER, 0],
  ["dense", "Dense", "dense · Dense", LAYER, 0],
  ["kernel", "2 × 2", "dense · Dense · kernel", KERNEL, 1],
  ["bias", "2", "dense · Dense · bias", TENSOR, 1],
];
// What each model has in each tensor.
const CELLS = {
  2: [
    [0.5, STATE.number],
    [-2, STATE.changed],
  ],
  3: [
    [0.25, STATE.number],
    [0.25, STATE.same],
  ],
  5: [
    [3, STATE.number],
    [3, STATE.same],
  ],
  8: [
    [Number.NaN, STATE.undefined],
    [1, STATE.number],
  ],
  9: [
    [0, STATE.number],
    [Number.NaN, STATE.absent],
  ],
};

/** As a message's buffer may come: not at its beginning. */
function sent(bytes) {
  const whole = new Uint8Array(bytes.length + 3);
  whole.set(bytes, 3);
  return new DataView(whole.buffer, 3);
}

function outlinePage(rows, frame = 1) {
  return {
    frame,
    texts: sent(new TextEncoder().encode(JSON.stringify(rows.map((row) => row.slice(0, 3))))),
    kinds: sent(Uint8Array.from(rows, (row) => row[3])),
    levels: sent(Uint8Array.from(rows, (row) => row[4])),
  };
}

function valuesPage(cells) {
  const numbers = Float32Array.from(cells, ([number]) => number);
  return {
    numbers: sent(new Uint8Array(numbers.buffer)),
    states: sent(Uint8Array.from(cells, ([, state]) => state)),
  };
}

const treeOf = (rows, pageRows = 4) =>
  assembleTree({ frame: 1, count: rows.length }, pageRows, (page) =>
    outlinePage(rows.slice(page * pageRows, (page + 1) * pageRows)),
  );

function valuesOf(count, cells) {
  const values = unknown(count, MODELS);
  const flat = Array.from({ length: count }, (_, row) => cells[row] ?? Array(MODELS).fill([Number.NaN, STATE.absent]));
  takePage(values, 0, valuesPage(flat.flat()));
  return values;
}

const tree = treeOf(ROWS);
const items = [
  [1, 1, "12 dead units", "warning", "dead: 12 of 128 units never updated"],
  [9, -1, "all zero", "note", "sparse: every weight is 0"],
];
const contents = { tree, values: valuesOf(ROWS.length, CELLS), badges: badgesByRow(items), own: 0 };
const everything = { changed: false, kernels: false, findings: false };
const rowsOf = ({ sort = null, query = "", folded = [], ...only } = {}) =>
  arrange(contents, {
    sort,
    query,
    folded: new Set(folded.map((row) => tree.nodes[row].key)),
    only: { ...everything, ...only },
  }).order;

test("pages make a tree, from any byte of a buffer on", () => {
  assert.deepEqual(
    tree.nodes.map(({ label, note, address, level }) => [label, note, address, level]),
    ROWS.map(([a, b, c, , level]) => [a, b, c, level]),
  );
  assert.deepEqual(
    tree.nodes.map(({ parent }) => parent),
    [-1, 0, 1, 1, 0, 4, -1, -1, 7, 7],
  );
  assert.deepEqual(
    tree.nodes.map(({ end }) => end),
    [6, 4, 3, 4, 6, 6, 7, 10, 9, 10],
  );
  assert.deepEqual(
    tree.nodes.flatMap(({ tensor }, row) => (tensor ? [row] : [])),
    [2, 3, 5, 8, 9],
  );
  assert.deepEqual(
    tree.nodes.flatMap(({ kernel }, row) => (kernel ? [row] : [])),
    [2, 5, 8],
  );
  assert.deepEqual(ancestors(tree, 3), [1, 0]);
  assert.deepEqual(
    [0, 4, 6, 9].map((row) => firstTensor(tree, row)),
    [2, 5, -1, 9],
  );
});

test("there is no tree while a page of other rows is among them", () => {
  const page = (frame) => (number) => outlinePage(ROWS.slice(4 * number, 4 * number + 4), number === 2 ? frame : 1);
  assert.equal(assembleTree({ frame: 1, count: 10 }, 4, page(0)), null);
  assert.equal(
    assembleTree({ frame: 1, count: 10 }, 4, (number) => (number === 1 ? {} : page(1)(number))),
    null,
  );
  assert.equal(assembleTree({}, 4, page(1)), null);
  assert.deepEqual(assembleTree({ frame: 1, count: 8 }, 4, page(0)).nodes.length, 8);
});

test("rows have a key each, also where their addresses are cut to the same", () => {
  const keys = (count) =>
    treeOf(Array.from({ length: count }, () => ["a", "", "a…", LAYER, 0])).nodes.map(({ key }) => key);
  assert.equal(new Set(keys(3)).size, 3);
  assert.deepEqual(keys(3).slice(0, 2), keys(2));
});

test("a name that nobody could read in a row is cut between characters, and searched as a whole", () => {
  const [{ nodes }] = [treeOf([[`${"😀".repeat(5000)}end`, "Dense", "x", LAYER, 0]])];
  assert.match(nodes[0].label, /^(😀){20,200}…$/u);
  assert.ok(nodes[0].searched.includes("end"));
});

test("values of a page are taken where its rows are, from any byte on; the rest is awaited", () => {
  const values = unknown(4, MODELS);
  takePage(
    values,
    2,
    valuesPage([
      [1.5, 1],
      [-0.25, 5],
      [Number.NaN, 3],
      [0, 4],
      [9, 1],
      [9, 1],
    ]),
  );
  assert.deepEqual([...values.states], [0, 0, 0, 0, 1, 5, 3, 4]);
  assert.deepEqual([...values.numbers].slice(4), [1.5, -0.25, Number.NaN, 0]);
});

test("a group shows its most extreme tensor, and what is known of all of them", () => {
  const cell = (row, column, own = 0) => Object.values(cellOf(tree, contents.values, row, column, own));
  assert.deepEqual(cell(2, 1), [-2, STATE.changed]);
  assert.deepEqual(cell(1, 1), [-2, STATE.changed]);
  assert.deepEqual(cell(1, 1, -2), [0.25, STATE.changed]);
  assert.deepEqual(cell(0, 0), [3, STATE.number]);
  assert.deepEqual(cell(4, 1), [3, STATE.same]);
  assert.deepEqual(cell(7, 1), [1, STATE.number]);
  assert.deepEqual(cell(6, 0), [Number.NaN, STATE.absent]);
  const little = valuesOf(ROWS.length, {
    8: [
      [Number.NaN, STATE.undefined],
      [Number.NaN, STATE.awaited],
    ],
  });
  assert.deepEqual(
    [0, 1].map((column) => cellOf(tree, little, 7, column, 0).state),
    [STATE.undefined, STATE.awaited],
  );
});

test("rows stand in the given order, without those that are folded away", () => {
  assert.deepEqual(rowsOf(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(rowsOf({ folded: [1] }), [0, 1, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(rowsOf({ folded: [0, 7] }), [0, 6, 7]);
});

test("sorting keeps the tree: siblings by name as people count, or by a model's number, none last", () => {
  const sorted = (column, down) => rowsOf({ sort: { column, down } });
  assert.deepEqual(sorted(0, false), [7, 9, 8, 6, 0, 4, 5, 1, 3, 2]);
  assert.deepEqual(sorted(1, true), [0, 4, 5, 1, 2, 3, 7, 9, 8, 6]);
  assert.deepEqual(sorted(2, false), [7, 8, 9, 0, 1, 2, 3, 4, 5, 6]);
});

test("a change from nothing, which has no size, neither leads a layer nor the sorted rows", () => {
  const endless = [Number.POSITIVE_INFINITY, STATE.changed];
  const values = valuesOf(ROWS.length, { ...CELLS, 3: [CELLS[3][0], endless], 9: [CELLS[9][0], endless] });
  assert.equal(cellOf(tree, values, 1, 1, 0).number, -2);
  const wish = { sort: { column: 2, down: true }, query: "", only: everything, folded: new Set() };
  const { order } = arrange({ ...contents, values }, wish);
  assert.deepEqual(order.slice(order.indexOf(1), order.indexOf(1) + 3), [1, 2, 3]);
  assert.deepEqual(order.slice(order.indexOf(7), order.indexOf(7) + 3), [7, 8, 9]);
  assert.ok(isAnyBeyond(values, { low: -2, high: 3 }));
  assert.ok(!isAnyBeyond(contents.values, { low: -2, high: 3 }));
  assert.ok(isAnyBeyond(contents.values, { low: -1.9, high: 3 }));
});

test("a search needs all words, finds with a layer its tensors and with a tensor its layer", () => {
  assert.deepEqual(rowsOf({ query: " LSTM_2 " }), [0, 4, 5]);
  assert.deepEqual(rowsOf({ query: "kernel encoder" }), [0, 1, 2, 4, 5]);
  assert.deepEqual(rowsOf({ query: "functional bias" }), [0, 1, 3]);
  assert.deepEqual(rowsOf({ query: "dropout" }), [6]);
  assert.deepEqual(rowsOf({ query: "kernel nothing" }), []);
  assert.deepEqual(rowsOf({ query: "(.*" }), []);
  assert.deepEqual(rowsOf({ query: '"lstm_2 · lstm · kernel"' }), [0, 4, 5]);
  assert.deepEqual(rowsOf({ query: '"kernel lstm_2"' }), []);
  assert.deepEqual(rowsOf({ query: '"' }), rowsOf());
});

test("findings: searches what was found", () => {
  assert.deepEqual(rowsOf({ query: "findings:dead" }), [0, 1, 2, 3]);
  assert.deepEqual(rowsOf({ query: "findings:DEAD bias" }), [0, 1, 3]);
  assert.deepEqual(rowsOf({ query: "findings:zero" }), [7, 9]);
  assert.deepEqual(rowsOf({ query: 'findings:"dead units" bias' }), [0, 1, 3]);
  assert.deepEqual(rowsOf({ query: 'findings:"dead of"' }), []);
  // While the second quote is not typed yet.
  assert.deepEqual(rowsOf({ query: 'bias findings:"Dead un' }), [0, 1, 3]);
  assert.deepEqual(wordsOf('src="x" 6" " "'), ['src="x"', '6"']);
  assert.deepEqual(rowsOf({ query: "findings:" }), [0, 1, 2, 3, 7, 9]);
  assert.deepEqual(rowsOf({ query: "dead" }), []);
});

test("filters leave tensors with what they belong to, and add up", () => {
  assert.deepEqual(rowsOf({ changed: true }), [0, 1, 2, 7, 9]);
  assert.deepEqual(rowsOf({ kernels: true }), [0, 1, 2, 4, 5, 7, 8]);
  assert.deepEqual(rowsOf({ findings: true }), [0, 1, 2, 3, 7, 9]);
  assert.deepEqual(rowsOf({ findings: true, changed: true, kernels: true }), [0, 1, 2]);
  assert.deepEqual(rowsOf({ kernels: true, query: "dense" }), [7, 8]);
});

test("what cannot be compared with the reference has changed", () => {
  const values = valuesOf(ROWS.length, {
    8: [
      [1, STATE.number],
      [Number.NaN, STATE.incomparable],
    ],
  });
  const wish = { sort: null, query: "dense kernel", only: { ...everything, changed: true }, folded: new Set() };
  assert.deepEqual(arrange({ ...contents, values }, wish).order, [7, 8]);
});

test("the tally counts what is folded away", () => {
  const wish = { sort: null, query: "", only: { ...everything, kernels: true }, folded: new Set([tree.nodes[0].key]) };
  const { order, found } = arrange(contents, wish);
  assert.deepEqual([order, found], [[0, 7, 8], 7]);
});

test("of what was found in a row the gravest comes first", () => {
  const badges = badgesByRow([
    [3, 0, "a", "note", ""],
    [3, 1, "b", "warning", ""],
    [1, 0, "c", "note", ""],
  ]);
  assert.deepEqual(
    badges.get(3).map(([, , text]) => text),
    ["b", "a"],
  );
  assert.deepEqual(badges.get(1).length, 1);
});

test("names of models lose what they share, whole words of it, where they are long", () => {
  const epochs = ["epoch_1", "epoch_12", "epoch_9"].map((epoch) => `${epoch}.of_a_long_run.weights.h5`);
  assert.deepEqual(apart(epochs), ["…1…", "…12…", "…9…"]);
  const long = "a".repeat(40);
  assert.deepEqual(apart([`runs/${long}_base`, `runs/${long}_bare`]), [`…base`, `…bare`]);
  assert.deepEqual(apart(["epoch_1.h5", "epoch_2.h5"]), ["epoch_1.h5", "epoch_2.h5"]);
  assert.deepEqual(apart([`${long} model`, `${long} model fine`]), [`…model`, `…model fine`]);
  assert.deepEqual(apart([`${long}/`, `${long}/b`]), [`${long}/`, `${long}/b`]);
  // Characters of two code units, of which the first, or the second, is the same.
  assert.deepEqual(apart([`${long}_😀`, `${long}_😁`]), ["…😀", "…😁"]);
  assert.deepEqual(apart([`😀.${long}`, `🈀.${long}`]), ["😀…", "🈀…"]);
});

test("what was found in several models is one badge", () => {
  const badges = [
    [3, 1, "b", "warning", ""],
    [3, 0, "a", "note", ""],
    [4, 2, "b", "warning", ""],
    [5, 2, "b", "warning", ""],
  ];
  assert.deepEqual(chipsOf(badges), [
    { text: "b", severity: "warning", columns: [1, 2] },
    { text: "a", severity: "note", columns: [0] },
  ]);
});
