"""Blender's G, R and S: the pointer moves, turns or sizes an object without touching a handle."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from app.viewport.geometry import Snap, snapped
from core.maths.camera import project
from core.maths.rigid import (
    Matrix3,
    axis_rotation,
    quaternion_from_rotation,
    rotation_from_quaternion,
    transform,
)
from core.types.camera import Camera
from core.types.depth import Ground
from core.types.scene import Placement, Vec3

Tool = Literal["move", "turn", "size"]
AXES = ("x", "y", "z")
FINE = 0.1
MIN_SCALE, MAX_SCALE = 1e-2, 1e2


@dataclass(frozen=True)
class Gesture:
    """What the hand says: pointer positions in canvas pixels, an axis (0..2) and a typed number."""

    tool: Tool
    start: tuple[float, float]
    now: tuple[float, float]
    axis: int | None = None
    typed: float | None = None
    fine: bool = False
    snap: bool = False


@dataclass(frozen=True)
class Grip:
    """An object as it was when the gesture began; `axes` columns are the gizmo's axes."""

    before: Placement
    pivot: Vec3
    axes: Matrix3
    ground: Ground | None
    camera: Camera
    """Intrinsics over canvas pixels."""

    @property
    def centre(self) -> np.ndarray:
        return np.add(self.pivot, self.before.translation)


def placement_of_gesture(gesture: Gesture, grip: Grip, snap: Snap) -> Placement:
    """Where the object goes; `grip.ground` given means that it stays on the ground and turns about up."""
    if gesture.fine:
        x = gesture.start[0] + FINE * (gesture.now[0] - gesture.start[0])
        y = gesture.start[1] + FINE * (gesture.now[1] - gesture.start[1])
        gesture = replace(gesture, now=(x, y))
    after = {"move": _moved, "turn": _turned, "size": _sized}[gesture.tool](gesture, grip)
    return snapped(grip.before, after, snap, grip.axes) if gesture.snap and gesture.typed is None else after


def summary(tool: Tool, before: Placement, after: Placement, axes: Matrix3) -> str:
    """The gesture in numbers, for the line at the foot of the view."""
    if tool == "size":
        return f"x {after.scale / before.scale:.3f}"
    if tool == "move":
        local = axes.T @ np.subtract(after.translation, before.translation)
        return "   ".join(f"{name.upper()} {value:+.3f}" for name, value in zip(AXES, local, strict=True))
    turned = rotation_from_quaternion(after.rotation) @ rotation_from_quaternion(before.rotation).T
    return f"{np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))):.1f}°"


def _moved(gesture: Gesture, grip: Grip) -> Placement:
    if gesture.axis is not None:
        direction = grip.axes[:, gesture.axis]
        amount = gesture.typed if gesture.typed is not None else _along(gesture, grip, direction)
        change = amount * direction
    elif gesture.typed is not None:
        change = gesture.typed * grip.axes[:, 0]
    else:
        normal = np.asarray(grip.ground.up) if grip.ground else grip.camera.camera_from_world.rotation[2]
        x, y = _screen(grip.centre, grip) + np.subtract(gesture.now, gesture.start)
        change = _on_plane((float(x), float(y)), grip, normal) - grip.centre
    x, y, z = (float(v) for v in np.asarray(grip.before.translation) + change)
    return replace(grip.before, translation=(x, y, z))


def _turned(gesture: Gesture, grip: Grip) -> Placement:
    if gesture.axis is not None:
        axis = grip.axes[:, gesture.axis]
    elif grip.ground:
        axis = np.asarray(grip.ground.up)
    else:
        axis = -grip.camera.camera_from_world.rotation[2]
    if gesture.typed is not None:
        angle = np.radians(gesture.typed)
    else:
        facing = np.sign(axis @ (_eye(grip) - grip.centre)) or 1.0
        angle = facing * (_bearing(gesture.start, grip) - _bearing(gesture.now, grip))
    start = rotation_from_quaternion(grip.before.rotation)
    turn = axis_rotation((float(axis[0]), float(axis[1]), float(axis[2])), float(angle))
    return replace(grip.before, rotation=quaternion_from_rotation(turn @ start))


def _sized(gesture: Gesture, grip: Grip) -> Placement:
    if gesture.typed is not None:
        factor = abs(gesture.typed)
    else:
        centre = _screen(grip.centre, grip)
        reach = np.hypot(*np.subtract(gesture.start, centre))
        factor = np.hypot(*np.subtract(gesture.now, centre)) / max(float(reach), 1.0)
    return replace(grip.before, scale=float(np.clip(grip.before.scale * factor, MIN_SCALE, MAX_SCALE)))


def _screen(point: np.ndarray, grip: Grip) -> np.ndarray:
    return project(grip.camera.intrinsics, transform(grip.camera.camera_from_world.matrix, point))


def _eye(grip: Grip) -> np.ndarray:
    pose = grip.camera.camera_from_world
    return -pose.rotation.T @ pose.translation


def _bearing(pointer: tuple[float, float], grip: Grip) -> float:
    x, y = np.subtract(pointer, _screen(grip.centre, grip))
    return float(np.arctan2(y, x))


def _along(gesture: Gesture, grip: Grip, direction: np.ndarray) -> float:
    """Scene units along `direction` that follow the pointer's way along the axis on screen."""
    depth = transform(grip.camera.camera_from_world.matrix, grip.centre)[2]
    probe = 0.01 * depth
    on_screen = (_screen(grip.centre + probe * direction, grip) - _screen(grip.centre, grip)) / probe
    reach = float(on_screen @ on_screen)
    # An axis that points at the eye has no length on screen; the floor keeps it from running away.
    floor = (0.2 * grip.camera.intrinsics.fx / depth) ** 2
    return float(np.subtract(gesture.now, gesture.start) @ on_screen / max(reach, floor))


def _on_plane(pointer: tuple[float, float], grip: Grip, normal: np.ndarray) -> np.ndarray:
    """Where the pointer's ray meets the plane through the object's centre, at most 50 times as far away."""
    lens = grip.camera.intrinsics
    ray = np.array([(pointer[0] - lens.cx) / lens.fx, (pointer[1] - lens.cy) / lens.fy, 1.0])
    direction = grip.camera.camera_from_world.rotation.T @ ray
    eye = _eye(grip)
    towards = float(normal @ direction)
    distance = float(normal @ (grip.centre - eye))
    depth = float(transform(grip.camera.camera_from_world.matrix, grip.centre)[2])
    reach = distance / towards if towards * distance > 0 else np.inf
    return eye + min(reach, 50.0 * depth) * direction
