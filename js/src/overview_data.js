// What the kernel has told of the overview so far, put together as it comes.
import { badgesByRow } from "./overview_order.js";
import { assembleTree } from "./overview_tree.js";
import { takePage, unknown } from "./overview_values.js";

/**
 * @typedef {import("./overview_box.js").Column} Column
 * @typedef {import("./overview_cells.js").Measure} Measure
 * @typedef {import("./overview_order.js").Badge} Badge
 * @typedef {import("./overview_sketch.js").Sketch} Sketch
 * @typedef {import("./overview_tree.js").Outline} Outline
 * @typedef {import("./overview_tree.js").OutlinePage} OutlinePage
 * @typedef {import("./overview_values.js").ValuesPage} ValuesPage
 * @typedef {{ frame: number, row: number, column: number }} Choice
 * @typedef {{
 *   columns: Column[], measures: Measure[], palettes: Record<string, DataView>, pages: number, page_rows: number,
 *   outline: Partial<Outline>, measure: string, progress: string, choice: Partial<Choice>,
 *   shade: Partial<{ frame: number, measure: string, low: number, high: number }>,
 *   badges: Partial<{ frame: number, items: Badge[] }>,
 *   asked: Partial<{ frame: number, row: number }>, sketch: Partial<Sketch>,
 *   [outline: `outline_${number}`]: Partial<OutlinePage>, [values: `values_${number}`]: Partial<ValuesPage>,
 * }} Traits
 * @typedef {import("@anywidget/types").AnyModel<Traits>} Model
 */

const NO_COLOURS = new DataView(new ArrayBuffer(3 * 255));

export class Data {
  #model;
  /** @type {import("./overview_tree.js").Tree} */
  tree = { frame: -1, nodes: [] };
  values = unknown(0, 0);
  /** @type {import("./overview_order.js").Badges} */
  badges = new Map();
  /** Whether the cells stand on a dark ground. */
  dark = false;
  #measured = "";
  /** @type {Partial<ValuesPage>[]} what was decoded already */
  #taken = [];

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
  }

  /** @returns {string[]} after a change of which there is something to receive */
  get names() {
    const pages = Array.from({ length: this.#model.get("pages") }, (_, page) => [`outline_${page}`, `values_${page}`]);
    return ["outline", "measure", "shade", "badges", ...pages.flat()];
  }

  /** @returns {Measure} */
  get measure() {
    const measures = this.#model.get("measures");
    const found = measures.find(({ key }) => key === this.#model.get("measure")) ?? measures[0];
    return found ?? { key: "", label: "", hint: "", palette: "", percent: false, signed: false, own: 0 };
  }

  get own() {
    return this.measure.own;
  }

  /** @returns {import("./overview_cells.js").Shading} */
  get shading() {
    const { frame, measure, low = Number.NaN, high = Number.NaN } = this.#model.get("shade");
    const fits = frame === this.tree.frame && measure === this.measure.key && low <= high;
    const palettes = this.#model.get("palettes");
    const name = this.measure.palette;
    const palette = (this.dark && palettes[`${name}-dark`]) || palettes[name] || NO_COLOURS;
    return { palette, limits: fits ? { low, high } : null, measure: this.measure };
  }

  /**
   * Take what has come.
   * @returns {boolean}  whether the rows are others
   */
  receive() {
    const tree = this.#newTree();
    this.tree = tree ?? this.tree;
    if (tree || this.#measured !== this.measure.key) this.#forget();
    const { frame, items = [] } = this.#model.get("badges");
    this.badges = badgesByRow(frame === this.tree.frame ? items : []);
    this.#takePages();
    return tree !== null;
  }

  #forget() {
    this.values = unknown(this.tree.nodes.length, this.#model.get("columns").length);
    this.#measured = this.measure.key;
    this.#taken = [];
  }

  #newTree() {
    const outline = this.#model.get("outline");
    if (outline.frame === this.tree.frame) return null;
    return assembleTree(outline, this.#model.get("page_rows"), (page) => this.#model.get(`outline_${page}`));
  }

  #takePages() {
    const rows = this.#model.get("page_rows");
    for (let page = 0; page * rows < this.tree.nodes.length; page++) {
      const packed = this.#model.get(`values_${page}`);
      if (packed === this.#taken[page] || !this.#fits(packed)) continue;
      takePage(this.values, page * rows, packed);
      this.#taken[page] = packed;
    }
  }

  /**
   * @param {Partial<ValuesPage>} page
   * @returns {page is ValuesPage}
   */
  #fits(page) {
    return page.frame === this.tree.frame && page.measure === this.measure.key;
  }
}
