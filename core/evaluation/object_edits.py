"""Edits as a user makes them in the studio, from what a benchmark tells: cut the object out, place it, or hide it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from core.editing.apply import apply, apply_all, new_project
from core.editing.layers import object_at_rest
from core.editing.memo import Memo
from core.editing.render import render
from core.errors import InvalidInput
from core.evaluation.own_depth import estimated, scaled_by
from core.maths.camera import project, unproject
from core.maths.layout import SKY_FACTOR
from core.maths.rigid import placement_of_motion, transform
from core.types.camera import Intrinsics, Pose
from core.types.depth import DepthEstimate, DepthMap
from core.types.edit_case import EditCase
from core.types.edits import AddObject, HideObject, PlaceObject
from core.types.frame import Frame
from core.types.mask import Click, Mask, Prompt
from core.types.photo import Photo
from core.types.protocols import DepthBackend, Engine, SegmentationBackend
from core.types.scene import Vec3

Points = Float64[np.ndarray, "N 2"]

_OBJECT = "object"
# A back-end's unit in metres is looked for in this range, in steps of half a per cent.
_UNITS = 1e-2, 1e3
_STEPS = 2303


@dataclass(frozen=True, eq=False)
class AskedEdit:
    """A photo with its camera, the object's mask, and the rigid motion in camera axes that it should make."""

    photo: Photo
    intrinsics: Intrinsics
    mask: Mask
    motion: Pose


@dataclass(frozen=True, eq=False)
class SeenTwice:
    """Points (x, y) of the object in the photo, and where the motion takes them."""

    before: Points
    after: Points


def asked_edit(case: EditCase, mask: Mask | None = None) -> AskedEdit:
    """What a case asks for; its own mask, or another one."""
    photo = Photo(case.name, case.before, case.before)
    given = Mask(case.mask * np.uint8(255), source="benchmark")
    return AskedEdit(photo, case.intrinsics, given if mask is None else mask, case.motion)


def seen_twice(case: EditCase) -> SeenTwice:
    """The case's annotated points."""
    return SeenTwice(case.object_points, case.object_points_after)


def clicked_mask(case: EditCase, backend: SegmentationBackend) -> Mask:
    """The back-end's best mask at the case's click."""
    photo = Photo(case.name, case.before, case.before)
    return backend.segment(backend.prepare(photo), Prompt((Click(*case.click),)))[0]


def exact_estimate(case: EditCase) -> DepthEstimate | None:
    """The depth that our own cases know; what meets nothing is far. None for public cases."""
    if case.depth is None:
        return None
    known = case.depth > 0
    far = np.float32(SKY_FACTOR * case.depth.max())
    depth = DepthMap(np.where(known, case.depth, far), np.ones_like(known), "metric", "exact")
    return DepthEstimate(depth, case.intrinsics)


def own_estimate(asked: AskedEdit, points: SeenTwice | None, backend: DepthBackend) -> DepthEstimate:
    """The back-end's depth in metres: as it is where it says so, else by the one factor that fits the points.

    Raises InvalidInput for depth without scale when there are no points.
    """
    estimate = estimated(asked.photo, asked.intrinsics, backend)
    if estimate.depth.scale == "metric":
        return estimate
    if points is None:
        raise InvalidInput(
            f"The depth back-end {backend.info.name!r} knows no metres; give the benchmark's folder, whose points tell "
            "the scale, or use a back-end with metric depth."
        )
    return scaled_by(estimate, fitted_unit(asked, estimate, points))


def fitted_unit(asked: AskedEdit, estimate: DepthEstimate, points: SeenTwice) -> float:
    """How many metres the estimate's unit has, so that the object's points land nearest to where they are seen.

    The depth is that with which the editor would move the object. Raises InvalidInput when no unit keeps them in view.
    """
    at_rest = object_at_rest(new_project(asked.photo, estimate), asked.mask)
    height, width = at_rest.inverse_depth.shape
    scale = np.array([width / asked.photo.width, height / asked.photo.height])
    columns, rows = np.rint((points.before + 0.5) * scale - 0.5).astype(np.intp).T
    z = 1.0 / at_rest.inverse_depth[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype(np.float64)
    lifted = unproject(asked.intrinsics, points.before, z)
    units = np.geomspace(*_UNITS, _STEPS)
    moved = transform(asked.motion.matrix, units[:, None, None] * lifted)
    errors = np.linalg.norm(project(asked.intrinsics, moved) - points.after, axis=2).mean(axis=1)
    if np.isnan(errors).all():
        raise InvalidInput(f"No scale of the depth keeps the object of {asked.photo.name} before the camera.")
    return float(units[int(np.nanargmin(errors))])


def moved_frame(asked: AskedEdit, estimate: DepthEstimate, engine: Engine) -> Frame:
    """The photo with the object moved, at its own size. Raises EditorError."""
    return _rendered(asked, estimate, engine, lambda pivot: PlaceObject(
        _OBJECT, placement_of_motion(asked.motion, pivot)
    ))  # fmt: skip


def removed_frame(asked: AskedEdit, estimate: DepthEstimate, engine: Engine) -> Frame:
    """The photo without the object, at its own size. Raises EditorError."""
    return _rendered(asked, estimate, engine, lambda _: HideObject(_OBJECT))


def _rendered(
    asked: AskedEdit, estimate: DepthEstimate, engine: Engine, edit: Callable[[Vec3], PlaceObject | HideObject]
) -> Frame:
    cut = apply_all(new_project(asked.photo, estimate), [AddObject(_OBJECT, asked.mask, "Object")])
    edited = apply(cut, edit(cut.scene.object(_OBJECT).pivot))
    (frame,) = render(edited, engine, Memo(), stream=False)
    return frame
