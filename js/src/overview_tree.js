// The rows of the overview: nested models, layers and tensors, in pre-order.

/**
 * @typedef {{ frame: number, count: number }} Outline
 * @typedef {{ frame: number, texts: DataView, kinds: DataView, levels: DataView }} OutlinePage  As some rows travel.
 * @typedef {{
 *   label: string, note: string, address: string, searched: string, tensor: boolean, kernel: boolean,
 *   level: number, parent: number, end: number, key: string,
 * }} Node  `parent` is −1 for none; what belongs to it goes on up to `end`; no other row has its `key`, by which it is
 *   known again among other rows.
 * @typedef {{ frame: number, nodes: Node[] }} Tree
 */

const TENSOR = 2;
const KERNEL = 8;
// What nobody could read in a row; the whole name can be searched.
const LONG = 200;

/**
 * Pages travel apart from the outline: one of another frame belongs to other rows.
 * @param {Partial<Outline>} outline
 * @param {number} pageRows
 * @param {(page: number) => Partial<OutlinePage>} pageAt
 * @returns {Tree | null}  null until all have come
 */
export function assembleTree({ frame, count = 0 }, pageRows, pageAt) {
  if (frame === undefined) return null;
  const pages = Array.from({ length: Math.ceil(count / pageRows) }, (_, page) => pageAt(page));
  if (!pages.every((page) => page.frame === frame)) return null;
  const nodes = pages.flatMap((page) => nodesOf(/** @type {OutlinePage} */ (page)));
  link(nodes);
  return { frame, nodes };
}

/**
 * @param {OutlinePage} page
 * @returns {Node[]}
 */
function nodesOf({ texts, kinds, levels }) {
  /** @type {[label: string, note: string, address: string][]} */
  const rows = JSON.parse(new TextDecoder().decode(texts));
  return rows.map(([label, note, address], row) => ({
    label: cut(label),
    note: cut(note),
    address,
    searched: [label, note, address].join(" ").toLowerCase(),
    tensor: (kinds.getUint8(row) & 7) === TENSOR,
    kernel: (kinds.getUint8(row) & KERNEL) > 0,
    level: levels.getUint8(row),
    parent: -1,
    end: row + 1,
    key: "",
  }));
}

/** @param {Node[]} nodes */
function link(nodes) {
  /** @type {number[]} */
  const open = [];
  /** @type {Map<string, number>} long addresses are cut, and may be alike then */
  const alike = new Map();
  nodes.forEach((node, row) => {
    const before = alike.get(node.address) ?? 0;
    alike.set(node.address, before + 1);
    node.key = `${before} ${node.address}`;
    while (open.length > 0 && levelOf(nodes, open) >= node.level) open.pop();
    node.parent = open.at(-1) ?? -1;
    node.end = row + 1;
    open.push(row);
  });
  for (let row = nodes.length - 1; row >= 0; row--) {
    const node = nodes[row];
    const parent = node && nodes[node.parent];
    if (node && parent) parent.end = Math.max(parent.end, node.end);
  }
}

/**
 * @param {Node[]} nodes
 * @param {number[]} open
 */
function levelOf(nodes, open) {
  return nodes[open.at(-1) ?? -1]?.level ?? -1;
}

/**
 * @param {string} text
 * @param {number} [length]
 */
export function cut(text, length = LONG) {
  // By characters: half of one would be shown as another.
  return text.length > length ? `${[...text.slice(0, length)].slice(0, -1).join("")}…` : text;
}

/**
 * @param {Tree} tree
 * @param {number} row
 * @returns {number[]}  all that it belongs to, the nearest first
 */
export function ancestors({ nodes }, row) {
  const found = [];
  for (let at = nodes[row]?.parent ?? -1; at >= 0; at = nodes[at]?.parent ?? -1) found.push(at);
  return found;
}

/**
 * The tensor that a row stands for: itself, or the first that belongs to it.
 * @param {Tree} tree
 * @param {number} row
 * @returns {number}  −1 for none
 */
export function firstTensor({ nodes }, row) {
  const end = nodes[row]?.end ?? row;
  for (let at = row; at < end; at++) if (nodes[at]?.tensor) return at;
  return -1;
}
