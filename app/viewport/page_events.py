"""What the page's script says (keys, clicks, modal gestures), put into the viewport's words."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.viewport.geometry import Snap
from app.viewport.listener import Modifiers
from app.viewport.modal import AXES, Gesture, Grip, Tool, placement_of_gesture, summary
from app.viewport.scene import Viewport
from app.viewport.splats import nearest_splat
from core.errors import InvalidInput
from core.maths.camera import project
from core.maths.rigid import transform
from core.types.camera import Camera

PICK_RADIUS = 2.5
MODAL_SNAP = Snap(distance=None, angle_deg=15.0)
STUDIO_KEYS = frozenset({"hide", "remove", "duplicate", "undo", "redo", "original", "edited", "help", "deselect"})
TOOLS: tuple[Tool, ...] = ("move", "turn", "size")


class PageEvents:
    """Turns one viewport's page messages into its actions; keeps the modal gesture in hand."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self._grip: Grip | None = None
        self._object: str = ""

    def receive(self, message: Mapping[str, Any]) -> None:
        """Queue one message. Raises InvalidInput when it is none of ours."""
        handlers = {"click": self._click, "key": self._key, "modal": self._modal}
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in handlers:
            raise InvalidInput(f"The page sent an unknown message {kind!r}; reload it.")
        key = f"page {kind} {message.get('phase', '')} {message.get('action', '')}"
        self._viewport.mailbox.post(key, lambda: handlers[kind](message))

    def _key(self, message: Mapping[str, Any]) -> None:
        action = str(message.get("action"))
        if action == "home":
            self._viewport.go_home()
        elif action == "frame":
            self._viewport.frame_selection()
        elif action in STUDIO_KEYS:
            self._viewport.listener.on_key(action)
        else:
            raise InvalidInput(f"The page sent an unknown key action {action!r}; reload it.")

    def _click(self, message: Mapping[str, Any]) -> None:
        camera, photo = self._viewport.browser_camera(), self._viewport.photo_camera
        if camera is None or photo is None:
            return
        x, y = _pointer(message, camera)
        hit = self._pick(camera, x, y)
        at_photo = self._viewport.at_home() and self._viewport.output == photo
        object_id, point = hit if hit is not None else (None, None)
        at_rest = object_id is None or self._viewport.object_node(object_id).placement.is_rest
        if at_photo and at_rest:
            pixel = project(photo.intrinsics, _ray(camera, x, y))
        elif point is not None:
            pixel = project(photo.intrinsics, transform(photo.camera_from_world.matrix, point))
        else:
            return
        lens = photo.intrinsics
        if not (-0.5 <= pixel[0] < lens.width - 0.5 and -0.5 <= pixel[1] < lens.height - 0.5):
            return
        names = ("shift", "ctrl", "alt", "secondary")
        modifiers = Modifiers(**{name: bool(message.get(name)) for name in names})
        self._viewport.listener.on_click(float(pixel[0]), float(pixel[1]), object_id, modifiers)

    def _pick(self, camera: Camera, x: float, y: float) -> tuple[str | None, np.ndarray] | None:
        """The layer in front at a canvas pixel, and the point of it at rest."""
        best, found = np.inf, None
        for object_id, (cloud, points) in self._viewport.clouds().items():
            seen = transform(camera.camera_from_world.matrix, points)
            hit = nearest_splat(seen, camera.intrinsics, x, y, PICK_RADIUS)
            # An object that touches the ground wins over it.
            if hit is not None and hit[1] * (0.995 if object_id else 1.0) < best:
                best, found = hit[1] * (0.995 if object_id else 1.0), (object_id, cloud.centres[hit[0]])
        return found

    def _modal(self, message: Mapping[str, Any]) -> None:
        phase = message.get("phase")
        if phase == "start":
            self._start()
        elif self._grip is not None and phase in ("move", "end"):
            self._follow(message, self._grip, ended=phase == "end")
        elif self._grip is not None:
            self._viewport.drag_to(self._object, self._grip.before, "cancel", move_gizmo=True)
            self._grip = None

    def _start(self) -> None:
        viewport, camera = self._viewport, self._viewport.browser_camera()
        if viewport.selected is None or camera is None or viewport.dragging is not None:
            return
        self._object = viewport.selected
        node = viewport.object_node(self._object)
        before = viewport.begin_drag(self._object)
        ground = viewport.ground if viewport.slide else None
        self._grip = Grip(before, node.layer.pivot, viewport.axes_of(before), ground, camera)

    def _follow(self, message: Mapping[str, Any], grip: Grip, ended: bool) -> None:
        gesture = _gesture(message, grip.camera)
        snap = self._viewport.snap if self._viewport.snap != Snap() else MODAL_SNAP
        placement = placement_of_gesture(gesture, grip, snap)
        self._viewport.drag_to(self._object, placement, "end" if ended else "move", move_gizmo=True)
        text = "" if ended else summary(gesture.tool, grip.before, placement, grip.axes)
        self._viewport.tell_pages({"type": "readout", "text": text})
        if ended:
            self._grip = None


def _gesture(message: Mapping[str, Any], camera: Camera) -> Gesture:
    tool, axis, typed = message.get("tool"), message.get("axis"), message.get("typed")
    if tool not in TOOLS or axis not in (None, *AXES):
        raise InvalidInput(f"The page sent an unknown gesture {tool!r} along {axis!r}; reload it.")
    return Gesture(
        tool=tool,
        start=_pointer(message, camera, "start_x", "start_y"),
        now=_pointer(message, camera),
        axis=None if axis is None else AXES.index(axis),
        typed=None if typed is None else float(typed),
        fine=bool(message.get("fine")),
        snap=bool(message.get("snap")),
    )


def _pointer(message: Mapping[str, Any], camera: Camera, x: str = "x", y: str = "y") -> tuple[float, float]:
    """Fractions of the canvas, as the page sends them, to canvas pixels (centres at integers)."""
    lens = camera.intrinsics
    across, down = float(message.get(x, np.nan)), float(message.get(y, np.nan))
    if not (np.isfinite(across) and np.isfinite(down)):
        raise InvalidInput("The page sent a pointer position that is no number; reload it.")
    return across * lens.width - 0.5, down * lens.height - 0.5


def _ray(camera: Camera, x: float, y: float) -> np.ndarray:
    lens = camera.intrinsics
    return np.array([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, 1.0])
