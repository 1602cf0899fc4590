// Files on their way: out of pieces, into pixels, to the user's folder of downloads.

/**
 * @typedef {{ do: "take", ticket: number, view: string, name: string, mime: string, painted: boolean, part: number, parts: number }} Piece
 *   View "" for a file that goes back to Python.
 * @typedef {{ about: Piece, parts: DataView<ArrayBuffer>[] }} Arrived
 */

// Pixels of a picture for one of the page: what prints and dense screens show.
const DENSITY = 2;
// No message of ours may pass 300 KB.
const PIECE = 200_000;
// The browser begins to read a download after the click.
const READ_MS = 60_000;

/** Gathers the pieces of files. */
export class Arrivals {
  /** @type {Map<number, DataView<ArrayBuffer>[]>} */
  #parts = new Map();

  /**
   * @param {Piece} about
   * @param {DataView<ArrayBuffer> | undefined} data
   * @returns {Arrived | null}  null until all have come
   */
  take(about, data) {
    const parts = this.#parts.get(about.ticket) ?? [];
    if (data) parts[about.part] = data;
    this.#parts.set(about.ticket, parts);
    if (parts.filter(Boolean).length < about.parts) return null;
    this.#parts.delete(about.ticket);
    return { about, parts };
  }
}

/**
 * @param {DataView<ArrayBuffer>[]} parts  of an SVG
 * @returns {Promise<Blob>}  the same as a PNG
 */
export async function paint(parts) {
  const address = URL.createObjectURL(new Blob(parts, { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(picture.naturalWidth * DENSITY);
    canvas.height = Math.ceil(picture.naturalHeight * DENSITY);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_MS);
}

/**
 * As text in base64: not every host carries bytes to the kernel.
 * @param {Blob} blob
 * @returns {Promise<string[]>}
 */
export async function piecesOf(blob) {
  const text = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^.*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
  return text.match(new RegExp(`.{1,${PIECE}}`, "g")) ?? [];
}
