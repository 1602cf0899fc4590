// Every tensor of every model on one screen: rows that fold, are searched, filtered and sorted; cells coloured by a measure.
import { nextSort } from "./grid_rows.js";
import { about } from "./overview_about.js";
import { buildBox } from "./overview_box.js";
import { gradient, numberText } from "./overview_cells.js";
import { Controls } from "./overview_controls.js";
import { Data } from "./overview_data.js";
import { Hover } from "./overview_hover.js";
import { Popup } from "./overview_popup.js";
import { Table } from "./overview_table.js";
import { firstTensor } from "./overview_tree.js";
import { isAnyBeyond } from "./overview_values.js";
import { isOnDark, onChange, onceAttached, onTheme } from "./page.js";

/**
 * @typedef {import("./overview_data.js").Model} Model
 * @typedef {import("./overview_data.js").Traits} Traits
 * @typedef {import("./overview_keys.js").Spot} Spot
 * @typedef {import("./overview_order.js").Wish} Wish
 */

// Rows that depend on numbers are arranged anew so long after these came, in milliseconds: not with every page.
const SETTLING = 400;

/** @type {import("@anywidget/types").Render<Traits>} */
function render({ model, el }) {
  const closing = new AbortController();
  const root = new Overview(model, closing.signal).root;
  el.append(root);
  return () => {
    closing.abort();
    root.remove();
  };
}

class Overview {
  #model;
  #data;
  #box;
  #table;
  #hover;
  /** @type {Wish} */
  #wish = { sort: null, query: "", only: { changed: false, kernels: false, findings: false }, folded: new Set() };
  /** Without a search, which unfolds what it finds. @type {Set<string>} */
  #folded = this.#wish.folded;
  #frame = 0;
  #settling = 0;

