// What is known at the shown time, apart from motion: loads, orders, faults, figures.

const CLOSED_KEPT = 150;
export const CLOSED = new Set(["done", "quarantined", "refused"]);

export class State {
  constructor() {
    this.robots = [];
    this.byName = new Map();
    this.clear();
  }

  clear() {
    this.loads = new Map(); // id -> {place, sku, quantity}
    this.at = new Map(); // place -> Set of ids
    this.orders = new Map();
    this.queue = [];
    this.faults = new Map();
    this.version = 0;
  }

  hello(robots) {
    this.robots = robots;
    this.byName = new Map(robots.map((robot) => [robot.name, robot]));
  }

  reset(message) {
    this.clear();
    for (const row of message.loads) this.place(row);
    this.takeOrders(message.orders);
  }

  takeOrders(rows) {
    for (const row of rows) {
      this.orders.delete(row.id);
      this.orders.set(row.id, row);
    }
    const closed = [...this.orders.values()].filter((row) => CLOSED.has(row.state));
    for (const done of [true, false]) {
      const rows = closed.filter((row) => (row.state === "done") === done);
      for (const row of rows.slice(0, Math.max(0, rows.length - CLOSED_KEPT))) this.orders.delete(row.id);
    }
  }

  place([, id, place, sku, quantity]) {
    const before = this.loads.get(id);
    if (before) this.at.get(before.place)?.delete(id);
    if (place === "gone") this.loads.delete(id);
    else {
      this.loads.set(id, { place, sku, quantity });
      if (!this.at.has(place)) this.at.set(place, new Set());
      this.at.get(place).add(id);
    }
    this.version++;
  }

  // Changes of loads come ahead of time and are applied when their moment is shown.
  advance(t) {
    while (this.queue.length && this.queue[0][0] <= t) this.place(this.queue.shift());
  }

  loadsAt(place) {
    return this.at.get(place) ?? [];
  }

  loadOf(name) {
    for (const id of this.loadsAt(`robot:${name}`)) return { id, ...this.loads.get(id) };
    return null;
  }

  takeFaults(rows) {
    this.faults = new Map(rows.map((row) => [row.subject, row]));
  }
}
