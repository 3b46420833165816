// Menus that drop from a button of the top bar: a click elsewhere or Escape closes them.
import { $ } from "./words.js";

const menus = new Map(); // id of the button -> what is done when its menu opens

export const menuIsOpen = (id) => !$(id).nextElementSibling.hidden;

export function showMenu(id, show) {
  $(id).nextElementSibling.hidden = !show;
  $(id).setAttribute("aria-expanded", String(show));
  if (show) menus.get(id)();
}

export function toggleMenu(id) {
  if (!$(id).disabled) showMenu(id, !menuIsOpen(id));
}

// True when there was one to close; `target` keeps the one that it is in.
export function closeMenus(target = null) {
  const open = [...menus.keys()].filter((id) => menuIsOpen(id) && !$(id).parentElement.contains(target));
  for (const id of open) showMenu(id, false);
  return open.length > 0;
}

export function listenToMenu(id, opened) {
  menus.set(id, opened);
  $(id).addEventListener("click", () => toggleMenu(id));
}

addEventListener("pointerdown", (event) => closeMenus(event.target));
