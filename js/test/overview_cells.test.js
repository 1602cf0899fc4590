import assert from "node:assert/strict";
import { test } from "node:test";
import { gradient, lookOf } from "../src/overview_cells.js";
import { outline } from "../src/overview_sketch.js";
import { STATE } from "../src/overview_values.js";

// Red rises with the place, so that a colour tells it.
const palette = new DataView(
  Uint8Array.from({ length: 3 * 255 + 1 }, (_, i) => ((i - 1) % 3 === 0 ? (i - 1) / 3 : 0)).buffer,
  1,
);
const measure = { key: "", label: "", hint: "", palette: "", percent: false, signed: false, own: 0 };
const look = (number, state, low, high, of = {}) =>
  lookOf(
    { number, state },
    { palette, limits: low === undefined ? null : { low, high }, measure: { ...measure, ...of } },
  );

test("a number has the colour of its place between the limits, a bar from the low one, and words", () => {
  const { name, colour, bar, mark, words } = look(0.5, STATE.number, 0, 2);
  assert.deepEqual([name, colour, bar, mark, words], ["number", "rgb(64,0,0)", [0, 0.25], "", "0.5"]);
  assert.equal(look(-1, STATE.number, 0, 2).colour, "rgb(0,0,0)");
  assert.equal(look(Infinity, STATE.number, 0, 2).colour, "rgb(254,0,0)");
  assert.equal(look(Infinity, STATE.number, 0, 2).words, "+Inf".slice(1));
});

test("a signed number has its bar on its side of the middle", () => {
  assert.deepEqual(look(-1, STATE.number, -2, 2, { signed: true }).bar, [0.25, 0.5]);
  assert.deepEqual(look(2, STATE.number, -2, 2, { signed: true }).bar, [0.5, 1]);
  assert.equal(look(1, STATE.number, -2, 2, { signed: true }).short, "+1");
});

test("where all numbers are the same there is no bar", () => {
  assert.deepEqual(look(3, STATE.number, 3, 3).bar, [0, 0]);
  assert.deepEqual(look(0, STATE.number, 0, 0, { signed: true }).bar, [0.5, 0.5]);
});

test("what is the same is marked and said", () => {
  assert.equal(look(0, STATE.same, 0, 1).mark, "=");
  assert.equal(look(0, STATE.same, 0, 1).words, "0, the same as the reference");
  assert.equal(look(0.1234, STATE.changed, 0, 1, { percent: true }).words, "12.3 %");
});

test("what is no number looks and reads otherwise; a number without limits is awaited", () => {
  const names = (number, state, ...limits) => [
    look(number, state, ...limits).name,
    look(number, state, ...limits).mark,
  ];
  assert.deepEqual(names(Number.NaN, STATE.awaited, 0, 1), ["awaited", "…"]);
  assert.deepEqual(names(Number.NaN, STATE.absent, 0, 1), ["absent", ""]);
  assert.deepEqual(names(Number.NaN, STATE.undefined, 0, 1), ["undefined", "n/a"]);
  assert.deepEqual(names(Number.NaN, STATE.number, 0, 1), ["undefined", "n/a"]);
  assert.deepEqual(names(Number.NaN, STATE.incomparable, 0, 1), ["undefined", "n/a"]);
  assert.deepEqual(names(1, STATE.number), ["awaited", "…"]);
  assert.deepEqual(names(Number.NaN, STATE.absent), ["absent", ""]);
  assert.equal(look(Number.NaN, STATE.absent, 0, 1).words, "no such tensor");
});

test("ink is light on what is dark", () => {
  const grey = (level) => new DataView(new Uint8Array(3 * 255).fill(level).buffer);
  const dark = (level) =>
    lookOf({ number: 1, state: 1 }, { palette: grey(level), limits: { low: 0, high: 1 }, measure }).dark;
  assert.deepEqual([dark(40), dark(220)], [true, false]);
});

test("the legend runs through the palette", () => {
  assert.match(gradient(palette), /^linear-gradient\(to right, rgb\(0,0,0\), .*rgb\(127,0,0\), .*rgb\(254,0,0\)\)$/);
});

test("an outline steps from bin to bin; a model without a tensor has none", () => {
  const counts = new DataView(new ArrayBuffer(2 * 3 * 4 + 1), 1);
  [0, 1, 0.5, Number.NaN, Number.NaN, Number.NaN].forEach((share, i) => {
    counts.setFloat32(4 * i, share, true);
  });
  const sketch = { frame: 1, row: 0, bins: 3, counts, spans: [0, 1], texts: [] };
  assert.equal(outline(sketch, 0, 30, 10), "M0 10V10H10V0H20V5H30V10");
  assert.equal(outline(sketch, 1, 30, 10), "");
});
