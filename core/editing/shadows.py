"""Shadows that go with their objects: lifted from the ground where an object was cut, laid where it now stands.

A shadow is a darkening of what it falls on, 0 none to 1 black in linear light. It neither hides nor moves anything:
pixels under it are the photo's own, in another light.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.editing.apply import scene_up
from core.editing.compositor import Canvas, sample
from core.editing.layers import Size, SourceView, cut_objects, drawn_objects, resized_coverage, touched_by
from core.editing.memo import Memo
from core.editing.motion import landing_window
from core.errors import InvalidInput
from core.maths.bands import copied
from core.maths.camera import cropped, resized
from core.maths.colour import coded_pixels, linear_light
from core.maths.depth import inverse_depth
from core.maths.flow import moved_grid
from core.maths.mask import bounding_box
from core.maths.raster import rasterise_grid, surface_links
from core.maths.rigid import along_ground, placement_matrix
from core.maths.shadow_ratio import shadow_light
from core.maths.sizes import window_at
from core.perception.contact_shadow import contact_shadow
from core.types.camera import Intrinsics
from core.types.mask import Mask
from core.types.photo import Pixels
from core.types.project import Project
from core.types.scene import SceneObject

# The window around a shadow in which lit ground is looked for, as a share of the shadow's longer side.
_AROUND = 0.3
# A lifted object's shadow: width of its blur in heights above the ground, up to as many radii of the object.
_SOFTENING, _SOFTEST = 0.35, 3.0
_LEAST_SEEN = np.float32(1 / 512)
# A surface nearer or farther than the ground by the first ratio still is ground, by the second it is not.
_GROUND_RATIO = 1.35  # how far estimated depth may be from the ground where a shadow is looked for
_NEARER, _FARTHER = (1.1, 1.25), (1.4, 1.8)


@dataclass(frozen=True, eq=False)
class Darkening:
    """A window at `origin` (x, y) of a picture, and how much light each channel of it loses."""

    origin: tuple[int, int]
    amount: Float32[np.ndarray, "h w 3"]

    @property
    def window(self) -> tuple[slice, slice]:
        return window_at(self.origin, self.amount.shape)


@dataclass(frozen=True, eq=False)
class ShadowAtRest(Darkening):
    """A shadow where the photo shows it; of `lost` pixels the ground cannot be told."""

    lost: Bool[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class CastShadow(Darkening):
    """A shadow as the output camera sees it, with the inverse depth of the ground that it lies on, 0 outside it.

    `told` is how much nearer the depth map tells that ground than where the object's foot puts it.
    """

    inverse_depth: Float32[np.ndarray, "h w"]
    told: float


def proposed_shadow(project: Project, object_id: str) -> Mask | None:
    """The shadow that an object seems to cast on what it stands on, None when there is none to be told."""
    item, photo = project.scene.object(object_id), project.photo
    size = (min(project.depth.width, photo.width), min(project.depth.height, photo.height))
    seen = inverse_depth(project.depth, *size)
    up = np.array(scene_up(project.scene))
    ground = plane_inverse_depth(resized(project.scene.source_intrinsics, *size), up, np.array(item.pivot))
    apart = np.abs(np.log(np.maximum(seen, 1e-9) / np.maximum(ground, 1e-9)))
    there = (apart < np.log(_GROUND_RATIO)).astype(np.uint8)
    there = cv2.resize(there, (photo.width, photo.height), interpolation=cv2.INTER_NEAREST) > 0
    return contact_shadow(photo, item.mask, there)


def needed_shadow(project: Project, object_id: str, otherwise: str) -> Mask:
    """As `proposed_shadow`. Raises InvalidInput when there is none, with what to do `otherwise`."""
    shadow = proposed_shadow(project, object_id)
    if shadow is None:
        label = project.scene.object(object_id).label
        raise InvalidInput(f"No shadow of {label} can be told from the ground; {otherwise}.")
    return shadow


def shadow_key(project: Project, item: SceneObject) -> tuple[Hashable, ...]:
    """What an object's shadow follows from, beside photo and size: its masks and those of all others."""
    of_others = {(o.mask.id, None if o.shadow is None else o.shadow.id) for o in project.scene.objects}
    return item.mask.id, None if item.shadow is None else item.shadow.id, tuple(sorted(of_others, key=str))


def relit(project: Project, view: SourceView, memo: Memo) -> tuple[Pixels, Bool[np.ndarray, "H W"]]:
    """The source view's pixels with the shadows of cut objects lifted, untouched ones bit for bit; and where a shadow
    is so dark that its ground has to be invented.
    """
    shadows = [_shadow_at_rest(project, view, item, memo) for item in cut_objects(project) if item.shadow is not None]
    lost = np.zeros(view.inverse_depth.shape, bool)
    for shadow in shadows:
        lost[shadow.window] |= shadow.lost
    together = _darkest(shadows)
    if together is None:
        return view.pixels, lost
    pixels = copied(view.pixels)
    _multiply(pixels[together.window], 1 / (1 - together.amount))
    return pixels, lost


