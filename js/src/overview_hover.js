// When the popup is shown: while the pointer or the keyboard's focus rests on a row.

/**
 * @typedef {import("./overview_data.js").Model} Model
 * @typedef {import("./overview_popup.js").Content} Content
 * @typedef {import("./overview_popup.js").Popup} Popup
 * @typedef {import("./overview_sketch.js").Sketch} Sketch
 * @typedef {{ frame: number, element: HTMLElement, content: Content }} Described
 */

// In milliseconds.
const REST = 150;

export class Hover {
  #model;
  #popup;
  #describe;
  #timer = 0;
  #row = -1;
  #column = -1;

  /**
   * @param {Model} model
   * @param {Popup} popup
   * @param {(row: number) => Described | null} describe  null for a row that is not in the page
   */
  constructor(model, popup, describe) {
    this.#model = model;
    this.#popup = popup;
    this.#describe = describe;
  }

  get shown() {
    return !this.#popup.root.hidden;
  }

  /**
   * Something rests there now.
   * @param {number} row
   * @param {number} column  −1 for none
   */
  rest(row, column) {
    const same = row === this.#row && this.shown;
    if (same && column === this.#column) return;
    this.#column = column;
    if (same) this.#show(row);
    else this.#await(row);
  }

  leave() {
    this.#row = -1;
    this.hide();
  }

  /** Until something rests again. */
  hide() {
    clearTimeout(this.#timer);
    this.#popup.hide();
  }

  /** What is under the pointer may be another row now, which the page will tell; the focus' row stays. */
  scrolled() {
    this.hide();
    if (this.#row >= 0) this.#await(this.#row);
  }

  /** What is said may be another by now. */
  renew() {
    if (this.shown) this.#show(this.#row);
  }

  /** @param {number} row */
  #await(row) {
    this.hide();
    this.#row = row;
    this.#timer = setTimeout(() => this.#show(row), REST);
  }

  /** @param {number} row */
  #show(row) {
    const described = this.#describe(row);
    if (!described) return this.#popup.hide();
    const { frame, element, content } = described;
    this.#popup.show(element, { ...content, column: this.#column });
    if (!content.sketched) return;
    const sketch = this.#model.get("sketch");
    if (isOf(sketch, frame, row)) this.#popup.draw(sketch, this.#column);
    const asked = this.#model.get("asked");
    if (asked.frame === frame && asked.row === row) return;
    this.#model.set("asked", { frame, row });
    this.#model.save_changes();
  }
}

/**
 * @param {Partial<Sketch>} sketch
 * @param {number} frame
 * @param {number} row
 * @returns {sketch is Sketch}
 */
function isOf(sketch, frame, row) {
  return sketch.frame === frame && sketch.row === row;
}
