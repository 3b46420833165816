// Dragging the selected object in the photo view: its picture moves at once, the edit is made on release.
import { follow, gesture } from "./link.js";
import { showHeld } from "./numbers.js";
import { load } from "./pictures.js";
import { redraw } from "./overlay.js";
import { $, say, settle } from "./words.js";

let hand = null; // {object, start, now, flat, waiting, place}

export const dragging = () => hand !== null;
let unit = "units";
export const setUnit = (name) => { unit = name; };

export function startDrag(object, start) {
  const mine = (hand = { object, start, now: start, flat: false, waiting: false, place: null });
  $("stage").dataset.state = "dragging";
  load("cutout", `object/${object}/cutout`).then((place) => {
    if (hand !== mine || !place?.length) return;
    mine.place = place;
    $("hand").hidden = false;
    apply([1, 0, 0, 1, 0, 0]);
    ask();
  });
  // A quick guess at once, then the finished filling, which the edit will need too.
  load("behind", `object/${object}/behind`).then((shown) => {
    if (hand === mine && shown) load("behind", `object/${object}/behind?final=true`);
  });
  redraw();
}

export function moveDrag(now, flat) {
  hand.now = now;
  hand.flat = flat;
  ask();
}

const plane = () => (hand.flat ? "image" : "ground");

// One question at a time, always about the newest position.
async function ask() {
  const mine = hand;
  if (!mine || mine.waiting || !mine.place) return;
  mine.waiting = true;
  const asked = mine.now;
  const answer = await follow({ object: mine.object, start: mine.start, now: asked, plane: plane() });
  mine.waiting = false;
  if (hand !== mine || !answer) return;
  apply(answer.affine);
  showHeld(answer.held);
  const number = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(2)} ${unit}`;
  const parts = [["transform.right", answer.right], ["transform.up", answer.up], ["transform.away", answer.away]]
    .filter(([, value], n) => n !== 1 || Math.abs(value) > 5e-3)
    .map(([word, value]) => `${say(word)} ${number(value)}`);
  settle(parts.join(" · "));
  if (mine.now !== asked) ask();
}

// `affine` works in photo pixels with centres at integers; the cut-out was made at another size.
function apply([a, b, c, d, e, f]) {
  const [left, top, width] = hand.place;
  const grow = $("picture").offsetWidth / width;
  const x = left * grow - 0.5, y = top * grow - 0.5;
  const shift = [a * x + c * y + e + 0.5, b * x + d * y + f + 0.5];
  $("cutout").style.transform = `matrix(${a * grow}, ${b * grow}, ${c * grow}, ${d * grow}, ${shift[0]}, ${shift[1]})`;
}

export async function finishDrag(now, flat) {
  hand.now = now;
  hand.flat = flat;
  const { object, start } = hand, on = plane();
  hand = null;
  const done = await gesture("drag", { object, start, now, plane: on });
  if (!done) endPreview();
  else { landing = done.revision; landed(framed); }
}

// The preview stays until the picture of the new revision is on the stage; its news may overtake the answer.
let landing = null, framed = 0;
export function landed(revision) {
  framed = revision;
  if (landing !== null && revision >= landing && !hand) endPreview();
}

export function cancelDrag() {
  hand = null;
  endPreview();
}

function endPreview() {
  if (hand) return;
  landing = null;
  load("cutout", null);
  load("behind", null);
  $("hand").hidden = true;
  dispatchEvent(new Event("studio-let-go"));
  redraw();
}
