"""Distances on the photo, and the scale that a known one gives to the whole scene."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from core.errors import InvalidInput
from core.maths.camera import resized, unproject
from core.types.camera import Pose
from core.types.project import Project
from core.types.scene import SceneObject

Point = tuple[float, float]
_LEAST_DISTANCE, _LARGEST_DISTANCE = 1e-4, 1e5


def photo_point(project: Project, pixel: Point) -> Float64[np.ndarray, "3"]:
    """Where a photo pixel lies in the world (camera axes at import), by the depth map. Raises InvalidInput."""
    photo, depth = project.photo, project.depth
    x, y = pixel
    if not (-0.5 <= x < photo.width - 0.5 and -0.5 <= y < photo.height - 0.5):
        raise InvalidInput(f"The point ({x:g}, {y:g}) lies outside the photo; measure within it.")
    column = int((x + 0.5) * depth.width / photo.width)
    row = int((y + 0.5) * depth.height / photo.height)
    if not depth.valid[row, column]:
        raise InvalidInput(f"No depth is known at ({x:g}, {y:g}); measure between other points.")
    intrinsics = resized(project.scene.source_intrinsics, photo.width, photo.height)
    return unproject(intrinsics, np.array([pixel], np.float64), np.array([depth.values[row, column]], np.float64))[0]


def distance(project: Project, start: Point, end: Point) -> float:
    """Scene units between what two photo pixels show. Raises InvalidInput."""
    return float(np.linalg.norm(photo_point(project, start) - photo_point(project, end)))


def scaled_to(project: Project, start: Point, end: Point, metres: float) -> Project:
    """The same scene, sized so that two photo pixels lie so many metres apart; the picture does not change.

    Depth is metric then, and a layout guess is no longer moved by its lines. Raises InvalidInput.
    """
    if not _LEAST_DISTANCE <= metres <= _LARGEST_DISTANCE:
        raise InvalidInput(f"A distance must lie between 0.0001 and 100000 metres, got {metres:g}.")
    measured = distance(project, start, end)
    if measured <= 0:
        raise InvalidInput("The two points are one and the same; measure between points that lie apart.")
    factor = metres / measured
    old, scene = project.depth, project.scene
    depth = old.changed(old.values * np.float32(factor), "metric")
    ground = None if scene.ground is None else replace(scene.ground, height=scene.ground.height * factor)
    pose = scene.camera.camera_from_world.matrix.copy()
    pose[:3, 3] *= factor
    camera = replace(scene.camera, camera_from_world=Pose(pose))
    objects = tuple(_scaled(item, factor) for item in scene.objects)
    scene = replace(scene, ground=ground, camera=camera, objects=objects)
    return replace(project, depth=depth, layout=None, scene=scene)


def _scaled(item: SceneObject, factor: float) -> SceneObject:
    px, py, pz = (factor * value for value in item.pivot)
    tx, ty, tz = (factor * value for value in item.placement.translation)
    return replace(item, pivot=(px, py, pz), placement=replace(item.placement, translation=(tx, ty, tz)))
