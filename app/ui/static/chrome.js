// What surrounds the stage and follows the state: top bar, history strip, status line, hints.
import { address, gesture } from "./link.js";
import { load } from "./pictures.js";
import { currentTool, paintsShadow } from "./tools.js";
import { $, fail, percent, say, seconds, settle } from "./words.js";

export function showTop(state) {
  const open = state.photo_name !== null;
  $("photo-name").textContent = state.photo_name ?? "";
  $("photo-name").title = state.photo_name ?? "";
  $("photo-size").textContent = open ? `${state.width} × ${state.height}` : "";
  $("export-cost").textContent = open ? cost(state) : "";
  $("undo").disabled = !state.can_undo;
  $("redo").disabled = !state.can_redo;
  $("compare").disabled = !open || !state.edited;
  $("export").disabled = !open;
  $("view-photo").disabled = $("view-space").disabled = !open;
  if (document.activeElement !== $("engine")) $("engine").value = state.engine;
  $("engine").title = state.engine_title;
  document.title = open ? `${state.photo_name} · ${say("app.name")}` : say("app.name");
  for (const link of document.querySelectorAll("[data-export]")) link.href = address(`export/${link.dataset.export}`);
}

// What the full-size result holds and takes, before it is made.
function cost(state) {
  const made = state.share_invented > 0 ? say("status.made", { share: percent(state.share_invented) }) : say("export.none");
  return [`${state.width} × ${state.height}`, made, expected(state.expected_seconds)].filter(Boolean).join(" · ");
}

function expected(time) {
  if (time === null) return "";
  return time < 1 ? say("status.soon") : say("status.expected", { seconds: seconds(time) });
}

// ---- History ---------------------------------------------------------------------------------------
const shots = new Map(); // step -> "label" whose picture was asked for

export function showHistory(state, kinds) {
  const strip = $("strip");
  if (!state.photo_name) return strip.replaceChildren();
  while (strip.childElementCount > state.steps.length) strip.lastElementChild.remove();
  state.steps.forEach((label, n) => {
    const item = strip.children[n] ?? strip.appendChild(makeStep(n));
    const button = item.firstElementChild, words = `${n}  ${n ? label : say("strip.original")}`;
    if (button.dataset.label !== label) { button.dataset.label = label; shots.delete(n); }
    button.querySelector("b").textContent = words;
    button.title = words;
    button.classList.toggle("later", n > state.step);
    if (n === state.step) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
  });
  if (kinds.includes("changed")) strip.children[state.step]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (kinds.includes("frame") || !shots.has(0)) fetchShots(state);
}

function makeStep(n) {
  const item = document.createElement("li");
  item.innerHTML = `<button id="step-${n}" data-testid="step-${n}"><span class="shot"></span><b></b></button>`;
  item.firstChild.addEventListener("click", () => gesture("goto", { index: n }));
  return item;
}

// A step that was never seen in this page has its picture too, the shown one and the photo first.
async function fetchShots(state) {
  for (const n of new Set([0, state.step, ...state.steps.keys()])) {
    const label = `${state.photo_name} ${state.steps[n]}`;
    if (n !== state.step && shots.get(n) === label) continue;
    shots.set(n, label);
    const reply = await fetch(address(`picture/thumb-${n}`)).catch(() => null);
    const shot = $(`step-${n}`)?.querySelector(".shot");
    if (reply?.status !== 200 || !shot) { shots.delete(n); continue; }
    const before = shot.dataset.url;
    shot.dataset.url = URL.createObjectURL(await reply.blob());
    shot.style.backgroundImage = `url(${shot.dataset.url})`;
    if (before) URL.revokeObjectURL(before);
  }
}

// ---- Status ----------------------------------------------------------------------------------------

// An empty stage offers what could be opened, or says what is opening; a failure is told once.
let refused = null;
export function showOpening({ photo_name, opening }) {
  $("empty").hidden = photo_name !== null || opening.running;
  $("waiting").hidden = photo_name !== null || !opening.running;
  $("waiting").lastElementChild.textContent = opening.stage;
  if (opening.error && opening.error !== refused) fail(opening.error);
  refused = opening.error;
}

export function showStatus(state) {
  const job = [state.opening, state.export, state.models].find((one) => one.running) ?? state.job;
  $("depth-source").textContent = state.depth_title || "–";
  $("mask-source").textContent = state.photo_name ? state.mask_title : "–";
  $("progress").hidden = !job.running;
  $("progress").firstElementChild.style.width = `${Math.round(100 * job.done)}%`;
  $("cancel").hidden = !job.running;
  if (job.running) {
    const parts = [job.stage, job.done > 0 ? percent(job.done) : "", job.elapsed > 0.3 ? seconds(job.elapsed) : ""];
    if (job.remaining >= 0.5) parts.push(say("status.remaining", { seconds: seconds(job.remaining) }));
    settle(parts.filter(Boolean).join(" · "));
  } else if (!state.photo_name) {
    settle(say("status.empty"));
  } else {
    const made = state.share_invented ? say("status.made", { share: percent(state.share_invented) }) : "";
    settle([say("status.ready"), made].filter(Boolean).join(" · "));
  }
}

export function showHints(state) {
  const hint = $("hint"), space = $("stage").dataset.view === "space", tool = currentTool();
  let words = "";
  if (state.photo_name && space) words = say("hint.space");
  else if (state.photo_name && tool === "all") words = say(proposalsHint(state));
  else if (state.photo_name && tool === "invent" && !state.share_invented) words = say("hint.invent_nothing");
  else if (state.photo_name && ["brush", "eraser"].includes(tool) && paintsShadow()) words = say(`hint.shadow_${tool}`);
  else if (state.photo_name && tool !== "move") words = say(`hint.${tool}`);
  else if (state.photo_name && state.selected) words = say(chosen(state)?.at_rest ? "hint.selected" : "hint.moved");
  else if (state.photo_name && state.step === 0) words = say("hint.ready");
  hint.textContent = words;
  hint.hidden = !words || space;
  const label = $("cost"), share = state.share_invented;
  const told = state.photo_name && share > 0 && state.job.running;
  const parts = [say("status.invented", { share: percent(share ?? 0) })];
  parts.push(expected(state.job.remaining ?? state.expected_seconds));
  label.textContent = told ? parts.filter(Boolean).join(", ") : "";
  label.hidden = !told;
}

function proposalsHint({ camera, proposals, models }) {
  if (!camera.at_home) return "hint.away";
  if (proposals === null) return models.running ? "hint.finding" : "hint.unknown";
  return proposals ? "hint.all" : "hint.nothing";
}

export const maskFill = (state) => load("fill", state.selected && chosen(state)?.at_rest ? "picture/mask" : null);
const chosen = (state) => state.objects.find((item) => item.selected);
