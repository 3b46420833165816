"""`apply(project, edit)`: every change a user can make, as a pure function over the closed set of edits."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce, singledispatch

import numpy as np

from core.editing.layers import object_at_rest
from core.editing.measure import scaled_to
from core.errors import InvalidInput
from core.maths.depth import object_pivot
from core.maths.rigid import ground_axes
from core.types import edits
from core.types.camera import Camera
from core.types.depth import DepthEstimate, DepthMap
from core.types.mask import Mask
from core.types.photo import Photo
from core.types.project import Project, Reroll, Settings
from core.types.scene import Scene, SceneObject, Vec3

_SHAPE_TOLERANCE = 0.02


def new_project(photo: Photo, estimate: DepthEstimate, settings: Settings | None = None) -> Project:
    """A project that shows the photo as it is. Raises InvalidInput when the depth has another shape than the photo."""
    _check_shape(estimate.depth, photo)
    scene = Scene(estimate.intrinsics, Camera(estimate.intrinsics), estimate.ground)
    return Project(photo, estimate.depth, scene, estimate.layout, settings=settings or Settings())


def apply(project: Project, edit: edits.Edit) -> Project:
    """The project after one edit. Raises InvalidInput when the edit does not fit the project."""
    return _apply(edit, project)


def apply_all(project: Project, sequence: Iterable[edits.Edit]) -> Project:
    """The project after several edits, in order."""
    return reduce(apply, sequence, project)


def scene_up(scene: Scene) -> Vec3:
    """The ground's up direction, or the camera's when no ground is known."""
    return scene.ground.up if scene.ground else (0.0, -1.0, 0.0)


def slide_translation(scene: Scene, right: float, away: float) -> Vec3:
    """A move over the ground, as the photo's camera sees right and away, in scene units."""
    axes = ground_axes(scene_up(scene))
    x, y, z = right * axes[0] + away * axes[2]
    return float(x), float(y), float(z)


@singledispatch
def _apply(edit: object, project: Project) -> Project:
    raise InvalidInput(f"Unknown edit {type(edit).__name__} for {project.photo.name}.")


@_apply.register
def _(edit: edits.AddObject, project: Project) -> Project:
    if any(item.id == edit.object_id for item in project.scene.objects):
        raise InvalidInput(f"There is already an object {edit.object_id!r}; choose another id.")
    item = SceneObject(edit.object_id, edit.label, edit.mask, _pivot(project, edit.mask))
    return _with_scene(project, objects=(*project.scene.objects, item))


@_apply.register
def _(edit: edits.SetMask, project: Project) -> Project:
    item = project.scene.object(edit.object_id)
    return _changed(project, replace(item, mask=edit.mask, pivot=_pivot(project, edit.mask)))


@_apply.register
def _(edit: edits.SetShadow, project: Project) -> Project:
    if edit.mask is not None:
        _check_mask(project, edit.mask)
    return _changed(project, replace(project.scene.object(edit.object_id), shadow=edit.mask))


@_apply.register
def _(edit: edits.PlaceObject, project: Project) -> Project:
    return _changed(project, replace(project.scene.object(edit.object_id), placement=edit.placement))


@_apply.register
def _(edit: edits.HideObject, project: Project) -> Project:
    return _changed(project, replace(project.scene.object(edit.object_id), hidden=edit.hidden))


@_apply.register
def _(edit: edits.DuplicateObject, project: Project) -> Project:
    original = project.scene.object(edit.object_id)
    if any(item.id == edit.new_id for item in project.scene.objects):
        raise InvalidInput(f"There is already an object {edit.new_id!r}; choose another id.")
    copy = replace(
        original,
        id=edit.new_id,
        label=f"{original.label} copy",
        placement=edit.placement,
        hidden=False,
        copy_of=original.copy_of or original.id,
    )
    return _with_scene(project, objects=(*project.scene.objects, copy))


@_apply.register
def _(edit: edits.ReleaseObject, project: Project) -> Project:
    project.scene.object(edit.object_id)
    return _with_scene(project, objects=tuple(o for o in project.scene.objects if o.id != edit.object_id))


