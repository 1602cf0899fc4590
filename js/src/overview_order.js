// Which rows are shown and in which order: searched, filtered, sorted among their siblings, folded.
import { compareNumbers, natural, wordsOf } from "./grid_rows.js";
import { cellOf, isChanged } from "./overview_values.js";

/**
 * @typedef {import("./grid_rows.js").Sort} Sort  Column 0 is the name's, those of the models follow.
 * @typedef {import("./overview_tree.js").Tree} Tree
 * @typedef {import("./overview_values.js").Values} Values
 * @typedef {[row: number, column: number, text: string, severity: string, words: string]} Badge
 * @typedef {Map<number, Badge[]>} Badges  By row.
 * @typedef {{ text: string, severity: string, columns: number[] }} Chip
 * @typedef {{ changed: boolean, kernels: boolean, findings: boolean }} Filters
 * @typedef {{ sort: Sort | null, query: string, only: Filters, folded: Set<string> }} Wish  `folded` holds keys of rows.
 * @typedef {{ tree: Tree, values: Values, badges: Badges, own: number }} Contents
 */

const FINDINGS = "findings:";

/**
 * @param {Badge[]} items
 * @returns {Badges}  warnings first
 */
export function badgesByRow(items) {
  /** @type {Badges} */
  const found = new Map();
  const sorted = [...items].sort((a, b) => Number(b[3] === "warning") - Number(a[3] === "warning"));
  for (const badge of sorted) found.set(badge[0], [...(found.get(badge[0]) ?? []), badge]);
  return found;
}

/**
 * What was found of the same words, with the models that it was found in.
 * @param {Badge[]} badges
 * @returns {Chip[]}
 */
export function chipsOf(badges) {
  /** @type {Map<string, Chip>} */
  const found = new Map();
  for (const [, column, text, severity] of badges) {
    const chip = found.get(text) ?? { text, severity, columns: [] };
    if (!chip.columns.includes(column)) chip.columns.push(column);
    found.set(text, chip);
  }
  return [...found.values()];
}

/**
 * @param {Contents} contents
 * @param {Wish} wish
 * @returns {{ order: number[], found: number }}  the rows from the top; and how many there are with the folded ones
 */
export function arrange(contents, { sort, query, only, folded }) {
  const { nodes } = contents.tree;
  const shown = wanted(contents, wordsOf(query), only);
  const compare = sort && comparison(contents, sort);
  /** @type {number[]} */
  const order = [];
  /** @type {(from: number, end: number) => void} */
  const visit = (from, end) => {
    const siblings = [];
    for (let row = from; row < end; row = nodes[row]?.end ?? end) if (shown[row]) siblings.push(row);
    if (compare) siblings.sort(compare);
    for (const row of siblings) {
      order.push(row);
      const node = nodes[row];
      if (node && node.end > row + 1 && !folded.has(node.key)) visit(row + 1, node.end);
    }
  };
  visit(0, nodes.length);
  return { order, found: shown.reduce((sum, each) => sum + each, 0) };
}

/**
 * A row is wanted if it has all words and passes all filters, or if one that belongs to it is.
 * @param {Contents} contents
 * @param {string[]} words
 * @param {Filters} only
 */
function wanted({ tree: { nodes }, values, badges }, words, only) {
  const tests = words.map((word) => matcher(word, badges));
  if (only.findings) tests.push(matcher(FINDINGS, badges));
  const hits = tests.map((test) => inherited(nodes, test));
  const shown = Uint8Array.from(nodes, (node, row) => {
    const fits = node.tensor
      ? (!only.kernels || node.kernel) && (!only.changed || isChanged(values, row))
      : !only.kernels && !only.changed;
    return Number(fits && hits.every((hit) => hit[row]));
  });
  for (let row = nodes.length - 1; row >= 0; row--) {
    const parent = nodes[row]?.parent ?? -1;
    if (shown[row] && parent >= 0) shown[parent] = 1;
  }
  return shown;
}

/**
 * @param {string} word
 * @param {Badges} badges
 * @returns {(node: import("./overview_tree.js").Node, row: number) => boolean}
 */
function matcher(word, badges) {
  if (!word.startsWith(FINDINGS)) return ({ searched }) => searched.includes(word);
  const rule = word.slice(FINDINGS.length);
  const says = (/** @type {Badge} */ [, , text, , words]) => `${text} ${words}`.toLowerCase().includes(rule);
  return (_, row) => badges.get(row)?.some(says) ?? false;
}

/**
 * What a row has, those that belong to it have too: the tensors of a layer that is found are shown with it.
 * @param {import("./overview_tree.js").Node[]} nodes
 * @param {(node: import("./overview_tree.js").Node, row: number) => boolean} test
 */
function inherited(nodes, test) {
  const hit = new Uint8Array(nodes.length);
  nodes.forEach((node, row) => {
    hit[row] = hit[node.parent] || Number(test(node, row));
  });
  return hit;
}

/**
 * @param {Contents} contents
 * @param {Sort} sort
 * @returns {(a: number, b: number) => number}
 */
function comparison({ tree, values, own }, { column, down }) {
  const { nodes } = tree;
  if (column === 0) {
    return (a, b) => (down ? -1 : 1) * natural.compare(nodes[a]?.label ?? "", nodes[b]?.label ?? "");
  }
  /** @type {Map<number, number>} */
  const known = new Map();
  const keyOf = (/** @type {number} */ row) => {
    const before = known.get(row);
    if (before !== undefined) return before;
    const { number } = cellOf(tree, values, row, column - 1, own);
    // Infinities stand behind all that can be told apart.
    const key = Number.isFinite(number) ? number : Number.NaN;
    known.set(row, key);
    return key;
  };
  return (a, b) => compareNumbers(keyOf(a), keyOf(b), down);
}
