"""Depth of a place described by two handles, and of objects that stand upright in it."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.errors import InvalidInput
from core.types.camera import Intrinsics
from core.types.depth import Ground, Layout

CAMERA_HEIGHT = 1.5
"""Scene units from the photo's camera to the ground of a guessed layout (a standing person's eye, in metres)."""

SKY_FACTOR = 30.0
"""How many times further than the ground's end the sky stands; finite, so that it moves rightly with the camera."""

_ROUNDNESS = 0.25
_CONTACT_SHARE = 0.06
_NEAREST = 0.25
_CUSHION_SIZE = 320
_UPRIGHT_BELOW, _FACING_FROM = np.radians(20), np.radians(60)


def ground_from_horizon(horizon: float, intrinsics: Intrinsics) -> Ground:
    """The plane CAMERA_HEIGHT below the camera whose horizon is `horizon` (fraction of the picture's height)."""
    slope = (horizon * intrinsics.height - 0.5 - intrinsics.cy) / intrinsics.fy
    length = float(np.hypot(1.0, slope))
    return Ground(up=(0.0, -1.0 / length, slope / length), height=CAMERA_HEIGHT)


def layout_depth(layout: Layout, intrinsics: Intrinsics) -> tuple[Float32[np.ndarray, "H W"], Ground]:
    """Ground from the bottom up to `ground_end`, then a backdrop that stands upright on its far line.

    Unprojected pixels below `ground_end` lie exactly on the returned plane; the backdrop is
    perpendicular to it and faces the camera. Rows of one height share one depth.
    """
    ground = ground_from_horizon(layout.horizon, intrinsics)
    _, up_y, up_z = ground.up
    slopes = (np.arange(intrinsics.height, dtype=np.float64) - intrinsics.cy) / intrinsics.fy
    end = (layout.ground_end * intrinsics.height - 0.5 - intrinsics.cy) / intrinsics.fy
    below = slopes >= end
    depth = np.empty_like(slopes)
    depth[below] = ground.height / -(up_y * slopes[below] + up_z)
    far = ground.height / -(up_y * end + up_z)
    away_y, away_z = up_z, -up_y
    reach = far * (away_y * end + away_z)
    # A backdrop seen along its own surface would run to infinity.
    depth[~below] = reach / np.maximum(away_y * slopes[~below] + away_z, reach / (SKY_FACTOR * far))
    return np.repeat(depth.astype(np.float32)[:, None], intrinsics.width, axis=1), ground


def upright_object_depth(
    coverage: Bool[np.ndarray, "H W"],
    scene_depth: Float32[np.ndarray, "H W"],
    ground: Ground,
    intrinsics: Intrinsics,
) -> Float32[np.ndarray, "H W"]:
    """Depth of an object that stands upright where its lowest pixels touch the ground; 0 outside the mask.

    The object is a surface through its contact line, parallel to the ground's up and facing the
    camera (leaning back when looked down on by more than 20 degrees). It bulges towards the camera
    by up to a quarter of the object's width and back to nothing at the silhouette. Where the contact
    lies at or above the horizon, or `scene_depth` under the mask's lowest pixels is nearer than the
    ground, that depth takes the ground's place. Raises InvalidInput when the mask is empty or of
    another size.
    """
    if coverage.shape != (intrinsics.height, intrinsics.width):
        raise InvalidInput(f"The mask {coverage.shape} must have the size of the picture it belongs to.")
    box = _box(coverage)
    x0, y0, x1, y1 = box
    window = coverage[y0 : y1 + 1, x0 : x1 + 1]
    contact = _contact_point(window, box, scene_depth, ground, intrinsics)
    surface = _plane_depth(box, _facing(contact, np.array(ground.up)), contact, intrinsics)
    cushion, radius = _cushion(window)
    # The widest place counts, not the box: a pole is thin however it leans.
    thickness = _ROUNDNESS * 2 * radius * float(np.median(surface[window])) / intrinsics.fx
    depth = np.maximum(surface - np.float32(thickness) * cushion, np.float32(_NEAREST * contact[2]))
    result = np.zeros(coverage.shape, np.float32)
    result[y0 : y1 + 1, x0 : x1 + 1] = np.where(window, depth, 0)
    return result


