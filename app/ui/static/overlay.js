// What is drawn over the picture at screen resolution: outlines, and the tool in hand.
import { onView, toStage, view } from "./view.js";
import { $ } from "./words.js";

const drawn = { outlines: {}, selected: null, hovered: null, tool: null, proposals: [], proposed: null };
let pending = false;

export const outline = () => drawn.outlines[drawn.selected] ?? [];
export function setOutlines(outlines) { drawn.outlines = outlines; redraw(); }
export function setSelected(object) { drawn.selected = object; redraw(); }
export function setTool(shape) { drawn.tool = shape; redraw(); }

// Proposed objects: {index, outline, area}, the smallest last.
export function setProposals(proposals) { drawn.proposals = proposals; drawn.proposed = null; redraw(); }

export function setProposed(proposal) {
  if (proposal === drawn.proposed) return;
  drawn.proposed = proposal;
  redraw();
}

export function setHovered(object) {
  if (object === drawn.hovered) return;
  drawn.hovered = object;
  redraw();
}

// The object at a photo pixel: the selected one, else the one drawn last.
export function objectAt(point) {
  const inside = (object) => holds(drawn.outlines[object] ?? [], point);
  return inside(drawn.selected) ? drawn.selected : Object.keys(drawn.outlines).findLast(inside) ?? null;
}

export function holds(polygons, [x, y]) {
  let inside = false;
  for (const polygon of polygons) {
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [ax, ay] = polygon[i], [bx, by] = polygon[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

export function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; paint(); });
}

function paint() {
  const canvas = $("overlay"), ratio = devicePixelRatio;
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  // Drawn by the processor: Chromium with software WebGL kept showing an older picture otherwise.
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const { state, original, comparing } = $("stage").dataset;
  if (state !== "dragging" && !original && !comparing) {
    pen.save();
    pen.beginPath();
    pen.rect(...toStage([-0.5, -0.5]), view.width * view.scale, view.height * view.scale);
    pen.clip();
    paintProposals(pen);
    if (drawn.hovered !== drawn.selected) paintOutline(pen, drawn.hovered, [4, 4]);
    paintOutline(pen, drawn.selected, []);
    pen.restore();
  }
  if (drawn.tool) paintTool(pen, drawn.tool);
}

function paintOutline(pen, object, dash) {
  pen.beginPath();
  for (const polygon of drawn.outlines[object] ?? []) trace(pen, polygon, true);
  twice(pen, dash);
}

// Hues a golden angle apart: neighbours in the list never look alike.
function paintProposals(pen) {
  for (const proposal of drawn.proposals) {
    const over = proposal === drawn.proposed, hue = (proposal.index * 137.5) % 360;
    pen.beginPath();
    for (const polygon of proposal.outline) trace(pen, polygon, true);
    pen.fillStyle = `hsl(${hue} 90% 60% / ${over ? 0.45 : 0.12})`;
    pen.fill("evenodd");
    pen.lineJoin = "round";
    pen.strokeStyle = "#000a";
    pen.lineWidth = over ? 5 : 3;
    pen.stroke();
    pen.strokeStyle = `hsl(${hue} 90% 65%)`;
    pen.lineWidth = over ? 3 : 1.5;
    pen.stroke();
  }
}

function trace(pen, points, closed) {
  points.forEach((point, n) => pen[n ? "lineTo" : "moveTo"](...toStage(point)));
  if (closed) pen.closePath();
}

// Light on dark: readable on any picture.
function twice(pen, dash = []) {
  pen.lineJoin = "round";
  pen.setLineDash([]);
  pen.strokeStyle = "#000b";
  pen.lineWidth = 4;
  pen.stroke();
  pen.setLineDash(dash);
  pen.strokeStyle = "#fff";
  pen.lineWidth = 2;
  pen.stroke();
  pen.setLineDash([]);
}

function paintTool(pen, shape) {
  pen.beginPath();
  if (shape.kind === "box") {
    const [ax, ay] = toStage(shape.start), [bx, by] = toStage(shape.end);
    pen.rect(ax, ay, bx - ax, by - ay);
    twice(pen, [5, 4]);
  } else if (shape.kind === "ruler") {
    trace(pen, [shape.start, shape.end], false);
    twice(pen);
    for (const end of [shape.start, shape.end]) {
      pen.beginPath();
      pen.arc(...toStage(end), 4, 0, 7);
      twice(pen);
    }
  } else if (shape.kind === "lasso") {
    trace(pen, shape.points, true);
    twice(pen, [5, 4]);
  } else if (shape.kind === "brush") {
    const radius = shape.radius * view.scale;
    if (shape.points.length) {
      trace(pen, shape.points, false);
      pen.lineCap = pen.lineJoin = "round";
      pen.lineWidth = 2 * radius;
      pen.strokeStyle = shape.add ? "#6ea8fe80" : "#ff7b7280";
      pen.stroke();
      pen.beginPath();
    }
    pen.arc(...toStage(shape.at), Math.max(2, radius), 0, 7);
    twice(pen);
  }
}

onView(redraw);
