// Where an arrow key leads in a menu of rows that may differ in length.

/**
 * @template T
 * @param {T[][]} rows
 * @param {unknown} item  the one that has the focus
 * @param {string} key
 * @returns {T | undefined}  undefined where the key leads nowhere
 */
export function nextItem(rows, item, key) {
  const row = rows.findIndex((items) => items.includes(/** @type {T} */ (item)));
  const items = rows[row];
  if (!items) return undefined;
  const column = items.indexOf(/** @type {T} */ (item));
  if (key === "ArrowRight") return items[(column + 1) % items.length];
  if (key === "ArrowLeft") return items.at(column - 1);
  if (key === "Home") return rows[0]?.[0];
  if (key === "End") return rows.at(-1)?.at(-1);
  const beside = key === "ArrowDown" ? rows[(row + 1) % rows.length] : key === "ArrowUp" ? rows.at(row - 1) : undefined;
  return beside?.[Math.min(column, beside.length - 1)];
}
