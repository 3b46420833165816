"""Depth maps as inverse depth grids: resizing, completing, cleaning, and points from them.

Inverse depth (1/z) is the working form: it is linear over planes in view, finite for the sky and 0 for nothing.
"""

from functools import partial

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from core.errors import InvalidInput
from core.maths.bands import in_bands
from core.maths.camera import pixel_rays
from core.maths.compiled import compiled, no_type_check
from core.maths.holes import fill_depth, find_holes
from core.maths.membrane import membrane
from core.maths.plane_fit import fitted_plane
from core.types.camera import Intrinsics
from core.types.depth import DepthMap

_STEP_RATIO = 1.04  # depth ratio over a few pixels that makes a step rather than a slope
_REACH_BLOCKS = 16  # how far a near surface is followed, in blocks of a large picture


def inverse_depth(depth: DepthMap, width: int, height: int) -> Float32[np.ndarray, "H W"]:
    """Complete inverse depth at a picture size: invalid pixels continue the farther side.

    Raises InvalidInput for affine maps (no scene without scale and shift) and for maps without one valid pixel.
    """
    if depth.scale == "affine":
        raise InvalidInput("This depth is known only up to scale and shift; align it before using it in a scene.")
    if not depth.valid.any():
        raise InvalidInput("The depth map has no valid pixel; give another depth file or use the layout guess.")
    inverse = np.zeros(depth.values.shape, np.float32)
    np.divide(1.0, depth.values, out=inverse, where=depth.valid)
    if not depth.valid.all():
        inverse = continue_far_side(inverse, ~depth.valid, depth.valid)
    inverse = despeckled(inverse)
    if inverse.shape == (height, width):
        return inverse
    if width < depth.width:
        return cv2.resize(inverse, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    enlarged = cv2.resize(inverse, (width, height), interpolation=cv2.INTER_LINEAR)
    around = np.ones((3, 3), np.uint8)
    if not (cv2.dilate(inverse, around) > _STEP_RATIO * cv2.erode(inverse, around)).any():
        return enlarged
    return sharpen_steps(enlarged, radius=int(np.ceil(0.75 * width / depth.width)))


def relative_from_affine(depth: DepthMap, farthest: float = 8.0) -> DepthMap:
    """Depth usable in a scene from inverse depth of unknown scale and shift, by assuming a range.

    The nearest 2 % stand at 1 scene unit and the farthest 2 % at `farthest`; the source says so.
    Raises InvalidInput when the map is flat.
    """
    near, far = np.quantile(depth.values[depth.valid], (0.98, 0.02)) if depth.valid.any() else (0.0, 0.0)
    if not near > far:
        raise InvalidInput("The depth that came with this photo is flat; use the layout guess or another depth file.")
    share = (depth.values - far) / (near - far)
    inverse = 1.0 / farthest + share * (1.0 - 1.0 / farthest)
    values = (1.0 / np.clip(inverse, 0.25 / farthest, 4.0)).astype(np.float32)
    return depth.changed(values, "relative", f"{depth.source}, range assumed")


def despeckled(inverse: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Without flying pixels: those that fewer than three of their eight neighbours agree with (within 4 %).

    They take the median around them. Straight edges, corners and lines two pixels wide stay as they are.
    """
    if min(inverse.shape) < 3:
        return inverse
    for _ in range(2):
        lonely = np.zeros(inverse.shape, bool)
        in_bands(lonely.shape, partial(_mark_lonely, inverse, np.float32(_STEP_RATIO - 1), lonely))
        if not lonely.any():
            break
        inverse = np.where(lonely, cv2.medianBlur(inverse, 5), inverse)
    return inverse


@compiled
@no_type_check
def _mark_lonely(inverse, tolerance, lonely, first, last):
    rows, columns = inverse.shape
    for y in range(max(first, 1), min(last, rows - 1)):
        for x in range(1, columns - 1):
            own = inverse[y, x]
            alike = 0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    alike += abs(inverse[y + dy, x + dx] - own) <= tolerance * own
            lonely[y, x] = alike < 4


def continue_far_side(
    inverse: Float32[np.ndarray, "H W"], unknown: Bool[np.ndarray, "H W"], source: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Fill `unknown` smoothly from those `source` pixels around each hole that do not stand before the scene behind."""
    depth = np.zeros_like(inverse)
    np.divide(1.0, inverse, out=depth, where=source & (inverse > 0))
    filled = inverse.copy()
    far = source & ~near_side(inverse, source)
    reach = 3 + round(0.01 * max(inverse.shape))
    for hole in find_holes(unknown, grow=0.5, least=8):
        # Only the hole's border counts: farther off, surfaces that stand in front have not been told apart.
        border = cv2.dilate(hole.pixels.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
        allowed = far[hole.window] & border
        if not allowed.any():
            allowed = source[hole.window]
        behind = fill_depth(depth[hole.window], hole.pixels, allowed)[hole.pixels]
        filled[hole.window][hole.pixels] = np.divide(1.0, behind, out=np.zeros_like(behind), where=behind > 0)
    return filled


def near_side(inverse: Float32[np.ndarray, "H W"], known: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Known pixels that stand clearly before the other side of the gap of unknown pixels beside them.

    Along rows and columns, the two ends of each gap differ by a step when no slope measured beside them
    explains it; the nearer end and its surface, up to 3 % of the picture on, are the near side.
    """
    ends = np.zeros(inverse.shape, bool)
    for w, seen, marked in ((inverse, known, ends), (inverse.T, known.T, ends.T)):
        in_bands(w.shape, partial(_mark_near_ends, w, seen, marked))
    if not ends.any():
        return ends
    reach = 4 + round(0.03 * max(inverse.shape))
    step = max(1, reach // _REACH_BLOCKS)
    highest = np.zeros((-(-inverse.shape[0] // step), -(-inverse.shape[1] // step)), np.float32)
    in_bands((highest.shape[0], inverse.shape[1] * step), partial(_highest_end, inverse, ends, step, highest))
    side = 2 * (reach // step) + 1
    surface = cv2.dilate(highest, np.ones((side, side), np.uint8))
    near = np.zeros(inverse.shape, bool)
    in_bands(near.shape, partial(_mark_near_surface, inverse, known, surface, step, near))
    return near


@compiled
@no_type_check
def _highest_end(inverse, ends, step, highest, first, last):
    """The largest inverse depth of the ends in each block of `step` x `step` pixels."""
    rows, columns = inverse.shape
    for row in range(first, last):
        for y in range(row * step, min(rows, (row + 1) * step)):
            for x in range(columns):
                if ends[y, x]:
                    highest[row, x // step] = max(highest[row, x // step], inverse[y, x])


@compiled
@no_type_check
def _mark_near_surface(inverse, known, surface, step, near, first, last):
    for y in range(first, last):
        for x in range(inverse.shape[1]):
            end = surface[y // step, x // step]
            near[y, x] = known[y, x] and end > 0 and inverse[y, x] > np.float32(0.9) * end


@compiled
@no_type_check
def _mark_near_ends(inverse, known, ends, first, last):
    columns = inverse.shape[1]
    for y in range(first, last):
        last = -1
        for x in range(columns):
            if not known[y, x]:
                continue
            if 0 <= last < x - 1:
                a, b = inverse[y, last], inverse[y, x]
                slope = 0.0
                if last > 1 and known[y, last - 1] and known[y, last - 2]:
                    slope = max(slope, abs(a - inverse[y, last - 2]) / 2)
                if x + 2 < columns and known[y, x + 1] and known[y, x + 2]:
                    slope = max(slope, abs(inverse[y, x + 2] - b) / 2)
                if abs(a - b) > 0.08 * max(a, b) and abs(a - b) > 3 * slope * (x - last):
                    ends[y, last if a > b else x] = True
            last = x


def sharpen_steps(inverse: Float32[np.ndarray, "H W"], radius: int) -> Float32[np.ndarray, "H W"]:
    """Turn blurred depth steps into clean ones: each ramp pixel joins the nearer of its two sides.

    A step has nearly the same range in a window and in one twice as wide; a slope's range doubles.
    """
    small, wide = (np.ones((2 * r + 1, 2 * r + 1), np.uint8) for r in (radius, 2 * radius))
    low, high = cv2.erode(inverse, small), cv2.dilate(inverse, small)
    wide_range = cv2.dilate(inverse, wide) - cv2.erode(inverse, wide)
    is_step = (high > _STEP_RATIO * low) & (wide_range < 1.5 * (high - low))
    nearer_side = np.where(inverse - low < high - inverse, low, high)
    return np.where(is_step, nearer_side, inverse)


def points_from_inverse_depth(
    inverse: Float32[np.ndarray, "H W"], intrinsics: Intrinsics
) -> Float32[np.ndarray, "H W 3"]:
    """Points in camera axes of every pixel; `inverse` must be positive."""
    return pixel_rays(intrinsics) / inverse[..., None]


def object_inverse_depth(
    inverse: Float32[np.ndarray, "H W"], coverage: UInt8[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """An object's own inverse depth: whole inside its mask and continued beyond its edge.

    Depth near a silhouette often belongs to what is behind: the rim is replaced by the interior's
    continuation, as are values far outside the interior's range.
    """
    core = _core_of(inverse, coverage >= 128)
    return membrane(inverse[..., None], ~core, core)[..., 0] if core.any() else inverse


def flat_object_inverse_depth(
    inverse: Float32[np.ndarray, "H W"], coverage: UInt8[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """As `object_inverse_depth` for depth that cannot be trusted with relief: the plane that fits the object.

    A wrong relief smears the object's texture as soon as it moves.
    """
    core = _core_of(inverse, coverage >= 128)
    plane = fitted_plane(inverse, core.astype(np.float32))
    if plane is None:
        return inverse
    low, high = inverse[core].min(), inverse[core].max()
    return plane.clip(0.5 * low, 2.0 * high)


def _core_of(inverse: Float32[np.ndarray, "H W"], inside: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The object without its rim and without values far outside its interior's range."""
    rim = max(1, round(0.006 * max(inverse.shape)))
    core = cv2.erode(inside.astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) > 0
    if core.sum() < 0.2 * inside.sum():
        core = inside
    if not core.any():
        return core
    low, high = np.quantile(inverse[core], (0.03, 0.97))
    spread = max(high - low, 0.02 * high)
    return core & (inverse >= low - spread) & (inverse <= high + spread)


def object_pivot(
    inverse: Float32[np.ndarray, "H W"],
    coverage: UInt8[np.ndarray, "H W"],
    intrinsics: Intrinsics,
    up: tuple[float, float, float],
) -> Float64[np.ndarray, "3"]:
    """The middle of the object's lowest points along `up`: where it touches what it stands on."""
    inside = coverage >= 128
    if not inside.any():
        raise InvalidInput("The mask is empty; click the object again or paint it.")
    points = points_from_inverse_depth(inverse, intrinsics)[inside].astype(np.float64)
    heights = points @ np.asarray(up)
    lowest = points[heights <= np.quantile(heights, 0.05)]
    return np.median(lowest, axis=0)
