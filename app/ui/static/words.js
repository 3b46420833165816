// Every word comes from the language file; the status line is the one place where the page speaks.
export const $ = (id) => document.getElementById(id);

export function say(key, values = {}) {
  return (window.studioWords[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

let idle = "", error = "", passing = null;

function show() {
  const line = $("status");
  const text = error || passing || idle;
  if (line.textContent !== text) line.textContent = text;
  line.title = text;
  line.dataset.tone = error ? "error" : "";
  $("dismiss").hidden = !error;
}

// What is true until something else is; an error or an announcement stands before it.
export function settle(text) { idle = text; show(); }

export function announce(text) {
  passing = text;
  error = "";
  show();
  setTimeout(() => hush(text), 8000);
}

export function hush(text = passing) {
  if (passing === text) { passing = null; show(); }
}

export function fail(text) { error = text; show(); }
export function forgive() { error = ""; show(); }

export const percent = (share) => `${(100 * share).toFixed(share >= 0.0995 ? 0 : 1)} %`;

export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  return value < 90 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;
}
