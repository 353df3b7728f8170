// Colours of the canvas, read from the style sheet whenever the theme changes.

const NAMES = [
  "floor", "lane", "bay", "arrow", "rack", "rack-line", "tote", "parcel", "load-line", "label", "line", "ink",
  "soft", "faint", "card", "accent", "good", "bad", "fleet-0", "fleet-1", "fleet-2", "fleet-3",
];

export function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export function startTheme(button, changed) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => {
    root.dataset.theme = stored() ?? (system.matches ? "dark" : "light");
    changed();
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* private window */ }
    root.dataset.theme = next;
    changed();
  });
  apply();
}
