"""Taking an object by hand in the picture: where it goes, and what the page shows meanwhile.

Positions are pixels of the output picture at the output camera's own size.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64, UInt8

from app.viewport.geometry import Snap, gizmo_axes
from app.viewport.modal import Gesture, Grip, placement_of_gesture
from core.editing.apply import scene_up
from core.editing.layers import ObjectLayer, SourceView, object_layer, source_view, working_size
from core.editing.memo import Memo
from core.editing.motion import object_motion, place_sprite
from core.maths.camera import project as to_pixels
from core.maths.camera import resized, unproject
from core.maths.rigid import ground_axes, transform
from core.types.project import Project
from core.types.scene import Placement, SceneObject

if TYPE_CHECKING:
    from app.session import Session

SPRITE_SIDE = 960

Plane = Literal["ground", "image"]
Pixel = tuple[float, float]


@dataclass(frozen=True)
class Follow:
    """One moment of a drag: `affine` (a, b, c, d, e, f of a canvas) takes the object's picture along."""

    affine: tuple[float, float, float, float, float, float]
    right: float
    up: float
    away: float


@dataclass(frozen=True, eq=False)
class Cutout:
    """An object as the picture shows it now, with its top-left pixel and the size of the whole picture."""

    rgba: UInt8[np.ndarray, "h w 4"]
    origin: tuple[int, int]
    size: tuple[int, int]


def dragged(project: Project, object_id: str, start: Pixel, now: Pixel, plane: Plane) -> Placement:
    """The placement after the pointer went from `start` to `now`; on the ground, or flat to the picture."""
    item = project.scene.object(object_id)
    ground = project.scene.ground if plane == "ground" else None
    axes = gizmo_axes("ground", item.placement, project.scene.ground)
    grip = Grip(item.placement, item.pivot, axes, ground, project.scene.camera)
    return placement_of_gesture(Gesture("move", start, now), grip, Snap())


def follow(project: Project, object_id: str, placement: Placement, memo: Memo) -> Follow:
    """How the picture of an object changes when it goes from where it stands to `placement`."""
    item = project.scene.object(object_id)
    view, layer = _cut(project, item, memo)
    height, width = layer.coverage.shape
    x, y = layer.origin
    corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]], np.float64)
    before = _seen(project, item, view, layer, corners)
    after = _seen(project, replace(item, placement=placement), view, layer, corners)
    solved, *_ = np.linalg.lstsq(np.column_stack([before, np.ones(4)]), after, rcond=None)
    (a, b), (c, d), (e, f) = solved.tolist()
    moved = np.subtract(placement.translation, item.placement.translation)
    right, up, away = ground_axes(scene_up(project.scene)) @ moved
    return Follow((a, b, c, d, e, f), float(right), float(up), float(away))


def cutout(session: "Session", object_id: str) -> Cutout | None:
    """The object as it is drawn now; None when it is off the frame."""
    from core.files.profile import srgb_of

    project = session.project
    item = project.scene.object(object_id)
    view, layer = _cut(project, item, session.services.memo)
    target = resized(project.scene.camera.intrinsics, *view.size)
    sprite, _ = place_sprite(view, layer, object_motion(project.scene, item), target)
    if sprite is None:
        return None
    coverage = sprite.coverage
    rgba = np.dstack([srgb_of(sprite.pixels, project.photo.icc_profile), coverage.astype(np.uint8)])
    return Cutout(rgba, sprite.origin, view.size)


def outline_in_view(session: "Session") -> list[list[Pixel]]:
    """The selected object's outline where the picture shows it now."""
    item = session.selected_object
    if item is None or item.hidden:
        return []
    polygons = session.outline()
    if item.is_untouched and session.state.camera.at_home:
        return polygons
    project = session.project
    view, layer = _cut(project, item, session.services.memo)
    shrink = view.size[0] / project.photo.width
    moved = []
    for polygon in polygons:
        points = (np.asarray(polygon) + 0.5) * shrink - 0.5
        moved.append([(float(x), float(y)) for x, y in _seen(project, item, view, layer, points)])
    return moved


def _cut(project: Project, item: SceneObject, memo: Memo) -> tuple[SourceView, ObjectLayer]:
    view = source_view(project, working_size(project, SPRITE_SIDE), memo)
    return view, object_layer(project, view, item, memo)


def _seen(
    project: Project, item: SceneObject, view: SourceView, layer: ObjectLayer, points: Float64[np.ndarray, "N 2"]
) -> Float64[np.ndarray, "N 2"]:
    """Where pixels of the source view land in the output picture, each at the object's depth there."""
    usable = layer.inverse_depth > 0
    typical = float(np.median(layer.inverse_depth[usable])) if usable.any() else 1.0
    at_rest = unproject(view.intrinsics, points, np.full(len(points), 1.0 / typical))
    seen = transform(object_motion(project.scene, item), at_rest)
    seen[:, 2] = np.maximum(seen[:, 2], 1e-6)
    return to_pixels(project.scene.camera.intrinsics, seen)
