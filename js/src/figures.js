// Figures for who does not see them: each is one image, named by the sentence that stands behind it.

/** @param {HTMLElement} root */
export function nameFigures(root) {
  for (const figure of root.querySelectorAll(".bqplot.figure")) {
    const words = figure.parentElement?.querySelector(":scope > .ww-summary")?.textContent?.trim();
    const [drawing, ...others] = [...figure.querySelectorAll(":scope > svg")].reverse();
    // What a figure without words shows is told elsewhere: the colour bar's ends by each picture.
    for (const hidden of words ? others : [drawing, ...others]) hidden?.setAttribute("aria-hidden", "true");
    if (!words) continue;
    drawing?.setAttribute("role", "img");
    drawing?.setAttribute("aria-label", words);
    drawing?.removeAttribute("aria-hidden");
  }
}
