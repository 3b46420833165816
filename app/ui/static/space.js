// The 3D view: an iframe on the same stage, made at first use.
import { key, setSpace } from "./link.js";
import { $, announce, hush, say } from "./words.js";

const OPENING_MS = 15000; // a view that tells nothing is shown as it is
let opened = false;

export const inSpace = () => $("stage").dataset.view === "space";
const frame = () => $("space").firstChild;

export function showSpace(next) {
  if (next && $("view-space").disabled) return;
  $("stage").dataset.view = next ? "space" : "photo";
  $("view-photo").setAttribute("aria-checked", String(!next));
  $("view-space").setAttribute("aria-checked", String(next));
  if (next) setSpace(settings());
  if (next && !frame()) open();
  swap();
  dispatchEvent(new Event("studio-view"));
}

function open() {
  const made = document.createElement("iframe");
  made.title = say("stage.viewport");
  made.dataset.testid = "viewport";
  const socket = `${location.protocol.replace("http", "ws")}//${location.host}/viewport/${key}/`;
  made.src = `/viewport/${key}/?websocket=${encodeURIComponent(socket)}`;
  $("space").append(made);
  announce(say("space.opening"));
  setTimeout(uncover, OPENING_MS);
}

function uncover() {
  if (opened) return;
  opened = true;
  hush(say("space.opening"));
  swap();
}

// The photo stays on the stage until the 3D view has something to show in its place.
function swap() {
  const shown = inSpace() && opened;
  // Not `hidden`: a canvas without a size would lose its camera.
  $("space").style.visibility = shown ? "" : "hidden";
  $("picture").hidden = $("overlay").hidden = shown;
  if (shown) frame().focus();
}

// `handlers`: what the page itself does for keys pressed inside the view; edits go their own way to the session.
export function listenToSpace(handlers) {
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.source !== frame()?.contentWindow) return;
    if (event.data?.source !== "viewport") return;
    if (event.data.type === "opened") uncover();
    if (event.data.type === "key") handlers[event.data.action]?.();
  });
  // Keys go where the pointer is, as in other 3D programs, but for a number that is being typed.
  $("space").addEventListener("pointerenter", () => {
    if (!document.activeElement?.matches("input:not([type=checkbox]):not([type=range]), textarea, select")) frame()?.focus();
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
function settings(once = {}) {
  coarse ??= drawsInSoftware();
  const field = $("space-bar").elements, amount = (name) => (field[name].value > 0 ? Number(field[name].value) : null);
  return {
    axes: field.axes.value, slide: field.slide.checked, clean: field.clean.checked, coarse,
    snap_distance: field.snap.checked ? amount("snap_distance") : null,
    snap_angle: field.snap.checked ? amount("snap_angle") : null,
    points: field.points.checked ? Number(field.point_size.value) : null, ...once,
  };
}

export const spaceHome = () => setSpace(settings({ home: true }));

export function listenToSpaceBar() {
  const bar = $("space-bar");
  bar.addEventListener("change", () => setSpace(settings()));
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("pointerdown", (event) => event.stopPropagation());
  $("take-view").addEventListener("click", () => setSpace(settings({ take_view: true })));
  $("space-home").addEventListener("click", spaceHome);
}

export function showUnit(unit) {
  $("space-bar").querySelector(".unit").textContent = unit;
}
