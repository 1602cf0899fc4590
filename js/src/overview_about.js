// What the popup says of a row.

// A name that may be cut off in its row.
const LONG = 32;

/**
 * @param {number} row
 * @param {import("./overview_table.js").Table} table
 * @param {import("./overview_data.js").Data} data
 * @param {import("./overview_box.js").Column[]} columns
 * @returns {import("./overview_hover.js").Described | null}  null where the row itself says all, or is not in the page
 */
export function about(row, table, data, columns) {
  const node = table.nodeAt(row);
  const element = table.list.rowAt(table.placeOf(row))?.root;
  if (!node || !element) return null;
  const found = table.badgesOf(row).map(([, column, text, , words]) => {
    return [columns[column]?.label, text, words].filter(Boolean).join(": ");
  });
  const numbered = node.tensor || table.foldOf(row) === "closed";
  if (!numbered && found.length === 0 && node.address.length < LONG) return null;
  const lines = numbered ? table.looksOf(row).map(({ words }) => words) : [];
  const content = { address: node.address, lines, found, sketched: node.tensor, column: -1 };
  return { frame: data.tree.frame, element, content };
}
