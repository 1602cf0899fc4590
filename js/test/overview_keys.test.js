import assert from "node:assert/strict";
import { test } from "node:test";
import { act, typeAhead, typing } from "../src/overview_keys.js";

const key = (name, modifiers = {}) => ({ key: name, ctrlKey: false, altKey: false, metaKey: false, ...modifiers });
// A folded layer, an open one with two tensors, and so on.
const FOLDS = ["closed", "open", "leaf", "leaf"];
const rows = {
  count: 40,
  columns: 3,
  page: 10,
  foldAt: (place) => (place < 0 ? "open" : (FOLDS[place] ?? "leaf")),
  parentOf: (place) => (place > 1 ? 1 : place),
};
const at = (place, column = -1) => ({ place, column });
const acted = (name, spot, modifiers) => act(key(name, modifiers), spot, rows);
const moved = (name, spot, modifiers) => acted(name, spot, modifiers).spot;

test("arrows, pages and ends move over the rows and keep the column", () => {
  assert.deepEqual(moved("ArrowDown", at(20, 2)), at(21, 2));
  assert.deepEqual(moved("ArrowUp", at(20, 2)), at(19, 2));
  assert.deepEqual(moved("PageDown", at(20)), at(30));
  assert.deepEqual(moved("PageDown", at(35)), at(39));
  assert.deepEqual(moved("PageUp", at(5)), at(0));
  assert.deepEqual(moved("End", at(5)), at(39));
  assert.deepEqual(moved("Home", at(5)), at(0));
});

test("the header is above the first row, and only a single step reaches it", () => {
  assert.deepEqual(moved("ArrowUp", at(0, 1)), at(-1, 1));
  assert.deepEqual(moved("ArrowUp", at(-1, 1)), at(-1, 1));
  assert.deepEqual(moved("ArrowDown", at(-1, 1)), at(0, 1));
  assert.deepEqual(moved("PageDown", at(-1)), at(9));
  assert.deepEqual(act(key("ArrowDown"), at(-1), { ...rows, count: 0 }).spot, at(-1));
  assert.deepEqual(act(key("End"), at(-1), { ...rows, count: 0 }).spot, at(-1));
});

test("right unfolds, then enters the cells; left leaves them, folds, then goes to what a row belongs to", () => {
  assert.deepEqual(acted("ArrowRight", at(0)), { fold: false });
  assert.deepEqual(moved("ArrowRight", at(1)), at(1, 0));
  assert.deepEqual(moved("ArrowRight", at(0, 1)), at(0, 2));
  assert.deepEqual(moved("ArrowRight", at(2, 2)), at(2, 2));
  assert.deepEqual(moved("ArrowLeft", at(2, 0)), at(2));
  assert.deepEqual(moved("ArrowLeft", at(2)), at(1));
  assert.deepEqual(acted("ArrowLeft", at(1)), { fold: true });
  assert.deepEqual(moved("ArrowLeft", at(0)), at(0));
  assert.deepEqual(acted("ArrowLeft", at(-1)), { fold: true });
});

test("within the cells of a row Home and End are its ends, with Ctrl those of the rows", () => {
  assert.deepEqual(moved("Home", at(5, 1)), at(5, 0));
  assert.deepEqual(moved("End", at(5, 1)), at(5, 2));
  assert.deepEqual(moved("Home", at(5, 1), { ctrlKey: true }), at(0, 1));
  assert.deepEqual(moved("End", at(5, 1), { ctrlKey: true }), at(39, 1));
});

test("Enter and Space choose, Escape closes, letters are typed", () => {
  assert.deepEqual(acted("Enter", at(3)), { choose: true });
  assert.deepEqual(acted(" ", at(3)), { choose: true });
  assert.deepEqual(acted("Escape", at(3)), { dismiss: true });
  assert.deepEqual(acted("é", at(3)), { typed: "é" });
});

test("what a modifier makes somebody else's, and what is nobody's, is left alone", () => {
  for (const modifier of ["ctrlKey", "altKey", "metaKey"]) {
    for (const name of ["ArrowDown", "Enter", "b"]) assert.equal(acted(name, at(3), { [modifier]: true }), null);
  }
  for (const name of ["Tab", "F5", "Shift", "constructor"]) assert.equal(acted(name, at(3)), null);
});

test("letters in quick succession make a word", () => {
  let typed = typing({ text: "", at: 0 }, "d", 1000);
  typed = typing(typed, "e", 1500);
  assert.equal(typed.text, "de");
  assert.equal(typing(typed, "l", 2600).text, "l");
});

test("type-ahead goes to the next label that begins so, and around", () => {
  const labels = ["dense", "dropout", "Dense_1", "lstm"];
  const found = (text, place) => typeAhead(text, place, labels.length, (at) => labels[at]);
  assert.equal(found("d", 0), 1);
  assert.equal(found("d", 2), 0);
  assert.equal(found("de", 1), 2);
  assert.equal(found("de", 2), 2);
  assert.equal(found("L", -1), 3);
  assert.equal(found("x", 1), 1);
  assert.equal(
    typeAhead("d", -1, 0, () => ""),
    -1,
  );
});
