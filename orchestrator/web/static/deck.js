// Playback: play, time line with fault marks, speed, live; and the keyboard.

import { clock, make } from "./text.js";

const SPEEDS = [1, 5, 20, 60];
const PLAY = "M6 4l10 6-10 6z";
const PAUSE = "M5.5 4h3v12h-3zM11.5 4h3v12h-3z";
const SEEK_EVERY_MS = 90;

export class Deck {
  constructor(parts, send, actions) {
    Object.assign(this, parts);
    this.send = send;
    this.dragging = false;
    this.playing = false;
    this.length = 1;
    this.speed = 1;
    this.t = 0;
    this.sentAt = 0;
    this.marks = [];
    this.buttons = SPEEDS.map((x) => {
      const button = make("button", `${x}×`, { type: "button", "aria-label": `Speed ${x} times`, "aria-pressed": "false" });
      button.addEventListener("click", () => send({ cmd: "speed", x }));
      this.speeds.append(button);
      return [x, button];
    });
    this.play.addEventListener("click", () => this.toggle());
    this.live.addEventListener("click", () => send({ cmd: "live" }));
    this.seek.addEventListener("input", () => this.drag(false));
    this.seek.addEventListener("change", () => this.drag(true));
    document.addEventListener("keydown", (event) => this.key(event, actions));
  }

  toggle() {
    this.send({ cmd: this.playing ? "pause" : "play" });
  }

  drag(end) {
    this.dragging = !end;
    const t = Number(this.seek.value);
    this.showTime(t);
    const now = performance.now();
    if (end || now - this.sentAt > SEEK_EVERY_MS) {
      this.sentAt = now;
      this.send({ cmd: "seek", t_s: t });
    }
  }

  key(event, actions) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input:not([type=range]), select, textarea")) return;
    const step = event.shiftKey ? 60 : 10;
    const keys = {
      ArrowLeft: () => this.send({ cmd: "seek", t_s: Math.max(0, this.t - step) }),
      ArrowRight: () => this.send({ cmd: "seek", t_s: Math.min(this.length, this.t + step) }),
      ArrowUp: () => this.step(1), ArrowDown: () => this.step(-1),
      Home: () => this.send({ cmd: "seek", t_s: 0 }), End: () => this.send({ cmd: "seek", t_s: this.length }),
      l: () => !this.live.hidden && this.send({ cmd: "live" }), ...actions,
    };
    if (!target.matches("button, a")) keys[" "] = () => this.toggle();
    if (target.matches(".rows")) ["ArrowUp", "ArrowDown", "Home", "End"].forEach((key) => delete keys[key]);
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  step(by) {
    const at = SPEEDS.findIndex((x) => x >= this.speed);
    this.send({ cmd: "speed", x: SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, (at < 0 ? 3 : at) + by))] });
  }

  showTime(t) {
    this.time.textContent = clock(t);
    this.seek.setAttribute("aria-valuetext", clock(t));
    this.seek.style.setProperty("--done", `${(100 * t) / this.length}%`);
  }

  frame(t) {
    this.t = t;
    if (this.dragging) return;
    this.seek.value = String(t);
    this.showTime(t);
  }

  tick(tick) {
    if (this.playing !== tick.playing || !this.play.dataset.ready) {
      this.playing = tick.playing;
      this.play.dataset.ready = "1";
      this.play.setAttribute("aria-label", tick.playing ? "Pause" : "Play");
      this.shape.setAttribute("d", tick.playing ? PAUSE : PLAY);
    }
    this.speed = tick.speed;
    for (const [x, button] of this.buttons) button.setAttribute("aria-pressed", String(!tick.following && x === tick.speed));
    this.live.hidden = !tick.live;
    this.live.setAttribute("aria-pressed", String(tick.following));
    this.live.textContent = tick.following ? "Live" : "Go live";
    const moved = Math.abs(this.length - tick.to_s) > 0.5;
    if (moved) {
      this.length = Math.max(1, tick.to_s);
      this.seek.max = String(this.length);
      this.end.textContent = clock(tick.to_s);
    }
    if (tick.marks) this.marks = tick.marks;
    if (moved || tick.marks) this.drawMarks();
  }

  drawMarks() {
    this.ticks.replaceChildren(...this.marks.map((mark) => {
      const element = make("i", "", { title: mark.subject });
      element.style.left = `${(100 * mark.from_s) / this.length}%`;
      element.style.width = `${(100 * ((mark.to_s ?? this.length) - mark.from_s)) / this.length}%`;
      return element;
    }));
  }
}
