// Starts the page: waits for Gradio to put its parts in, then ties news, tools and keys together.
import { listenToDivider, compare, comparing, showOriginal } from "./compare.js";
import { maskFill, showHints, showHistory, showOpening, showStatus, showTop } from "./chrome.js";
import { listenToDetail, showDetail } from "./detail.js";
import { listenToDepthTools, showDepthTools } from "./depth_tools.js";
import { dragging, landed, setUnit } from "./drag.js";
import { listenToExport } from "./export.js";
import { choose as chooseFile, listenToFiles } from "./files.js";
import { listenToHandles, showHandles } from "./handles.js";
import { bind, listenToKeys, note, showHelp } from "./keys.js";
import { ask, gesture, key, onNews, open } from "./link.js";
import { listenToInventing, showInventing } from "./inventing.js";
import { closeMenus, toggleMenu } from "./menus.js";
import { settleHeld, showHeld } from "./numbers.js";
import { showObjects } from "./objects.js";
import { outline, setOutlines, setSelected } from "./overlay.js";
import { depthIsOpen, panelPictures, settled, showInvented, stagePictures } from "./pictures.js";
import { inSpace, listenToSpace, listenToSpaceBar, showSpace, showUnit, spaceHome } from "./space.js";
import { showProposals } from "./proposals.js";
import { abandon, choose, holdSpace, listenToPointer, resizeBrush, setState } from "./tools.js";
import { listenToUnsaved, showKept, showUnsaved } from "./unsaved.js";
import { actualPixels, fit, frame, setSize, watchSize, view } from "./view.js";
import { $, fail, forgive, notice, say } from "./words.js";

const PARTS = ["stage", "status", "strip", "export-menu", "tool-move", "objects"];
let state = null, outlined = "";

const ready = (async () => {
  while (!window.studioStage || !PARTS.every($)) await new Promise((done) => setTimeout(done, 20));
})();

window.studio = {
  opened: ready.then(open),
  notice: (sentence) => {
    if (sentence) { fail(sentence); refreshPanels(); } else forgive("error");
  },
};

// ---- News ------------------------------------------------------------------------------------------
function refreshPanels() {
  window.studioStage.trigger("refresh", { key });
}

let drawnFor = 0;
function refreshDrawings() {
  if (!depthIsOpen()) return;
  clearTimeout(drawnFor);
  drawnFor = setTimeout(() => window.studioStage.trigger("drawn", {}), 400);
}

function stageState() {
  if (dragging()) return "dragging";
  if (!state.photo_name) return "empty";
  return state.selected ? "selected" : "ready";
}

async function refreshOutlines() {
  setSelected(state.selected);
  const wanted = `${state.revision} ${state.photo_name}`;
  if (wanted === outlined) return;
  outlined = wanted;
  const answer = state.objects.length ? await ask("outlines") : { outlines: {} };
  if (outlined === wanted && answer) setOutlines(answer.outlines);
}

function mark(name, value) {
  if (value) $("stage").dataset[name] = value; else delete $("stage").dataset[name];
}

function heard(news) {
  if (news.held) showHeld(news.held);
  if (!news.state) return;
  const changed = news.kinds.includes("changed"), framed = news.kinds.includes("frame");
  const another = state === null || state.photo_name !== news.state.photo_name;
  state = news.state;
  setState(state);
  setUnit(state.unit);
  showUnit(state.unit);
  $("stage").dataset.state = stageState();
  $("stage").dataset.revision = state.revision;
  // The panels show their parts by these (studio.css): Gradio loses a change of `visible` made while it mounts.
  mark("object", selected() && (selected().at_rest ? "rest" : "moved"));
  mark("layout", state.layout && "guess");
  mark("shadow", selected()?.has_shadow && "taken");
  setSize(state.width, state.height);
  showTop(state);
  showHistory(state, news.kinds);
  showObjects(state);
  if (!dragging()) showStatus(state);
  showHints(state);
  if (changed || framed) {
    stagePictures(state, news.kinds).then((shown) => { if (framed && shown) landed(news.state.revision); });
  }
  if (changed) { settleHeld(selected()); refreshPanels(); refreshOutlines(); maskFill(state); if (!news.error) forgive(); }
  showOpening(state);
  if (news.notice) notice(news.notice);
  if (framed) { refreshPanels(); panelPictures(state); refreshDrawings(); }
  settled(state);
  showDetail(state, news.kinds);
  showDepthTools(state, news.kinds);
  showProposals(state);
  showInventing(state, news.kinds);
  showKept(state);
  showHandles(state);
  if (another) showUnsaved();
  if (comparing() && !state.edited) compare(false);
}

