// The two lines of a layout guess, drawn and dragged on the picture while the depth panel is open.
import { gesture } from "./link.js";
import { depthIsOpen } from "./pictures.js";
import { onView, view } from "./view.js";
import { $, say } from "./words.js";

const LINES = ["horizon", "ground_end"];
let state = null, moving = null;

export function showHandles(next) {
  state = next ?? state;
  const shown = state?.layout && state.camera.at_home && depthIsOpen() && $("stage").dataset.view === "photo";
  for (const name of LINES) {
    const line = $(`line-${name}`), share = moving?.name === name ? moving.share : state?.layout?.[name];
    line.hidden = !shown;
    if (!shown) continue;
    // A line outside the picture waits at its edge, where it can be taken.
    const inside = Math.min(1, Math.max(0, share));
    line.style.top = `${view.y + inside * view.height * view.scale}px`;
    line.style.left = `${view.x}px`;
    line.style.width = `${view.width * view.scale}px`;
    line.dataset.words = `${say(`depth.${name}`)} ${Math.round(100 * share)}`;
  }
}

export function listenToHandles() {
  for (const name of LINES) {
    const line = $(`line-${name}`);
    line.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      line.setPointerCapture(event.pointerId);
      moving = { name, share: state.layout[name] };
    });
    line.addEventListener("pointermove", (event) => {
      if (moving?.name !== name) return;
      const top = $("stage").getBoundingClientRect().top + view.y;
      moving.share = (event.clientY - top) / (view.height * view.scale);
      showHandles();
    });
    line.addEventListener("pointerup", async () => {
      const asked = { ...state.layout, [name]: moving.share };
      await gesture("layout", asked);
      moving = null;
      showHandles();
    });
  }
  onView(() => showHandles());
}