def cast_shadows(project: Project, view: SourceView, memo: Memo) -> list[CastShadow]:
    """The shadows of drawn objects where these now stand, as the output camera sees them."""
    casting = [item for item in drawn_objects(project) if item.shadow is not None]
    found = (_cast_shadow(project, view, item, memo) for item in casting)
    return [shadow for shadow in found if shadow is not None]


def lay(canvas: Canvas, shadows: Sequence[CastShadow]) -> None:
    """Darken the background under shadows, in place."""
    together = fallen(shadows, canvas.inverse_depth, canvas.hiding)
    if together is not None:
        _multiply(canvas.pixels[together.window], 1 - together.amount)


def fallen(
    shadows: Sequence[CastShadow], inverse: Float32[np.ndarray, "H W"], hiding: Float32[np.ndarray, "H W"]
) -> Darkening | None:
    """What shadows darken of a background of that inverse depth; where several fall, the darkest counts.

    They do not fall on what stands clearly before their ground by `hiding`.
    """
    visible = [Darkening(s.origin, s.amount * _falls(s, inverse, hiding)[..., None]) for s in shadows]
    return _darkest(visible)


def _multiply(pixels: Pixels, factor: Float32[np.ndarray, "h w 3"]) -> None:
    """In linear light, in place, where the factor is not 1."""
    changed = (factor != 1).any(axis=2)
    pixels[changed] = coded_pixels(linear_light(pixels[changed]) * factor[changed], pixels.dtype)


def _darkest(shadows: Sequence[Darkening]) -> Darkening | None:
    """All in one window: what one object already keeps in the dark, another cannot darken."""
    shadows = [shadow for shadow in shadows if shadow.amount.size]
    if not shadows:
        return None
    x0, y0 = (min(shadow.origin[axis] for shadow in shadows) for axis in (0, 1))
    rows = max(shadow.window[0].stop for shadow in shadows) - y0
    columns = max(shadow.window[1].stop for shadow in shadows) - x0
    amount = np.zeros((rows, columns, 3), np.float32)
    for shadow in shadows:
        part = amount[window_at((shadow.origin[0] - x0, shadow.origin[1] - y0), shadow.amount.shape)]
        np.maximum(part, shadow.amount, out=part)
    return Darkening((x0, y0), np.where(amount < _LEAST_SEEN, np.float32(0), amount))


def _shadow_at_rest(project: Project, view: SourceView, item: SceneObject, memo: Memo) -> ShadowAtRest:
    key = ("shadow", project.photo.id, view.size, *shadow_key(project, item))
    return memo.get(key, lambda: _measured(project, view, item))


def _measured(project: Project, view: SourceView, item: SceneObject) -> ShadowAtRest:
    assert item.shadow is not None
    coverage = resized_coverage(item.shadow, view.size)
    box = bounding_box(coverage)
    if box is None:
        return ShadowAtRest((0, 0), np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), bool))
    pad = 4 + round(_AROUND * max(box[2] - box[0], box[3] - box[1]))
    x0, y0 = max(0, box[0] - pad), max(0, box[1] - pad)
    window = (slice(y0, box[3] + 1 + pad), slice(x0, box[2] + 1 + pad))
    caster = touched_by(item.mask, view.size)[window]
    others = _others(project, item, view.size)[window]
    light = shadow_light(view.pixels[window], coverage[window], caster, others)
    return ShadowAtRest((x0, y0), light.darkening, light.lost)


def _others(project: Project, item: SceneObject, size: Size) -> Bool[np.ndarray, "H W"]:
    """Pixels of other objects and of their shadows."""
    area = np.zeros((size[1], size[0]), bool)
    for other in project.scene.objects:
        for mask in (other.mask, other.shadow):
            if mask is not None and mask not in (item.mask, item.shadow):
                area |= resized_coverage(mask, size) > 12
    return area


def _cast_shadow(project: Project, view: SourceView, item: SceneObject, memo: Memo) -> CastShadow | None:
    """An object's shadow on the plane through its foot; None when nothing of it is in the frame."""
    scene, up = project.scene, np.array(scene_up(project.scene))
    at_rest = _shadow_at_rest(project, view, item, memo)
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


def plane_inverse_depth(
    intrinsics: Intrinsics, up: Float64[np.ndarray, "3"], point: Float64[np.ndarray, "3"]
) -> Float32[np.ndarray, "H W"]:
    """Inverse depth of the plane through `point` across `up` (world axes), seen by the photo's camera from above.

    0 where it is not seen, and everywhere when the camera is below it.
    """
    height = -float(up @ point)
    if height <= 0:
        return np.zeros((intrinsics.height, intrinsics.width), np.float32)
    x = (np.arange(intrinsics.width) - intrinsics.cx) / intrinsics.fx
    y = (np.arange(intrinsics.height) - intrinsics.cy) / intrinsics.fy
    inverse = -(up[0] * x + (up[1] * y + up[2])[:, None]) / height
    return np.maximum(inverse, 0).astype(np.float32)


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
