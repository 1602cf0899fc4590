import assert from "node:assert/strict";
import { test } from "node:test";
import { isOurs, move, panned, zoomed } from "../src/keys.js";

const sight = (cells, low = 0, high = cells) => ({ side: { count: cells, cells, axes: [] }, domain: { low, high } });
const press = (key, shiftKey = false) => ({ key, shiftKey });
const rows = sight(50);
const columns = sight(80);
const from = { row: 20, column: 30 };

test("arrows move by a cell, with Shift by ten", () => {
  assert.deepEqual(move(from, press("ArrowUp"), rows, columns), { row: 19, column: 30 });
  assert.deepEqual(move(from, press("ArrowDown"), rows, columns), { row: 21, column: 30 });
  assert.deepEqual(move(from, press("ArrowLeft"), rows, columns), { row: 20, column: 29 });
  assert.deepEqual(move(from, press("ArrowRight", true), rows, columns), { row: 20, column: 40 });
});

test("Home, End, PageUp and PageDown go to the ends of what is in sight", () => {
  const [zoomedRows, zoomedColumns] = [sight(50, 10.5, 25), sight(80, 24, 40.5)];
  assert.deepEqual(move(from, press("Home"), zoomedRows, zoomedColumns), { row: 20, column: 24 });
  assert.deepEqual(move(from, press("End"), zoomedRows, zoomedColumns), { row: 20, column: 40 });
  assert.deepEqual(move(from, press("PageUp"), zoomedRows, zoomedColumns), { row: 10, column: 30 });
  assert.deepEqual(move(from, press("PageDown"), zoomedRows, zoomedColumns), { row: 24, column: 30 });
});

test("no key leaves what is in sight, and one brings a cell back into it", () => {
  const [zoomedRows, zoomedColumns] = [sight(50, 18, 22), sight(80, 40, 60)];
  assert.deepEqual(move({ row: 18, column: 45 }, press("ArrowUp"), zoomedRows, zoomedColumns), { row: 18, column: 45 });
  assert.deepEqual(move(from, press("ArrowDown", true), zoomedRows, zoomedColumns), { row: 21, column: 40 });
});

test("with no cell yet an arrow starts at the centre of what is in sight", () => {
  assert.deepEqual(move(null, press("ArrowRight"), rows, columns), { row: 25, column: 40 });
  assert.deepEqual(move(null, press("ArrowUp"), sight(50, 10, 20), sight(80, -40, 20)), { row: 15, column: 0 });
  assert.deepEqual(move(null, press("Home"), rows, columns), { row: 25, column: 0 });
});

test("Escape clears", () => {
  assert.equal(move(from, press("Escape"), rows, columns), null);
});

test("only our keys, and none that a modifier makes somebody else's", () => {
  const plain = { ctrlKey: false, altKey: false, metaKey: false };
  assert.ok(isOurs({ key: "ArrowLeft", ...plain }));
  assert.ok(isOurs({ key: "Escape", ...plain }));
  assert.ok(!isOurs({ key: "Tab", ...plain }));
  assert.ok(!isOurs({ key: "constructor", ...plain }));
  for (const modifier of ["ctrlKey", "altKey", "metaKey"]) {
    assert.ok(!isOurs({ key: "ArrowLeft", ...plain, [modifier]: true }));
  }
});

test("plus and minus zoom around a place and within the whole, zero shows it", () => {
  const whole = { low: 0, high: 100 };
  assert.deepEqual(zoomed("+", { low: 0, high: 100 }, 20, whole), { low: 10, high: 60 });
  assert.deepEqual(zoomed("-", { low: 10, high: 60 }, 20, whole), { low: 0, high: 100 });
  assert.deepEqual(zoomed("-", { low: 80, high: 100 }, 90, whole), { low: 60, high: 100 });
  assert.deepEqual(zoomed("0", { low: 40, high: 44 }, 41, whole), whole);
  assert.equal(zoomed("ArrowUp", whole, 20, whole), null);
});

test("however often one zooms in, something stays in sight, and one comes out again", () => {
  const whole = { low: -3, high: 1e9 };
  const hold = (key, seen, least) => {
    for (let i = 0; i < 200; i++) seen = zoomed(key, seen, (seen.low + seen.high) / 2, whole, least);
    return seen;
  };
  const near = hold("+", whole);
  assert.ok(near.low < near.high && near.high - near.low < 2000);
  assert.deepEqual(hold("-", near), whole);
  const cells = hold("+", whole, 4);
  assert.equal(cells.high - cells.low, 4);
  // Fewer than that there are all in sight.
  assert.deepEqual(zoomed("+", { low: 0, high: 2 }, 1, { low: 0, high: 2 }, 4), { low: 0, high: 2 });
  // The wheel may have gone on to nothing at all.
  for (const lost of [
    { low: 5, high: 5 },
    { low: Number.NaN, high: Number.NaN },
  ]) {
    assert.deepEqual(zoomed("0", lost, 5, whole), whole);
  }
  assert.ok(zoomed("-", { low: 5, high: 5 }, 5, whole).low < 5);
});

test("an arrow brings a quarter more into sight, as far as there is more", () => {
  const whole = { rows: { low: 0, high: 100 }, columns: { low: 0, high: 50 } };
  const seen = { low: 20, high: 40 };
  assert.deepEqual(panned("ArrowUp", seen, seen, whole), [{ low: 15, high: 35 }, seen]);
  assert.deepEqual(panned("ArrowRight", seen, seen, whole), [seen, { low: 25, high: 45 }]);
  assert.deepEqual(panned("ArrowRight", seen, { low: 28, high: 48 }, whole)[1], { low: 30, high: 50 });
  assert.deepEqual(panned("Home", seen, seen, whole), [seen, seen]);
});
