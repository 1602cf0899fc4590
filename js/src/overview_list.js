// Rows of one height of which only those in sight are in the page; their elements are used again.
import { clamp } from "./raster.js";

/**
 * @typedef {import("./overview_row.js").Row} Row
 * @typedef {{ row: Row, place: number, filled: number }} Slot
 */

export const ROW_HEIGHT = 24;
// Filled beyond what is in sight, so that a slow scroll finds them there.
const SPARE = 3;

export class List {
  #grid;
  #body;
  #build;
  #fill;
  /** @type {Slot[]} */
  #slots = [];
  #count = 0;
  #version = 0;

  /**
   * @param {HTMLElement} grid  what scrolls, the header inside
   * @param {HTMLElement} body
   * @param {() => Row} build
   * @param {(row: Row, place: number) => void} fill
   */
  constructor(grid, body, build, fill) {
    this.#grid = grid;
    this.#body = body;
    this.#build = build;
    this.#fill = fill;
  }

  get #room() {
    return Math.max(this.#grid.clientHeight - this.#body.offsetTop, ROW_HEIGHT);
  }

  /** How many rows are wholly in sight. */
  get page() {
    return Math.max(Math.floor(this.#room / ROW_HEIGHT), 1);
  }

  get first() {
    return Math.floor(this.#grid.scrollTop / ROW_HEIGHT);
  }

  /**
   * Exchange what stands in the rows.
   * @param {number} count
   */
  renew(count) {
    this.#count = count;
    this.#version++;
    this.#body.style.height = `${count * ROW_HEIGHT}px`;
    this.draw();
  }

  /** Fill what came into sight. */
  draw() {
    const size = this.page + 2 + 2 * SPARE;
    while (this.#slots.length < size) {
      const row = this.#build();
      this.#body.append(row.root);
      this.#slots.push({ row, place: -1, filled: -1 });
    }
    const start = clamp(this.first - SPARE, 0, Math.max(this.#count - size, 0));
    for (let place = start; place < start + this.#slots.length; place++) this.#show(place);
  }

  /** @param {number} place */
  #show(place) {
    const slot = this.#slots[place % this.#slots.length];
    if (!slot || (slot.place === place && slot.filled === this.#version)) return;
    const { root } = slot.row;
    Object.assign(slot, { place, filled: this.#version });
    root.hidden = place >= this.#count;
    if (root.hidden) return;
    root.style.transform = `translateY(${place * ROW_HEIGHT}px)`;
    root.setAttribute("aria-rowindex", String(place + 2));
    this.#fill(slot.row, place);
  }

  /**
   * @param {number} place
   * @returns {Row | null}  null while it is out of sight
   */
  rowAt(place) {
    const slot = this.#slots[place % this.#slots.length];
    return slot && place >= 0 && slot.place === place && !slot.row.root.hidden ? slot.row : null;
  }

  /**
   * @param {EventTarget | null} target
   * @returns {number}  of the row that holds it; −1 for none
   */
  placeOf(target) {
    if (!(target instanceof Node)) return -1;
    return this.#slots.find(({ row }) => row.root.contains(target))?.place ?? -1;
  }

  /** @param {(row: Row, place: number) => void} callback  for each row in the page */
  each(callback) {
    for (const { row, place } of this.#slots) if (!row.root.hidden) callback(row, place);
  }

  /**
   * Scroll within the grid, so far as needed: the page stays where the user has it.
   * @param {number} place
   */
  reveal(place) {
    const top = place * ROW_HEIGHT;
    this.scrollTo(Math.max(Math.min(this.#grid.scrollTop, top), top + ROW_HEIGHT - this.#room));
  }

  /**
   * A row is at another place now: keep it where it was seen.
   * @param {number} before
   * @param {number} now
   */
  hold(before, now) {
    this.scrollTo(this.#grid.scrollTop + (now - before) * ROW_HEIGHT);
  }

  /** @param {number} top */
  scrollTo(top) {
    if (this.#grid.scrollTop !== top) this.#grid.scrollTop = top;
    this.draw();
  }
}
