// The side panel of the selected robot or station, asked anew from the API while it is open.

import { KINDS, WORDS, clock, make } from "./text.js";

export class Detail {
  constructor(root, query, closed) {
    this.root = root;
    this.query = query; // adds the run's name and the time to an address
    this.closed = closed;
    this.target = null;
    this.route = [];
    this.busy = false;
  }

  select(target) {
    this.target = target;
    this.route = [];
    this.root.hidden = !target;
    this.root.replaceChildren();
    if (target) this.refresh();
    else this.closed();
  }

  async refresh() {
    const target = this.target;
    if (!target || this.busy) return;
    this.busy = true;
    try {
      const name = target.kind === "robot" ? `robots/${target.robot.robot}` : `stations/${encodeURIComponent(target.id)}`;
      const answer = await fetch(this.query(`/api/${name}`));
      if (!answer.ok || this.target !== target) return;
      const found = await answer.json();
      if (target.kind === "robot") this.robot(found);
      else this.station(found);
    } catch { /* the banner says that the connection is lost */ } finally {
      this.busy = false;
    }
  }

  frame(title, kind, state, rows) {
    const had = this.root.contains(document.activeElement);
    const head = make("header"), words = make("div"), close = make("button", "×", { class: "close", type: "button", "aria-label": "Close details" });
    words.append(make("h2", title), make("div", kind, { class: "kind" }));
    close.addEventListener("click", () => this.select(null));
    head.append(words);
    if (state) head.append(make("span", WORDS[state] ?? state, { class: "pill", "data-state": state }));
    head.append(close);
    const list = make("dl", "", { class: "facts" });
    for (const [name, value] of rows) {
      const dd = make("dd");
      dd.append(value);
      list.append(make("dt", name), dd);
    }
    this.root.replaceChildren(head, list);
    if (had) close.focus();
  }

  robot(r) {
    this.route = r.route;
    const rows = [];
    if (r.fault) rows.push(["Fault", `${r.fault.reason || r.fault.kind}, since ${clock(r.fault.from_s)}`]);
    rows.push(["Carries", r.load ? r.load.id : "nothing"]);
    if (r.load?.sku) rows.push(["Goods", `${r.load.quantity} × ${r.load.sku}`]);
    if (r.load?.order) rows.push(["For", r.load.order]);
    rows.push(["Where", r.at || `${r.x_m.toFixed(1)}, ${r.y_m.toFixed(1)} m`]);
    rows.push(["Speed", `${r.speed_mps.toFixed(1)} m/s`]);
    if (r.battery_percent !== null) rows.push(["Battery", battery(r.battery_percent)]);
    rows.push(["Loads fetched", String(r.trips)]);
    this.frame(r.name, r.fleet.replaceAll("_", " "), r.state, rows);
  }

  station(s) {
    this.route = [];
    const names = s.loads.map((load) => load.id).join(", ");
    const verb = { dock: "Totes received", pick: "Parcels packed", chute: "Parcels handed out" }[s.kind] ?? "Handled";
    this.frame(s.id, KINDS[s.kind] ?? s.kind, "", [
      [verb, String(s.handled)], ["Waiting here", s.loads.length ? names : "nothing"], ["Room for", String(s.positions)],
    ]);
  }
}

function battery(percent) {
  const element = make("span");
  const meter = make("span", "", { class: "meter", "data-low": percent < 35 });
  const fill = make("i");
  fill.style.width = `${percent}%`;
  meter.append(fill);
  element.append(meter, `${Math.round(percent)} %`);
  return element;
}
