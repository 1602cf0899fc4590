// The menu's button and list: a row for each pane, a column for each format; for the mouse and for the keyboard.
import { nextItem } from "./export_keys.js";
import { make } from "./page.js";

/**
 * @typedef {{ name: string, formats: string[] }} Offer
 * @typedef {{ ask: () => void, choose: (name: string, format: string) => void }} Wishes
 */

const WAITING = "Waiting for the kernel …";
const NOTHING = "Nothing to save is shown.";

export class Menu {
  #wishes;
  #button;
  #list = make("div", { className: "ww-export-list", hidden: true });
  /** @type {HTMLButtonElement[][]}  by row */
  #items = [];

  /**
   * @param {Wishes} wishes
   * @param {AbortSignal} signal  ends it
   */
  constructor(wishes, signal) {
    this.#wishes = wishes;
    const arrow = make("span", { ariaHidden: "true" }, " ▾");
    this.#button = make("button", { type: "button", title: "Save figures and tables as files" }, "Export", arrow);
    this.#button.setAttribute("aria-haspopup", "menu");
    this.#list.setAttribute("aria-label", "Export");
    this.root = make("div", { className: "ww-export" }, this.#button, this.#list);
    this.#button.addEventListener("click", () => (this.#list.hidden ? this.#open() : this.#close()));
    this.root.addEventListener("keydown", (event) => this.#press(event));
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.root.contains(relatedTarget)) this.#close();
    });
    const leave = (/** @type {Event} */ { target }) => {
      if (!(target instanceof Node && this.root.contains(target))) this.#close();
    };
    document.addEventListener("pointerdown", leave, { capture: true, signal });
    this.#close();
  }

  /**
   * What can be saved now.
   * @param {string[]} formats
   * @param {Offer[]} offers
   */
  show(formats, offers) {
    if (this.#list.hidden) return;
    this.#list.style.setProperty("--ww-formats", String(formats.length));
    this.#items = offers.map((offer) => offer.formats.map((format) => this.#item(offer.name, format)));
    const rows = offers.flatMap((offer, i) => [
      make("span", { className: "ww-export-name", ariaHidden: "true" }, offer.name),
      ...formats.map((format) => this.#items[i]?.[offer.formats.indexOf(format)] ?? make("span", {})),
    ]);
    if (rows.length === 0) return this.#tell(NOTHING);
    this.#list.setAttribute("role", "menu");
    this.#list.replaceChildren(...rows);
    this.#items[0]?.[0]?.focus({ preventScroll: true });
  }

  /**
   * @param {string} name
   * @param {string} format
   */
  #item(name, format) {
    const words = `Save the ${name} as ${format}`;
    const item = make("button", { type: "button", role: "menuitem", tabIndex: -1, title: words }, format);
    item.setAttribute("aria-label", words);
    item.addEventListener("click", () => {
      this.#close();
      this.#button.focus({ preventScroll: true });
      this.#wishes.choose(name, format);
    });
    return item;
  }

  #open() {
    this.#items = [];
    this.#tell(WAITING);
    this.#list.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#wishes.ask();
  }

  /** @param {string} words */
  #tell(words) {
    // A menu must have items.
    this.#list.removeAttribute("role");
    this.#list.replaceChildren(make("span", { className: "ww-export-wait", role: "status" }, words));
  }

  #close() {
    this.#list.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { key, target } = event;
    if (key === "Escape" && !this.#list.hidden) {
      this.#close();
      this.#button.focus({ preventScroll: true });
    } else if (key === "ArrowDown" && target === this.#button && this.#list.hidden) this.#open();
    else {
      const next = nextItem(this.#items, target, key);
      if (!next) return;
      next.focus({ preventScroll: true });
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
