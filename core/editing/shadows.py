"""Shadows that go with their objects: proposed, measured, and lifted from the ground where an object was cut.

A shadow is a darkening of what it falls on, 0 none to 1 black in linear light. It neither hides nor moves anything:
pixels under it are the photo's own, in another light.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.editing.apply import scene_up
from core.editing.layers import Size, SourceView, cut_objects, resized_coverage, touched_by
from core.editing.memo import Memo
from core.maths.bands import copied
from core.maths.camera import resized
from core.maths.colour import coded_pixels, linear_light
from core.maths.depth import inverse_depth
from core.maths.ground import plane_inverse_depth
from core.maths.mask import bounding_box
from core.maths.shadow_ratio import LEAST_SEEN, shadow_light
from core.maths.sizes import window_at
from core.perception.contact_shadow import contact_shadow
from core.types.mask import Mask
from core.types.photo import Pixels
from core.types.project import Project
from core.types.scene import SceneObject

# The window around a shadow in which lit ground is looked for, as a share of the shadow's longer side.
_AROUND = 0.3
# Ratio by which estimated depth may differ from the ground's where a shadow is looked for.
_GROUND_RATIO = 1.35


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


def no_shadow_sentence(project: Project, object_id: str, otherwise: str) -> str:
    """What a person reads where `proposed_shadow` finds none, with what to do `otherwise`."""
    return f"No shadow of {project.scene.object(object_id).label} can be told from the ground; {otherwise}."


def shadow_key(project: Project, item: SceneObject) -> tuple[Hashable, ...]:
    """What an object's shadow follows from, beside photo and size: its masks and those of all others."""
    of_others = {(o.mask.id, None if o.shadow is None else o.shadow.id) for o in project.scene.objects}
    return item.mask.id, None if item.shadow is None else item.shadow.id, tuple(sorted(of_others, key=str))


def relit(project: Project, view: SourceView, memo: Memo) -> tuple[Pixels, Bool[np.ndarray, "H W"]]:
    """The source view's pixels with the shadows of cut objects lifted, untouched ones bit for bit; and where a shadow
    is so dark that its ground has to be invented.
    """
    shadows = [shadow_at_rest(project, view, item, memo) for item in cut_objects(project) if item.shadow is not None]
    lost = np.zeros(view.inverse_depth.shape, bool)
    for shadow in shadows:
        lost[shadow.window] |= shadow.lost
    together = darkest(shadows)
    if together is None:
        return view.pixels, lost
    pixels = copied(view.pixels)
    multiply(pixels[together.window], 1 / (1 - together.amount))
    return pixels, lost


def multiply(pixels: Pixels, factor: Float32[np.ndarray, "h w 3"]) -> None:
    """Multiply in linear light, in place, where the factor is not 1."""
    changed = (factor != 1).any(axis=2)
    pixels[changed] = coded_pixels(linear_light(pixels[changed]) * factor[changed], pixels.dtype)


def darkest(shadows: Sequence[Darkening]) -> Darkening | None:
    """All in one window, None of none: what one object already keeps in the dark, another cannot darken."""
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
    return Darkening((x0, y0), np.where(amount < LEAST_SEEN, np.float32(0), amount))


def shadow_at_rest(project: Project, view: SourceView, item: SceneObject, memo: Memo) -> ShadowAtRest:
    """An object's own shadow, measured in the source view and remembered. The object must have one."""
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
