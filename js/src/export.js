// Saves figures and tables: Python makes the files, the page offers them in a menu, paints pixels, and keeps them.
import { Arrivals, download, paint, piecesOf } from "./export_files.js";
import { Menu } from "./export_menu.js";

/**
 * @typedef {import("./export_files.js").Piece} Piece
 * @typedef {import("./export_files.js").Arrived} Arrived
 * @typedef {import("./export_menu.js").Offer} Offer
 * @typedef {{ do: "list", view: string, formats: string[], offers: Offer[] }} List
 * @typedef {import("@anywidget/types").AnyModel<{}>} Model
 */

/** @type {import("@anywidget/types").Render} */
function render({ model, el }) {
  const closing = new AbortController();
  // A menu may be in several output cells: only the one that was used saves.
  const view = Math.random().toString(36).slice(2);
  const menu = new Menu(
    {
      ask: () => model.send({ do: "list", view }),
      choose: (name, format) => model.send({ do: "make", view, name, format }),
    },
    closing.signal,
  );
  const arrivals = new Arrivals();
  const hear = (/** @type {List | Piece} */ content, /** @type {DataView<ArrayBuffer>[]} */ buffers) => {
    if (content.do === "list") {
      if (content.view === view) menu.show(content.formats, content.offers);
      return;
    }
    if (content.view && content.view !== view) return;
    const file = arrivals.take(content, buffers[0]);
    if (file) finish(model, view, file);
  };
  model.on("msg:custom", hear);
  el.classList.add("ww-export-leaf");
  el.append(menu.root);
  return () => {
    model.off("msg:custom", hear);
    closing.abort();
    menu.root.remove();
  };
}

/**
 * Keep what this view asked for; send back what Python did.
 * @param {Model} model
 * @param {string} view
 * @param {Arrived} file
 */
async function finish(model, view, { about, parts }) {
  try {
    const blob = about.painted ? await paint(parts) : new Blob(parts, { type: about.mime });
    if (about.view) {
      download(blob, about.name);
      model.send({ do: "saved", name: about.name });
      return;
    }
    const pieces = await piecesOf(blob);
    for (const piece of pieces) model.send({ do: "painted", ticket: about.ticket, view, piece, parts: pieces.length });
  } catch (error) {
    model.send({ do: "failed", ticket: about.ticket, name: about.name, why: String(error) });
  }
}

export default { render };
