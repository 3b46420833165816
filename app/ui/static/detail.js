// What the stage shows of the picture at its full size, once somebody zooms in further than the stage's pictures reach.
import { load } from "./pictures.js";
import { onView, view } from "./view.js";
import { $ } from "./words.js";

const QUIET = 200, MOST = 2560, EDITED = 960, PHOTO = 1280; // sides of the stage's own pictures
let state = null, timer = 0, revision = null;

export function showDetail(next, kinds) {
  state = next;
  if (revision !== state.revision) load("detail", null);
  revision = state.revision;
  if (kinds.includes("changed") || kinds.includes("frame")) soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, QUIET);
}

function isCoarse() {
  const shown = Math.max(view.width, view.height), own = Math.min(shown, state.edited ? EDITED : PHOTO);
  return own < shown && shown * view.scale * devicePixelRatio > 1.1 * own;
}

// The part of the photo that the stage shows, and a little around it: [x, y, width, height] in its pixels.
function seen() {
  const stage = $("stage"), across = stage.clientWidth / view.scale, down = stage.clientHeight / view.scale;
  const from = (start, room, most) => Math.max(0, Math.min(most - 1, Math.floor(-start / view.scale - 0.1 * room)));
  const x = from(view.x, across, view.width), y = from(view.y, down, view.height);
  const width = Math.min(view.width - x, Math.ceil(1.2 * across)), height = Math.min(view.height - y, Math.ceil(1.2 * down));
  return [x, y, width, height];
}

async function ask() {
  if (!state?.photo_name || !isCoarse()) { load("detail", null); return; }
  const [x, y, width, height] = seen(), longer = Math.max(width, height);
  const side = Math.min(MOST, longer, Math.ceil(longer * view.scale * devicePixelRatio));
  const shown = await load("detail", `detail?x=${x}&y=${y}&width=${width}&height=${height}&side=${side}`);
  if (shown === null) return;
  Object.assign($("detail").style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
}

export function listenToDetail() {
  onView(() => { if (state?.photo_name) soon(); });
}
