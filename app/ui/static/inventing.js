// The tool that invents again: a brush over what was invented, and a choice of variations.
import { gesture } from "./link.js";
import { load, showInvented } from "./pictures.js";
import { busy } from "./tools.js";
import { $, hush, say } from "./words.js";

let state = null, shown = "", brushed = null, inHand = false;

const wants = () => $("stage").dataset.tool === "invent" && $("stage").dataset.view === "photo";
const isOpen = () => $("invent-others").getAttribute("aria-expanded") === "true";

// A stroke in photo pixels; `against` turns one kind of stroke into the other.
export function inventAgain(points, radius, against) {
  const keep = ($("invent-bar").elements.stroke.value === "keep") !== against;
  return gesture("reroll", { points, radius, keep, ...(brushed === null ? {} : { seed: brushed }) });
}

// The hatching shows what may be invented again while its tool is in hand.
export function showInventing(next, kinds = []) {
  state = next;
  const wanted = wants() && state.photo_name !== null;
  if (wanted !== inHand) showInvented(wanted || $("show-invented")?.checked === true, state);
  inHand = wanted;
  const some = (state.share_invented ?? 0) > 0;
  for (const button of [$("invent-all"), $("invent-others")]) button.disabled = !some;
  for (const button of [$("check-edit"), $("take-best")]) button.disabled = !some || state.models.running;
  if (document.activeElement !== $("paint-order")) $("paint-order").value = state.order;
  $("paint-order").disabled = !state.engine.startsWith("lras");
  $("adherence").textContent = $("adherence").title = told(state.adherence);
  // While a picture is being made nobody knows how much of it will be invented.
  if (!wanted || state.share_invented === 0) open(false);
  if (isOpen() && (kinds.includes("changed") || kinds.includes("frame"))) fill();
}

// What the picture was found to show of what was asked for.
function told(adherence) {
  const parts = ["found", "gone", "moved"].filter((part) => (adherence?.[part] ?? null) !== null);
  return parts.map((part) => say(`invent.${part}`, { share: Math.round(100 * adherence[part]) })).join(", ");
}

function open(wanted) {
  if (isOpen() && !wanted) hush(); // the variation that is being made is not waited for any more
  $("invent-others").setAttribute("aria-expanded", String(wanted));
  $("variations").hidden = !wanted;
  if (!wanted) { shown = ""; choose(null); $("variation-brush").checked = false; }
}

// Four pictures, asked for one after another: they share one machine.
async function fill() {
  if (state.job.running) return;
  const wanted = `${state.photo_name} ${state.step} ${state.steps.length} ${state.revision}`;
  if (wanted === shown) return;
  shown = wanted;
  const grid = $("variations").querySelector(".grid");
  grid.innerHTML = state.variation_seeds.map((seed) => `<button type="button" data-seed="${seed}" data-testid="variation-${seed}"
    aria-pressed="${seed === (brushed ?? state.seed)}" title="${say(seed === state.seed ? "invent.shown" : "invent.variation", { seed })}">
    <img id="variation-${seed}" alt="${say("invent.variation", { seed })}" hidden><i></i></button>`).join("");
  const seeds = state.variation_seeds;
  for (const [n, seed] of seeds.entries()) {
    const words = say("status.variation", { number: n + 1, count: seeds.length });
    await busy(load(`variation-${seed}`, `picture/variation-${seed}?side=320`), words);
    if (shown !== wanted) return;
  }
}

function choose(seed) {
  brushed = seed;
  for (const button of $("variations").querySelectorAll(".grid button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.seed) === (seed ?? state?.seed)));
  }
}

function take(event) {
  const button = event.target.closest("button");
  if (!button) return;
  const seed = Number(button.dataset.seed);
  if ($("variation-brush").checked) choose(seed);
  else if (seed !== state.seed) gesture("variation", { seed });
}

export function listenToInventing() {
  $("invent-bar").addEventListener("submit", (event) => event.preventDefault());
  $("check-edit").addEventListener("click", () => gesture("check"));
  $("take-best").addEventListener("click", () => gesture("take_best"));
  $("invent-all").addEventListener("click", () => gesture("reroll_all"));
  $("invent-others").addEventListener("click", () => { open(!isOpen()); if (isOpen()) fill(); });
  $("variations").querySelector(".grid").addEventListener("click", take);
  $("paint-order").addEventListener("change", ({ target }) =>
    gesture("engine", { engine: state.engine, seed: state.seed, order: target.value }));
  $("variation-brush").addEventListener("change", (event) => { if (!event.target.checked) choose(null); });
  for (const part of ["invent-bar", "variations"]) {
    $(part).addEventListener("pointerdown", (event) => event.stopPropagation());
  }
}