// ---- Actions ---------------------------------------------------------------------------------------
const selected = () => state?.objects.find((item) => item.selected);
const withSelected = (act) => () => { const item = selected(); return item ? act(item) : false; };
const nudge = (right, away) => (event) => {
  const item = selected();
  if (!item || document.activeElement !== $("stage")) return false;
  const step = (event.shiftKey ? 0.1 : 0.01) * (state.unit === "m" ? 1 : 10);
  gesture("slide", { object: item.id, right: item.ground[0] + right * step, away: item.ground[2] + away * step });
};

function escape() {
  if (closeMenus() || abandon()) return;
  forgive();
  if (comparing()) return compare(false);
  if (state?.selected) gesture("select", { object: null });
}

function bindKeys() {
  bind("file", "keys.open", "ctrl+o", () => chooseFile("photo"));
  note("file", "keys.paste", "ctrl+v");
  bind("file", "keys.export", "ctrl+s", () => toggleMenu("export"));
  for (const [tool, key] of [["move", "v"], ["all", "a"], ["box", "b"], ["lasso", "l"], ["brush", "p"], ["eraser", "e"], ["depth", "d"], ["invent", "i"], ["ruler", "m"], ["pan", "c"]]) {
    bind("tools", `tool.${tool}`, key, () => { if (inSpace()) return false; choose(tool); });
  }
  bind("tools", "keys.smaller", "[", () => resizeBrush(1 / 1.2));
  bind("tools", "keys.larger", "]", () => resizeBrush(1.2));
  note("object", "keys.click", "click");
  note("object", "keys.add", "shift+click");
  note("object", "keys.subtract", "alt+click");
  note("object", "keys.drag", "drag");
  note("object", "keys.flat", "shift+drag");
  bind("object", "keys.candidate", "n", withSelected(() => gesture("next_candidate")));
  bind("object", "keys.nudge", "ArrowLeft", nudge(-1, 0), "arrows");
  for (const [key, right, away] of [["ArrowRight", 1, 0], ["ArrowUp", 0, 1], ["ArrowDown", 0, -1]]) {
    bind("object", "keys.nudge", key, nudge(right, away), "");
  }
  bind("object", "keys.duplicate", "shift+d", withSelected((item) => gesture("duplicate", { object: item.id })));
  bind("object", "keys.hide", "h", withSelected((item) => gesture("hide", { object: item.id, hidden: !item.hidden })));
  bind("object", "keys.delete", "Delete", withSelected((item) => gesture("remove", { object: item.id })));
  bind("object", "keys.escape", "Escape", escape, "Esc");
  bind("history", "keys.undo", "ctrl+z", () => gesture("undo"));
  bind("history", "keys.redo", "ctrl+shift+z", () => gesture("redo"), "ctrl+shift+z ctrl+y");
  bind("history", "keys.redo", "ctrl+y", () => gesture("redo"), "");
  bind("view", "keys.original", "Tab", (event) => {
    if (document.activeElement !== $("stage") || event.shiftKey || !state?.edited) return false;
    showOriginal(true);
  }, "Tab");
  bind("view", "keys.compare", "\\", () => { if (!$("compare").disabled) compare(!comparing()); });
  bind("view", "keys.space", "3", () => showSpace(!inSpace()));
  bind("view", "keys.frame", "f", () => frame(outline().flat()));
  bind("view", "keys.fit", "ctrl+0", fit);
  bind("view", "keys.full", "ctrl+1", actualPixels);
  note("view", "keys.zoom", "wheel");
  note("view", "keys.pan", "space+drag");
  bind("view", "keys.home", "Home", () => { if (inSpace()) spaceHome(); else gesture("home"); }, "Home");
  bind("view", "keys.help", "?", showHelp);
  for (const [words, key] of [["move3d", "g"], ["turn3d", "r"], ["size3d", "s"], ["axis3d", "x y z"], ["number3d", "0-9"]]) {
    note("space", `keys.${words}`, key);
  }
  bind("tools", "tool.pan", " ", () => { if (document.activeElement !== $("stage")) return false; holdSpace(true); }, "");
  addEventListener("keyup", (event) => {
    if (event.key === " ") holdSpace(false);
    if (event.key === "Tab") showOriginal(false);
  });
  addEventListener("blur", () => { holdSpace(false); showOriginal(false); });
}

