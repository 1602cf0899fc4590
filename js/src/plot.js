// Figures of bqplot: where in a plot something happens, and what of its scales is in sight.

/** @typedef {import("@anywidget/types").AnyModel<{ min: number, max: number }>} Scale */

export const PLOT_AREA = ".plotarea_events";

/**
 * @param {Pick<import("@anywidget/types").AnyModel, "widget_manager">} model
 * @param {string} reference  as a trait holds it
 * @returns {Promise<Scale>}
 */
export function scaleOf(model, reference) {
  return model.widget_manager.get_model(reference.slice("IPY_MODEL_".length));
}

/**
 * @param {string} selectors  of figures
 * @param {MouseEvent} event
 * @returns {{ across: number, down: number } | null} the place in the plot area of one of them, in shares
 */
export function placeIn(selectors, { target, clientX, clientY }) {
  const figure = target instanceof Element ? target.closest(selectors) : null;
  const area = figure?.querySelector(PLOT_AREA)?.getBoundingClientRect();
  if (!area) return null;
  const [across, down] = [(clientX - area.x) / area.width, (clientY - area.y) / area.height];
  return Math.min(across, down) >= 0 && Math.max(across, down) < 1 ? { across, down } : null;
}

/**
 * @param {Scale} scale
 * @param {number} low
 * @param {number} high  the ends of what to bring into sight
 */
export function see(scale, low, high) {
  scale.set("min", low);
  scale.set("max", high);
  scale.save_changes();
}
