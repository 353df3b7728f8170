// The WebSocket: opens, reconnects with backoff, decodes motion frames (see frames.py).

const FLOATS = 8;
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 15000;

export function decodeMotion(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 32 || view.getUint32(0, true) !== 0x314d4f4c) throw new Error("no motion frame");
  const count = view.getUint32(24, true);
  const head = {
    reset: (view.getUint32(4, true) & 1) === 1,
    from: view.getFloat64(8, true),
    to: view.getFloat64(16, true),
    generation: view.getUint32(28, true),
    count,
  };
  const t0 = new Float64Array(buffer, 32, count);
  const columns = [];
  for (let i = 0; i < FLOATS; i++) columns.push(new Float32Array(buffer, 32 + 8 * count + 4 * count * i, count));
  const robot = new Uint32Array(buffer, 32 + 8 * count + 4 * count * FLOATS, count);
  return { head, t0, columns, robot };
}

export class Link {
  constructor(run, handlers) {
    this.run = run;
    this.handlers = handlers;
    this.wait = WAIT_MIN_MS;
    this.timer = 0;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = this.run ? `?run=${encodeURIComponent(this.run)}` : "";
    this.socket = new WebSocket(`${scheme}://${location.host}/ws${query}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = (event) => {
      this.wait = WAIT_MIN_MS;
      if (typeof event.data === "string") this.handlers.message(JSON.parse(event.data));
      else this.handlers.motion(decodeMotion(event.data));
    };
    this.socket.onclose = () => this.again();
  }

  again() {
    const wait = this.wait * (0.8 + 0.4 * Math.random());
    this.wait = Math.min(WAIT_MAX_MS, this.wait * 1.8);
    this.handlers.lost(wait);
    this.timer = setTimeout(() => this.open(), wait);
  }

  retry() {
    this.wait = WAIT_MIN_MS;
    if (this.socket.readyState > WebSocket.OPEN) this.open();
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