def _box(coverage: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(coverage.any(1)), np.flatnonzero(coverage.any(0))
    if len(rows) == 0:
        raise InvalidInput("The object's mask is empty; select something first.")
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _contact_point(
    window: Bool[np.ndarray, "h w"],
    box: tuple[int, int, int, int],
    scene_depth: Float32[np.ndarray, "H W"],
    ground: Ground,
    intrinsics: Intrinsics,
) -> Float64[np.ndarray, "3"]:
    """Where the object meets the ground: the middle of its lowest pixels, cast onto the plane.

    The lowest few per cent of the object's pixels are averaged, so that one stray pixel does not
    carry the whole object away.
    """
    x0, y0, _, _ = box
    per_row = window.sum(1)
    below = np.cumsum(per_row[::-1])[::-1]
    foot = window & (below <= max(_CONTACT_SHARE * per_row.sum(), per_row[-1]))[:, None]
    ys, xs = np.nonzero(foot)
    x, y = x0 + xs.mean(), float(box[3])
    ray = np.array([(x - intrinsics.cx) / intrinsics.fx, (y - intrinsics.cy) / intrinsics.fy, 1.0])
    fall = -float(np.array(ground.up) @ ray)
    under = scene_depth[y0 + ys, x0 + xs]
    behind = float(np.median(under[under > 0])) if (under > 0).any() else ground.height
    return ray * (min(ground.height / fall, behind) if fall > 0 else behind)


def _facing(contact: Float64[np.ndarray, "3"], up: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    """Unit normal of the object's surface, away from the camera: level with the ground in ordinary views.

    Seen from above, a picture shows an object's top as well as its front, from the near foot to the
    far rim, so that the surface leans back; straight from above it faces the camera.
    """
    sight = contact / np.linalg.norm(contact)
    down = -float(up @ sight)
    level = sight + up * down
    length = float(np.linalg.norm(level))
    if down <= 0 or length < 1e-6:
        return sight if length < 1e-6 else level / length
    pitch = float(np.arctan2(down, length))
    share = float(np.clip((pitch - _UPRIGHT_BELOW) / (_FACING_FROM - _UPRIGHT_BELOW), 0, 1))
    lean = pitch * share * share * (3 - 2 * share)
    return level / length * np.cos(lean) - up * np.sin(lean)


def _plane_depth(
    box: tuple[int, int, int, int],
    normal: Float64[np.ndarray, "3"],
    contact: Float64[np.ndarray, "3"],
    intrinsics: Intrinsics,
) -> Float32[np.ndarray, "h w"]:
    """Depth in a box of pixels of the plane through `contact`; at most five times the contact's own z."""
    x0, y0, x1, y1 = box
    across = normal[0] * (np.arange(x0, x1 + 1) - intrinsics.cx) / intrinsics.fx
    down = normal[1] * (np.arange(y0, y1 + 1) - intrinsics.cy) / intrinsics.fy
    offset = float(normal @ contact)
    along = (down + normal[2]).astype(np.float32)[:, None] + across.astype(np.float32)[None]
    return np.float32(offset) / np.maximum(along, np.float32(0.2 * offset / contact[2]))


def _cushion(window: Bool[np.ndarray, "h w"]) -> tuple[Float32[np.ndarray, "h w"], float]:
    """A smooth bulge (0 at the silhouette, 1 where the object is widest) and the widest place's radius in pixels.

    Shaped at 320 pixels or less: at 12 megapixels the full-size blur took 12 s and looked the same.
    """
    import cv2

    tall, wide = window.shape
    factor = min(1.0, _CUSHION_SIZE / max(tall, wide))
    size = (max(1, round(wide * factor)), max(1, round(tall * factor)))
    small = cv2.resize(window.astype(np.uint8), size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST)
    gap = cv2.distanceTransform(np.pad(small, 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    radius = max(float(gap.max()), 1.0)
    share = np.clip((gap - 0.5) / radius, 0, 1)
    arc = np.sqrt(1 - (1 - share) ** 2)
    # Distance has creases along the object's middle line; a blur makes them round.
    arc = cv2.GaussianBlur(arc, (0, 0), max(0.15 * radius, 0.5), borderType=cv2.BORDER_CONSTANT)
    arc = (arc * np.minimum(1, share * 4)).astype(np.float32)
    return cv2.resize(arc, (wide, tall), interpolation=cv2.INTER_LINEAR), radius / factor
