"""Screen, picture and gizmo maths of the 3D view. Quaternions are (w, x, y, z)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.maths.rigid import (
    Matrix3,
    axis_rotation,
    ground_axes,
    quaternion_from_rotation,
    rotation_from_quaternion,
    twist_about,
)
from core.types.camera import Intrinsics
from core.types.depth import Ground
from core.types.scene import Placement, Quaternion, Vec3

GizmoSpace = Literal["world", "local", "ground"]
PICTURE_SHARE = 0.94
"""How much of the canvas a picture fills: the handles of objects at its edges need the rest."""
STEEPEST = np.radians(10.0)
"""Nearer to the vertical than this, a camera has no horizon to keep."""


@dataclass(frozen=True)
class Letterbox:
    """Where a picture stands on a canvas that is seen by a symmetric camera.

    `fov_y` is the canvas camera's vertical field of view in radians; the edges are fractions of
    the canvas (0 = left or top, 1 = right or bottom) of the picture's outer pixel edges.
    """

    fov_y: float
    left: float
    top: float
    right: float
    bottom: float


def letterbox(intrinsics: Intrinsics, aspect: float) -> Letterbox:
    """A picture in a canvas of `aspect` = width / height, as wide as `PICTURE_SHARE` of it.

    The canvas centre is the principal point, so an off-centre one is absorbed by padding, and
    pixels that are not square are stretched to what the camera saw.
    """
    left, right = (intrinsics.cx + 0.5) / intrinsics.fx, (intrinsics.width - 0.5 - intrinsics.cx) / intrinsics.fx
    top, bottom = (intrinsics.cy + 0.5) / intrinsics.fy, (intrinsics.height - 0.5 - intrinsics.cy) / intrinsics.fy
    half_height = max(top, bottom, max(left, right) / aspect) / PICTURE_SHARE
    half_width = half_height * aspect
    return Letterbox(
        fov_y=float(2.0 * np.arctan(half_height)),
        left=0.5 - left / (2.0 * half_width),
        top=0.5 - top / (2.0 * half_height),
        right=0.5 + right / (2.0 * half_width),
        bottom=0.5 + bottom / (2.0 * half_height),
    )


def screen_intrinsics(fov_y: float, width: float, height: float) -> Intrinsics:
    """The canvas camera as a pinhole camera over canvas pixels (centres at integers)."""
    focal = height / (2.0 * np.tan(fov_y / 2.0))
    return Intrinsics(
        float(focal), float(focal), (width - 1.0) / 2.0, (height - 1.0) / 2.0, round(width), round(height)
    )


def orbit_axis(rotation: Matrix3, vertical: Vec3) -> np.ndarray:
    """The unit axis nearest to `vertical` that a camera can orbit about without rolling first.

    `rotation` is the camera's from world. Where the camera looks along the vertical, or hangs
    upside down, the axis is the picture's own up.
    """
    right, down, forward = rotation
    axis = np.asarray(vertical) - (np.asarray(vertical) @ right) * right
    axis /= max(float(np.linalg.norm(axis)), 1e-12)
    steep = abs(float(axis @ forward)) > np.cos(STEEPEST)
    return -down if steep or axis @ down > 0 else axis


@dataclass(frozen=True)
class GizmoPose:
    """Where a gizmo stands (world axes, scene units) and how its axes point."""

    position: Vec3
    rotation: Quaternion


def gizmo_axes(space: GizmoSpace, placement: Placement, ground: Ground | None) -> Matrix3:
    """Columns: the gizmo's x, y, z axes in world axes.

    "ground" means right, away and up (a proper rotation); without a ground it falls to the
    photo's own right, forward and up.
    """
    if space == "local":
        return rotation_from_quaternion(placement.rotation)
    if space == "world":
        return np.eye(3)
    right, up, away = ground_axes(ground.up if ground else (0.0, -1.0, 0.0))
    return np.stack([right, away, up], axis=1)


def gizmo_pose(placement: Placement, pivot: Vec3, axes: Matrix3) -> GizmoPose:
    """The gizmo of an object placed by `placement` about `pivot`."""
    x, y, z = (float(p + t) for p, t in zip(pivot, placement.translation, strict=True))
    return GizmoPose((x, y, z), quaternion_from_rotation(axes))


def gizmo_from_object(placement: Placement, axes: Matrix3) -> Quaternion:
    """How the object is turned relative to its gizmo: what stays fixed while the gizmo is dragged."""
    return quaternion_from_rotation(axes.T @ rotation_from_quaternion(placement.rotation))


def placement_of_gizmo(gizmo: GizmoPose, relative: Quaternion, pivot: Vec3, scale: float) -> Placement:
    """Read a placement back from a dragged gizmo; inverse of `gizmo_pose` and `gizmo_from_object`."""
    x, y, z = (float(g - p) for g, p in zip(gizmo.position, pivot, strict=True))
    rotation = rotation_from_quaternion(gizmo.rotation) @ rotation_from_quaternion(relative)
    return Placement((x, y, z), quaternion_from_rotation(rotation), scale)


@dataclass(frozen=True)
class Snap:
    """Steps that a drag is rounded to: `distance` in scene units, `angle_deg` in degrees; None is free."""

    distance: float | None = None
    angle_deg: float | None = None


def snapped(before: Placement, after: Placement, snap: Snap, axes: Matrix3) -> Placement:
    """Round the change from `before` to `after`: moves along the gizmo's axes, turns about their own axis."""
    translation, rotation = after.translation, after.rotation
    if snap.distance:
        local = axes.T @ np.subtract(after.translation, before.translation)
        moved = axes @ (np.round(local / snap.distance) * snap.distance) + before.translation
        translation = (float(moved[0]), float(moved[1]), float(moved[2]))
    if snap.angle_deg:
        start = rotation_from_quaternion(before.rotation)
        axis, angle = axis_angle(rotation_from_quaternion(after.rotation) @ start.T)
        step = np.radians(snap.angle_deg)
        rotation = quaternion_from_rotation(axis_rotation(axis, float(np.round(angle / step) * step)) @ start)
    return Placement(translation, rotation, after.scale)


def axis_angle(rotation: Matrix3) -> tuple[Vec3, float]:
    """Unit axis and angle in 0..pi of a rotation; the x axis when it does not turn."""
    w, x, y, z = quaternion_from_rotation(rotation)
    length = float(np.sqrt(x * x + y * y + z * z))
    if length < 1e-12:
        return (1.0, 0.0, 0.0), 0.0
    return (x / length, y / length, z / length), 2.0 * float(np.arctan2(length, w))


def constrained_to_ground(before: Placement, after: Placement, ground: Ground) -> Placement:
    """Keep of a drag only what slides on the ground and turns about its up direction."""
    up = np.asarray(ground.up)
    moved = np.subtract(after.translation, before.translation)
    x, y, z = (float(v) for v in np.asarray(before.translation) + moved - (moved @ up) * up)
    start = rotation_from_quaternion(before.rotation)
    twist = twist_about(rotation_from_quaternion(after.rotation) @ start.T, ground.up)
    return Placement((x, y, z), quaternion_from_rotation(axis_rotation(ground.up, twist) @ start), after.scale)
