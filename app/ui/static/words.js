// Every word comes from the language file; the status line is the one place where the page speaks.
import { words } from "./given.js"; // made by the server

export const $ = (id) => document.getElementById(id);

export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

let idle = "", kept = null, passing = null;

function show() {
  const line = $("status");
  const text = kept?.text || passing || idle;
  if (line.textContent !== text) line.textContent = text;
  line.title = text;
  line.dataset.tone = kept?.tone ?? "";
  $("dismiss").hidden = !kept;
}

// What is true until something else is; a failure, a notice or an announcement stands before it.
export function settle(text) { idle = text; show(); }

export function announce(text) {
  passing = text;
  kept = null;
  show();
  setTimeout(() => hush(text), 8000);
}

export function hush(text = passing) {
  if (passing === text) { passing = null; show(); }
}

// Failures and notices stay until something changes or they are dismissed.
export function fail(text) { kept = { text, tone: "error" }; show(); }
export function notice(text) { kept = { text, tone: "notice" }; show(); }
export function forgive(tone = kept?.tone) { if (kept?.tone === tone) { kept = null; show(); } }

export const percent = (share) => `${(100 * share).toFixed(share >= 0.0995 ? 0 : 1)} %`;

export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  return value < 90 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;
}
