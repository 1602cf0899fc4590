// Names and hints for controls.

/**
 * Shows the hints, and names the buttons that have only a sign.
 * @param {HTMLElement} root
 * @param {Record<string, string>} hints  by the control's class
 */
export function hintControls(root, hints) {
  for (const [name, hint] of Object.entries(hints)) {
    for (const control of root.querySelectorAll(`.${name} :is(select, input)`)) control.setAttribute("title", hint);
  }
  // ipywidgets 8 writes the lack of a hint out.
  for (const label of root.querySelectorAll("label[title='null']")) label.removeAttribute("title");
  for (const button of root.querySelectorAll("button[title]")) {
    if (!/\p{L}/u.test(button.textContent ?? "")) button.setAttribute("aria-label", button.getAttribute("title") ?? "");
  }
}
