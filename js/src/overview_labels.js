// What tells the models' names apart where there is little room for them.

// Letters in the headers of all models together.
const ROOM = 54;
const [OPENING, CLOSING] = [/^.*[^\p{L}\p{N}]/u, /[^\p{L}\p{N}].*$/u];

/**
 * Without what all of them begin and end with, up to a whole word: "epoch_1.h5", "epoch_12.h5" → "…1…", "…12…".
 * @param {string[]} labels
 * @returns {string[]}  the same where all are short, or where one would be nothing else
 */
export function apart(labels) {
  if (labels.length < 2 || labels.every((label) => label.length * labels.length <= ROOM)) return labels;
  const start = OPENING.exec(common(labels, (label) => label))?.[0].length ?? 0;
  const rests = labels.map((label) => label.slice(start));
  const end = CLOSING.exec(reversed(common(rests, reversed)))?.[0].length ?? 0;
  const short = rests.map((rest) => rest.slice(0, rest.length - end));
  if (short.some((label) => label === "")) return labels;
  return short.map((label) => `${start > 0 ? "…" : ""}${label}${end > 0 ? "…" : ""}`);
}

/**
 * What all begin with.
 * @param {string[]} labels
 * @param {(label: string) => string} read
 */
function common(labels, read) {
  const [first = "", ...others] = labels.map(read);
  let length = 0;
  while (length < first.length && others.every((other) => other[length] === first[length])) length++;
  return first.slice(0, length);
}

/** @param {string} text */
function reversed(text) {
  return [...text].reverse().join("");
}
