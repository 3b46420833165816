// Pointer tools of the photo view. Each gesture is one call to the server when the hand lets go.
import { cancelDrag, dragging, finishDrag, startDrag, moveDrag } from "./drag.js";
import { drawRuler, dropRuler, measure, touch } from "./depth_tools.js";
import { inventAgain } from "./inventing.js";
import { ask, gesture } from "./link.js";
import { objectAt, setHovered, setProposed, setTool as draw } from "./overlay.js";
import { proposalAt, take } from "./proposals.js";
import { inPhoto, onStage, onView, pan, toPhoto, view, zoomAt } from "./view.js";
import { $, announce, hush, say } from "./words.js";

const TOOLS = ["move", "all", "box", "lasso", "brush", "eraser", "depth", "invent", "ruler", "pan"];
const CLICK_PIXELS = 4;
let tool = "move", radius = 20, press = null, spaceHeld = false, state = null, at = null;

export function setState(next) {
  state = next;
  if (at && !press) pointAt(at);
}

export const currentTool = () => tool;

export function choose(name) {
  abandon();
  tool = name;
  $("stage").dataset.tool = name;
  for (const other of TOOLS) $(`tool-${other}`).setAttribute("aria-pressed", String(other === name));
  preview();
  dispatchEvent(new Event("studio-tool"));
}

export function resizeBrush(factor) {
  radius = Math.min(2000, Math.max(1, radius * factor));
  announce(`${say(`tool.${tool}`)}  ${Math.round(2 * radius)} px`);
  preview();
}

export function holdSpace(held) {
  spaceHeld = held;
  if (held) $("stage").dataset.panning = ""; else if (!press) delete $("stage").dataset.panning;
}

// Gives up what the hand is doing; true when there was something.
export function abandon() {
  const busy = press !== null;
  press = null;
  if (dragging()) cancelDrag();
  preview();
  return busy;
}

const painting = () => ["brush", "eraser", "depth", "invent"].includes(tool);
// Brush and eraser act on the selected object's shadow while its box is ticked; a closed panel has none.
export const paintsShadow = () => Boolean(state?.selected && $("shadow-paint")?.checked);
const adds = (event) => (tool === "eraser" ? false : !event.altKey);

function preview() {
  if (tool === "ruler") return drawRuler();
  draw(painting() && at ? { kind: "brush", points: [], radius, at, add: tool !== "eraser" } : null);
}

function down(event) {
  if (event.target.closest("#divider, #empty, .line") || !state?.photo_name) return;
  event.preventDefault();
  $("stage").focus({ preventScroll: true });
  const point = toPhoto(event);
  const panning = event.button === 1 || spaceHeld || tool === "pan";
  if (!panning && event.button !== 0 && event.button !== 2) return;
  press = { x: event.clientX, y: event.clientY, last: onStage(event), button: event.button, start: point, points: [point],
    panning, far: false, onObject: state.selected && objectAt(point) === state.selected };
  $("stage").setPointerCapture(event.pointerId);
  if (panning) $("stage").dataset.panning = "";
}

function move(event) {
  const point = toPhoto(event);
  at = point;
  hover(point);
  if (!press) {
    pointAt(at);
    return preview();
  }
  press.far ||= Math.hypot(event.clientX - press.x, event.clientY - press.y) >= CLICK_PIXELS;
  if (press.panning) {
    const [x, y] = onStage(event);
    pan(x - press.last[0], y - press.last[1]);
    press.last = [x, y];
  } else if (!press.far && !painting()) {
    return;
  } else if (tool === "move" && press.button === 0) {
    if (!dragging() && press.onObject) startDrag(state.selected, press.start);
    if (dragging()) moveDrag(point, event.shiftKey);
  } else if (tool === "box" || tool === "ruler") {
    draw({ kind: tool, start: press.start, end: clamp(point) });
  } else {
    for (const step of event.getCoalescedEvents?.() ?? [event]) press.points.push(toPhoto(step));
    if (tool === "lasso") draw({ kind: "lasso", points: press.points });
    if (painting()) draw({ kind: "brush", points: press.points, radius, at: point, add: adds(event) });
  }
}

