import assert from "node:assert/strict";
import test from "node:test";
import { Arrivals } from "../src/export_files.js";
import { nextItem } from "../src/export_keys.js";

const ROWS = [
  ["a", "b", "c", "d", "e"],
  ["f", "g"],
  ["h", "i", "j"],
];

test("arrow keys walk through rows and columns, and round their ends", () => {
  for (const [from, key, to] of [
    ["a", "ArrowRight", "b"],
    ["e", "ArrowRight", "a"],
    ["a", "ArrowLeft", "e"],
    ["b", "ArrowDown", "g"],
    ["e", "ArrowDown", "g"],
    ["g", "ArrowDown", "i"],
    ["i", "ArrowDown", "b"],
    ["a", "ArrowUp", "h"],
    ["j", "Home", "a"],
    ["a", "End", "j"],
  ])
    assert.equal(nextItem(ROWS, from, key), to, `${from} ${key}`);
});

test("other keys, and those of another element, lead nowhere", () => {
  assert.equal(nextItem(ROWS, "a", "x"), undefined);
  assert.equal(nextItem(ROWS, "z", "ArrowDown"), undefined);
  assert.equal(nextItem([], "a", "Home"), undefined);
});

test("a file is there when all of its pieces are, and files may mingle", () => {
  const arrivals = new Arrivals();
  const about = (ticket, part, parts) => ({
    do: "take",
    ticket,
    view: "",
    name: "",
    mime: "",
    painted: false,
    part,
    parts,
  });
  const [one, two, other] = [1, 2, 3].map((size) => new DataView(new ArrayBuffer(size)));
  assert.equal(arrivals.take(about(7, 1, 2), two), null);
  assert.deepEqual(arrivals.take(about(8, 0, 1), other)?.parts, [other]);
  assert.deepEqual(arrivals.take(about(7, 0, 2), one)?.parts, [one, two]);
});
