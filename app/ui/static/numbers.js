// The transform fields while a hand has the object. They are written past Gradio, which learns the numbers when
// the hand lets go: nothing that is shown here comes back as an edit.
import { $ } from "./words.js";

const FIELDS = {
  ground: ["move-right", "move-up", "move-away"],
  translation: ["move-x", "move-y", "move-z"],
  rotation_deg: ["turn-x", "turn-y", "turn-z"],
  scale: ["size"],
};
let held = false;

export function showHeld(numbers) {
  held = true;
  for (const [name, ids] of Object.entries(FIELDS)) {
    [numbers[name]].flat().forEach((value, n) => {
      const field = $(ids[n])?.querySelector("input"); // a closed panel has none
      if (field && field !== document.activeElement) field.value = Math.round(1000 * value) / 1000 + 0;
    });
  }
}

// The project's own numbers, once the hand has let go.
export function settleHeld(item) {
  if (held && item) showHeld(item);
  held = false;
}
