// Photos, projects, depth and masks coming in: dropped, pasted or chosen.
import { gesture, upload } from "./link.js";
import { busy } from "./tools.js";
import { $, say } from "./words.js";

let taking = "photo";

export async function take(what, file) {
  if (!file) return;
  if (what === "photo" && /\.lras$/i.test(file.name)) what = "project";
  const opening = what === "photo" || what === "project";
  // Of an opening the session itself tells how far it is.
  const words = opening ? "" : say("status.sending", { name: file.name });
  const scale = what === "depth" ? Number($("depth-scale")?.value) || null : null;
  await busy(upload(what, file, scale), words);
}

export function choose(what) {
  taking = what;
  const input = $("file");
  input.accept = what === "photo" ? input.dataset.accept : what === "mask" ? "image/*" : ".png,.exr,.npy,.tif,.tiff";
  input.value = "";
  input.click();
}

const openSample = (name) => busy(gesture("sample", { name }), "");

export function listenToFiles() {
  const input = $("file"), stage = $("stage");
  input.dataset.accept = input.accept;
  input.addEventListener("change", () => take(taking, input.files[0]));
  for (const id of ["open", "browse"]) $(id).addEventListener("click", () => choose("photo"));
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => openSample(button.dataset.sample));
  }
  addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-upload]");
    if (button) choose(button.dataset.upload);
  });
  let depth = 0;
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (carriesFile(event)) { depth += 1; $("drop").hidden = false; } });
  addEventListener("dragleave", (event) => { if (carriesFile(event) && --depth <= 0) $("drop").hidden = true; });
  addEventListener("dragover", (event) => { if (carriesFile(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    $("drop").hidden = true;
    if (!carriesFile(event)) return;
    event.preventDefault();
    take("photo", event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) { event.preventDefault(); take("photo", file); }
  });
  stage.addEventListener("dragstart", (event) => event.preventDefault());
}
