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
  // By characters: half of one would be shown as another.
  const whole = labels.map((label) => [...label]);
  const start = lengthOf(OPENING.exec(common(whole).join("")));
  const rests = whole.map((letters) => letters.slice(start));
  const last = common(rests.map((letters) => [...letters].reverse()));
  const end = lengthOf(CLOSING.exec(last.reverse().join("")));
  const short = rests.map((letters) => letters.slice(0, letters.length - end).join(""));
  if (short.some((label) => label === "")) return labels;
  return short.map((label) => `${start > 0 ? "…" : ""}${label}${end > 0 ? "…" : ""}`);
}

/**
 * What all begin with.
 * @param {string[][]} labels
 */
function common(labels) {
  const [first = [], ...others] = labels;
  const length = first.findIndex((letter, i) => others.some((other) => other[i] !== letter));
  return length < 0 ? first : first.slice(0, length);
}

/** @param {RegExpExecArray | null} found */
function lengthOf(found) {
  return [...(found?.[0] ?? "")].length;
}
