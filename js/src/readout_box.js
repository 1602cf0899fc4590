// The box that takes the keyboard's focus, with the readout inside.
import { SUPPRESS_SHORTCUTS } from "./page.js";

export function buildBox() {
  const box = document.createElement("div");
  box.className = "ww-crosshair";
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute(
    "aria-label",
    "Crosshair over the heatmaps: arrow keys move it, + and - zoom, 0 shows everything, Escape clears it",
  );
  box.setAttribute(SUPPRESS_SHORTCUTS, "true");
  const status = document.createElement("div");
  status.className = "ww-readout";
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");
  box.append(status);
  return box;
}

/**
 * Text nodes only: names come from files of strangers.
 * @param {HTMLElement} box
 * @param {import("./readout.js").Piece[]} pieces
 */
export function write(box, pieces) {
  const status = box.querySelector(".ww-readout");
  // A screen reader would read the same text again.
  if (status?.textContent === pieces.map(({ text }) => text).join("")) return;
  const spans = pieces.map(({ text, role }) => {
    const span = document.createElement("span");
    span.className = `ww-readout-${role}`;
    span.textContent = text;
    return span;
  });
  status?.replaceChildren(...spans);
}
