// What the kernel would tell of many tensors of many models, for the overview alone in a page.
const PAGE_ROWS = 256;
const TENSORS = ["kernel", "recurrent_kernel", "bias"];
const COLOURS = ["#1f77b4", "#e6862a", "#2b9a66", "#b0479e", "#8c6d4f", "#d1495b", "#17a2b8", "#7f7f7f"];

const view = (array) => new DataView(array.buffer);
const encoded = (value) => view(new TextEncoder().encode(JSON.stringify(value)));

/** Blocks of twenty layers of three tensors each. */
function rowsUpTo(count) {
  const rows = [];
  for (let layer = 0; rows.length < count; layer++) {
    const block = `block_${Math.floor(layer / 20)}`;
    if (layer % 20 === 0) rows.push([[block, "Functional", `${block} · nested model`], 0, 0]);
    const name = `${block}/lstm_${layer}`;
    rows.push([[`lstm_${layer}`, "LSTM", `${name} · LSTM`], 1, 1]);
    for (const tensor of TENSORS) {
      rows.push([[tensor, "128 × 512", `${name} · LSTM · ${tensor}`], tensor === "bias" ? 2 : 10, 2]);
    }
  }
  return rows.slice(0, count);
}

function valuesOf(kinds, first, models) {
  const numbers = new Float32Array(kinds.length * models).fill(Number.NaN);
  const states = new Uint8Array(numbers.length).fill(2);
  kinds.forEach((kind, row) => {
    if (kind < 2) return;
    for (let model = 0; model < models; model++) {
      const place = row * models + model;
      const noise = Math.abs(Math.sin((first + row) * 12.9898 + model * 78.233) * 43758.5453) % 1;
      states[place] = model === 0 ? 1 : noise < 0.1 ? 4 : noise > 0.98 ? 2 : noise > 0.95 ? 3 : 5;
      if (states[place] !== 2 && states[place] !== 3) numbers[place] = model && states[place] === 5 ? noise : 0;
    }
  });
  return { numbers: view(numbers), states: view(states) };
}

export function traitsOf(count, models) {
  const rows = rowsUpTo(count);
  const palette = Uint8Array.from({ length: 765 }, (_, i) => [247 - 239 * (i / 764), 251 - 203 * (i / 764), 255 - 148 * (i / 764)][i % 3]);
  const traits = {
    columns: COLOURS.slice(0, models).map((colour, model) => ({ label: `epoch_${model}.weights`, colour })),
    measures: [{ key: "change", label: "relative change", hint: "‖B − A‖ / ‖A‖", palette: "much", percent: true, signed: false, own: 0 }],
    palettes: { much: view(palette) },
    pages: Math.ceil(count / PAGE_ROWS),
    page_rows: PAGE_ROWS,
    outline: { frame: 1, count },
    measure: "change",
    shade: { frame: 1, measure: "change", low: 0, high: 1, version: 1 },
    progress: "",
    badges: { frame: 1, items: [] },
    choice: { frame: 1, row: 4, column: 1 },
    asked: {},
    sketch: {},
  };
  for (let page = 0; page < traits.pages; page++) {
    const part = rows.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
    const kinds = part.map(([, kind]) => kind);
    traits[`outline_${page}`] = {
      frame: 1,
      texts: encoded(part.map(([texts]) => texts)),
      kinds: view(Uint8Array.from(kinds)),
      levels: view(Uint8Array.from(part, ([, , level]) => level)),
    };
    traits[`values_${page}`] = { frame: 1, measure: "change", ...valuesOf(kinds, page * PAGE_ROWS, models) };
  }
  return traits;
}

/** An anywidget's model without a kernel. */
export function modelOf(traits) {
  const heard = new Map();
  return {
    get: (name) => traits[name],
    set(name, value) {
      traits[name] = value;
      for (const callback of heard.get(`change:${name}`) ?? []) callback();
    },
    on: (event, callback) => heard.set(event, [...(heard.get(event) ?? []), callback]),
    off: (event, callback) => heard.set(event, (heard.get(event) ?? []).filter((each) => each !== callback)),
    save_changes() {},
    listeners: () => [...heard.values()].flat().length,
  };
}
