import assert from "node:assert/strict";
import { test } from "node:test";
import { exactPlace, formatNumber, place, unravel } from "../src/words.js";

const unit = { label: "unit", size: 128, names: [] };
const gate = { label: "gate", size: 4, names: ["input", "forget", "cell", "output"] };
const kernelAxes = [
  { label: "kernel row", size: 3, names: [] },
  { label: "kernel column", size: 3, names: [] },
  { label: "input channel", size: 8, names: [] },
];

/** One element a cell, unless told. */
const side = (axes, cells) => {
  const count = axes.reduce((product, { size }) => product * size, 1);
  return { count, cells: cells ?? count, axes };
};

test("numbers: digits, sign, no trailing zeros", () => {
  assert.equal(formatNumber(Math.fround(0.1312), 6), "+0.1312");
  assert.equal(formatNumber(-0.0457, 6), "−0.0457");
  assert.equal(formatNumber(-0.17692345, 3), "−0.177");
  assert.equal(formatNumber(1234, 3), "+1230");
  assert.equal(formatNumber(1234, 3, false), "1230");
  assert.equal(formatNumber(-Infinity, 3, false), "−Inf");
  assert.equal(formatNumber(1, 6), "+1");
  assert.equal(formatNumber(0.99999999, 6), "+1");
});

test("numbers: exponents for the very small and the very large", () => {
  assert.equal(formatNumber(1.234e-7, 3), "+1.23e−7");
  assert.equal(formatNumber(-9.99e-5, 6), "−9.99e−5");
  assert.equal(formatNumber(1e-4, 6), "+0.0001");
  assert.equal(formatNumber(999999, 6), "+999999");
  assert.equal(formatNumber(999999.9, 6), "+1e6");
  assert.equal(formatNumber(-3.4028234663852886e38, 6), "−3.40282e38");
  assert.equal(formatNumber(1.401298464324817e-45, 3), "+1.4e−45");
});

test("numbers: zero has no sign, and what is no number is said", () => {
  assert.equal(formatNumber(0, 6), "0");
  assert.equal(formatNumber(-0, 6), "0");
  assert.equal(formatNumber(Number.NaN, 6), "NaN");
  assert.equal(formatNumber(Infinity, 6), "+Inf");
  assert.equal(formatNumber(-Infinity, 3), "−Inf");
});

test("an element unravels into its axes in C order", () => {
  assert.deepEqual(unravel(kernelAxes, 0), [0, 0, 0]);
  assert.deepEqual(unravel(kernelAxes, 1 * 24 + 2 * 8 + 5), [1, 2, 5]);
  assert.deepEqual(unravel([gate, unit], 511), [3, 127]);
});

test("one element: numbered axes joined, named ones after them", () => {
  assert.equal(place(side([unit]), 37, "row"), "unit 37");
  assert.equal(place(side([gate, unit]), 128 + 81, "column"), "unit 81 of the forget gate");
  assert.equal(place(side(kernelAxes), 45, "row"), "kernel row 1, kernel column 2, input channel 5");
  const bias = { label: "", size: 2, names: ["input bias", "recurrent bias"] };
  assert.equal(place(side([bias]), 1, "row"), "recurrent bias");
  assert.equal(place(side([bias, gate, unit]), 512 + 3, "row"), "unit 3 of the input gate of the recurrent bias");
});

test("several elements: a range of the innermost axis where nothing else varies", () => {
  assert.equal(place(side([gate, unit], 128), 32 + 20, "column"), "units 80–83 of the forget gate");
  assert.equal(place(side(kernelAxes, 36), 0, "row"), "kernel row 0, kernel column 0, input channels 0–1");
});

test("several elements: flat where another axis varies, or the innermost is named or has no label", () => {
  const three = { label: "unit", size: 3, names: [] };
  assert.equal(place(side([gate, three], 6), 1, "column"), "columns 2–3");
  assert.equal(place(side([gate], 2), 1, "row"), "rows 2–3");
  assert.equal(place(side([{ label: "", size: 8, names: [] }], 4), 1, "row"), "rows 2–3");
});

test("a side without axes is not mentioned", () => {
  assert.equal(place(side([]), 0, "row"), "");
});

test("one element of a matrix: both sides in one phrase", () => {
  const input = { label: "input", size: 9, names: [] };
  const at = (row, column) => exactPlace(side([input]), side([gate, unit]), { row, column });
  assert.equal(at(3, 128 + 81), "input 3, unit 81 of the forget gate");
  const bias = { label: "", size: 2, names: ["input bias", "recurrent bias"] };
  assert.equal(
    exactPlace(side([bias]), side([gate, unit]), { row: 1, column: 2 }),
    "unit 2 of the input gate of the recurrent bias",
  );
});

test("one element: axes that share a label are counted together, whatever side they are on", () => {
  const rowOfFilters = { label: "filter", size: 4, names: [], stride: 8 };
  const filter = { label: "filter", size: 8, names: [] };
  const [row, column] = ["kernel row", "kernel column"].map((label) => ({ label, size: 3, names: [] }));
  const found = exactPlace(side([rowOfFilters, row]), side([filter, column]), { row: 2 * 3 + 1, column: 5 * 3 + 2 });
  assert.equal(found, "filter 21, kernel row 1, kernel column 2");
});

test("one element: numbers of a group's first filter, and of units put in order", () => {
  const late = { label: "filter", size: 4, names: [], first: 8 };
  const sorted = { label: "unit", size: 3, names: [], numbers: [2, 0, 1] };
  assert.equal(exactPlace(side([late]), side([sorted]), { row: 1, column: 0 }), "filter 9, unit 2");
});
