"""Shadows laid on the ground where their objects now stand, softer and fainter the higher these are lifted."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from core.editing.apply import scene_up
from core.editing.compositor import Canvas, sample
from core.editing.layers import SourceView, drawn_objects, resized_coverage, touched_by
from core.editing.memo import Memo
from core.editing.motion import landing_window
from core.editing.shadows import Darkening, darkest, multiply, shadow_at_rest
from core.maths.camera import cropped, resized
from core.maths.flow import moved_grid
from core.maths.ground import plane_inverse_depth
from core.maths.raster import rasterise_grid, surface_links
from core.maths.rigid import along_ground, placement_matrix
from core.types.project import Project
from core.types.scene import SceneObject

# A lifted object's shadow: width of its blur in heights above the ground, up to as many radii of the object.
_SOFTENING, _SOFTEST = 0.35, 3.0
# A surface nearer or farther than the ground by the first ratio still is ground, by the second it is not.
_NEARER, _FARTHER = (1.1, 1.25), (1.4, 1.8)


@dataclass(frozen=True, eq=False)
class CastShadow(Darkening):
    """A shadow as the output camera sees it, with the inverse depth of the ground that it lies on, 0 outside it.

    `told` is how much nearer the depth map tells that ground than where the object's foot puts it.
    """

    inverse_depth: Float32[np.ndarray, "h w"]
    told: float


def cast_shadows(project: Project, view: SourceView, memo: Memo) -> list[CastShadow]:
    """The shadows of drawn objects where these now stand, as the output camera sees them."""
    casting = [item for item in drawn_objects(project) if item.shadow is not None]
    found = (_cast_shadow(project, view, item, memo) for item in casting)
    return [shadow for shadow in found if shadow is not None]


def lay(canvas: Canvas, shadows: Sequence[CastShadow]) -> None:
    """Darken the background under shadows, in place."""
    together = fallen(shadows, canvas.inverse_depth, canvas.hiding)
    if together is not None:
        multiply(canvas.pixels[together.window], 1 - together.amount)


def fallen(
    shadows: Sequence[CastShadow], inverse: Float32[np.ndarray, "H W"], hiding: Float32[np.ndarray, "H W"]
) -> Darkening | None:
    """What shadows darken of a background of that inverse depth; where several fall, the darkest counts.

    They do not fall on what stands clearly before their ground by `hiding`.
    """
    visible = [Darkening(s.origin, s.amount * _falls(s, inverse, hiding)[..., None]) for s in shadows]
    return darkest(visible)


def _cast_shadow(project: Project, view: SourceView, item: SceneObject, memo: Memo) -> CastShadow | None:
    """An object's shadow on the plane through its foot; None when nothing of it is in the frame."""
    scene, up = project.scene, np.array(scene_up(project.scene))
    at_rest = shadow_at_rest(project, view, item, memo)
    told = _told_nearer(view, item, at_rest, up)
    shadow = _softened(at_rest, *_softness(view, item, up))
    window = cropped(view.intrinsics, *shadow.origin, shadow.amount.shape[1], shadow.amount.shape[0])
    inverse = plane_inverse_depth(window, up, np.array(item.pivot))
    moved = placement_matrix(along_ground(item.placement, scene_up(scene)), item.pivot)
    motion = scene.camera.camera_from_world.matrix @ moved
    target = resized(scene.camera.intrinsics, *view.size)
    grid = moved_grid(inverse, window, target, motion)
    bounds = landing_window(grid, target)
    if bounds is None:
        return None
    x0, y0, x1, y1 = bounds
    links = surface_links(inverse, inverse > 0)
    where = rasterise_grid(*grid, links, x1 - x0, y1 - y0, origin=(x0, y0))
    return CastShadow((x0, y0), sample(shadow.amount, where).clip(0, 1), where.inverse_depth, told)


def _softness(view: SourceView, item: SceneObject, up: Float64[np.ndarray, "3"]) -> tuple[float, float, float]:
    """Blur across and along (source pixels) of an object's shadow, and how much of its strength is left.

    Right under a disc of radius r, h above the ground, it hides r^2 / (r^2 + h^2) of an even sky.
    """
    pivot, placement = np.array(item.pivot), item.placement
    lift = float(up @ placement.translation) / placement.scale
    if lift <= 0 or pivot[2] <= 0:
        return 0.0, 0.0, 1.0
    pixels = np.count_nonzero(resized_coverage(item.mask, view.size) >= 128)
    pixel = float(pivot[2]) / view.intrinsics.fx
    radius = np.sqrt(max(pixels, 1) / np.pi) * pixel
    across = _SOFTENING * min(lift, _SOFTEST * radius) / pixel
    foreshortening = abs(float(up @ pivot)) / float(np.linalg.norm(pivot))
    return across, across * foreshortening, float(radius**2 / (radius**2 + lift**2))


def _softened(shadow: Darkening, across: float, along: float, strength: float) -> Darkening:
    if across == 0:
        return shadow
    x, y = (int(np.ceil(3 * sigma)) + 1 for sigma in (across, along))
    wide = cv2.copyMakeBorder(shadow.amount, y, y, x, x, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    blurred = cv2.GaussianBlur(wide, (0, 0), sigmaX=max(across, 0.1), sigmaY=max(along, 0.1))
    return Darkening((shadow.origin[0] - x, shadow.origin[1] - y), blurred * np.float32(strength))


def _told_nearer(view: SourceView, item: SceneObject, shadow: Darkening, up: Float64[np.ndarray, "3"]) -> float:
    """Estimated depth may put the ground before or behind the object's foot: by which ratio, over its shadow."""
    rows, columns = shadow.amount.shape[:2]
    window = cropped(view.intrinsics, *shadow.origin, columns, rows)
    ground = plane_inverse_depth(window, up, np.array(item.pivot))
    there = shadow.amount.any(axis=2) & (ground > 0) & ~touched_by(item.mask, view.size)[shadow.window]
    return float(np.median(view.inverse_depth[shadow.window][there] / ground[there])) if there.any() else 1.0


def _falls(
    shadow: CastShadow, inverse: Float32[np.ndarray, "H W"], hiding: Float32[np.ndarray, "H W"]
) -> Float32[np.ndarray, "h w"]:
    """How much of a shadow falls on what is there: all on its ground, nothing on what stands before or far behind."""
    ground = shadow.inverse_depth * np.float32(shadow.told)
    there = np.maximum(ground, np.float32(1e-12))
    nearer = hiding[shadow.window] / there
    farther = there / np.maximum(inverse[shadow.window], np.float32(1e-12))
    weight = _ramp(nearer, _NEARER) * _ramp(farther, _FARTHER)
    return np.where(ground > 0, weight, np.float32(0))


def _ramp(ratio: Float32[np.ndarray, "h w"], ends: tuple[float, float]) -> Float32[np.ndarray, "h w"]:
    """1 up to the first end, 0 from the second."""
    start, stop = ends
    return np.clip((stop - ratio) / np.float32(stop - start), 0, 1).astype(np.float32)
