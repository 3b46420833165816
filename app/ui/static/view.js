// Where the picture lies on the stage: zoom, pan, and pixels from the pointer and back.
// Pixels are the photo's: centres at integers.
import { $ } from "./words.js";

export const view = { width: 0, height: 0, scale: 1, x: 0, y: 0, fitted: true };
const watchers = [];
export const onView = (watcher) => watchers.push(watcher);
const MARGIN = 16, HINT = 36, MOST = 32;

export function setSize(width, height) {
  if (width === view.width && height === view.height) return;
  view.width = width;
  view.height = height;
  fit();
}

export function fit() {
  const stage = $("stage");
  if (!view.width || !stage.clientWidth) return;
  const height = stage.clientHeight - MARGIN - HINT; // the hint stands below the picture
  view.scale = Math.min((stage.clientWidth - 2 * MARGIN) / view.width, height / view.height);
  view.fitted = true;
  view.x = (stage.clientWidth - view.width * view.scale) / 2;
  view.y = MARGIN + (height - view.height * view.scale) / 2;
  apply();
}

function centre(x, y) {
  const stage = $("stage");
  view.x = stage.clientWidth / 2 - (x + 0.5) * view.scale;
  view.y = stage.clientHeight / 2 - (y + 0.5) * view.scale;
  apply();
}

export function frame(points) {
  if (!points.length) return fit();
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]), stage = $("stage");
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  view.scale = Math.min(MOST, 0.6 * Math.min(stage.clientWidth / (x1 - x0 + 1), stage.clientHeight / (y1 - y0 + 1)));
  view.fitted = false;
  centre((x0 + x1) / 2, (y0 + y1) / 2);
}

export function zoomAt(stageX, stageY, factor) {
  const scale = Math.min(MOST, Math.max(0.02, view.scale * factor));
  view.x = stageX - ((stageX - view.x) * scale) / view.scale;
  view.y = stageY - ((stageY - view.y) * scale) / view.scale;
  view.scale = scale;
  view.fitted = false;
  apply();
}

export function actualPixels() {
  const stage = $("stage");
  zoomAt(stage.clientWidth / 2, stage.clientHeight / 2, 1 / (view.scale * devicePixelRatio));
}

export function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  view.fitted = false;
  apply();
}

export const toStage = ([x, y]) => [view.x + (x + 0.5) * view.scale, view.y + (y + 0.5) * view.scale];

export function onStage(event) {
  const box = $("stage").getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

export function toPhoto(event) {
  const [x, y] = onStage(event);
  return [(x - view.x) / view.scale - 0.5, (y - view.y) / view.scale - 0.5];
}

export const inPhoto = ([x, y]) => x >= -0.5 && y >= -0.5 && x < view.width - 0.5 && y < view.height - 0.5;

function apply() {
  const picture = $("picture");
  picture.style.width = `${view.width}px`;
  picture.style.height = `${view.height}px`;
  picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  $("zoom").textContent = view.width ? `${Math.round(100 * view.scale * devicePixelRatio)}%` : "";
  for (const watcher of watchers) watcher();
}

export function watchSize() {
  new ResizeObserver(() => (view.fitted ? fit() : apply())).observe($("stage"));
}