function bindButtons() {
  $("undo").addEventListener("click", () => gesture("undo"));
  $("redo").addEventListener("click", () => gesture("redo"));
  $("compare").addEventListener("click", () => compare(!comparing()));
  $("view-photo").addEventListener("click", () => showSpace(false));
  $("view-space").addEventListener("click", () => showSpace(true));
  $("fit").addEventListener("click", fit);
  $("cancel").addEventListener("click", () => gesture("cancel"));
  $("dismiss").addEventListener("click", () => forgive());
  $("engine").addEventListener("change", () => gesture("engine", { engine: $("engine").value, seed: state?.seed ?? 0, order: state?.order ?? "auto" }));
  // Gradio puts a closed panel's content into the page only when it is opened, so the panels' column listens.
  $("panels").addEventListener("change", (event) => {
    if (event.target.id === "show-invented") showInvented(event.target.checked, state);
    if (event.target.id === "shadow-paint") choose(event.target.checked ? "brush" : "move");
  });
  for (const panel of ["panel-depth", "panel-flow"]) {
    $(panel).addEventListener("click", () => setTimeout(() => { panelPictures(state); showHandles(state); }, 100));
  }
  $("panels").addEventListener("pointermove", (event) => { if (event.target.id === "depth-map") depthValue(event); });
  $("panels").addEventListener("pointerout", (event) => {
    if (event.target.id === "depth-map") $("depth-value").textContent = "";
  });
  addEventListener("studio-tool", () => {
    if (state) { showHints(state); showDepthTools(state); showProposals(state); showInventing(state); }
  });
  addEventListener("studio-view", () => {
    if (state) { showHints(state); showHandles(state); showProposals(state); showInventing(state); }
  });
  addEventListener("studio-let-go", () => {
    if (!state) return;
    $("stage").dataset.state = stageState();
    settleHeld(selected());
    showStatus(state);
  });
}

// The map is fitted into its box; margins hold nothing.
async function depthValue(event) {
  const map = $("depth-map"), box = map.getBoundingClientRect();
  const scale = Math.min(box.width / view.width, box.height / view.height);
  const x = (event.clientX - box.left - (box.width - view.width * scale) / 2) / scale;
  const y = (event.clientY - box.top - (box.height - view.height * scale) / 2) / scale;
  if (x < 0 || y < 0 || x >= view.width || y >= view.height) return;
  const found = await ask(`probe?x=${x - 0.5}&y=${y - 0.5}`);
  $("depth-value").textContent = found?.depth == null ? "" : `${found.depth.toFixed(2)} ${state.unit}`;
}

ready.then(() => {
  bindButtons();
  bindKeys();
  listenToKeys();
  listenToPointer();
  listenToDivider();
  listenToDetail();
  listenToHandles();
  listenToDepthTools();
  listenToInventing();
  listenToFiles();
  listenToUnsaved();
  listenToExport(() => state);
  listenToSpace({ help: showHelp, original: () => showOriginal(true), edited: () => showOriginal(false) });
  listenToSpaceBar();
  watchSize();
  choose("move");
  onNews(heard);
});
