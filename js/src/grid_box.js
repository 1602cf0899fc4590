// The elements of a table. Text nodes only: names come from files of strangers.
import { make, SUPPRESS_SHORTCUTS } from "./page.js";

/** @typedef {import("./grid_rows.js").Column} Column */

/**
 * @param {Column[]} columns
 * @param {string} sentence  what stands there without rows
 */
export function buildBox(columns, sentence) {
  const filter = make("input", { type: "search", className: "ww-field", placeholder: "Filter" });
  filter.setAttribute("aria-label", "Filter the rows");
  const tally = make("output", {});
  const boxes = columns.map(({ visible }) => make("input", { type: "checkbox", checked: visible }));
  const labels = columns.map(({ label, hint }, i) =>
    make("label", { className: "ww-tick", title: hint }, boxes[i] ?? "", label),
  );
  // The first column says which row it is.
  const chooser = make("details", {}, make("summary", {}, "Columns"), make("div", {}, ...labels.slice(1)));
  const bar = make("div", { className: "ww-grid-bar" }, filter, tally, chooser);

  const headers = columns.map(({ label, hint, number, visible }) => {
    const button = make("button", { type: "button", title: hint }, label);
    return make("th", { scope: "col", className: number ? "ww-number" : "", hidden: !visible }, button);
  });
  const body = make("tbody", {});
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...headers)), body);
  table.setAttribute("role", "grid");
  const scroll = make("div", { className: "ww-grid-scroll" }, table);
  const empty = make("div", { className: "ww-grid-empty" }, sentence);
  const root = make("div", { className: "ww-grid" }, bar, scroll, empty);
  return { root, bar, filter, tally, chooser, boxes, headers, scroll, table, body, empty };
}

/**
 * @param {{ text: string, number: boolean }[]} cells
 * @param {string | undefined} colour
 */
export function buildRow([first, ...others], colour) {
  const swatch = colour ? [make("span", { className: "ww-swatch" })] : [];
  for (const { style } of swatch) style.background = colour ?? "";
  const head = make("th", { scope: "row" }, ...swatch, first?.text ?? "");
  const cells = others.map(({ text, number }) => make("td", { className: number ? "ww-number" : "" }, text));
  const row = make("tr", { tabIndex: -1 }, head, ...cells);
  row.setAttribute("aria-selected", "false");
  // On the row itself: JupyterLab looks at what has the focus before it looks above.
  row.setAttribute(SUPPRESS_SHORTCUTS, "true");
  return row;
}
