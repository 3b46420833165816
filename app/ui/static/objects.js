// The list of objects: select, name, hide, duplicate, remove, put back.
import { icons as ICONS } from "./given.js";
import { gesture } from "./link.js";
import { $, say } from "./words.js";


function action(name, words, run) {
  const button = document.createElement("button");
  button.dataset.testid = name;
  button.title = words;
  button.setAttribute("aria-label", words);
  button.innerHTML = ICONS[name];
  button.addEventListener("click", (event) => { event.stopPropagation(); run(); });
  return button;
}

function row(item) {
  const line = document.createElement("li");
  line.id = `object-${item.id}`;
  line.dataset.testid = "object";
  line.className = item.hidden ? "hidden" : "";
  line.setAttribute("aria-selected", String(item.selected));
  const object = item.id, name = item.label;
  const label = document.createElement("input");
  label.className = "label";
  label.dataset.testid = "label";
  label.defaultValue = name;
  label.maxLength = 80;
  label.setAttribute("aria-label", say("objects.rename"));
  const select = () => { if (!item.selected) gesture("select", { object }); };
  label.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") { label.blur(); select(); }
    if (event.key === "Escape") { label.value = name; label.blur(); }
  });
  label.addEventListener("change", () => {
    if (label.value.trim() && label.value !== name) gesture("rename", { object, label: label.value });
    else label.value = name;
  });
  label.addEventListener("click", select);
  line.addEventListener("click", select);
  line.append(
    label,
    action(item.hidden ? "eye-off" : "eye", say(item.hidden ? "objects.show" : "objects.hide", { name }),
      () => gesture("hide", { object, hidden: !item.hidden })),
    action("copy", say("objects.duplicate", { name }), () => gesture("duplicate", { object })),
    action("back", say("objects.release", { name }), () => gesture("release", { object })),
    action("remove", say("objects.remove", { name }), () => gesture("remove", { object })),
  );
  return line;
}

let shown = "";

export function showObjects(state) {
  const list = $("objects"), typing = document.activeElement;
  const now = JSON.stringify(state.objects.map((o) => [o.id, o.label, o.hidden, o.selected]));
  if (now === shown && list.childElementCount) return;
  // A name that is being typed is not taken out of the hand; the list catches up with the next news.
  if (list.contains(typing) && typing.matches("input") && typing.value !== typing.defaultValue) return;
  shown = now;
  if (state.objects.length) list.replaceChildren(...state.objects.map(row));
  else list.innerHTML = `<li class="none">${say("objects.empty")}</li>`;
}
