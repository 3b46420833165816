// Before and after: a divider over the picture, and the original while Tab is held.
import { redraw } from "./overlay.js";
import { onView, view } from "./view.js";
import { $ } from "./words.js";

let on = false, share = 0.5, held = false;

export const comparing = () => on;

export function compare(next) {
  on = next;
  $("compare").setAttribute("aria-pressed", String(on));
  $("divider").hidden = !on;
  if (on) $("stage").dataset.comparing = "true"; else delete $("stage").dataset.comparing;
  redraw();
  apply();
}

export function showOriginal(next) {
  held = next;
  if (held) $("stage").dataset.original = "true"; else delete $("stage").dataset.original;
  apply();
}

// Left of the divider is the original, right of it the edited picture.
function apply() {
  for (const id of ["result", "invented"]) {
    $(id).style.visibility = held ? "hidden" : "";
    $(id).style.clipPath = on ? `inset(0 0 0 ${100 * share}%)` : "";
  }
  $("fill").style.visibility = held || on ? "hidden" : "";
  const divider = $("divider");
  divider.style.left = `${view.x + share * view.width * view.scale}px`;
  divider.setAttribute("aria-valuenow", String(Math.round(100 * share)));
}

function put(next) {
  share = Math.min(1, Math.max(0, next));
  apply();
}

export function listenToDivider() {
  const divider = $("divider");
  divider.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    divider.setPointerCapture(event.pointerId);
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const left = $("stage").getBoundingClientRect().left;
    put((event.clientX - left - view.x) / (view.width * view.scale));
  });
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    put(share + step);
  });
  onView(apply);
}
