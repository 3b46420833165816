// The pictures on the stage and in the panels: fetched when news says so, swapped without flicker.
import { address, ask } from "./link.js";
import { $ } from "./words.js";

let round = 0; // makes an address new; the server answers 304 when the picture is not
const wanted = {};

// Load a picture and put it into `id` once it is decoded; a null path hides it. Resolves to where the
// picture belongs, [] where nothing is said, null when nothing was shown (a later call overtook this one).
export async function load(id, path) {
  const image = $(id);
  if (!image) return null; // its panel was never opened
  if (path === null) { wanted[id] = null; image.hidden = true; return []; }
  const token = (wanted[id] = Symbol(id));
  const reply = await fetch(address(`${path}${path.includes("?") ? "&" : "?"}n=${round}`)).catch(() => null);
  if (wanted[id] !== token) return null;
  if (!reply || reply.status !== 200) { if (reply?.status === 204) image.hidden = true; return null; }
  const place = reply.headers.get("X-Place");
  const url = URL.createObjectURL(await reply.blob());
  const next = new Image();
  next.src = url;
  await next.decode().catch(() => null);
  if (wanted[id] !== token) { URL.revokeObjectURL(url); return null; }
  const before = image.src;
  image.src = url;
  image.hidden = false;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  return place ? place.split(",").map(Number) : [];
}

const open = (panel) => $(panel)?.querySelector(".label-wrap")?.classList.contains("open");

let invented = false;

export function showInvented(next, state) {
  invented = next;
  hatch(state);
}

// Hatching shows what is still a guess; on a finished picture only who asks for it sees it.
function hatch(state) {
  const wanted = state?.edited && (invented || state.job.running);
  load("invented", wanted ? "picture/invented" : null);
}

// Resolves to null unless the edited picture that the news brought is on the stage.
export async function stagePictures(state, kinds) {
  round += 1;
  if (!state.photo_name) {
    ["base", "result", "invented", "fill"].forEach((id) => load(id, null));
    return null;
  }
  load("base", "picture/photo");
  if (kinds.includes("frame")) hatch(state);
  if (!state.edited) return load("result", null);
  return kinds.includes("frame") ? load("result", "picture/result") : null;
}

export function settled(state) {
  if (!invented && !state.job.running) load("invented", null);
}

export function panelPictures(state) {
  if (!state.photo_name) return;
  if (open("panel-depth")) {
    load("depth-map", "picture/depth?side=560");
    load("depth-sure", "picture/confidence?side=560");
  }
  if (open("panel-flow")) showFlow(state);
}

export const depthIsOpen = () => open("panel-depth");

// Arrows come in shares of the width; the picture is fitted into its box, so the drawing is too.
async function showFlow(state) {
  const answer = await ask("arrows"), svg = $("flow-arrows");
  if (!answer || !svg) return;
  const moved = answer.arrows.length > 0, words = $("flow-words");
  words.textContent = moved ? words.dataset.some : words.dataset.none;
  load("flow-map", moved ? "picture/flow?side=560" : null);
  svg.setAttribute("viewBox", `0 0 1 ${state.height / state.width}`);
  svg.innerHTML = answer.arrows.map(arrow).join("");
}

function arrow([x, y, dx, dy]) {
  const length = Math.hypot(dx, dy), [ux, uy] = [dx / length, dy / length], head = Math.min(0.016, length / 2);
  const [tx, ty] = [x + dx, y + dy];
  const wing = (side) => `${tx - head * (ux - 0.6 * side * uy)},${ty - head * (uy + 0.6 * side * ux)}`;
  return `<path d="M${x},${y}L${tx},${ty}M${wing(1)}L${tx},${ty}L${wing(-1)}"/>`;
}
