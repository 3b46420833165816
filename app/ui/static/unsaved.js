// Unsaved work: the list on the empty stage and in the top bar, and the lasting word that nothing is being kept.
import { address, ask, discardUnsaved, openUnsaved } from "./link.js";
import { listenToMenu, menuIsOpen, showMenu } from "./menus.js";
import { $, announce, say } from "./words.js";
import { icons } from "./given.js"; // made by the server

const BUTTON = "unsaved-open";
const PLACES = ["unsaved", "unsaved-menu-list"]; // on the empty stage, and under the top bar's button
const NAMED = 2; // so many names stand in a sentence
const SURE_MS = 4000;
const LOOK_MS = 5000; // how soon it is seen that another tab has ended
let told = false; // once for each visit
let shown = "", looking = 0;

export function listenToUnsaved() {
  listenToMenu(BUTTON, showUnsaved);
}

export async function showUnsaved() {
  clearTimeout(looking);
  const answer = await ask("unsaved");
  if (!answer) return;
  const isShown = !$("empty").hidden || menuIsOpen(BUTTON);
  if (isShown && answer.unsaved.some((work) => work.held)) looking = setTimeout(showUnsaved, LOOK_MS);
  if (JSON.stringify(answer) !== shown) for (const id of PLACES) fill($(id), answer);
  shown = JSON.stringify(answer);
  const free = answer.unsaved.filter((work) => !work.held), count = free.length;
  $("unsaved-box").hidden = count === 0 || !$("empty").hidden;
  $("unsaved-count").textContent = count;
  if (count === 0) showMenu(BUTTON, false);
  if (count && !told && $("empty").hidden) {
    announce(say("unsaved.there", { names: named([...new Set(free.map((work) => work.name))]) }));
  }
  told = true;
}

function named(names) {
  const first = names.slice(0, NAMED).join(", "), count = names.length - NAMED;
  return count > 0 ? say("unsaved.more", { names: first, count }) : first;
}

function fill(place, { unsaved, days, bytes }) {
  place.hidden = unsaved.length === 0;
  const title = document.createElement("h2"), list = document.createElement("ul"), note = document.createElement("p");
  title.textContent = say("unsaved.title");
  list.append(...unsaved.map(row));
  note.className = "small quiet";
  note.textContent = `${say("unsaved.note", { days, size: `${bytes / 1e9} GB` })} `;
  if (!unsaved.every((work) => work.held)) note.append(sure("unsaved.discard_all", "link", null, "unsaved-discard-all"));
  place.replaceChildren(title, list, note);
}

function row(work) {
  const item = document.createElement("li"), open = document.createElement("button"), shot = document.createElement("img");
  const name = document.createElement("b"), words = document.createElement("span");
  open.disabled = work.held;
  open.dataset.testid = "unsaved-work";
  open.title = work.held ? say("unsaved.held") : say("unsaved.continue", { name: work.name });
  shot.alt = "";
  shot.loading = "lazy";
  shot.src = address(`unsaved/${work.id}/thumbnail?t=${Math.round(work.saved)}`);
  shot.addEventListener("error", () => { shot.style.visibility = "hidden"; });
  name.textContent = work.name;
  words.className = "small quiet figures";
  const steps = say(work.steps === 1 ? "unsaved.step" : "unsaved.steps", { count: work.steps });
  words.textContent = `${steps} · ${work.held ? say("unsaved.held") : moment(work.saved)}`;
  open.append(shot, name, words);
  open.addEventListener("click", async () => {
    showMenu(BUTTON, false);
    await openUnsaved(work.id);
    showUnsaved();
  });
  item.append(open);
  if (!work.held) item.append(sure("unsaved.discard", "plain", work.id, "unsaved-discard", { name: work.name }));
  return item;
}

// What cannot be taken back wants a second click.
function sure(words, style, id, testId, values = {}) {
  const button = document.createElement("button");
  const calm = () => {
    delete button.dataset.armed;
    if (style === "link") button.textContent = say(words); else button.innerHTML = icons.remove;
    button.title = button.ariaLabel = say(words, values);
  };
  button.className = style;
  button.dataset.testid = testId;
  calm();
  button.addEventListener("click", async () => {
    if (button.dataset.armed) { await discardUnsaved(id); return void showUnsaved(); }
    button.dataset.armed = "yes";
    button.textContent = say("unsaved.sure");
    setTimeout(calm, SURE_MS);
  });
  return button;
}

// ---- Not kept ------------------------------------------------------------------------------------
let warned = false;

export function showKept(state) {
  const line = $("not-kept"), trouble = state.not_kept;
  line.hidden = !trouble;
  if (trouble) line.textContent = line.title = say("unsaved.not_kept", { since: clock(trouble.since), reason: trouble.reason });
  else if (warned) announce(say("unsaved.kept_again"));
  warned = Boolean(trouble);
}

const clock = (time) => new Date(1000 * time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function moment(time) {
  const day = new Date(1000 * time), today = new Date().toDateString() === day.toDateString();
  return today ? clock(time) : `${day.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock(time)}`;
}