  /**
   * @param {Model} model
   * @param {AbortSignal} signal  ends it
   */
  constructor(model, signal) {
    // Of this view alone: the same widget may be shown twice.
    const id = `ww-overview-${Math.random().toString(36).slice(2)}`;
    const columns = model.get("columns");
    this.#model = model;
    this.#data = new Data(model);
    this.#box = buildBox(columns, model.get("measures"), id);
    this.#table = new Table(this.#data, columns, this.#box, id);
    const popup = new Popup(columns, `${id}-popup`);
    this.#hover = new Hover(model, popup, (row) => about(row, this.#table, this.#data, columns));
    this.root.append(popup.root);
    this.#hear(signal);
    this.#listen(signal);
    this.#receive();
    onceAttached(this.root, () => this.#begin(), signal);
  }

  get root() {
    return this.#box.root;
  }

  /** @param {AbortSignal} signal */
  #hear(signal) {
    const request = () => {
      cancelAnimationFrame(this.#frame);
      this.#frame = requestAnimationFrame(() => this.#receive());
    };
    const stops = [
      onChange(this.#model, this.#data.names, request),
      onChange(this.#model, ["choice"], () => this.#follow()),
      onChange(this.#model, ["sketch"], () => this.#hover.renew()),
      onChange(this.#model, ["progress"], () => this.#tell()),
    ];
    onTheme(request, signal);
    const sizes = new ResizeObserver(() => this.#table.list.draw());
    sizes.observe(this.#box.grid);
    signal.addEventListener("abort", () => {
      for (const stop of stops) stop();
      sizes.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#settling);
      this.#hover.leave();
    });
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { search, measure, boxes } = this.#box;
    search.addEventListener("input", () => this.#search(search.value), { signal });
    measure.addEventListener("change", () => this.#save("measure", measure.value), { signal });
    for (const box of boxes) box.addEventListener("change", () => this.#filter(), { signal });
    const deeds = {
      choose: (/** @type {Spot} */ spot) => this.#choose(spot),
      sortBy: (/** @type {number} */ column) => this.#sortBy(column),
      fold: (/** @type {number} */ row, /** @type {boolean} */ fold) => this.#fold(row, fold),
    };
    new Controls(this.#box, this.#table, this.#hover, deeds, signal);
  }

  /** In the page at last: its colours and its size are known. */
  #begin() {
    this.#receive();
    this.#follow();
  }

  /** Show what has come. */
  #receive() {
    this.#data.dark = isOnDark(this.root);
    const others = this.#data.receive();
    const { sort, query, only } = this.#wish;
    if (others) {
      this.#arrange();
      this.#follow();
    } else {
      this.#table.redraw();
      const byNumbers = (sort && sort.column > 0) || query.includes(":") || Object.values(only).some(Boolean);
      if (byNumbers && !this.#settling) this.#settling = setTimeout(() => this.#arrange(), SETTLING);
    }
    this.#tell();
    this.#hover.renew();
  }

  #arrange() {
    clearTimeout(this.#settling);
    this.#settling = 0;
    const { grid, header, tally, empty, emptyRow } = this.#box;
    const found = this.#table.arrange(this.#wish);
    const count = this.#data.tree.nodes.length;
    tally.value = found === count ? `${count} rows` : `${found} of ${count} rows`;
    grid.style.setProperty("--ww-rows", String(count));
    emptyRow.hidden = found > 0;
    empty.textContent = count > 0 ? "No layer and no tensor is like that." : "…";
    header.dataset.fold = this.#table.foldOfAll;
  }

  /** The legend and what is still to come. */
  #tell() {
    const { legend, progress, measure } = this.#box;
    const { limits, palette, measure: shown } = this.#data.shading;
    measure.value = shown.key;
    measure.title = shown.hint;
    progress.textContent = this.#model.get("progress");
    legend.bar.style.background = gradient(palette);
    legend.low.textContent = limits ? numberText(limits.low, shown) : "";
    const beyond = limits !== null && isAnyBeyond(this.#data.values, limits);
    legend.high.textContent = limits ? `${numberText(limits.high, shown)}${beyond ? " and beyond" : ""}` : "";
    legend.root.title = beyond ? "The colours end where those of kernels do; what is beyond has the last one" : "";
    legend.root.dataset.known = String(limits !== null);
  }

  /** Mark what is chosen; choices among other rows come before these. */
  #follow() {
    const { frame, row = -1, column = -1 } = this.#model.get("choice");
    const fits = frame === this.#data.tree.frame && row >= 0;
    const before = this.#table.chosen;
    this.#table.chosen = fits ? { row, column } : null;
    const place = this.#table.chosenPlace();
    if (place >= 0 && before?.row !== row) {
      this.#table.active = { row: this.#table.rowAt(place), column: this.#table.active.column };
      this.#table.list.reveal(place);
    }
    this.#table.mark();
  }

  /** @param {Spot} spot */
  #choose({ place, column }) {
    const row = firstTensor(this.#data.tree, this.#table.rowAt(place));
    if (row >= 0) this.#save("choice", { frame: this.#data.tree.frame, row, column });
  }

  /**
   * @template {"choice" | "measure"} K
   * @param {K} name
   * @param {Traits[K]} value
   */
  #save(name, value) {
    this.#model.set(name, value);
    this.#model.save_changes();
  }

  /**
   * @param {number} row  −1 for all
   * @param {boolean} fold
   */
  #fold(row, fold) {
    const { folded } = this.#wish;
    const { nodes } = this.#data.tree;
    for (const { key } of row < 0 ? nodes.filter(({ tensor }) => !tensor) : nodes.slice(row, row + 1)) {
      if (fold) folded.add(key);
      else folded.delete(key);
    }
    this.#hover.hide();
    this.#arrange();
  }

  /** @param {string} query */
  #search(query) {
    this.#wish.query = query;
    this.#wish.folded = query.trim() ? new Set() : this.#folded;
    this.#rearrange();
  }

  #filter() {
    const only = Object.fromEntries(this.#box.boxes.map(({ name, checked }) => [name, checked]));
    this.#wish.only = /** @type {Wish["only"]} */ (only);
    this.#rearrange();
  }

  /** @param {number} column  0 is the name's */
  #sortBy(column) {
    this.#wish.sort = nextSort(this.#wish.sort, column, column > 0);
    const { sort } = this.#wish;
    this.#box.headers.forEach((header, i) => {
      const direction = sort?.down ? "descending" : "ascending";
      header.setAttribute("aria-sort", i === sort?.column ? direction : "none");
    });
    this.#rearrange();
  }

  #rearrange() {
    this.#hover.hide();
    this.#table.list.scrollTo(0);
    this.#arrange();
  }
}

export default { render };
