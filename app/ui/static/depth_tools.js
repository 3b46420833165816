// Tools of the depth map: a brush over it, and a ruler that gives the scene its size.
import { ask, gesture } from "./link.js";
import { setTool as draw } from "./overlay.js";
import { load } from "./pictures.js";
import { $, say } from "./words.js";

const OPPOSITE = { push: "pull", pull: "push" };
let ruler = null, unit = "", shown = "";

// A stroke of the depth brush; `against` turns push into pull.
export function touch(points, radius, against) {
  const bar = $("depth-bar").elements, wanted = bar.touch.value;
  const kind = against ? OPPOSITE[wanted] ?? wanted : wanted;
  return gesture("retouch", { points, radius, touch: kind, strength: Number(bar.strength.value) });
}

// The map lies over the picture while its brush is in hand.
export function showDepthTools(state, kinds = []) {
  unit = state.unit;
  const wanted = state.photo_name && $("stage").dataset.tool === "depth";
  const now = wanted ? `${state.revision} ${state.photo_name}` : "";
  if (now !== shown || wanted && kinds.includes("frame")) load("depth-over", wanted ? "picture/depth" : null);
  shown = now;
  if (kinds.includes("changed")) remeasure();
}

// ---- Ruler -----------------------------------------------------------------------------------------
export async function measure(start, end) {
  ruler = { start, end };
  drawRuler();
  await remeasure();
  if (ruler) $("ruler-bar").elements.metres.focus();
}

export const drawRuler = () => draw(ruler && { kind: "ruler", ...ruler });

export function dropRuler() {
  ruler = null;
  drawRuler();
  tell(null);
}

async function remeasure() {
  if (!ruler) return;
  const { start: [x0, y0], end: [x1, y1] } = ruler;
  const found = await ask(`measure?x0=${x0}&y0=${y0}&x1=${x1}&y1=${y1}`);
  if (found) tell(found.distance); else dropRuler();
}

function tell(distance) {
  const bar = $("ruler-bar");
  const figure = distance === null ? "" : `${Number(distance.toPrecision(3))} ${unit}`;
  $("measured").textContent = distance === null ? say("ruler.none") : say("ruler.measured", { distance: figure });
  for (const part of [bar.elements.metres, bar.querySelector("button")]) part.disabled = distance === null;
}

export function listenToDepthTools() {
  $("ruler-bar").addEventListener("submit", (event) => {
    event.preventDefault();
    const metres = $("ruler-bar").elements.metres.valueAsNumber;
    if (ruler && metres > 0) gesture("distance", { ...ruler, metres });
  });
  $("depth-bar").addEventListener("submit", (event) => event.preventDefault());
  for (const bar of ["depth-bar", "ruler-bar"]) {
    $(bar).addEventListener("pointerdown", (event) => event.stopPropagation());
  }
}
