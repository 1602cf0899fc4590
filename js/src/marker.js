// The crosshair's mark in one figure: an overlay over the plot area that never takes the pointer.

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box  in shares of the plot area, 0 to 1 */

export class Marker {
  #overlay = element("ww-marker");
  #row = element("ww-marker-row");
  #column = element("ww-marker-column");
  #cell = element("ww-marker-cell");

  constructor() {
    this.#overlay.setAttribute("aria-hidden", "true");
    this.#overlay.append(this.#row, this.#column, this.#cell);
  }

  /**
   * @param {HTMLElement} figure
   * @param {Element} area  its plot area
   * @param {Box} box  the cell
   */
  show(figure, area, { left, top, right, bottom }) {
    const outer = figure.getBoundingClientRect();
    const { x, y, width, height } = area.getBoundingClientRect();
    place(this.#overlay, x - outer.x - figure.clientLeft, y - outer.y - figure.clientTop, width, height);
    this.#row.style.top = pixels(((top + bottom) / 2) * height);
    this.#column.style.left = pixels(((left + right) / 2) * width);
    place(this.#cell, left * width, top * height, (right - left) * width, (bottom - top) * height);
    if (this.#overlay.parentNode !== figure) figure.append(this.#overlay);
  }

  hide() {
    this.#overlay.remove();
  }
}

/** @param {string} className */
function element(className) {
  const div = document.createElement("div");
  div.className = className;
  return div;
}

/**
 * @param {HTMLElement} el
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
function place({ style }, left, top, width, height) {
  style.left = pixels(left);
  style.top = pixels(top);
  style.width = pixels(width);
  style.height = pixels(height);
}

/** @param {number} length */
function pixels(length) {
  return `${length}px`;
}
