// The 3D view: an iframe on the same stage, made at first use.
import { key, setSpace } from "./link.js";
import { $, say } from "./words.js";

export const inSpace = () => $("stage").dataset.view === "space";

export function showSpace(next) {
  if (next && $("view-space").disabled) return;
  $("stage").dataset.view = next ? "space" : "photo";
  $("view-photo").setAttribute("aria-checked", String(!next));
  $("view-space").setAttribute("aria-checked", String(next));
  const space = $("space");
  // Not `hidden`: a canvas without a size would lose its camera.
  space.style.visibility = next ? "" : "hidden";
  $("picture").hidden = $("overlay").hidden = next;
  if (next) setSpace(settings());
  if (next && !space.firstChild) {
    const frame = document.createElement("iframe");
    frame.title = say("stage.viewport");
    frame.dataset.testid = "viewport";
    const socket = `${location.protocol.replace("http", "ws")}//${location.host}/viewport/${key}/`;
    frame.src = `/viewport/${key}/?websocket=${encodeURIComponent(socket)}`;
    space.append(frame);
  }
  if (next) space.firstChild.focus();
  dispatchEvent(new Event("studio-view"));
}

// `handlers`: what the page itself does for keys pressed inside the view; edits go their own way to the session.
export function listenToSpace(handlers) {
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.source !== $("space").firstChild?.contentWindow) return;
    if (event.data?.source === "viewport" && event.data.type === "key") handlers[event.data.action]?.();
  });
}

// Without a graphics card a frame of all Gaussians takes many seconds: such a browser is sent few.
function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const named = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = named ? gl.getParameter(named.UNMASKED_RENDERER_WEBGL) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}
let coarse = null;

// ---- The bar below the view ------------------------------------------------------------------------
function settings(extra = {}) {
  coarse ??= drawsInSoftware();
  const field = $("space-bar").elements, amount = (name) => (field[name].value > 0 ? Number(field[name].value) : null);
  return {
    axes: field.axes.value, slide: field.slide.checked, clean: field.clean.checked, coarse,
    snap_distance: field.snap.checked ? amount("snap_distance") : null,
    snap_angle: field.snap.checked ? amount("snap_angle") : null,
    points: field.points.checked ? Number(field.point_size.value) : null, ...extra,
  };
}

export function listenToSpaceBar() {
  const bar = $("space-bar");
  bar.addEventListener("change", () => setSpace(settings()));
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("pointerdown", (event) => event.stopPropagation());
  $("take-view").addEventListener("click", () => setSpace(settings({ take_view: true })));
}

export function showUnit(unit) {
  $("space-bar").querySelector(".unit").textContent = unit;
}
