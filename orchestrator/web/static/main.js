// Wires the parts together: one link, one clock, one picture per animation frame.

import { Deck } from "./deck.js";
import { Detail } from "./detail.js";
import { drawFloor, prepare } from "./floor.js";
import { Kpis } from "./kpis.js";
import { Link } from "./link.js";
import { Clock, Motion } from "./motion.js";
import { Orders } from "./orders.js";
import { palette, startTheme } from "./palette.js";
import { drawGoods, drawRobots, drawRoute, frameStation } from "./robots.js";
import { State } from "./state.js";
import { forkOf, make } from "./text.js";
import { View, sharp } from "./view.js";

const $ = (id) => document.getElementById(id);
const wanted = new URLSearchParams(location.search);
const app = { run: wanted.get("run") ?? "", plan: null, colours: {}, fleets: new Map(), spots: [], dirty: true, seekId: 0, gotId: 0 };
const state = new State(), motion = new Motion(), time = new Clock();
const kpis = new Kpis($("kpis")), orders = new Orders($("tabs"), $("orders"));
const view = new View($("map"), () => (app.dirty = true));
const withRun = (path, extra = "") => `${path}?run=${encodeURIComponent(app.run)}${extra}`;
const detail = new Detail($("detail"), (path) => withRun(path, `&t=${time.t.toFixed(3)}`), () => $("map").focus());
const parts = { play: $("play"), shape: $("play-shape"), time: $("time"), end: $("end"), seek: $("seek"), ticks: $("ticks"), speeds: $("speeds"), live: $("live") };
const deck = new Deck(parts, send, {
  "+": () => view.zoom(1.3), "=": () => view.zoom(1.3), "-": () => view.zoom(1 / 1.3), 0: () => fit(), Escape: () => detail.select(null),
});
let link;

function send(command) {
  if (command.cmd === "seek") command.id = ++app.seekId;
  if (!link?.send(command) && command.cmd === "seek") app.seekId = app.gotId;
}

function cover(title, text, kind = "") {
  $("cover").dataset.kind = kind;
  $("cover-title").textContent = title;
  $("cover-text").textContent = text;
  delete $("cover").dataset.off;
}

function badge(text, kind = "") {
  $("badge").textContent = text;
  $("badge").dataset.kind = kind;
}

function fit() {
  if (app.plan) view.fit(app.plan.bounds);
}

async function hello(message) {
  app.run = message.run.name;
  state.hello(message.robots);
  $("site").textContent = message.run.site + (message.run.seed === null ? "" : `, seed ${message.run.seed}`) + forkOf(message.run);
  document.title = `${message.run.site} · Lightsout`;
  const answer = await fetch(withRun("/api/layout"));
  if (!answer.ok) throw new Error((await answer.json()).detail);
  app.plan = prepare(await answer.json());
  app.fleets = new Map(app.plan.fleets.map((fleet, index) => [fleet.id, index]));
  $("names").replaceChildren(...[...state.robots.map((r) => r.name), ...app.plan.stations.map((s) => s.id)].map((name) => make("option", "", { value: name })));
  legend();
  fit();
  const begin = wanted.has("t") ? Number(wanted.get("t")) || 0 : app.resume;
  if (begin !== undefined) {
    send({ cmd: "seek", t_s: begin });
    if (app.tick && !app.tick.playing) send({ cmd: "pause" });
  }
  wanted.delete("t");
  app.resume = undefined;
}

function legend() {
  const rows = app.plan.fleets.map((fleet, i) => [`sw-${i % 4}`, fleet.id.replaceAll("_", " ")]);
  if (app.plan.bays.some((bay) => bay.kind === "slot")) rows.push(["sw-tote", "tote"], ["sw-parcel", "parcel"]);
  rows.push(["sw-dead", "fault"]);
  $("legend").replaceChildren(...rows.map(([swatch, name]) => {
    const item = make("span");
    item.append(make("i", "", { class: swatch }), name);
    return item;
  }));
}

function tick(message) {
  app.tick = message;
  deck.tick(message);
  if (app.gotId === app.seekId && !deck.dragging) time.correct(message.t_s, message.playing ? message.rate : 0);
  state.takeOrders(message.orders);
  state.takeFaults(message.faults);
  kpis.show(message);
  orders.show(state, message.t_s, message.kpi);
  if (message.status === "damaged") badge("Damaged", "bad");
  else if (message.live) badge("Live", "live");
  else badge(message.status === "open" ? "Unfinished" : "Recorded");
}

