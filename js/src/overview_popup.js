// What is said of a row beside it: its whole name, a number and a small histogram for each model, what was found.
import { swatch } from "./overview_box.js";
import { outline } from "./overview_sketch.js";
import { cut } from "./overview_tree.js";
import { make } from "./page.js";
import { formatNumber } from "./words.js";

/**
 * @typedef {import("./overview_sketch.js").Sketch} Sketch
 * @typedef {import("./overview_box.js").Column} Column
 * @typedef {{ address: string, lines: string[], found: string[], sketched: boolean, column: number }} Content
 *   `lines` has one for each model, or none; `sketched` says that a sketch is on its way.
 */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [240, 56];
const LONG = 400;

export class Popup {
  #columns;
  #address = make("bdi", { className: "ww-overview-address" });
  #picture = document.createElementNS(SVG, "svg");
  #span = make("div", { className: "ww-overview-span" });
  #lines = make("ul", {});
  #found = make("ul", { className: "ww-overview-found" });
  #root = make("div", { className: "ww-overview-popup", hidden: true });
  /** @type {HTMLElement | null} */
  #beside = null;

  /**
   * @param {Column[]} columns
   * @param {string} id
   */
  constructor(columns, id) {
    this.#columns = columns;
    this.#picture.setAttribute("viewBox", `0 -1 ${WIDTH} ${HEIGHT + 2}`);
    this.#picture.setAttribute("preserveAspectRatio", "none");
    this.#picture.setAttribute("aria-hidden", "true");
    this.#root.id = id;
    this.#root.setAttribute("role", "tooltip");
    this.#root.append(this.#address, this.#picture, this.#span, this.#lines, this.#found);
  }

  get root() {
    return this.#root;
  }

  /**
   * @param {HTMLElement} beside
   * @param {Content} content
   */
  show(beside, { address, lines, found, sketched, column }) {
    this.#address.textContent = cut(address, LONG);
    this.#picture.replaceChildren();
    this.#picture.toggleAttribute("hidden", !sketched);
    this.#span.hidden = !sketched;
    this.#span.replaceChildren("…");
    this.#write(lines, column);
    this.#found.replaceChildren(...found.map((words) => make("li", {}, make("bdi", {}, cut(words, LONG)))));
    this.hide();
    this.#root.hidden = false;
    this.#beside = beside;
    beside.setAttribute("aria-describedby", this.#root.id);
    this.#place();
  }

  hide() {
    this.#root.hidden = true;
    this.#beside?.removeAttribute("aria-describedby");
  }

  /**
   * @param {Sketch} sketch
   * @param {number} column  of the model that is pointed at
   */
  draw(sketch, column) {
    const paths = this.#columns.map(({ colour }, model) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", outline(sketch, model, WIDTH, HEIGHT));
      path.setAttribute("stroke", colour);
      path.classList.toggle("ww-overview-pointed", model === column);
      return path;
    });
    this.#picture.replaceChildren(...paths);
    const [low, high] = sketch.spans.map((end) => make("span", {}, formatNumber(end, 3)));
    this.#span.replaceChildren(low ?? "", high ?? "");
    this.#write(sketch.texts, column);
    this.#place();
  }

  /**
   * @param {string[]} lines
   * @param {number} column
   */
  #write(lines, column) {
    const items = lines.map((text, model) => {
      const { label = "", colour = "" } = this.#columns[model] ?? {};
      const item = make(
        "li",
        {},
        swatch(colour),
        make("bdi", { className: "ww-overview-note" }, label),
        make("span", {}, cut(text, LONG)),
      );
      item.classList.toggle("ww-overview-pointed", model === column);
      return item;
    });
    this.#lines.replaceChildren(...items);
  }

  /**
   * Below the row, or above where there is more room.
   */
  #place() {
    const outer = this.#root.offsetParent?.getBoundingClientRect();
    const row = this.#beside?.getBoundingClientRect();
    if (!outer || !row) return;
    const below = row.bottom - outer.top;
    const above = row.top - outer.top - this.#root.offsetHeight;
    const fits = below + this.#root.offsetHeight <= outer.height || above < 0;
    this.#root.style.top = `${fits ? below : above}px`;
  }
}
