// Every key in one table: it is what the list of keys shows and what the keyboard does.
import { $, say } from "./words.js";

const bound = []; // {group, words, shown, match, run, repeat}

// `combo` such as "ctrl+shift+z", "b" or "?"; ctrl is also the Mac's command key.
export function bind(group, words, combo, run, shown = null) {
  const parts = combo.split("+"), last = parts.pop() || "+";
  bound.push({ group, words, shown: shown ?? combo, run, ctrl: parts.includes("ctrl"), shift: parts.includes("shift"), key: last });
}

// A line of the list without a key of its own.
export function note(group, words, shown) {
  bound.push({ group, words, shown, key: null });
}

const typing = (target) => target.matches?.("input:not([type=checkbox]):not([type=range]):not([type=radio]), textarea, select, [contenteditable]");

function matches(item, event) {
  if (item.key === null || (event.ctrlKey || event.metaKey) !== item.ctrl || event.altKey) return false;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key !== item.key) return false;
  // Signs bring their own Shift, and named keys may have it beside them.
  return /^[a-z]$/.test(item.key) ? event.shiftKey === item.shift : event.shiftKey || !item.shift;
}

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if ($("help").open || event.defaultPrevented) return;
    if (typing(event.target) && !(event.ctrlKey || event.metaKey)) return;
    if (typing(event.target) && /^[zyavcx]$/i.test(event.key)) return; // text has its own undo and clipboard
    const item = bound.find((candidate) => matches(candidate, event));
    if (item && item.run(event) !== false) event.preventDefault();
  });
  $("keys").addEventListener("click", showHelp);
  $("help-search").addEventListener("input", fill);
  $("help").addEventListener("click", (event) => { if (event.target === $("help")) $("help").close(); });
}

export function showHelp() {
  $("help-search").value = "";
  fill();
  $("help").showModal();
  $("help-search").focus();
}

const pretty = (shown) => shown.split(" ").map((combo) => combo.split(/\+(?=.)/).map((key) =>
  `<kbd>${{ ctrl: "Ctrl", shift: "Shift", alt: "Alt" }[key] ?? (key.length === 1 ? key.toUpperCase() : key)}</kbd>`).join(" ")).join(" / ");

function fill() {
  const asked = $("help-search").value.trim().toLowerCase(), groups = new Map();
  for (const item of bound) {
    const words = say(item.words);
    if (!item.shown || asked && !`${words} ${item.shown}`.toLowerCase().includes(asked)) continue;
    if (!groups.has(item.group)) groups.set(item.group, []);
    groups.get(item.group).push(`<dt>${words}</dt><dd>${pretty(item.shown)}</dd>`);
  }
  $("help-list").innerHTML = groups.size === 0 ? say("keys.none")
    : `<div>${[...groups].map(([group, rows]) => `<section><h3>${say(`keys.group.${group}`)}</h3><dl>${rows.join("")}</dl></section>`).join("")}</div>`;
}
