// A table to sort and to filter, whose columns can be chosen and one of whose rows can be selected.
import { buildBox, buildRow } from "./grid_box.js";
import { arrange, assemble, isOurs, nextPlace, nextSort } from "./grid_rows.js";
import { onceAttached } from "./page.js";

/**
 * @typedef {import("./grid_rows.js").Column} Column
 * @typedef {import("./grid_rows.js").Rows} Rows
 * @typedef {import("./grid_rows.js").Sort} Sort
 * @typedef {{ frame: number, row: number }} Choice  Row −1 for none; of another frame it means other rows.
 * @typedef {{ frame: number, order: number[] | null, columns: boolean[] }} Sight  Order null for all rows as they came.
 * @typedef {{ columns: Column[], empty: string, table: any, choice: Choice, sight: Sight, [column: `column_${number}`]: any }} Traits
 * @typedef {import("@anywidget/types").AnyModel<Traits>} Model
 */

// Rows drawn at once; scrolling draws more.
const BATCH = 100;
const FEW = 3;

/** @type {import("@anywidget/types").Render<Traits>} */
function render({ model, el }) {
  const closing = new AbortController();
  const root = new Grid(model, closing.signal).root;
  el.append(root);
  return () => {
    closing.abort();
    root.remove();
  };
}

class Grid {
  #model;
  #columns;
  /** @type {Rows | null} */
  #rows = null;
  /** @type {Sort | null} */
  #sort = null;
  #visible;
  /** @type {number[]} */
  #order = [];
  #selected = -1;

  #box;

