import assert from "node:assert/strict";
import { test } from "node:test";
import { cellAt, cellAtShare, readCell, sameCell, sharesOf, span, visibleCells } from "../src/raster.js";

const side = (count, cells = count) => ({ count, cells, axes: [] });

/** Float32 values behind a DataView that begins at an odd byte, as a message's buffer may. */
function raster(planes, values, skip = 3) {
  const view = new DataView(new ArrayBuffer(skip + 4 * values.length), skip);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return { frame: 1, planes, values: view };
}

test("the cells' spans cover every element once, in order", () => {
  for (const [count, cells] of [
    [10, 10],
    [10, 4],
    [1000, 256],
    [257, 256],
    [1, 1],
  ]) {
    const spans = Array.from({ length: cells }, (_, cell) => span(side(count, cells), cell));
    const elements = spans.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
    assert.deepEqual(
      elements,
      Array.from({ length: count }, (_, i) => i),
    );
  }
});

test("a span's ends are rounded down", () => {
  assert.deepEqual(span(side(10, 4), 0), [0, 2]);
  assert.deepEqual(span(side(10, 4), 1), [2, 5]);
  assert.deepEqual(span(side(10, 4), 3), [7, 10]);
});

test("a data coordinate finds its cell, and none outside the picture", () => {
  assert.equal(cellAt(side(10, 4), 0), 0);
  assert.equal(cellAt(side(10, 4), 2.49), 0);
  assert.equal(cellAt(side(10, 4), 2.5), 1);
  assert.equal(cellAt(side(10, 4), 9.99), 3);
  assert.equal(cellAt(side(10, 4), 10), null);
  assert.equal(cellAt(side(10, 4), -0.01), null);
});

test("a place in the plot area is read through what is in sight", () => {
  const zoomed = { low: 4, high: 8 };
  assert.equal(cellAtShare(side(16), zoomed, 0), 4);
  assert.equal(cellAtShare(side(16), zoomed, 0.9), 7);
  assert.equal(cellAtShare(side(16), zoomed, 1), null);
  assert.equal(cellAtShare(side(16), zoomed, -0.01), null);
  assert.equal(cellAtShare(side(16), { low: -8, high: 8 }, 0.25), null);
});

test("a cell's shares of the plot area lead back to the cell", () => {
  const pooled = side(1000, 256);
  const domain = { low: 120.5, high: 333.25 };
  const [begin, end] = sharesOf(pooled, domain, 40);
  assert.equal(cellAtShare(pooled, domain, (begin + end) / 2), 40);
  assert.deepEqual(sharesOf(side(8), { low: 2, high: 6 }, 3), [0.25, 0.5]);
  assert.deepEqual(sharesOf(side(8), { low: 2, high: 6 }, 0), [-0.5, -0.25]);
});

test("cells in sight: a part is enough, and never one that does not exist", () => {
  assert.deepEqual(visibleCells(side(10), { low: 0, high: 10 }), [0, 9]);
  assert.deepEqual(visibleCells(side(10), { low: 2.5, high: 6.1 }), [2, 6]);
  assert.deepEqual(visibleCells(side(10), { low: 3, high: 7 }), [3, 6]);
  assert.deepEqual(visibleCells(side(10), { low: -5, high: 50 }), [0, 9]);
  assert.deepEqual(visibleCells(side(10, 5), { low: 2.5, high: 6.1 }), [1, 3]);
  assert.deepEqual(visibleCells(side(10), { low: 20, high: 30 }), [9, 9]);
});

test("a window begins where it begins", () => {
  const window = { start: 100, count: 40, cells: 20, axes: [] };
  assert.deepEqual(span(window, 0), [100, 102]);
  assert.deepEqual(span(window, 19), [138, 140]);
  assert.equal(cellAt(window, 99.9), null);
  assert.equal(cellAt(window, 100), 0);
  assert.equal(cellAt(window, 139.9), 19);
  assert.equal(cellAt(window, 140), null);
  assert.deepEqual(sharesOf(window, { low: 90, high: 130 }, 5), [0.5, 0.55]);
  assert.deepEqual(visibleCells(window, { low: 0, high: 1000 }), [0, 19]);
  assert.deepEqual(visibleCells(window, { low: 104.5, high: 107 }), [2, 3]);
});

test("a cell stays over its weights in another picture, or is in none", () => {
  const whole = { rows: side(1000, 10), columns: side(50) };
  const window = { rows: { start: 250, count: 200, cells: 200, axes: [] }, columns: { ...side(20), start: 30 } };
  assert.deepEqual(sameCell(whole, window, { row: 3, column: 41 }), { row: 100, column: 11 });
  assert.deepEqual(sameCell(window, whole, { row: 100, column: 11 }), { row: 3, column: 41 });
  assert.equal(sameCell(whole, window, { row: 1, column: 41 }), null);
  assert.equal(sameCell(whole, window, { row: 3, column: 29 }), null);
});

test("one plane: the weight itself, in C order, from any byte offset", () => {
  for (const skip of [0, 1, 3, 4]) {
    const exact = raster(1, [0, 1, 2, 3, 4, 5.5], skip);
    assert.deepEqual(readCell(exact, side(2), side(3), { row: 1, column: 2 }), { value: 5.5 });
    assert.deepEqual(readCell(exact, side(2), side(3), { row: 0, column: 1 }), { value: 1 });
  }
});

test("three planes: mean, least and greatest, one plane after the other", () => {
  const pooled = raster(3, [1, 2, 3, 4, -1, -2, -3, -4, 10, 20, 30, 40]);
  assert.deepEqual(readCell(pooled, side(8, 2), side(8, 2), { row: 1, column: 0 }), { mean: 3, min: -3, max: 30 });
});

test("no plane: nothing to say", () => {
  assert.equal(readCell(raster(0, []), side(2), side(3), { row: 0, column: 0 }), null);
});
