// Keys and gestures of the 3D view, inside viser's own page. Talks JSON over `events` beside this
// page, and tells the surrounding page the same by postMessage. viser's internals are reached only
// through `window.__viserMutable` and `__viserSceneTree`, which viser publishes for browser tests.
"use strict";
(() => {
  const CLICK_PIXELS = 4, CLICK_MS = 400, SEND_MS = 33;
  const AT_HOME_DISTANCE = 2e-3, AT_HOME_COSINE = 1 - 1e-6; // as in browser.py
  const REST_MS = 300;
  const GIZMO_RENDER_ORDER = 20000; // viser draws splats at 10000, over gizmos that test no depth
  const TOOLS = { KeyG: "move", KeyR: "turn", KeyS: "size" };
  const AXES = { KeyX: "x", KeyY: "y", KeyZ: "z" };
  const WORDS = window.viewportWords; // {view, move, turn, size, keep}, put into the page by proxy.py

  let state = { home: null, picture: false, points: false, selected: null };
  let modal = null; // {tool, axis, typed, start, fine, snap}
  let pointer = { x: 0.5, y: 0.5 };
  let press = null;
  let holding = false; // the size handle is dragged, so that its release keeps
  let swallowing = false; // between the press that ended a gesture and its release
  let socket = null;
  let opened = false; // something of the photo can be seen

  // ---- Talking ---------------------------------------------------------------------------------
  function connect() {
    const url = new URL("events", location.href.split("?")[0]);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "state") { state = message; render(); }
      if (message.type === "readout") showReadout(message.text);
    };
    socket.onclose = () => setTimeout(connect, 1000);
  }

  function say(message) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    tellPage(message);
  }

  function tellPage(message) {
    if (window.parent !== window) window.parent.postMessage({ source: "viewport", ...message }, location.origin);
  }

  // ---- The exact picture shows only at home ----------------------------------------------------
  const mutable = () => window.__viserMutable;
  const render = () => mutable()?.requestRender();

  function rotated([w, x, y, z], [a, b, c]) {
    const tx = 2 * (y * c - z * b), ty = 2 * (z * a - x * c), tz = 2 * (x * b - y * a);
    return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
  }

  function atHome() {
    const camera = mutable()?.camera, root = window.__viserSceneTree?.getState()[""];
    if (!state.home || !camera || !root?.wxyz) return false;
    const [px, py, pz] = rotated(root.wxyz, state.home.position);
    const p = camera.position, m = camera.matrixWorld.elements;
    if (Math.hypot(p.x - px, p.y - py, p.z - pz) > AT_HOME_DISTANCE) return false;
    const [fx, fy, fz] = rotated(root.wxyz, state.home.forward);
    const [ux, uy, uz] = rotated(root.wxyz, state.home.up);
    return -(m[8] * fx + m[9] * fy + m[10] * fz) > AT_HOME_COSINE && m[4] * ux + m[5] * uy + m[6] * uz > AT_HOME_COSINE;
  }

  // Answered at the moment of drawing, so that leaving the photo's camera shows no late frame.
  function guardPicture(uniforms) {
    let given = uniforms.enabled.value;
    Object.defineProperty(uniforms.enabled, "value", {
      get: () => Boolean(given && state.picture && uniforms.colorMap.value && atHome()),
      set: (value) => { given = value; },
    });
  }

  // The page hides this frame while it shows the photo; viser would draw on for nobody, once a second.
  const offStage = () => Boolean(frameElement) && getComputedStyle(frameElement).visibility === "hidden";

  // A still picture hides every splat (its depth is one constant, 2x2): do not draw them at all, nor while
  // that picture is on its way, nor with the point cloud. In software WebGL a frame of splats takes seconds.
  function splatsHidden() {
    if (state.points || offStage()) return true;
    const { enabled, colorMap, depthMap } = mutable().backgroundMaterial.uniforms;
    if (enabled.value) return depthMap.value?.image?.width === 2;
    return !state.home || (state.picture && !colorMap.value && atHome());
  }

  // Before each frame: gizmos over splats; and splats smaller than a pixel stay (viser drops those
  // below 0.8 pixels, which would make the whole photo vanish when one zooms out).
  let someSphere = null; // of any plain geometry: the class itself is not within reach
  function tune(object) {
    const { material, geometry } = object;
    if (!material) return;
    if (object.isPoints) geometry.setDrawRange(0, offStage() ? 0 : Infinity);
    if (!someSphere && geometry?.type === "PlaneGeometry") {
      geometry.computeBoundingSphere();
      someSphere = geometry.boundingSphere;
    }
    if (material.depthTest === false && object.renderOrder < GIZMO_RENDER_ORDER) object.renderOrder += GIZMO_RENDER_ORDER;
    if (!material.uniforms?.textureT_camera_groups) return;
    // By number and not by `visible`: viser's shaders and node visibilities are to reach the card meanwhile.
    geometry.userData.all ??= geometry.instanceCount;
    geometry.instanceCount = splatsHidden() ? 0 : geometry.userData.all;
    // Its corners are 2D: left alone, three.js would look for their sphere and report a radius of NaN.
    geometry.boundingSphere ??= someSphere?.clone() ?? null;
    object.frustumCulled = false;
    if (material.vertexShader.includes("weightedDeterminant < 0.25")) {
      material.vertexShader = material.vertexShader.replace("weightedDeterminant < 0.25", "weightedDeterminant < 0.01");
      material.needsUpdate = true;
    }
  }

  // viser lowers the canvas's resolution while it cannot keep up; once the view rests, or is the exact
  // picture, which costs next to nothing, it gets all its pixels back. viser draws once a second at rest.
  let seenFrom = null, movedAt = 0;
  function sharpen() {
    const { camera, scene, backgroundMaterial } = mutable(), three = scene.__r3f?.root.getState();
    const from = camera.matrixWorld.elements.join();
    if (from !== seenFrom) { seenFrom = from; movedAt = performance.now(); }
    const resting = performance.now() - movedAt > REST_MS || backgroundMaterial.uniforms.enabled.value;
    // Not within the frame that is being drawn.
    if (three && resting && three.viewport.dpr < devicePixelRatio) setTimeout(() => three.setDpr(devicePixelRatio));
  }

  function whenViserIsUp() {
    const viser = mutable();
    if (!viser?.scene || !viser.backgroundMaterial) return void setTimeout(whenViserIsUp, 30);
    guardPicture(viser.backgroundMaterial.uniforms);
    const before = viser.scene.onBeforeRender;
    viser.scene.onBeforeRender = (...args) => {
      before.apply(viser.scene, args);
      viser.scene.traverse(tune);
      placeSizer();
      sharpen();
      if (!opened && (state.points || viser.backgroundMaterial.uniforms.enabled.value)) {
        opened = true;
        tellOpened();
      }
    };
    viser.canvas.tabIndex = 0;
    viser.canvas.setAttribute("aria-label", WORDS.view);
    calmCamera();
    connect();
  }

  // The canvas is faded in once viser is connected.
  function tellOpened() {
    if (getComputedStyle(mutable().canvas).opacity !== "1") return void setTimeout(tellOpened, 30);
    tellPage({ type: "opened" });
  }

  // A photo is looked around in, not flown through: a third of viser's turn per pixel.
  function calmCamera() {
    const controls = mutable().cameraControl;
    if (!controls) return void setTimeout(calmCamera, 30);
    controls.azimuthRotateSpeed = controls.polarRotateSpeed = 0.35;
  }

  // ---- Modal gestures --------------------------------------------------------------------------
  function place(event) {
    const box = mutable().canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  function gesture(phase) {
    const typed = modal.typed === "" || Number.isNaN(Number(modal.typed)) ? null : Number(modal.typed);
    say({
      type: "modal", phase, tool: modal.tool, axis: modal.axis, typed, fine: modal.fine, snap: modal.snap,
      start_x: modal.start.x, start_y: modal.start.y, x: pointer.x, y: pointer.y,
    });
  }

  let sent = 0, waiting = null;
  function follow() {
    if (waiting !== null) return;
    waiting = setTimeout(() => {
      waiting = null;
      sent = performance.now();
      if (modal) gesture("move");
    }, Math.max(0, SEND_MS - (performance.now() - sent)));
  }

  function begin(tool) {
    if (!state.selected) return;
    if (modal) end("cancel");
    modal = { tool, axis: null, typed: "", start: { ...pointer }, fine: false, snap: false };
    gesture("start");
    showReadout("");
  }

  function end(phase) {
    clearTimeout(waiting);
    waiting = null;
    gesture(phase);
    modal = null;
    readout.hidden = true;
  }

  const readout = document.createElement("div");
  readout.id = "readout";
  readout.setAttribute("role", "status");
  readout.hidden = true;
  readout.style.cssText = "position:fixed;left:12px;bottom:12px;padding:6px 10px;border-radius:6px;z-index:9;" +
    "background:#1d2026e6;color:#e6e8eb;font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums;pointer-events:none";
  document.body.append(readout);

  function showReadout(text) {
    readout.hidden = !modal;
    if (!modal) return;
    const parts = [WORDS[modal.tool], modal.axis?.toUpperCase(), modal.typed && `${modal.typed}_`, text, WORDS.keep];
    readout.textContent = parts.filter(Boolean).join("   ");
  }

  function modalKey(event) {
    if (event.code === "Escape") end("cancel");
    else if (event.code === "Enter" || event.code === "NumpadEnter") end("end");
    else if (event.code in TOOLS) begin(TOOLS[event.code]);
    else if (event.code in AXES) modal.axis = modal.axis === AXES[event.code] ? null : AXES[event.code];
    else if (event.code === "Backspace") modal.typed = modal.typed.slice(0, -1);
    else if (/^[0-9.]$/.test(event.key)) modal.typed += event.key;
    else if (event.key === "-") modal.typed = modal.typed.startsWith("-") ? modal.typed.slice(1) : `-${modal.typed}`;
    if (modal) { showReadout(""); follow(); }
  }

  // ---- The size handle: viser's gizmos cannot scale, so it is ours, over the canvas ------------------
  const EDGE = 14;
  const sizer = document.createElement("button");
  sizer.id = "sizer";
  sizer.type = "button";
  sizer.hidden = true;
  sizer.tabIndex = -1; // the S key is its twin
  sizer.title = `${WORDS.size} (S)`;
  sizer.style.cssText = "position:fixed;width:14px;height:14px;margin:-7px 0 0 -7px;padding:0;z-index:8;" +
    "border:2px solid #16181c;border-radius:3px;outline:1px solid #fff;background:#ffd23f;cursor:ns-resize;touch-action:none";
  document.body.append(sizer);

  function placeSizer() {
    const { camera, canvas } = mutable(), root = window.__viserSceneTree?.getState()[""];
    sizer.hidden = !state.top || !root?.wxyz || Boolean(modal) || mutable().cameraControl?.enabled === false;
    if (sizer.hidden) return;
    const at = camera.position.clone().set(...rotated(root.wxyz, state.top)).project(camera);
    sizer.hidden = at.z > 1;
    const box = canvas.getBoundingClientRect();
    const inside = (value, length) => Math.min(length - EDGE, Math.max(EDGE, value));
    sizer.style.left = `${box.left + inside((at.x + 1) / 2 * box.width, box.width)}px`;
    sizer.style.top = `${box.top + inside((1 - at.y) / 2 * box.height, box.height)}px`;
  }

  // ---- Keys ------------------------------------------------------------------------------------
  const key = (action) => say({ type: "key", action });

  function plainKey(event) {
    const command = event.ctrlKey || event.metaKey;
    if (command) {
      if (event.code === "KeyZ") key(event.shiftKey ? "redo" : "undo");
      else if (event.code === "KeyY") key("redo");
      else return event.code === "KeyK"; // viser's command palette stays shut
      return true;
    }
    if (event.shiftKey && event.code === "KeyD") key("duplicate");
    else if (event.key === "?") key("help");
    else if (event.shiftKey || event.altKey) return false;
    else if (event.code in TOOLS) begin(TOOLS[event.code]);
    else if (event.code === "KeyF") key("frame");
    else if (event.code === "Home") key("home");
    else if (event.code === "KeyH") key("hide");
    else if (event.code === "Delete" || event.code === "KeyX") key("remove");
    else if (event.code === "Escape") key("deselect");
    else if (event.code === "Tab") { if (!event.repeat) key("original"); }
    else return /^Key[WADQE]$/.test(event.code); // viser flies with these; arrows still orbit
    return true;
  }

  function consume(event) { event.preventDefault(); event.stopImmediatePropagation(); }

  addEventListener("keydown", (event) => {
    if (modal) {
      modal.fine = event.shiftKey;
      modal.snap = event.ctrlKey || event.metaKey;
      consume(event);
      modalKey(event);
    } else if (plainKey(event)) consume(event);
  }, true);

  addEventListener("keyup", (event) => {
    if (modal) { modal.fine = event.shiftKey; modal.snap = event.ctrlKey || event.metaKey; follow(); }
    if (event.code === "Tab") key("edited");
  }, true);

  addEventListener("blur", () => { if (modal) end("cancel"); });

  // ---- Pointer ---------------------------------------------------------------------------------
  addEventListener("pointermove", (event) => {
    if (!mutable()?.canvas) return;
    pointer = place(event);
    if (modal) { modal.fine = event.shiftKey; modal.snap = event.ctrlKey || event.metaKey; consume(event); follow(); }
  }, true);

  addEventListener("pointerdown", (event) => {
    if (!mutable()?.canvas) return;
    pointer = place(event);
    if (modal) {
      consume(event);
      swallowing = true;
      end(event.button === 2 ? "cancel" : "end");
    } else if (event.target === sizer) {
      consume(event);
      mutable().canvas.focus({ preventScroll: true });
      sizer.setPointerCapture(event.pointerId); // so that a release outside the view is heard
      begin("size");
      holding = true;
    } else {
      mutable().canvas.focus({ preventScroll: true });
      press = { x: event.clientX, y: event.clientY, at: performance.now(), button: event.button };
    }
  }, true);

  addEventListener("pointerup", (event) => {
    if (swallowing) { swallowing = false; return consume(event); }
    if (holding) {
      holding = false;
      consume(event);
      if (modal) end("end");
      return;
    }
    const from = press;
    press = null;
    if (!from || event.button !== from.button || event.button === 1) return;
    const moved = Math.hypot(event.clientX - from.x, event.clientY - from.y);
    const onGizmo = mutable().cameraControl?.enabled === false; // a handle holds the camera still
    if (moved >= CLICK_PIXELS || performance.now() - from.at >= CLICK_MS || onGizmo) return;
    say({
      type: "click", ...place(event), secondary: event.button === 2,
      shift: event.shiftKey, ctrl: event.ctrlKey || event.metaKey, alt: event.altKey,
    });
  }, true);

  addEventListener("wheel", (event) => { if (modal) consume(event); }, { capture: true, passive: false });
  addEventListener("contextmenu", (event) => event.preventDefault(), true);

  whenViserIsUp();
})();
