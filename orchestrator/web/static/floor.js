// The static layer: lanes, one-way arrows, racks, stations, chargers. Drawn when view or theme change.

const EDGE_M = 1.5; // stations so near to the edge have their name outside
const LABEL_M = 1.9;

export function prepare(layout) {
  const [west, south, east, north] = layout.bounds;
  const edges = new Set(layout.edges.map(([tail, head]) => `${tail}>${head}`));
  const lanes = [];
  for (const [tail, head] of layout.edges) {
    const twoWay = edges.has(`${head}>${tail}`);
    if (twoWay && tail > head) continue;
    const inBay = layout.nodes[tail][2] >= 0 || layout.nodes[head][2] >= 0;
    lanes.push({ a: layout.nodes[tail], b: layout.nodes[head], twoWay, inBay });
  }
  const bayPoint = (index) => layout.nodes[layout.bays[index].nodes.at(-1)];
  const bays = layout.bays.map((bay, index) => ({ ...bay, x: bayPoint(index)[0], y: bayPoint(index)[1] }));
  const stations = layout.stations.map((station) => {
    const bay = bays[station.bay];
    const out = station.out_bay >= 0 ? bays[station.out_bay] : null;
    const x = bay?.x ?? 0;
    const side = x > east - EDGE_M ? "east" : x < west + EDGE_M ? "west" : "above";
    return { ...station, x, y: bay?.y ?? 0, out, side };
  });
  const room = (side) => (stations.some((station) => station.side === side) ? LABEL_M : 0);
  const bounds = [west - room("west"), south, east + room("east"), north];
  return { ...layout, lanes, bays, stations, bounds };
}

export function drawFloor(g, view, plan, colours) {
  const s = view.scale;
  g.lineCap = "round";
  strokeLanes(g, view, plan.lanes.filter((lane) => lane.inBay), colours.bay, Math.max(1, 0.62 * s));
  strokeLanes(g, view, plan.lanes.filter((lane) => !lane.inBay), colours.lane, Math.max(1.5, 0.9 * s));
  if (s > 9) drawArrows(g, view, plan.lanes, colours);
  for (const bay of plan.bays) drawBay(g, view, bay, colours);
  for (const station of plan.stations) drawStation(g, view, station, colours);
}

function strokeLanes(g, view, lanes, colour, width) {
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.beginPath();
  for (const { a, b } of lanes) {
    g.moveTo(...view.px(a[0], a[1]));
    g.lineTo(...view.px(b[0], b[1]));
  }
  g.stroke();
}

function drawArrows(g, view, lanes, colours) {
  const r = Math.min(6, 0.15 * view.scale);
  g.strokeStyle = colours.arrow;
  g.lineWidth = Math.max(1, r * 0.36);
  g.lineJoin = "round";
  g.beginPath();
  for (const { a, b, twoWay, inBay } of lanes) {
    if (twoWay || inBay) continue;
    const [x, y] = view.px((a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    const angle = Math.atan2(a[1] - b[1], b[0] - a[0]);
    const dx = Math.cos(angle) * r, dy = Math.sin(angle) * r;
    g.moveTo(x - dx * 0.5 - dy, y - dy * 0.5 + dx);
    g.lineTo(x + dx * 0.5, y + dy * 0.5);
    g.lineTo(x - dx * 0.5 + dy, y - dy * 0.5 - dx);
  }
  g.stroke();
}

export function box(g, view, x, y, w, h, radius) {
  const [px, py] = view.px(x, y);
  const s = view.scale;
  g.beginPath();
  g.roundRect(px - (w * s) / 2, py - (h * s) / 2, w * s, h * s, radius * s);
}

function drawBay(g, view, bay, colours) {
  const s = view.scale;
  if (bay.kind === "slot") {
    box(g, view, bay.x, bay.y, 1.12, 1.12, 0.12);
    g.fillStyle = colours.rack;
    g.fill();
    g.strokeStyle = colours["rack-line"];
    g.lineWidth = 1;
    g.stroke();
  } else if (bay.kind === "parking" || bay.kind === "charger") {
    box(g, view, bay.x, bay.y, 1.12, 1.12, 0.22);
    g.fillStyle = colours.bay;
    g.fill();
    g.strokeStyle = bay.kind === "charger" ? colours.good : colours.line;
    g.lineWidth = bay.kind === "charger" ? 1.5 : 1;
    g.stroke();
    if (bay.kind === "charger" && s > 7) drawBolt(g, view, bay, colours);
  }
}

function drawBolt(g, view, bay, colours) {
  const [px, py] = view.px(bay.x, bay.y);
  const r = 0.3 * view.scale;
  g.beginPath();
  g.moveTo(px + r * 0.25, py - r);
  g.lineTo(px - r * 0.6, py + r * 0.18);
  g.lineTo(px - r * 0.02, py + r * 0.18);
  g.lineTo(px - r * 0.25, py + r);
  g.lineTo(px + r * 0.6, py - r * 0.2);
  g.lineTo(px + r * 0.04, py - r * 0.2);
  g.closePath();
  g.globalAlpha = 0.75;
  g.fillStyle = colours.good;
  g.fill();
  g.globalAlpha = 1;
}

const MARK = { dock: "in", pick: "arm", chute: "out" };

function drawStation(g, view, station, colours) {
  const s = view.scale;
  g.lineWidth = 1.5;
  if (station.out) {
    const [ax, ay] = view.px(station.x, station.y);
    const [bx, by] = view.px(station.out.x, station.out.y);
    g.strokeStyle = colours.faint;
    g.setLineDash([3, 3]);
    g.beginPath();
    g.moveTo(ax, ay);
    g.lineTo(bx, by);
    g.stroke();
    g.setLineDash([]);
    drawPad(g, view, station.out.x, station.out.y, colours, true);
  }
  drawPad(g, view, station.x, station.y, colours, false);
  if (s > 8) {
    g.textBaseline = "middle";
    g.font = `600 ${Math.max(9, Math.min(12, 0.4 * s))}px Inter, "Segoe UI", system-ui, sans-serif`;
    g.fillStyle = colours.label;
    const [px, py] = view.px(station.x, station.y);
    g.textAlign = { west: "right", east: "left", above: "center" }[station.side];
    const gap = 0.8 * s;
    if (station.side === "above") g.fillText(station.id, px, py - gap);
    else g.fillText(station.id, station.side === "east" ? px + gap : px - gap, py);
    g.textAlign = "center";
  }
  if (s > 14) {
    g.fillStyle = colours.faint;
    g.font = `500 ${Math.min(11, 0.34 * s)}px Inter, "Segoe UI", system-ui, sans-serif`;
    const [px, py] = view.px(station.x, station.y);
    g.fillText(MARK[station.kind] ?? "", px, py);
  }
}

function drawPad(g, view, x, y, colours, out) {
  box(g, view, x, y, 1.2, 1.2, 0.14);
  g.fillStyle = colours.card;
  g.fill();
  g.strokeStyle = out ? colours.faint : colours.soft;
  g.stroke();
}
