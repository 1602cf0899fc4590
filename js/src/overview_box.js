// What stands around the rows of the overview: search, measure and filters above, header, legend and progress.
import { apart } from "./overview_labels.js";
import { make, SUPPRESS_SHORTCUTS } from "./page.js";

/**
 * @typedef {import("./overview_cells.js").Measure} Measure
 * @typedef {{ label: string, colour: string }} Column
 */

const FILTERS = [
  { key: "changed", label: "Changed", hint: "Only tensors that differ from the reference's, or that a model lacks" },
  { key: "kernels", label: "Kernels", hint: "Only kernels, and what else multiplies what comes in" },
  { key: "findings", label: "Findings", hint: "Only layers and tensors that something was found in" },
];

// With so many models there is room for their numbers.
const ROOMY = 4;

/**
 * @param {Column[]} columns
 * @param {Measure[]} measures
 * @param {string} id  which no other element's begins with
 */
export function buildBox(columns, measures, id) {
  const tools = buildTools(measures);
  const labels = ["layer / tensor", ...columns.map(({ label }) => label)];
  const short = ["layer / tensor", ...apart(labels.slice(1))];
  const headers = labels.map((label, i) => buildHeader(label, short[i] ?? label, `${id}-header-${i}`));
  headers.forEach((cell, i) => {
    cell.setAttribute("aria-colindex", String(i + 1));
    cell.style.setProperty("--ww-model", columns[i - 1]?.colour ?? "transparent");
  });
  const foldAll = make("span", { className: "ww-overview-twisty" });
  foldAll.setAttribute("aria-hidden", "true");
  headers[0]?.prepend(foldAll);
  const header = withRole("row", "ww-overview-row ww-overview-header", ...headers);
  header.id = `${id}-header`;
  header.setAttribute("aria-rowindex", "1");
  const empty = withRole("gridcell", "ww-overview-empty");
  const emptyRow = withRole("row", "", empty);
  const body = withRole("rowgroup", "ww-overview-body", emptyRow);
  const grid = withRole("treegrid", "ww-overview-grid", withRole("rowgroup", "ww-overview-head", header), body);
  grid.tabIndex = 0;
  grid.setAttribute("aria-label", "Overview: layers and tensors down, models across");
  grid.setAttribute("aria-colcount", String(headers.length));
  grid.setAttribute(SUPPRESS_SHORTCUTS, "true");
  grid.style.setProperty("--ww-models", String(columns.length));
  grid.dataset.roomy = String(columns.length <= ROOMY);

  const bar = make("span", { className: "ww-overview-palette" });
  const [low, high] = [make("span", {}), make("span", {})];
  const legend = make("span", { className: "ww-overview-legend" }, low, bar, high);
  const progress = make("span", { className: "ww-overview-progress" });
  const foot = make("div", { className: "ww-overview-foot" }, legend, progress);
  const root = make("div", { className: "ww-overview" }, tools.root, grid, foot);
  return {
    ...tools,
    root,
    grid,
    header,
    headers,
    body,
    emptyRow,
    empty,
    legend: { root: legend, low, bar, high },
    progress,
  };
}

/** @param {Measure[]} measures */
function buildTools(measures) {
  const search = make("input", { type: "search", className: "ww-field", placeholder: "Search, e.g. findings:dead" });
  search.setAttribute("aria-label", "Search layers and tensors by name, class, role or findings:");
  const options = measures.map(({ key, label, hint }) => make("option", { value: key, title: hint }, label));
  const measure = make("select", { className: "ww-field", title: "What the cells are coloured by" }, ...options);
  measure.setAttribute("aria-label", "Measure that colours the cells");
  const boxes = FILTERS.map(({ key }) => make("input", { type: "checkbox", name: key }));
  const labels = FILTERS.map(({ label, hint }, i) => {
    return make("label", { className: "ww-tick", title: hint }, boxes[i] ?? "", label);
  });
  const tally = make("output", {});
  for (const control of [search, measure, ...boxes]) control.setAttribute(SUPPRESS_SHORTCUTS, "true");
  const filters = make("div", { className: "ww-overview-filters" }, make("span", {}, "Only"), ...labels, tally);
  const root = make("div", { className: "ww-overview-tools" }, search, measure, filters);
  return { root, search, measure, boxes, tally };
}

/**
 * @param {string} label
 * @param {string} short  what there is room for
 * @param {string} id
 */
function buildHeader(label, short, id) {
  const header = withRole(
    "columnheader",
    "ww-overview-cell",
    make("bdi", { className: "ww-overview-label" }, ...wrapped(short)),
  );
  Object.assign(header, { id, title: label });
  if (short !== label) header.setAttribute("aria-label", label);
  header.setAttribute("aria-sort", "none");
  return header;
}

/**
 * With places where a line may end: after what parts words in names.
 * @param {string} label
 */
function wrapped(label) {
  return label.match(/[^_\-./]+[_\-./]*|[_\-./]+/g)?.flatMap((piece) => [piece, make("wbr", {})]) ?? [];
}

/** @param {string} colour */
export function swatch(colour) {
  const found = make("span", { className: "ww-swatch" });
  found.style.background = colour;
  return found;
}

/**
 * @param {string} role
 * @param {string} className
 * @param {Node[]} children
 */
export function withRole(role, className, ...children) {
  const element = make("div", { className }, ...children);
  element.setAttribute("role", role);
  return element;
}
