// A page as Colab's outputs are: the widget manager of static pages, bound to a kernel over the server's websocket.
// Loads nothing but what the manager asks for. `ready` resolves once the kernel listens, `run` executes code there.
/* global require */

class Comm {
  constructor(kernel, comm_id, target_name) {
    Object.assign(this, { kernel, comm_id, target_name });
    kernel.comms.set(comm_id, this);
  }

  open(data, callbacks, metadata) {
    return this.kernel.send("comm_open", { comm_id: this.comm_id, target_name: this.target_name, data }, metadata, callbacks);
  }

  send(data, callbacks, metadata, buffers = []) {
    if (buffers.length) throw new Error("the explorer sends no buffers to the kernel");
    return this.kernel.send("comm_msg", { comm_id: this.comm_id, data }, metadata, callbacks);
  }

  close(data = {}, callbacks, metadata) {
    this.kernel.comms.delete(this.comm_id);
    return this.kernel.send("comm_close", { comm_id: this.comm_id, data }, metadata, callbacks);
  }

  on_msg(callback) {
    this.heard = callback;
  }

  on_close(callback) {
    this.closed = callback;
  }
}

class Kernel {
  constructor(address) {
    this.session = crypto.randomUUID();
    this.comms = new Map();
    this.asked = new Map();
    this.socket = new WebSocket(`${address}&session_id=${this.session}`);
    this.socket.binaryType = "arraybuffer";
    this.opened = new Promise((resolve, reject) => {
      this.socket.addEventListener("open", resolve);
      this.socket.addEventListener("error", () => reject(new Error("the kernel's websocket does not open")));
    });
    // In order: a message may speak of a model that an earlier one makes.
    let last = Promise.resolve();
    this.socket.addEventListener("message", ({ data }) => {
      last = last.then(() => this.hear(parse(data))).catch((error) => console.error(error));
    });
  }

  send(msg_type, content, metadata = {}, callbacks = {}) {
    const msg_id = crypto.randomUUID();
    const header = { msg_id, msg_type, session: this.session, username: "", version: "5.3", date: new Date().toISOString() };
    this.asked.set(msg_id, callbacks);
    this.socket.send(JSON.stringify({ channel: "shell", header, parent_header: {}, metadata, content, buffers: [] }));
    return msg_id;
  }

  async hear(message) {
    const { header, parent_header, content } = message;
    const callbacks = this.asked.get(parent_header.msg_id) ?? {};
    const comm = this.comms.get(content.comm_id);
    if (header.msg_type === "status") callbacks.iopub?.status?.(message);
    else if (header.msg_type === "comm_open") {
      await this.manager.handle_comm_open(new Comm(this, content.comm_id, content.target_name), message);
    } else if (header.msg_type === "comm_msg") await comm?.heard?.(message);
    else if (header.msg_type === "comm_close") comm?.closed?.(message);
    else callbacks.output?.(header.msg_type, content);
  }

  run(code) {
    return new Promise((resolve, reject) => {
      const output = (type, content) => {
        if (type === "error") reject(new Error(content.traceback.join("\n")));
        if (type === "execute_reply") resolve();
        const shown = content.data?.["application/vnd.jupyter.widget-view+json"];
        if (shown) this.show(shown.model_id).catch(reject);
      };
      this.send("execute_request", { code, silent: false }, {}, { output });
    });
  }

  async show(id) {
    const el = document.body.appendChild(document.createElement("div"));
    const model = await this.manager.get_model(id);
    // The managers of ipywidgets 7 and 8 in turn.
    if (this.manager.display_model) await this.manager.display_model(null, model, { el });
    else await this.manager.display_view(this.manager.create_view(model), el);
  }
}

/** A message with buffers comes as bytes: their number, where each starts, and the message as the first of them. */
function parse(data) {
  if (typeof data === "string") return JSON.parse(data);
  const view = new DataView(data);
  const starts = Array.from({ length: view.getUint32(0) }, (_, i) => view.getUint32(4 * (i + 1)));
  const parts = starts.map((start, i) => data.slice(start, starts[i + 1]));
  const message = JSON.parse(new TextDecoder().decode(parts[0]));
  return { ...message, buffers: parts.slice(1).map((part) => new DataView(part)) };
}

window.connect = (address) =>
  new Promise((resolve, reject) => {
    const packages = ["@jupyter-widgets/html-manager", "@jupyter-widgets/html-manager/dist/libembed-amd"];
    require(packages, ({ HTMLManager }, { requireLoader }) => {
      const kernel = new Kernel(address);
      class Manager extends HTMLManager {
        async _create_comm(target, id, data, metadata) {
          const comm = new Comm(kernel, id, target);
          comm.open(data, {}, metadata);
          return comm;
        }
      }
      kernel.manager = new Manager({ loader: requireLoader });
      window.run = (code) => kernel.run(code);
      kernel.opened.then(resolve, reject);
    }, reject);
  });
