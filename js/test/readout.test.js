import assert from "node:assert/strict";
import { test } from "node:test";
import { readout } from "../src/readout.js";

const gates = { label: "gate", size: 4, names: ["input", "forget", "cell", "output"] };
const picture = {
  frame: 7,
  rows: { count: 2, cells: 2, axes: [{ label: "input", size: 2, names: [] }] },
  columns: { count: 8, cells: 8, axes: [gates, { label: "unit", size: 2, names: [] }] },
  labels: ["baseline", "dropout", "dropout − baseline"],
  exact_digits: 6,
  pooled_digits: 3,
};
const pooledPicture = { ...picture, columns: { ...picture.columns, cells: 4 } };
const cell = { row: 1, column: 3 };

function raster(planes, values, frame = 7) {
  return { frame, planes, values: new DataView(Float32Array.from(values).buffer) };
}
const constant = (value, frame) => raster(1, Array(16).fill(value), frame);
const textOf = (pieces) => pieces.map(({ text }) => text).join("");

test("exact weights of the three, with the place", () => {
  const pieces = readout(picture, [constant(0.1312), constant(-0.0457), constant(-0.1769)], cell);
  assert.equal(
    textOf(pieces),
    "input 1, unit 1 of the forget gate: baseline +0.1312 · dropout −0.0457 · dropout − baseline −0.1769",
  );
  assert.deepEqual(
    pieces.filter(({ role }) => role === "value").map(({ text }) => text),
    ["+0.1312", "−0.0457", "−0.1769"],
  );
  assert.deepEqual(
    pieces.filter(({ role }) => role === "label").map(({ text }) => text.trim()),
    picture.labels,
  );
});

test("the weights of a window are called by their places in the whole", () => {
  const window = { ...picture, rows: { ...picture.rows, start: 1, count: 1, cells: 1 } };
  window.columns = { ...picture.columns, start: 4, count: 4, cells: 4 };
  const one = raster(1, [0, 0, 0, 0.5]);
  const text = textOf(readout(window, [one, one, one], { row: 0, column: 3 }));
  assert.ok(text.startsWith("input 1, unit 1 of the output gate: baseline +0.5 ·"));
  const pooled = { ...window, columns: { ...window.columns, cells: 2 } };
  const two = raster(3, [0, 1, 0, 2, 0, 3]);
  assert.ok(
    textOf(readout(pooled, [two, two, two], { row: 0, column: 1 })).startsWith(
      "input 1, units 0–1 of the output gate (mean of 2 weights): baseline mean +1 (+2…+3)",
    ),
  );
});

test("pooled weights: mean, range and how many; what is not available says so", () => {
  const planes = [0.1312, -0.2, 0.41].flatMap((value) => Array(8).fill(value));
  const pieces = readout(pooledPicture, [raster(3, planes), raster(0, []), raster(0, [])], { row: 0, column: 1 });
  assert.equal(
    textOf(pieces),
    "input 0, units 0–1 of the forget gate (mean of 2 weights): " +
      "baseline mean +0.131 (−0.2…+0.41) · dropout n/a · dropout − baseline n/a",
  );
});

test("a raster of another frame is not used", () => {
  const text = textOf(readout(picture, [constant(1), constant(2, 6), constant(3, 8)], cell));
  assert.equal(text, "input 1, unit 1 of the forget gate: baseline +1 · dropout … · dropout − baseline …");
});

test("a raster of another frame does not tell how many weights a cell has", () => {
  const old = { ...raster(3, Array(24).fill(1)), frame: 6 };
  assert.ok(!textOf(readout(pooledPicture, [old, old, old], { row: 0, column: 0 })).includes("mean of"));
});

test("a single weight has no place", () => {
  const scalar = { ...picture, rows: { count: 1, cells: 1, axes: [] }, columns: { count: 1, cells: 1, axes: [] } };
  const one = raster(1, [2]);
  assert.equal(
    textOf(readout(scalar, [one, one, one], { row: 0, column: 0 })),
    "baseline +2 · dropout +2 · dropout − baseline +2",
  );
});

test("no cell: a hint; no picture: nothing", () => {
  assert.match(textOf(readout(picture, [], null)), /^Point at a heatmap/);
  assert.deepEqual(readout({}, [], null), []);
  assert.deepEqual(readout({}, [], cell), []);
});
