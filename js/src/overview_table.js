// The rows of the overview as they stand in the page: filled, marked, told apart by place.
import { lookOf } from "./overview_cells.js";
import { List } from "./overview_list.js";
import { arrange } from "./overview_order.js";
import { Row } from "./overview_row.js";
import { ancestors } from "./overview_tree.js";
import { cellOf } from "./overview_values.js";

/**
 * @typedef {import("./overview_data.js").Data} Data
 * @typedef {import("./overview_keys.js").Fold} Fold
 * @typedef {import("./overview_order.js").Wish} Wish
 * @typedef {ReturnType<typeof import("./overview_box.js").buildBox>} Box
 * @typedef {import("./overview_box.js").Column} Column
 * @typedef {{ row: number, column: number }} Mark  Row −1 is the header, column −1 the row as a whole.
 */

export class Table {
  #data;
  #columns;
  #box;
  #id;
  #list;
  /** @type {number[]} */
  #order = [];
  #places = new Int32Array(0);
  /** @type {Set<string>} */
  #folded = new Set();
  /** @type {Mark} */
  active = { row: 0, column: -1 };
  /** @type {Mark | null} */
  chosen = null;

  /**
   * @param {Data} data
   * @param {Column[]} columns
   * @param {Box} box
   * @param {string} id
   */
  constructor(data, columns, box, id) {
    this.#data = data;
    this.#columns = columns;
    this.#box = box;
    this.#id = id;
    const build = () => new Row(columns.length);
    this.#list = new List(box.grid, box.body, build, (row, place) => this.#fill(row, place));
  }

  get list() {
    return this.#list;
  }

  get count() {
    return this.#order.length;
  }

  /** @param {number} place */
  rowAt(place) {
    return this.#order[place] ?? -1;
  }

  /**
   * @param {number} row
   * @returns {number}  −1 where it is not shown
   */
  placeOf(row) {
    return this.#places[row] ?? -1;
  }

  /** @param {number} row */
  nodeAt(row) {
    return this.#data.tree.nodes[row];
  }

  /**
   * @param {number} row
   * @returns {Fold}
   */
  foldOf(row) {
    const node = this.nodeAt(row);
    if (!node || node.end === row + 1) return "leaf";
    return this.#folded.has(node.key) ? "closed" : "open";
  }

  get foldOfAll() {
    const { nodes } = this.#data.tree;
    return nodes.some((_, row) => this.foldOf(row) === "open") ? "open" : "closed";
  }

  /** @param {number} place */
  parentOf(place) {
    const parent = this.placeOf(this.nodeAt(this.rowAt(place))?.parent ?? -1);
    return parent < 0 ? place : parent;
  }

  /** @returns {number}  −1 for the header */
  activePlace() {
    return this.active.row < 0 ? -1 : this.#shownPlace(this.active.row);
  }

  /** @returns {number}  −1 where it is not shown, not even folded away */
  chosenPlace() {
    return this.chosen ? this.#shownPlace(this.chosen.row) : -1;
  }

  /**
   * @param {number} row
   * @returns {number}  of the row, or of the nearest that it belongs to and that is shown
   */
  #shownPlace(row) {
    const shown = [row, ...ancestors(this.#data.tree, row)].find((each) => this.placeOf(each) >= 0);
    return shown === undefined ? -1 : this.placeOf(shown);
  }

  /**
   * What rows there are and in which order; what is at the top stays there unless it is the first row.
   * @param {Wish} wish
   * @returns {number}  how many with those that are folded away
   */
  arrange(wish) {
    const { first } = this.#list;
    const held = this.rowAt(first);
    const { order, found } = arrange(this.#data, wish);
    this.#order = order;
    this.#places = new Int32Array(this.#data.tree.nodes.length).fill(-1);
    order.forEach((row, place) => {
      this.#places[row] = place;
    });
    this.#folded = wish.folded;
    // What was active may be folded away, or not be there any more.
    if (this.active.row >= 0) this.active.row = this.rowAt(Math.max(this.activePlace(), 0));
    this.redraw();
    const place = this.placeOf(held);
    if (first > 0 && place >= 0) this.#list.hold(first, place);
    return found;
  }

  redraw() {
    const { grid } = this.#box;
    grid.setAttribute("aria-rowcount", String(this.count + 1));
    this.#list.renew(this.count);
    this.mark();
  }

  /** Show what is chosen and what is active. */
  mark() {
    const { grid, header, headers } = this.#box;
    headers.forEach((cell, i) => {
      cell.classList.toggle("ww-overview-active", this.active.row < 0 && i === this.active.column + 1);
    });
    this.#list.each((row, place) => this.#markRow(row, place));
    const held = this.active.row < 0 ? header : this.#list.rowAt(this.placeOf(this.active.row))?.root;
    const active = held?.querySelector(".ww-overview-active") ?? held;
    if (active?.id) grid.setAttribute("aria-activedescendant", active.id);
    else grid.removeAttribute("aria-activedescendant");
  }

  /**
   * Scroll sideways so far as needed; the names stay.
   * @param {number} column
   */
  revealColumn(column) {
    const { grid, headers } = this.#box;
    const [name, cell] = [headers[0], headers[column + 1]];
    if (!name || !cell || column < 0) return;
    const [left, right] = [cell.offsetLeft - name.offsetWidth, cell.offsetLeft + cell.offsetWidth - grid.clientWidth];
    grid.scrollLeft = Math.max(Math.min(grid.scrollLeft, left), right);
  }

  /**
   * @param {number} row
   * @returns {import("./overview_cells.js").Look[]}
   */
  looksOf(row) {
    const { tree, values, own, shading } = this.#data;
    return this.#columns.map((_, column) => lookOf(cellOf(tree, values, row, column, own), shading));
  }

  /**
   * What was found in a row, in its tensors, and in what is folded away under it.
   * @param {number} row
   */
  badgesOf(row) {
    const { badges } = this.#data;
    const all = this.foldOf(row) === "closed";
    const end = this.nodeAt(row)?.end ?? row;
    return Array.from({ length: end - row }, (_, i) => row + i)
      .filter((each) => all || each === row || (this.nodeAt(each)?.tensor && this.nodeAt(each)?.parent === row))
      .flatMap((each) => badges.get(each) ?? []);
  }

  /**
   * @param {Row} element
   * @param {number} place
   */
  #fill(element, place) {
    const row = this.rowAt(place);
    const node = this.nodeAt(row);
    if (!node) return;
    const fold = this.foldOf(row);
    const looks = node.tensor || fold === "closed" ? this.looksOf(row) : [];
    const colours = this.#columns.map(({ colour }) => colour);
    element.fill({ node, fold, looks, badges: this.badgesOf(row), colours });
    element.root.id = `${this.#id}-${row}`;
    this.#markRow(element, place);
  }

  /**
   * @param {Row} element
   * @param {number} place
   */
  #markRow(element, place) {
    const row = this.rowAt(place);
    const active = row === this.active.row ? this.active.column : null;
    const chosen = this.chosen && place === this.chosenPlace() ? this.chosen.column : null;
    element.mark(active, chosen, `${this.#id}-cell`);
  }
}
