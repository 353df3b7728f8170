// Pan and zoom: metres (y up) to pixels (y down).

const SCALE_MIN = 1;
const SCALE_MAX = 220;

export class View {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.scale = 20;
    this.x = 0;
    this.y = 0;
    this.touched = false;
    this.pointers = new Map();
    this.bind();
  }

  fit(bounds, pad = 1.3) {
    const [x0, y0, x1, y1] = bounds;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    this.scale = Math.max(SCALE_MIN, Math.min(w / (x1 - x0 + 2 * pad), (h - 34) / (y1 - y0 + 2 * pad)));
    this.x = w / 2 - ((x0 + x1) / 2) * this.scale;
    this.y = (h - 26) / 2 + ((y0 + y1) / 2) * this.scale;
    this.touched = false;
    this.changed();
  }

  px(x, y) {
    return [this.x + x * this.scale, this.y - y * this.scale];
  }

  metres(px, py) {
    return [(px - this.x) / this.scale, (this.y - py) / this.scale];
  }

  zoom(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const scale = Math.max(SCALE_MIN, Math.min(SCALE_MAX, this.scale * factor));
    const ratio = scale / this.scale;
    this.x = px - (px - this.x) * ratio;
    this.y = py - (py - this.y) * ratio;
    this.scale = scale;
    this.touched = true;
    this.changed();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.touched = true;
    this.changed();
  }

  centre(x, y) {
    const [px, py] = this.px(x, y);
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (px < 40 || py < 40 || px > w - 40 || py > h - 40) this.move(w / 2 - px, h / 2 - py);
  }

  bind() {
    const canvas = this.canvas;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
      this.travel = 0;
    });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    const up = (event) => {
      if (this.pointers.delete(event.pointerId) && event.type === "pointerup" && this.travel < 5) {
        this.clicked?.(event.offsetX, event.offsetY);
      }
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.offsetX, event.offsetY];
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const gap = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
      this.zoom(gap(now) / Math.max(1, gap(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      this.travel = 99;
    } else {
      this.travel += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      if (this.travel >= 5) this.move(now[0] - before[0], now[1] - before[1]);
    }
    this.pointers.set(event.pointerId, now);
  }
}

export function sharp(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
