// A row of the overview that is filled again and again, for whatever comes into sight. Text nodes only.
import { swatch, withRole } from "./overview_box.js";
import { chipsOf } from "./overview_order.js";
import { cut } from "./overview_tree.js";
import { make } from "./page.js";

/**
 * @typedef {import("./overview_cells.js").Look} Look
 * @typedef {import("./overview_keys.js").Fold} Fold
 * @typedef {import("./overview_order.js").Badge} Badge
 * @typedef {import("./overview_tree.js").Node} TreeNode
 * @typedef {{ node: TreeNode, fold: Fold, looks: Look[], badges: Badge[], colours: string[] }} Content  No looks where
 *   the cells stay empty.
 */

const CHIPS = 2;
// In pixels a level; names must keep some room.
const [INDENT, DEEPEST] = [14, 6];

export class Row {
  #name = withRole("rowheader", "ww-overview-cell");
  #twisty = make("span", { className: "ww-overview-twisty" });
  #label = make("bdi", { className: "ww-overview-label" });
  #note = make("bdi", { className: "ww-overview-note" });
  #badges = make("span", { className: "ww-overview-badges" });
  #cells;
  #root;

  /** @param {number} columns */
  constructor(columns) {
    this.#name.append(this.#twisty, this.#label, this.#note, this.#badges);
    this.#name.setAttribute("aria-colindex", "1");
    this.#twisty.setAttribute("aria-hidden", "true");
    this.#cells = Array.from({ length: columns }, (_, i) => new Cell(i + 2));
    this.#root = withRole("row", "ww-overview-row", this.#name, ...this.#cells.map(({ root }) => root));
  }

  get root() {
    return this.#root;
  }

  /**
   * @param {number | null} active  the column that is active, −1 for the row as a whole; null for none
   * @param {number | null} chosen  likewise of what is chosen
   * @param {string} id  for the cell that is active
   */
  mark(active, chosen, id) {
    this.#root.setAttribute("aria-selected", String(chosen !== null));
    this.#root.classList.toggle("ww-overview-active", active === -1);
    this.#cells.forEach(({ root }, column) => {
      root.classList.toggle("ww-overview-active", column === active);
      root.classList.toggle("ww-overview-chosen", column === chosen);
      if (column === active) root.id = id;
      else if (root.id) root.removeAttribute("id");
    });
  }

  /** @param {Content} content */
  fill({ node, fold, looks, badges, colours }) {
    const root = this.#root;
    root.dataset.kind = node.tensor ? "tensor" : "group";
    // No custom property of the row: all cells would inherit it anew.
    this.#name.style.paddingLeft = `${4 + INDENT * Math.min(node.level, DEEPEST) + (node.tensor ? 8 : 0)}px`;
    root.setAttribute("aria-level", String(node.level + 1));
    if (fold === "leaf") root.removeAttribute("aria-expanded");
    else root.setAttribute("aria-expanded", String(fold === "open"));
    this.#label.textContent = node.label;
    this.#note.textContent = node.note;
    if (badges.length > 0 || this.#badges.firstChild) this.#badges.replaceChildren(...chips(badges, colours));
    this.#cells.forEach((cell, i) => {
      cell.fill(looks[i] ?? null, badges.find(([, column]) => column === i)?.[3] ?? "");
    });
  }
}

class Cell {
  #box = make("span", { className: "ww-overview-box" });
  #bar = make("span", { className: "ww-overview-bar" });

  /** @param {number} column */
  constructor(column) {
    this.root = withRole("gridcell", "ww-overview-cell", this.#box, this.#bar);
    this.root.setAttribute("aria-colindex", String(column));
    // What is told of the cell is its label.
    this.#box.setAttribute("aria-hidden", "true");
    // The name's cell may lie over the others.
    this.root.style.gridArea = `1 / ${column}`;
  }

  /**
   * @param {Look | null} look
   * @param {string} severity  of what was found there
   */
  fill(look, severity) {
    this.root.dataset.look = look?.name ?? "empty";
    this.root.dataset.severity = severity;
    this.#box.textContent = look?.mark ?? "";
    if (!look) {
      this.root.removeAttribute("aria-label");
      return;
    }
    const { colour, dark, bar, short, words } = look;
    this.root.setAttribute("aria-label", words);
    this.#box.dataset.short = short;
    this.#box.dataset.ink = dark ? "light" : "dark";
    this.#box.style.background = colour;
    this.#bar.style.transform = `translateX(${100 * bar[0]}%) scaleX(${bar[1] - bar[0]})`;
  }
}

/**
 * The gravest, and how many more there are.
 * @param {Badge[]} badges
 * @param {string[]} colours
 */
function chips(badges, colours) {
  const all = chipsOf(badges);
  const shown = all.slice(0, CHIPS).map(({ text, severity, columns }) => {
    const swatches = columns.flatMap((column) => colours[column] ?? []).map(swatch);
    const chip = make("span", { className: "ww-overview-badge" }, ...swatches, make("bdi", {}, cut(text)));
    chip.dataset.severity = severity;
    return chip;
  });
  const more = all.length - shown.length;
  return more > 0 ? [...shown, make("span", { className: "ww-overview-more" }, `+${more}`)] : shown;
}
