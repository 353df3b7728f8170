// The strip of key figures.

import { clock, make } from "./text.js";

const TILES = [
  ["done", "Orders done"], ["rate", "Orders per hour"], ["lights", "Lights-out"], ["time", "On time"],
  ["cycle", "Cycle, median"], ["busy", "Robots busy"], ["speed", "Speed"], ["faults", "Faults open"],
];
const HINTS = {
  rate: "Done in the last 15 minutes, per hour",
  lights: "Finished right and without a human touch, of all orders due by now",
  cycle: "From reception to handover",
  busy: "Driving, turning or carrying",
};

export class Kpis {
  constructor(root) {
    this.parts = {};
    root.replaceChildren();
    for (const [key, name] of TILES) {
      const tile = make("dl", "", { class: "kpi", title: HINTS[key] });
      const value = make("b", "–"), note = make("small");
      const dd = make("dd");
      dd.append(value, note);
      tile.append(make("dt", name), dd);
      root.append(tile);
      this.parts[key] = { tile, value, note };
    }
  }

  set(key, value, note = "", mood = "") {
    const part = this.parts[key];
    if (part.value.textContent !== value) part.value.textContent = value;
    if (part.note.textContent !== note) part.note.textContent = note;
    part.tile.dataset.mood = mood;
  }

  show(tick) {
    const k = tick.kpi;
    const percent = (value) => (value === null ? "–" : `${value === 100 ? 100 : value.toFixed(1)} %`);
    this.set("done", String(k.orders_done), `${k.orders_open} open${k.orders_quarantined ? `, ${k.orders_quarantined} set aside` : ""}`);
    this.set("rate", k.orders_per_hour === null ? "–" : String(Math.round(k.orders_per_hour)), "last 15 min");
    const lights = k.lights_out_percent;
    const touched = k.human_touches ? `${k.human_touches} touched` : "";
    this.set("lights", percent(lights), touched, lights === null ? "" : lights >= 99.995 ? "good" : "bad");
    this.set("time", percent(k.on_time_percent));
    this.set("cycle", k.cycle_p50_s === null ? "–" : clock(k.cycle_p50_s).replace(/^0:0?/, ""), k.cycle_p50_s === null ? "" : "min:s");
    this.set("busy", String(k.robots_busy), `of ${k.robots}`);
    const rate = tick.playing ? tick.rate : tick.speed;
    this.set("speed", `${rate >= 9.5 ? Math.round(rate) : Number(rate.toFixed(1))}×`, tick.playing ? (tick.following ? "live" : "") : "paused");
    this.set("faults", String(k.faults_open), "", k.faults_open ? "bad" : "");
  }
}
