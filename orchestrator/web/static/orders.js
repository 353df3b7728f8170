// The list of orders: open, done, quarantined.

import { CLOSED } from "./state.js";
import { WORDS, clock, make, span } from "./text.js";

const ROWS_MAX = 100;
const TABS = [
  ["open", "Open", (row) => !CLOSED.has(row.state)],
  ["done", "Done", (row) => row.state === "done"],
  ["aside", "Set aside", (row) => row.state === "quarantined" || row.state === "refused"],
];
const NONE = {
  open: ["Nothing open", "New orders appear here as they are received."],
  done: ["Nothing done yet", "The first orders are under way."],
  aside: ["Nothing set aside", "Orders that can't be filled end here, with the reason."],
};

export class Orders {
  constructor(tabs, rows) {
    this.rows = rows;
    this.tab = "open";
    this.buttons = {};
    for (const [key, name] of TABS) {
      const button = make("button", name, { type: "button", role: "tab", "aria-controls": rows.id });
      button.count = make("small", "0");
      button.append(button.count);
      button.addEventListener("click", () => this.pick(key));
      tabs.append(button);
      this.buttons[key] = button;
    }
    tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: 2 }[event.key];
      if (!step) return;
      event.stopPropagation();
      const keys = TABS.map(([key]) => key);
      this.pick(keys[(keys.indexOf(this.tab) + step) % keys.length]);
      this.buttons[this.tab].focus();
    });
    this.pick("open");
  }

  pick(key) {
    this.tab = key;
    for (const [name, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-selected", String(name === key));
      button.tabIndex = name === key ? 0 : -1;
    }
    this.signature = "";
    if (this.last) this.show(...this.last);
  }

  show(state, t, kpi) {
    this.last = [state, t, kpi];
    const all = [...state.orders.values()];
    const open = all.filter(TABS[0][2]);
    const counts = { open: open.length, done: kpi.orders_done, aside: kpi.orders_quarantined };
    for (const [key, button] of Object.entries(this.buttons)) button.count.textContent = String(counts[key]);
    const wanted = all.filter(TABS.find(([key]) => key === this.tab)[2]);
    if (this.tab === "open") wanted.sort((a, b) => (a.due_s ?? 1e12) - (b.due_s ?? 1e12));
    else wanted.sort((a, b) => b.closed_s - a.closed_s);
    const shown = wanted.slice(0, ROWS_MAX);
    const signature = this.tab + shown.map((row) => row.id + row.state + row.picked + when(row, t)).join();
    if (signature === this.signature) return;
    this.signature = signature;
    const [title, text] = NONE[this.tab];
    this.rows.replaceChildren(...(shown.length ? shown.map((row) => line(row, t)) : [none(title, text)]));
  }
}

function none(title, text) {
  const element = make("p", "", { class: "none" });
  element.append(make("b", title), text);
  return element;
}

function when(row, t) {
  if (row.closed_s !== null) return row.late ? `late, ${clock(row.closed_s)}` : clock(row.closed_s);
  if (row.due_s === null) return "";
  return row.due_s < t ? `${span(t - row.due_s)} late` : `due in ${span(row.due_s - t)}`;
}

function line(row, t) {
  const element = make("div", "", { class: "row" });
  const goods = row.lines.map(([sku, n]) => (n > 1 ? `${n} × ${sku}` : sku)).join(", ");
  const state = row.state === "picking" && row.units > 1 ? `picked ${row.picked} of ${row.units}` : WORDS[row.state] ?? row.state;
  element.append(
    make("strong", row.id),
    make("span", row.kind === "inbound" && row.state === "waiting" ? "coming in" : state, { class: "pill", "data-state": row.state }),
    make("span", goods || row.kind, { class: "what" }),
    make("span", when(row, t), { class: "when", "data-late": row.late }),
  );
  element.lastChild.style.alignSelf = "center";
  if (row.reason) element.append(make("span", row.reason, { class: "why" }));
  if (row.touched) element.append(make("span", "touched by a person", { class: "why" }));
  return element;
}
