// Words for where a cell is and for what its weights are.
import { span } from "./raster.js";

/**
 * @typedef {import("./raster.js").Axis} Axis
 * @typedef {import("./raster.js").Side} Side
 */

const MINUS = "\u2212";
const DASH = "\u2013";

/**
 * A number of so many significant digits.
 * @param {number} value
 * @param {number} digits
 * @param {boolean} [signed]  with a plus
 */
export function formatNumber(value, digits, signed = true) {
  if (Number.isNaN(value)) return "NaN";
  if (value === 0) return "0";
  const plus = signed ? "+" : "";
  const sign = value < 0 ? MINUS : plus;
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}Inf`;
  const rounded = Number(size.toPrecision(digits));
  if (rounded >= 1e-4 && rounded < 1e6) return sign + rounded;
  return sign + rounded.toExponential().replace("e+", "e").replace("e-", `e${MINUS}`);
}

/**
 * The C-order index on each axis of one element of a side.
 * @param {Axis[]} axes
 * @param {number} element
 */
export function unravel(axes, element) {
  /** @type {number[]} */
  const indices = [];
  let rest = element;
  for (let i = axes.length - 1; i >= 0; i--) {
    const size = Number(axes[i]?.size);
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return indices;
}

/**
 * "input 3, unit 81 of the forget gate": one element.
 * @param {Side} rows
 * @param {Side} columns
 * @param {{ row: number, column: number }} element
 */
export function exactPlace(rows, columns, { row, column }) {
  const axes = [...rows.axes, ...columns.axes];
  const indices = [...unravel(rows.axes, row), ...unravel(columns.axes, column)];
  /** @type {Map<string, { axis: Axis, index: number }>} */
  const joined = new Map();
  axes.forEach((axis, i) => {
    const before = joined.get(axis.label)?.index ?? 0;
    joined.set(axis.label, { axis, index: before + Number(indices[i]) * (axis.stride ?? 1) });
  });
  const found = [...joined.values()];
  const at = found.map(({ index }) => index);
  return phrase(
    found.map(({ axis }) => axis),
    at,
    at,
  );
}

/**
 * "unit 81 of the forget gate", "units 80–83 of the forget gate", "columns 80–83"; "" where the side has no axes.
 * @param {Side} side
 * @param {number} cell
 * @param {"row" | "column"} flatName  what an element is called where no axis names the whole span
 */
export function place(side, cell, flatName) {
  const { axes } = side;
  if (axes.length === 0) return "";
  const [from, to] = span(side, cell);
  const first = unravel(axes, from);
  const last = unravel(axes, to - 1);
  if (to - from === 1) return phrase(axes, first, last);
  const inner = axes.length - 1;
  const onlyInnerVaries = first.every((index, i) => i === inner || index === last[i]);
  const innerIsNumbered = axes[inner]?.names.length === 0 && axes[inner]?.label !== "";
  if (onlyInnerVaries && innerIsNumbered) return phrase(axes, first, last);
  return `${flatName}s ${from}${DASH}${to - 1}`;
}

/**
 * Numbered axes first, then the named ones from the innermost out: "unit 3 of the update gate of the input bias".
 * @param {Axis[]} axes
 * @param {number[]} first
 * @param {number[]} last
 */
function phrase(axes, first, last) {
  /** @type {string[]} */
  const numbered = [];
  /** @type {string[]} */
  const named = [];
  axes.forEach((axis, i) => {
    const { label, names } = axis;
    const index = Number(first[i]);
    const name = names[index];
    if (name !== undefined) named.unshift(`${name} ${label}`.trim());
    else if (index === last[i]) numbered.push(`${label} ${numberOf(axis, index)}`.trim());
    else numbered.push(`${label}s ${numberOf(axis, index)}${DASH}${numberOf(axis, Number(last[i]))}`);
  });
  return [numbered.join(", "), ...named].filter(Boolean).join(" of the ");
}

/**
 * @param {Axis} axis
 * @param {number} index
 */
function numberOf({ first = 0, numbers }, index) {
  return numbers?.length ? Number(numbers[index]) : first + index;
}
