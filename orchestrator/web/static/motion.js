// Where every robot is at any shown moment, interpolated from pieces of motion.

const KEEP_S = 2;
const REST_S = 8; // who stands so long is drawn paler

export class Motion {
  constructor() {
    this.robots = [];
    this.to = 0;
  }

  take(frame) {
    const { head, t0, columns, robot } = frame;
    if (head.reset) this.robots = [];
    const [dt, x, y, theta, direction, v, a, omega] = columns;
    for (let i = 0; i < head.count; i++) {
      const piece = {
        t0: t0[i], end: t0[i] + dt[i], x: x[i], y: y[i], theta: theta[i],
        dx: Math.cos(direction[i]), dy: Math.sin(direction[i]), v: v[i], a: a[i], omega: omega[i],
      };
      this.insert((this.robots[robot[i]] ??= []), piece);
    }
    this.to = head.reset ? head.to : Math.max(this.to, head.to);
  }

  insert(pieces, piece) {
    let at = pieces.length;
    while (at > 0 && pieces[at - 1].t0 > piece.t0) at--;
    if (at > 0 && pieces[at - 1].t0 === piece.t0) pieces[at - 1] = piece;
    else pieces.splice(at, 0, piece);
  }

  // Pose of a robot at time t, or null if nothing is known of it.
  pose(robot, t) {
    const pieces = this.robots[robot];
    if (!pieces || pieces.length === 0) return null;
    let at = pieces.length - 1;
    while (at > 0 && pieces[at].t0 > t) at--;
    if (at > 1 && pieces[at - 1].end < t - KEEP_S) pieces.splice(0, at - 1), (at = 1);
    const piece = pieces[at];
    if (t < piece.t0 && piece.end === piece.t0) return null; // it joins later
    const tau = Math.min(Math.max(t - piece.t0, 0), piece.end - piece.t0);
    const s = piece.v * tau + 0.5 * piece.a * tau * tau;
    return {
      x: piece.x + piece.dx * s,
      y: piece.y + piece.dy * s,
      theta: piece.theta + piece.omega * tau,
      moving: t >= piece.t0 && t < piece.end,
      resting: t > piece.end + REST_S,
    };
  }
}

// The shown time: runs by itself, is corrected gently by the server's clock.
export class Clock {
  constructor() {
    this.t = 0;
    this.rate = 0;
    this.last = performance.now();
  }

  now(limit) {
    const real = performance.now();
    const elapsed = Math.min(1, (real - this.last) / 1000);
    this.last = real;
    this.t = Math.min(this.t + elapsed * this.rate, Math.max(limit, this.t));
    return this.t;
  }

  set(t, rate) {
    this.t = t;
    this.rate = rate;
  }

  correct(t, rate) {
    const error = t - this.t;
    if (rate === 0 || Math.abs(error) > Math.max(0.6, 0.8 * rate)) this.t = t;
    else this.t += error * 0.15;
    this.rate = rate;
  }
}
