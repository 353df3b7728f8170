// Words and numbers as people read them; and elements without innerHTML.

export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export function span(seconds) {
  const s = Math.abs(seconds);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}

// Of a fork: where it comes from.
export function forkOf(run) {
  return run.forked_from ? `, fork of ${run.forked_from} at ${clock(run.forked_s)}` : "";
}

export function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (text !== "") element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

export const WORDS = {
  waiting: "waiting", picking: "picking", packed: "packed", handed_out: "handed out", done: "done",
  quarantined: "quarantined", refused: "refused", dead: "fault", driving: "driving", turning: "turning", standing: "standing",
};

export const KINDS = { dock: "Inbound dock", pick: "Picking arm", chute: "Chute", slot: "Slot", charger: "Charger", parking: "Parking" };