// Shows what a click here would take.
function pointAt(pixel) {
  const over = tool === "move" ? objectAt(pixel) : null, proposed = tool === "all" ? proposalAt(pixel) : null;
  $("stage").dataset.over = over || proposed ? (over && over === state?.selected ? "selected" : "object") : "";
  setProposed(proposed);
  setHovered(over);
}

async function up(event) {
  const from = press;
  press = null;
  if (!spaceHeld) delete $("stage").dataset.panning;
  if (!from || from.panning) return;
  const point = toPhoto(event);
  if (dragging()) return finishDrag(point, event.shiftKey);
  if (tool === "move") return from.far ? undefined : click(event, point, from.button);
  if (tool === "all") return from.far ? undefined : busy(take(point));
  const points = thinned([...from.points, point]);
  preview();
  if (tool === "box" && from.far) await busy(gesture("box", { start: clamp(from.start), end: clamp(point) }));
  else if (tool === "lasso" && from.far) await busy(gesture("lasso", { points, add: adds(event) && from.button !== 2 }));
  else if (tool === "ruler") return from.far ? measure(clamp(from.start), clamp(point)) : dropRuler();
  else if (tool === "depth") await busy(touch(points, radius, event.altKey || from.button === 2), say("status.touching"));
  else if (tool === "invent") await busy(inventAgain(points, radius, event.altKey || from.button === 2), say("status.inventing"));
  else if (painting()) await busy(gesture("brush", { points, radius, add: adds(event) && from.button !== 2, shadow: paintsShadow() }));
  else if (!from.far) await click(event, point, from.button);
}

async function click(event, [x, y], button) {
  if (!inPhoto([x, y])) {
    if (state.selected) await gesture("select", { object: null });
    return;
  }
  const positive = button !== 2 && !event.altKey;
  await busy(gesture("click", { x, y, positive, refine: event.shiftKey }));
}

// The pointer tells that the studio works on it when an answer takes more than a moment.
export async function busy(work, words = say("status.selecting")) {
  const stage = $("stage");
  const timer = setTimeout(() => { stage.dataset.busy = ""; announce(words); }, 150);
  try { return await work; } finally {
    clearTimeout(timer);
    delete stage.dataset.busy;
    hush(words);
  }
}

// A stroke needs no more points than pixels; the server takes at most 5000.
function thinned(points) {
  const apart = Math.max(0.5, 1 / view.scale);
  const kept = points.filter((p, n) => !n || Math.hypot(p[0] - points[n - 1][0], p[1] - points[n - 1][1]) > 0.25 * apart);
  const step = Math.ceil(kept.length / 4000);
  return kept.filter((_, n) => n % step === 0);
}

const clamp = ([x, y]) => [Math.min(Math.max(x, 0), view.width - 1), Math.min(Math.max(y, 0), view.height - 1)];

// ---- Value under the pointer -----------------------------------------------------------------------
let probing = false, next = null;

function hover(point) {
  if (!state?.photo_name || !inPhoto(point)) { $("cursor").textContent = ""; next = null; return; }
  next = point;
  if (!probing) look();
}

async function look() {
  probing = true;
  while (next) {
    const [x, y] = next.map((v) => Math.round(v));
    next = null;
    const found = dragging() ? null : await ask(`probe?x=${x}&y=${y}`);
    const place = say("status.cursor", { x, y });
    const depth = found?.depth == null ? "" : say("status.distance", { depth: `${found.depth.toFixed(2)} ${state.unit}` });
    $("cursor").textContent = [place, depth].filter(Boolean).join(" · ");
    await new Promise((done) => setTimeout(done, 60));
  }
  probing = false;
}

export function listenToPointer() {
  const stage = $("stage");
  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", (event) => up(event));
  stage.addEventListener("pointercancel", abandon);
  stage.addEventListener("pointerleave", () => { at = null; if (!press) preview(); setHovered(null); hover([-9, -9]); });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    if (!state?.photo_name || stage.dataset.view !== "photo") return;
    event.preventDefault();
    zoomAt(...onStage(event), Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)));
  }, { passive: false });
  onView(() => preview());
  for (const name of TOOLS) $(`tool-${name}`).addEventListener("click", () => choose(name));
}
