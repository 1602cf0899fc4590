// What the leaves need from the page around them.

/** Lumino looks for this attribute before it takes a key for one of the notebook's commands. */
export const SUPPRESS_SHORTCUTS = "data-lm-suppress-shortcuts";

/**
 * Calls back once the element has a place in the page; a view is rendered before it is attached.
 * @param {HTMLElement} el  an element with a size
 * @param {() => void} callback
 * @param {AbortSignal} signal
 */
export function onceAttached(el, callback, signal) {
  const observer = new ResizeObserver(() => {
    if (!el.isConnected) return;
    observer.disconnect();
    callback();
  });
  observer.observe(el);
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * The explorer that holds the element: one explorer may be shown in several output cells.
 * @param {HTMLElement} el
 * @returns {HTMLElement}
 */
export function explorerOf(el) {
  return el.closest(".weight-widgets") ?? document.body;
}

/**
 * @param {Element} el
 * @returns {boolean}  whether its text is bright
 */
export function isOnDark(el) {
  const [red = 0, green = 0, blue = 0] =
    getComputedStyle(el)
      .color.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  return red + green + blue > 384;
}

/**
 * Calls back when the page may have got another theme: hosts tell it by an attribute of the root or of the body.
 * @param {() => void} callback
 * @param {AbortSignal} signal
 */
export function onTheme(callback, signal) {
  const observer = new MutationObserver(callback);
  for (const el of [document.documentElement, document.body]) observer.observe(el, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}

/**
 * @param {Pick<import("@anywidget/types").AnyModel, "on" | "off">} model
 * @param {string[]} names
 * @param {() => void} callback
 * @returns {() => void} what ends it
 */
export function onChange(model, names, callback) {
  for (const name of names) model.on(`change:${name}`, callback);
  return () => {
    for (const name of names) model.off(`change:${name}`, callback);
  };
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}
