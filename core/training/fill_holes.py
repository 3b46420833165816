"""Holes as edits leave them: shapes of objects, what a moved camera uncovers, strips along the frame."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.maths.bands import reciprocal
from core.maths.holes import background_side, fill_depth
from core.training.crops import Square
from core.training.pairs import warp_pair
from core.types.camera import Pose

Silhouette = Bool[np.ndarray, "h w"]
_CANVAS = 64
_OBJECT_AREA = 0.008, 0.13
_MOST_OBJECTS = 3
_TRIES = 30
# Pixels kept between a hole and an object that is seen beside it.
_APART = 4
_NEIGHBOUR_SHARE = 0.4
_UNCOVERED_AREA = 0.01, 0.45
_CRACK = np.ones((3, 3), np.uint8)
_RIM_SHARE = 0.03, 0.24
_SECOND_RIM_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class Holes:
    """`depth` (z > 0 everywhere, continued over the holes) is None where nothing is known of it."""

    unknown: Bool[np.ndarray, "H W"]
    usable: Bool[np.ndarray, "H W"]
    depth: Float32[np.ndarray, "H W"] | None = None


def object_holes(
    objects: Bool[np.ndarray, "S S"], silhouette: Callable[[], Silhouette], random: np.random.Generator
) -> Holes | None:
    """One to three shapes beside the `objects`, which may not be used; sometimes one more thing stands before them.

    None when there is no room.
    """
    side = len(objects)
    unknown = np.zeros((side, side), bool)
    occupied = cv2.dilate(objects.astype(np.uint8), np.ones((2 * _APART + 1, 2 * _APART + 1), np.uint8)) > 0
    for _ in range(int(random.integers(1, _MOST_OBJECTS + 1))):
        unknown |= _placed(silhouette(), occupied | unknown, random)
    if not unknown.any():
        return None
    foreground = objects
    if not objects.any() and random.random() < _NEIGHBOUR_SHARE:
        foreground = _placed(silhouette(), np.zeros_like(objects), random)
    return Holes(unknown, background_side(np.zeros((side, side), np.float32), unknown, foreground))


def disocclusion_holes(real: Square, source_from_target: Pose) -> Holes | None:
    """What another view of the same place does not show, less its cracks; None when that is too little or too much."""
    assert real.inverse_depth is not None
    uncovered = warp_pair(real, source_from_target).uncovered.astype(np.uint8)
    unknown = cv2.morphologyEx(uncovered, cv2.MORPH_OPEN, _CRACK) > 0
    if not _UNCOVERED_AREA[0] <= unknown.mean() <= _UNCOVERED_AREA[1]:
        return None
    z = np.where(unknown, np.float32(0), reciprocal(real.inverse_depth))
    usable = background_side(z, unknown, np.zeros_like(unknown))
    depth = fill_depth(z, unknown, usable)
    return Holes(unknown, usable, depth if (depth > 0).all() else None)


def rim_holes(side: int, random: np.random.Generator) -> Holes:
    """A strip along one side of the frame or two that meet, its border wavy, as a turned camera uncovers it."""
    unknown = np.zeros((side, side), bool)
    corner = int(random.integers(4))
    for turns in (corner, corner + 1)[: 1 + (random.random() < _SECOND_RIM_SHARE)]:
        strip = np.arange(side)[:, None] < _border(side, random)
        unknown |= np.rot90(strip, turns)
    return Holes(unknown, ~unknown)


def made_silhouette(random: np.random.Generator) -> Silhouette:
    """A blob with up to three limbs, where no real object's shape is at hand."""
    canvas = np.zeros((_CANVAS, _CANVAS), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    orders = np.arange(1, 7)
    waves = random.normal(0, 0.3, 6) / orders * np.cos(np.outer(angles, orders) + random.uniform(0, 2 * np.pi, 6))
    radius = np.clip(1 + waves.sum(axis=1), 0.25, 1.9) * _CANVAS / 5
    stretch = np.exp(random.normal(0, 0.3))
    outline = np.stack([np.cos(angles) * radius * stretch, np.sin(angles) * radius / stretch], axis=1) + _CANVAS / 2
    cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], 1)
    for _ in range(int(random.integers(0, 4))):
        ends = random.uniform(0.1, 0.9, (2, 2)) * _CANVAS
        ends[0] = _CANVAS / 2
        first, last = np.rint(ends).astype(int).tolist()
        cv2.line(canvas, first, last, 1, int(random.integers(2, 11)))
    return trimmed(canvas > 0)


def trimmed(mask: Bool[np.ndarray, "H W"]) -> Silhouette:
    """The part of a mask within its bounding box; it must not be empty."""
    y, x = np.nonzero(mask)
    return mask[y.min() : y.max() + 1, x.min() : x.max() + 1]


def _placed(shape: Silhouette, occupied: Bool[np.ndarray, "S S"], random: np.random.Generator) -> np.ndarray:
    """The shape somewhere it does not meet what is occupied, of a random size; nothing where no place was found."""
    side = len(occupied)
    result = np.zeros((side, side), bool)
    low, high = np.log(_OBJECT_AREA)
    scale = np.sqrt(np.exp(random.uniform(low, high)) / shape.mean() / shape.size) * side
    size = [min(side - 1, max(3, round(length * scale))) for length in shape.shape[::-1]]
    small = cv2.resize(shape.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR) > 0
    small = small[:, ::-1] if random.random() < 0.5 else small
    height, width = small.shape
    for _ in range(_TRIES):
        y, x = int(random.integers(side - height + 1)), int(random.integers(side - width + 1))
        window = slice(y, y + height), slice(x, x + width)
        if not (occupied[window] & small).any():
            result[window] = small
            break
    return result


def _border(side: int, random: np.random.Generator) -> np.ndarray:
    """How far a strip reaches inwards at each place along it."""
    count = int(random.integers(2, 12))
    ends = random.uniform(*_RIM_SHARE) * side * np.exp(random.normal(0, random.uniform(0, 0.5), count))
    return np.interp(np.linspace(0, count - 1, side), np.arange(count), ends).clip(2, side / 3)
