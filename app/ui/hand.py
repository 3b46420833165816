"""Taking an object by hand in the picture: where it goes, and what the page shows meanwhile.

Positions are pixels of the output picture at the output camera's own size.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64, UInt8

from app.state import Numbers, numbers_of
from app.viewport.geometry import Snap, gizmo_axes
from app.viewport.modal import Gesture, Grip, placement_of_gesture
from core.editing.apply import scene_up
from core.editing.layers import ObjectLayer, SourceView, object_layer, source_view, working_size
from core.editing.memo import Memo
from core.editing.motion import object_motion, place_sprite
from core.maths.camera import project as to_pixels
from core.maths.camera import resized, unproject
from core.maths.mask import outline
from core.maths.rigid import ground_axes, transform
from core.types.project import Project
from core.types.scene import Placement, SceneObject

if TYPE_CHECKING:
    from app.session import Session

SPRITE_SIDE = 960
_FOLLOWED_POINTS = 400

Plane = Literal["ground", "image"]
Pixel = tuple[float, float]


@dataclass(frozen=True)
class Follow:
    """One moment of a drag: `affine` (a, b, c, d, e, f of a canvas) takes the object's picture along.

    `right`, `up` and `away` are how far it has come, `held` is where it is.
    """

    affine: tuple[float, float, float, float, float, float]
    held: Numbers
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
    points = _sampled_points(view, layer)
    before = _seen(project, item, points)
    after = _seen(project, replace(item, placement=placement), points)
    solved, *_ = np.linalg.lstsq(np.column_stack([before, np.ones(len(points))]), after, rcond=None)
    (a, b), (c, d), (e, f) = solved.tolist()
    moved = np.subtract(placement.translation, item.placement.translation)
    right, up, away = ground_axes(scene_up(project.scene)) @ moved
    held = numbers_of(project.scene, placement)
    return Follow((a, b, c, d, e, f), held, float(right), float(up), float(away))


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


def outlines_in_view(session: "Session") -> dict[str, list[list[Pixel]]]:
    """Polygons around every shown object where the picture shows it now, by the objects' ids, in drawing order."""
    at_home = session.state.camera.at_home
    shown = [item for item in session.project.scene.objects if not item.hidden]
    return {item.id: _outline(session, item, item.is_untouched and at_home) for item in shown}


def _outline(session: "Session", item: SceneObject, where_it_was: bool) -> list[list[Pixel]]:
    if where_it_was:
        mask = item.mask
        return session.services.memo.get(("outline", mask.id), lambda: _as_pixels(outline(mask.coverage)))
    cut = cutout(session, item.id)
    if cut is None:
        return []
    enlarge = session.project.photo.width / cut.size[0]
    return _as_pixels((shape + np.array(cut.origin) + 0.5) * enlarge - 0.5 for shape in outline(cut.rgba[..., 3]))


def _as_pixels(shapes: Iterable[np.ndarray]) -> list[list[Pixel]]:
    return [[(float(x), float(y)) for x, y in shape] for shape in shapes]


def _cut(project: Project, item: SceneObject, memo: Memo) -> tuple[SourceView, ObjectLayer]:
    view = source_view(project, working_size(project, SPRITE_SIDE), memo)
    return view, object_layer(project, view, item, memo)


def _sampled_points(view: SourceView, layer: ObjectLayer) -> Float64[np.ndarray, "N 3"]:
    """Some points of the object's surface at rest, in world axes."""
    rows, columns = np.nonzero((layer.coverage >= 128) & (layer.inverse_depth > 0))
    if rows.size == 0:
        rows, columns = np.nonzero(layer.inverse_depth > 0)
    some = slice(None, None, max(1, rows.size // _FOLLOWED_POINTS))
    xy = np.column_stack([columns[some], rows[some]]).astype(np.float64) + layer.origin
    return unproject(view.intrinsics, xy, 1.0 / layer.inverse_depth[rows[some], columns[some]].astype(np.float64))


def _seen(project: Project, item: SceneObject, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 2"]:
    """Where points of the object at rest land in the output picture."""
    seen = transform(object_motion(project.scene, item), points)
    seen[:, 2] = np.maximum(seen[:, 2], 1e-6)
    return to_pixels(project.scene.camera.intrinsics, seen)
