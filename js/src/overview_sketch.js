// The small histograms of a popup, as step outlines.

/** @typedef {{ frame: number, row: number, bins: number, counts: DataView, spans: [number, number], texts: string[] }} Sketch */

/**
 * @param {Sketch} sketch
 * @param {number} model
 * @param {number} width
 * @param {number} height
 * @returns {string}  an SVG path; "" for a model that has none
 */
export function outline({ bins, counts }, model, width, height) {
  const steps = [];
  for (let bin = 0; bin < bins; bin++) {
    const share = counts.getFloat32(4 * (model * bins + bin), true);
    if (Number.isNaN(share)) return "";
    steps.push(`V${round(height * (1 - share))}H${round((width * (bin + 1)) / bins)}`);
  }
  return `M0 ${height}${steps.join("")}V${height}`;
}

/** @param {number} length */
function round(length) {
  return Math.round(10 * length) / 10;
}