  /**
   * @param {Model} model
   * @param {AbortSignal} signal  ends it
   */
  constructor(model, signal) {
    this.#model = model;
    this.#columns = model.get("columns");
    this.#visible = this.#columns.map(({ visible }) => visible);
    this.#box = buildBox(this.#columns, model.get("empty"));
    this.#listen(signal);
    this.#receive();
    onceAttached(this.root, () => this.#reveal(), signal);
  }

  get root() {
    return this.#box.root;
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const { filter, boxes, headers, scroll, body } = this.#box;
    const receive = () => this.#receive();
    const follow = () => this.#follow();
    // The table comes after its columns.
    this.#model.on("change:table", receive);
    this.#model.on("change:choice", follow);
    signal.addEventListener("abort", () => {
      this.#model.off("change:table", receive);
      this.#model.off("change:choice", follow);
    });
    filter.addEventListener("input", () => this.#rearrange());
    boxes.forEach((box, column) => {
      box.addEventListener("change", () => this.#toggle(column, box.checked));
    });
    headers.forEach((header, column) => {
      header.firstElementChild?.addEventListener("click", () => this.#sortBy(column));
    });
    scroll.addEventListener("scroll", () => {
      const { scrollTop, clientHeight, scrollHeight } = scroll;
      if (scrollTop + 2 * clientHeight > scrollHeight) this.#drawUpTo(body.rows.length + BATCH);
    });
    body.addEventListener("click", (event) => this.#select(placeOf(event)));
    body.addEventListener("keydown", (event) => this.#press(event));
  }

  #receive() {
    const packed = this.#columns.map((_, i) => this.#model.get(`column_${i}`));
    const rows = assemble(this.#model.get("table"), packed);
    if (!rows) return;
    const before = this.#selected;
    this.#rows = rows;
    this.#selected = this.#chosen();
    const { bar, filter, tally, chooser, scroll, empty } = this.#box;
    filter.hidden = tally.hidden = rows.count <= FEW && !filter.value;
    chooser.hidden = this.#columns.length === 1;
    bar.hidden = rows.count === 0 || (filter.hidden && chooser.hidden);
    scroll.hidden = rows.count === 0;
    empty.hidden = rows.count > 0;
    this.#draw();
    if (this.#isArranged()) this.#tell();
    if (this.#selected !== before) this.#reveal();
  }

  #follow() {
    // A choice among other rows comes before them.
    if (this.#model.get("choice").frame !== this.#rows?.frame) return;
    this.#selected = this.#chosen();
    this.#mark();
    this.#reveal();
  }

  #chosen() {
    const { frame, row } = this.#model.get("choice");
    return frame === this.#rows?.frame ? row : -1;
  }

  /** @param {number} column */
  #sortBy(column) {
    this.#sort = nextSort(this.#sort, column, this.#columns[column]?.number ?? false);
    this.#box.headers.forEach((header, i) => {
      const direction = this.#sort?.down ? "descending" : "ascending";
      header.setAttribute("aria-sort", i === this.#sort?.column ? direction : "none");
    });
    this.#rearrange();
  }

  /**
   * @param {number} column
   * @param {boolean} visible
   */
  #toggle(column, visible) {
    this.#visible[column] = visible;
    this.#box.headers[column]?.toggleAttribute("hidden", !visible);
    this.#draw();
    this.#tell();
  }

  #rearrange() {
    this.#draw();
    this.#box.scroll.scrollTop = 0;
    this.#tell();
  }

  #isArranged() {
    return this.#sort !== null || this.#box.filter.value !== "";
  }

  /** What is in sight is what is exported; of two views of a table, that of the one which was used last. */
  #tell() {
    if (!this.#rows) return;
    const order = this.#isArranged() ? this.#order : null;
    this.#model.set("sight", { frame: this.#rows.frame, order, columns: [...this.#visible] });
    this.#model.save_changes();
  }

  #draw() {
    if (!this.#rows) return;
    const { filter, tally, table, body } = this.#box;
    const { count } = this.#rows;
    const drawn = body.rows.length;
    const focused = body.contains(document.activeElement);
    this.#order = arrange(this.#rows, { sort: this.#sort, query: filter.value, visible: this.#visible });
    const found = this.#order.length;
    tally.value = found === count ? `${count} rows` : `${found} of ${count} rows`;
    table.setAttribute("aria-rowcount", String(found + 1));
    body.replaceChildren();
    this.#drawUpTo(Math.max(drawn, BATCH));
    this.#mark();
    if (focused) this.#focusable()?.focus({ preventScroll: true });
  }

  /** @param {number} count */
  #drawUpTo(count) {
    const { body } = this.#box;
    const drawn = body.rows.length;
    body.append(...this.#order.slice(drawn, count).map((row, i) => this.#buildRow(row, drawn + i)));
  }

  /**
   * @param {number} row
   * @param {number} place
   */
  #buildRow(row, place) {
    const cells =
      this.#rows?.columns.map(({ cells, keys }) => ({ text: cells[row] ?? "", number: keys !== null })) ?? [];
    const built = buildRow(
      cells.filter((_, i) => this.#visible[i]),
      this.#rows?.colours[row],
    );
    built.setAttribute("aria-rowindex", String(place + 2));
    return built;
  }

  #mark() {
    const place = this.#order.indexOf(this.#selected);
    this.#drawUpTo(place + 1);
    [...this.#box.body.rows].forEach((row, i) => {
      row.setAttribute("aria-selected", String(i === place));
      row.tabIndex = i === Math.max(place, 0) ? 0 : -1;
    });
  }

  #focusable() {
    return this.#box.body.rows[Math.max(this.#order.indexOf(this.#selected), 0)];
  }

  /** Within the table: the page stays where the user has it. */
  #reveal() {
    const { scroll, table, body } = this.#box;
    const row = body.rows[this.#order.indexOf(this.#selected)];
    if (!row) return;
    const top = row.offsetTop - (table.tHead?.offsetHeight ?? 0);
    const bottom = row.offsetTop + row.offsetHeight - scroll.clientHeight;
    scroll.scrollTop = Math.max(Math.min(scroll.scrollTop, top), bottom);
  }

  /** @param {number} place  among the rows in sight; −1 selects none */
  #select(place) {
    if (!this.#rows) return;
    this.#model.set("choice", { frame: this.#rows.frame, row: this.#order[place] ?? -1 });
    this.#model.save_changes();
    if (place >= 0) this.#focusable()?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#select(nextPlace(placeOf(event), event.key, this.#order.length));
  }
}

/**
 * @param {Event} event
 * @returns {number}  of the row that it happened in
 */
function placeOf({ target }) {
  const row = target instanceof Element ? target.closest("tr") : null;
  return row?.sectionRowIndex ?? -1;
}

export default { render };
