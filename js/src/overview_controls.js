// The mouse and the keyboard over the rows and the header of the overview.
import { act, typeAhead, typing } from "./overview_keys.js";

/**
 * @typedef {import("./overview_keys.js").Act} Act
 * @typedef {import("./overview_keys.js").Spot} Spot
 * @typedef {{ choose: (spot: Spot) => void, sortBy: (column: number) => void, fold: (row: number, fold: boolean) => void }}
 *   Deeds  Row −1 folds all; column 0 is the name's, those of the models follow.
 */

const TWISTY = ".ww-overview-twisty";
// On what has the focus: the keyboard was used last.
const KEYS = "ww-overview-keys";

export class Controls {
  #box;
  #table;
  #hover;
  #deeds;
  #typed = { text: "", at: 0 };
  // Whoever clicked has read the popup, and wants the rows that it lies over: it comes again with another row.
  #clicked = -1;

  /**
   * @param {import("./overview_table.js").Box} box
   * @param {import("./overview_table.js").Table} table
   * @param {import("./overview_hover.js").Hover} hover
   * @param {Deeds} deeds
   * @param {AbortSignal} signal  ends it
   */
  constructor(box, table, hover, deeds, signal) {
    this.#box = box;
    this.#table = table;
    this.#hover = hover;
    this.#deeds = deeds;
    const { grid, header, body } = box;
    header.addEventListener("click", (event) => this.#clickHeader(event), { signal });
    body.addEventListener("click", (event) => this.#click(event), { signal });
    body.addEventListener("pointerover", (event) => this.#point(event), { signal });
    body.addEventListener("pointerleave", () => this.#unpoint(), { signal });
    grid.addEventListener("keydown", (event) => this.#press(event), { signal });
    grid.addEventListener("pointerdown", () => grid.classList.remove(KEYS), { signal });
    grid.addEventListener("focusout", () => hover.leave(), { signal });
    const scrolled = () => {
      table.list.draw();
      hover.scrolled();
    };
    grid.addEventListener("scroll", scrolled, { signal, passive: true });
  }

  /** @param {Event} event */
  #clickHeader({ target }) {
    if (target instanceof Element && target.matches(TWISTY)) this.#deeds.fold(-1, this.#table.foldOfAll === "open");
    else this.#deeds.sortBy(columnOf(target) + 1);
  }

  /** @param {Event} event */
  #click({ target }) {
    const place = this.#table.list.placeOf(target);
    const row = this.#table.rowAt(place);
    if (row < 0) return;
    this.#clicked = row;
    this.#hover.leave();
    this.#moveTo({ place, column: columnOf(target) });
    const fold = this.#table.foldOf(row);
    if (target instanceof Element && target.matches(TWISTY) && fold !== "leaf") this.#deeds.fold(row, fold === "open");
    else this.#deeds.choose({ place, column: columnOf(target) });
  }

  /** @param {Event} event */
  #point({ target }) {
    const row = this.#table.rowAt(this.#table.list.placeOf(target));
    if (row < 0 || row === this.#clicked) return;
    this.#clicked = -1;
    this.#hover.rest(row, columnOf(target));
  }

  #unpoint() {
    this.#clicked = -1;
    this.#hover.leave();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const table = this.#table;
    const spot = { place: table.activePlace(), column: table.active.column };
    const asked = act(event, spot, {
      count: table.count,
      columns: this.#box.headers.length - 1,
      page: table.list.page,
      foldAt: (place) => (place < 0 ? table.foldOfAll : table.foldOf(table.rowAt(place))),
      parentOf: (place) => table.parentOf(place),
    });
    // Without a popup to close, Escape is somebody else's.
    if (!asked || (asked.dismiss && !this.#hover.shown)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#box.grid.classList.add(KEYS);
    this.#do(asked, spot, event);
  }

  /**
   * @param {Act} asked
   * @param {Spot} spot
   * @param {KeyboardEvent} event
   */
  #do({ spot: target, fold, choose, dismiss, typed }, spot, { timeStamp }) {
    const table = this.#table;
    if (target) this.#moveTo(target, true);
    if (fold !== undefined) this.#deeds.fold(table.rowAt(spot.place), fold);
    if (choose && spot.place < 0) this.#deeds.sortBy(spot.column + 1);
    else if (choose) this.#deeds.choose(spot);
    if (dismiss) this.#hover.hide();
    if (typed) {
      this.#typed = typing(this.#typed, typed, timeStamp);
      const labelAt = (/** @type {number} */ place) => table.nodeAt(table.rowAt(place))?.label ?? "";
      const place = typeAhead(this.#typed.text, spot.place, table.count, labelAt);
      this.#moveTo({ place, column: spot.column }, true);
    }
  }

  /**
   * @param {Spot} spot
   * @param {boolean} [resting]  whether the popup is to tell of it; the pointer tells that itself
   */
  #moveTo({ place, column }, resting = false) {
    const row = this.#table.rowAt(place);
    this.#table.active = { row, column };
    if (place >= 0) this.#table.list.reveal(place);
    this.#table.revealColumn(column);
    this.#table.mark();
    if (!resting) return;
    if (row >= 0) this.#hover.rest(row, column);
    else this.#hover.leave();
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {number}  of the model; −1 in the column of names
 */
function columnOf(target) {
  const cell = target instanceof Element ? target.closest("[aria-colindex]") : null;
  return Number(cell?.getAttribute("aria-colindex") ?? 1) - 2;
}