const handlers = {
  message(message) {
    if (message.type === "hello") {
      hello(message).catch((error) => cover("The floor can't be shown", String(error.message), "error"));
    } else if (message.type === "reset") {
      app.gotId = message.id;
      state.reset(message);
      time.set(message.t_s, time.rate);
    } else if (message.type === "loads") state.queue.push(...message.loads);
    else if (message.type === "tick") {
      tick(message);
      if (app.plan) $("cover").dataset.off = "";
      $("banner").hidden = true;
    } else if (message.type === "waiting") cover("Nothing recorded yet", "The run has begun; its first seconds are on their way.");
    else if (message.type === "error" && message.fatal) cover("This run can't be shown", message.message.replace(" -> ", ": "), "error");
    else if (message.type === "error") console.warn(message.message);
  },
  motion(frame) {
    if (frame.head.generation === app.gotId) motion.take(frame);
  },
  lost(wait) {
    time.rate = 0;
    // After a reconnection go on where one was, but follow what is live.
    if (app.tick && !app.tick.following) app.resume ??= time.t;
    app.seekId = app.gotId = 0;
    $("banner").hidden = false;
    $("banner-text").textContent = `Connection lost. Trying again in ${Math.max(1, Math.round(wait / 1000))} s.`;
    badge("Offline", "bad");
  },
};

function draw() {
  requestAnimationFrame(draw);
  const t = time.now(motion.to);
  deck.frame(t);
  if (!app.plan) return;
  state.advance(t);
  if (app.dirty) {
    drawFloor(sharp($("floor")), view, app.plan, app.colours);
    app.dirty = false;
  }
  const g = sharp($("map"));
  const target = detail.target;
  drawGoods(g, view, app.plan, state, app.colours);
  if (target?.kind === "robot") drawRoute(g, view, motion.pose(target.robot.robot, t), detail.route, app.colours);
  if (target?.kind === "station") frameStation(g, view, target, app.colours);
  app.spots = drawRobots(g, view, state, motion, t, app.colours, app.fleets, target?.robot?.name);
}

view.clicked = (px, py) => {
  if (!app.plan) return;
  const [x, y] = view.metres(px, py);
  const near = (list, reach) => list.map((item) => [Math.hypot(item.x - x, item.y - y), item]).filter(([d]) => d < reach).sort((a, b) => a[0] - b[0])[0]?.[1];
  const reach = Math.max(0.6, 9 / view.scale);
  const robot = near(app.spots.map(({ robot, pose }) => ({ x: pose.x, y: pose.y, robot })), reach);
  const station = near(app.plan.stations, Math.max(0.7, reach));
  detail.select(robot ? { kind: "robot", robot: robot.robot } : station ? { kind: "station", ...station } : null);
};

function find(name) {
  const robot = state.byName.get(name), station = app.plan?.stations.find((s) => s.id === name);
  if (robot) {
    detail.select({ kind: "robot", robot });
    const pose = motion.pose(robot.robot, time.t);
    if (pose) view.centre(pose.x, pose.y);
  } else if (station) {
    detail.select({ kind: "station", ...station });
    view.centre(station.x, station.y);
  } else return;
  $("find").value = "";
  $("find").blur();
}

async function showRuns() {
  const names = await (await fetch("/api/runs")).json();
  if (names.length < 2) return;
  $("runs").replaceChildren(...names.map((name) => make("option", name, { value: name, selected: name === app.run })));
  $("picker").hidden = false;
  $("runs").addEventListener("change", () => location.assign(`/?run=${encodeURIComponent($("runs").value)}`));
}

$("find").addEventListener("input", () => find($("find").value.trim()));
$("zoom-in").addEventListener("click", () => view.zoom(1.3));
$("zoom-out").addEventListener("click", () => view.zoom(1 / 1.3));
$("zoom-fit").addEventListener("click", fit);
$("retry").addEventListener("click", () => link.retry());
new ResizeObserver(() => (view.touched ? (app.dirty = true) : fit())).observe($("map"));
startTheme($("theme"), () => {
  app.colours = palette();
  app.dirty = true;
});
setInterval(() => detail.refresh(), 700);
showRuns().catch(() => {});
link = new Link(app.run, handlers);
draw();
