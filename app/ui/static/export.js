// The export menu, its downloads, and the warning before unsaved work is left.
import { listenToMenu, showMenu } from "./menus.js";
import { $, announce, fail, hush, notice, say } from "./words.js";

let exported = null; // the revision that was taken away last

// A download is fetched, so that a failure is a sentence in the status line and not a page of its own, and so that
// what was stopped leaves no part of a file. The status line shows how far it is, and Cancel.
async function download(link, revision) {
  if (link.getAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  showMenu("export", false);
  hush();
  const address = new URL(link.href);
  if ($("export-private").checked) address.searchParams.set("private", "true");
  if ($("export-axes").value) address.searchParams.set("axes", $("export-axes").value);
  const reply = await fetch(address).catch(() => null);
  link.removeAttribute("aria-busy");
  if (!reply?.ok) return fail(reply ? (await reply.json()).error : say("status.offline"));
  if (reply.status === 204) return announce(say("export.stopped"));
  const named = /filename\*=UTF-8''([^;]+)/.exec(reply.headers.get("Content-Disposition") ?? "");
  const save = document.createElement("a");
  save.href = URL.createObjectURL(await reply.blob());
  save.download = named ? decodeURIComponent(named[1]) : "";
  save.click();
  setTimeout(() => URL.revokeObjectURL(save.href), 60000);
  exported = revision;
  const saved = say("export.saved", { name: save.download });
  const told = decodeURIComponent(reply.headers.get("X-Notice") ?? "");
  if (told) notice(`${saved}. ${told}`); else announce(saved);
}

// `current` answers the newest state, null before there is one.
export function listenToExport(current) {
  listenToMenu("export", () => $("export-menu").querySelector("a").focus({ focusVisible: false }));
  for (const link of document.querySelectorAll("[data-export]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); download(link, current().revision); });
  }
  addEventListener("beforeunload", (event) => {
    if (current()?.step > 0 && exported !== current().revision) event.preventDefault();
  });
}
