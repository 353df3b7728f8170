// The moving layer: totes in racks, loads at stations, robots as their real footprints.

import { box } from "./floor.js";

export function drawGoods(g, view, plan, state, colours) {
  const show = view.scale > 4;
  for (const bay of plan.bays) {
    if (bay.kind !== "slot" || !show) continue;
    if ([...state.loadsAt(`slot:${bay.id}`)].length) drawLoad(g, view, bay.x, bay.y, 0, "tote", colours, 0.72);
  }
  for (const station of plan.stations) {
    const ids = [...state.loadsAt(`station:${station.id}`)];
    const parcels = ids.filter((id) => !isTote(state, id));
    stack(g, view, station, ids.filter((id) => isTote(state, id)), "tote", colours);
    stack(g, view, station.out ?? station, parcels, "parcel", colours);
  }
}

function isTote(state, id) {
  return Boolean(state.loads.get(id)?.sku);
}

function stack(g, view, place, ids, kind, colours) {
  ids.slice(0, 9).forEach((_, i) => {
    const x = place.x + ((i % 3) - 1) * 0.34;
    const y = place.y + 0.34 - Math.floor(i / 3) * 0.34;
    drawLoad(g, view, x, y, 0, kind, colours, 0.3);
  });
}

function drawLoad(g, view, x, y, theta, kind, colours, size) {
  const [px, py] = view.px(x, y);
  const w = size * view.scale, h = size * (kind === "tote" ? 0.74 : 0.86) * view.scale;
  g.save();
  g.translate(px, py);
  g.rotate(-theta);
  g.beginPath();
  g.roundRect(-w / 2, -h / 2, w, h, Math.min(3, w * 0.16));
  g.fillStyle = colours[kind];
  g.fill();
  if (w > 7) {
    g.strokeStyle = colours["load-line"];
    g.globalAlpha = 0.55;
    g.lineWidth = 1;
    g.beginPath();
    if (kind === "tote") {
      g.roundRect(-w / 2 + 2, -h / 2 + 2, w - 4, h - 4, 1.5);
    } else {
      g.moveTo(0, -h / 2);
      g.lineTo(0, h / 2);
    }
    g.stroke();
  }
  g.restore();
}

// Draws robots and returns their places on the screen, for clicks.
export function drawRobots(g, view, state, motion, t, colours, fleets, selected) {
  const spots = [];
  for (const robot of state.robots) {
    const pose = motion.pose(robot.robot, t);
    if (!pose) continue;
    const load = state.loadOf(robot.name);
    const dead = state.faults.has(robot.name);
    drawRobot(g, view, robot, pose, { load, dead, fleet: fleets.get(robot.fleet) ?? 0, state }, colours);
    spots.push({ robot, pose });
    if (selected === robot.name) halo(g, view, pose, robot, colours);
  }
  return spots;
}

function outline(g, footprint, scale) {
  g.beginPath();
  footprint.forEach(([x, y], i) => (i ? g.lineTo(x * scale, -y * scale) : g.moveTo(x * scale, -y * scale)));
  g.closePath();
}

function drawRobot(g, view, robot, pose, about, colours) {
  const [px, py] = view.px(pose.x, pose.y);
  const s = view.scale;
  if (px < -2 * s || py < -2 * s || px > g.canvas.width + 2 * s || py > g.canvas.height + 2 * s) return;
  const colour = colours[`fleet-${about.fleet % 4}`];
  g.save();
  g.translate(px, py);
  g.rotate(-pose.theta);
  outline(g, robot.footprint, s);
  g.lineJoin = "round";
  g.lineWidth = Math.min(4, 0.1 * s);
  g.strokeStyle = colours.floor;
  g.stroke();
  g.globalAlpha = !pose.resting || about.load || about.dead ? 1 : 0.62;
  g.fillStyle = colour;
  g.fill();
  g.globalAlpha = 1;
  if (s > 7) drawNose(g, robot.footprint, s, colours);
  g.restore();
  if (about.load) {
    const kind = about.load.sku ? "tote" : "parcel";
    const back = kind === "tote" ? 0.07 : 0.05;
    const x = pose.x - Math.cos(pose.theta) * back, y = pose.y - Math.sin(pose.theta) * back;
    drawLoad(g, view, x, y, pose.theta, kind, colours, kind === "tote" ? 0.58 : 0.36);
  }
  if (about.dead) drawDead(g, px, py, s, colours);
}

function drawNose(g, footprint, s, colours) {
  const front = Math.max(...footprint.map(([x]) => x)) * s;
  const half = Math.max(...footprint.map(([, y]) => y)) * s;
  g.strokeStyle = colours.card;
  g.globalAlpha = 0.9;
  g.lineWidth = Math.max(1.2, 0.055 * s);
  g.lineCap = "round";
  g.beginPath();
  g.moveTo(front - 0.09 * s, -half * 0.5);
  g.lineTo(front - 0.09 * s, half * 0.5);
  g.stroke();
}

function drawDead(g, px, py, s, colours) {
  const r = Math.max(9, 0.72 * s);
  g.strokeStyle = colours.bad;
  g.lineWidth = 2.5;
  g.beginPath();
  g.arc(px, py, r, 0, 2 * Math.PI);
  g.stroke();
  g.beginPath();
  const k = Math.max(3, 0.16 * s);
  g.moveTo(px - k, py - k);
  g.lineTo(px + k, py + k);
  g.moveTo(px + k, py - k);
  g.lineTo(px - k, py + k);
  g.stroke();
}

function halo(g, view, pose, robot, colours) {
  const [px, py] = view.px(pose.x, pose.y);
  const reach = Math.max(...robot.footprint.map(([x, y]) => Math.hypot(x, y)));
  g.strokeStyle = colours.accent;
  g.lineWidth = 2;
  g.beginPath();
  g.arc(px, py, Math.max(10, (reach + 0.16) * view.scale), 0, 2 * Math.PI);
  g.stroke();
}

export function drawRoute(g, view, pose, route, colours) {
  if (!pose || !route.length) return;
  g.strokeStyle = colours.accent;
  g.lineWidth = 2.5;
  g.lineJoin = "round";
  g.setLineDash([2, 6]);
  g.lineCap = "round";
  g.beginPath();
  g.moveTo(...view.px(pose.x, pose.y));
  for (const [x, y] of route) g.lineTo(...view.px(x, y));
  g.stroke();
  g.setLineDash([]);
  const [x, y] = view.px(...route.at(-1));
  g.beginPath();
  g.arc(x, y, 4, 0, 2 * Math.PI);
  g.fillStyle = colours.accent;
  g.fill();
}

export function frameStation(g, view, station, colours) {
  box(g, view, station.x, station.y, 1.5, 1.5, 0.24);
  g.strokeStyle = colours.accent;
  g.lineWidth = 2;
  g.stroke();
}
