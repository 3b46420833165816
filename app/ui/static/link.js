// The line to the server: which session this tab shows, gestures out, news in.
import { announce, fail, say } from "./words.js";

export let key = null;
const listeners = [];
const STOPPED = 409; // it was stopped here, or something newer took its place
const KEY = "lras-session"; // per tab: a second tab starts its own session

// The key leaves the address bar before anything else is done.
const asked = new URLSearchParams(location.search).get("session");
if (asked) history.replaceState(null, "", location.pathname);

export const address = (path) => `/studio/${key}/${path}`;
export const onNews = (listener) => listeners.push(listener);

export async function open() {
  const known = asked || sessionStorage.getItem(KEY);
  key = known && (await exists(known)) ? known : await fresh();
  sessionStorage.setItem(KEY, key);
  listen();
  return key;
}

async function exists(known) {
  return (await fetch(`/studio/${known}/state`)).ok;
}

async function fresh() {
  return (await (await fetch("/studio", { method: "POST" })).json()).key;
}

// ---- News ----------------------------------------------------------------------------------------
let leaving = false, lost = false;
addEventListener("pagehide", () => { leaving = true; });

function listen() {
  const url = new URL(address("events"), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.onopen = () => { if (lost) announce(say("status.found")); lost = false; };
  socket.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.error) fail(news.error);
    for (const listener of listeners) listener(news);
  };
  socket.onclose = () => {
    if (leaving) return;
    if (lost) return void exists(key).then(again, again);
    lost = true;
    fail(say("status.lost"));
    setTimeout(listen, 1000);
  };
}

// The server was restarted: this tab's session is gone for good once the server answers and does not know it.
async function again(there) {
  if (there === false) fail(say("error.key"));
  else setTimeout(listen, 1000);
}

// ---- Gestures ------------------------------------------------------------------------------------
async function send(path, options) {
  try {
    const reply = await fetch(address(path), options);
    const answer = await reply.json();
    if (reply.ok) return answer;
    if (reply.status === STOPPED) return null;
    fail(answer.error);
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem;
    fail(say("status.offline")); // fetch itself failed
  }
  return null;
}

const asJson = (body) => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

// Resolves to null when it was refused; the status line has said why.
export const gesture = (type, fields = {}) => send("gesture", asJson({ type, ...fields }));
export const follow = (drag) => send("follow", asJson({ type: "drag", ...drag }));
export const setSpace = (settings) => send("space", asJson(settings));
export const ask = (path) => send(path);
export const openUnsaved = (id) => send(`unsaved/${id}/open`, { method: "POST" });
export const discardUnsaved = (id) => send(id === null ? "unsaved" : `unsaved/${id}`, { method: "DELETE" });

export function upload(what, file, scale) {
  const query = new URLSearchParams({ name: file.name || "pasted.png" });
  if (scale) query.set("scale", scale);
  return send(`upload/${what}?${query}`, { method: "POST", body: file });
}