@_apply.register
def _(edit: edits.RenameObject, project: Project) -> Project:
    label = edit.label.strip()
    if not label:
        raise InvalidInput("An object needs a name; type at least one letter.")
    return _changed(project, replace(project.scene.object(edit.object_id), label=label))


@_apply.register
def _(edit: edits.SetCamera, project: Project) -> Project:
    size = (edit.camera.intrinsics.width, edit.camera.intrinsics.height)
    if size != (project.photo.width, project.photo.height):
        raise InvalidInput(
            f"The output camera's picture must have the photo's size {project.photo.width}x{project.photo.height}, "
            f"got {size[0]}x{size[1]}."
        )
    return _with_scene(project, camera=edit.camera)


@_apply.register
def _(edit: edits.SetDepth, project: Project) -> Project:
    _check_shape(edit.depth, project.photo)
    scene = project.scene
    was_home = scene.camera.intrinsics == scene.source_intrinsics
    camera = replace(scene.camera, intrinsics=edit.intrinsics) if was_home else scene.camera
    changed = replace(
        project,
        depth=edit.depth,
        layout=edit.layout,
        scene=replace(scene, source_intrinsics=edit.intrinsics, camera=camera, ground=edit.ground),
    )
    objects = tuple(replace(o, pivot=_pivot(changed, o.mask)) for o in scene.objects)
    return _with_scene(changed, objects=objects)


@_apply.register
def _(edit: edits.SetDistance, project: Project) -> Project:
    return scaled_to(project, edit.start, edit.end, edit.metres)


@_apply.register
def _(edit: edits.SetFlow, project: Project) -> Project:
    if edit.flow is not None and edit.flow.flow.shape[:2] != (project.photo.height, project.photo.width):
        height, width = edit.flow.flow.shape[:2]
        raise InvalidInput(
            f"The flow is {width}x{height} but the photo is {project.photo.width}x{project.photo.height}; "
            "give a field of the photo's size."
        )
    return replace(project, flow_override=edit.flow)


@_apply.register
def _(edit: edits.SetSettings, project: Project) -> Project:
    rerolls = project.rerolls if edit.settings == project.settings else ()
    return replace(project, settings=edit.settings, rerolls=rerolls)


@_apply.register
def _(edit: edits.RerollRegion, project: Project) -> Project:
    _check_mask(project, edit.region)
    return replace(project, rerolls=(*project.rerolls, Reroll(edit.region, edit.seed)))


def _check_shape(depth: DepthMap, photo: Photo) -> None:
    width, height = depth.width * photo.height, depth.height * photo.width
    a_pixel = max(photo.width, photo.height)  # what rounding the depth's size by one pixel makes of the difference
    if abs(width - height) > _SHAPE_TOLERANCE * max(width, height) + a_pixel:
        raise InvalidInput(
            f"The depth is {depth.width}x{depth.height}, another shape than the photo's "
            f"{photo.width}x{photo.height}; use the depth map of this photo."
        )


def _with_scene(project: Project, **changes: object) -> Project:
    return replace(project, scene=replace(project.scene, **changes))


def _changed(project: Project, item: SceneObject) -> Project:
    return replace(project, scene=project.scene.with_object(item))


def _check_mask(project: Project, mask: Mask) -> None:
    if mask.coverage.shape != (project.photo.height, project.photo.width):
        height, width = mask.coverage.shape
        raise InvalidInput(
            f"The mask is {width}x{height} but the photo is {project.photo.width}x{project.photo.height}; "
            "give a mask of the photo's size."
        )
    if not (mask.coverage >= 128).any():
        raise InvalidInput("The mask is empty; click the object again or paint it.")


def _pivot(project: Project, mask: Mask) -> Vec3:
    _check_mask(project, mask)
    at_rest = object_at_rest(project, mask)
    x, y, z = object_pivot(at_rest.inverse_depth, at_rest.coverage, at_rest.intrinsics, scene_up(project.scene))
    return float(np.float64(x)), float(y), float(z)
