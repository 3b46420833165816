"""From a rigid motion of an object to the displacement of its pixels (spec 6.1), as released and as intended.

Motions are in the photo's camera axes, metres where depth is metric. Flow is (dx, dy) in the photo's pixels.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from core.errors import InvalidInput
from core.maths.camera import project, unproject
from core.maths.rigid import Matrix3, pose, rotation_from_euler_deg, transform
from core.types.camera import Intrinsics, Pose

Depth = Float[np.ndarray, "H W"]
MaskPixels = Bool[np.ndarray, "H W"]
Points = Float64[np.ndarray, "N 3"]

_LEAST_SINE = 1e-6
_CAMERA_FORWARD = np.array([0.0, 0.0, 1.0])


class Projection(Enum):
    """What becomes of a projected pixel. The released scripts floor it; two of them clip it to the picture first.

    EXACT is ours: sub-pixel, free to leave the picture. FLOORED clips the target mask alone (3DEditBench path);
    FLOORED_AND_CLIPPED lets motion that leaves the picture end on its border (`run_obj_motion`, `run_nvs`).
    """

    EXACT = "exact"
    FLOORED = "floored"
    FLOORED_AND_CLIPPED = "floored and clipped"


@dataclass(frozen=True)
class Displacement:
    """Flow from every source pixel, 0 off the mask and NaN where there is no place, and the pixels it lands on.

    `target` has holes where the object grows: each source pixel marks one target pixel.
    """

    flow: Float64[np.ndarray, "H W 2"]
    target: MaskPixels


def world_axes(ground_points_xy: Int[np.ndarray, "3 2"], depth: Depth, intrinsics: Intrinsics) -> Pose:
    """camera_from_world of axes that stand on the ground: z up, y away from the camera, no translation (6.1.3).

    The points are pixels in counter-clockwise order. Raises InvalidInput for points outside the picture or without
    depth, points on a line, and ground that faces the camera squarely.
    """
    points = lifted(ground_points_xy, depth, intrinsics)
    ahead, behind = points[2] - points[1], points[0] - points[1]
    up = np.cross(ahead, behind)
    if not np.linalg.norm(up) > _LEAST_SINE * np.linalg.norm(ahead) * np.linalg.norm(behind):
        raise InvalidInput(f"The ground points {ground_points_xy.tolist()} lie on a line; choose three corners.")
    up = up / np.linalg.norm(up)
    x = np.cross(_CAMERA_FORWARD, up)
    if not np.linalg.norm(x) > _LEAST_SINE:
        raise InvalidInput("The ground faces the camera squarely, so it has no left and right; choose other points.")
    x = x / np.linalg.norm(x)
    y = np.cross(up, x)
    return pose(np.stack([x, y / np.linalg.norm(y), up], axis=1), np.zeros(3))


def rotation_world(azimuth: float, tilt: float, elevation: float) -> Matrix3:
    """Rz(azimuth) Ry(tilt) Rx(elevation) for degrees about the world axes (6.1.6)."""
    return rotation_from_euler_deg(elevation, tilt, azimuth)


def motion_in_camera(
    motion: Pose, camera_from_world: Pose, world_from_camera: Pose, centroid: Float64[np.ndarray, "3"]
) -> Pose:
    """A motion in world axes about the object's centroid (camera axes), as a motion in camera axes (6.1.6).

    Both directions are given because the released ones are float32 and only nearly each other's inverse.
    """
    turned = camera_from_world.matrix @ motion.matrix @ world_from_camera.matrix
    rotation = turned[:3, :3]
    return pose(rotation, turned[:3, 3] + centroid - rotation @ centroid)


def object_centroid(depth: Depth, mask: MaskPixels, intrinsics: Intrinsics) -> Float64[np.ndarray, "3"]:
    """Mean of the object's points in camera axes (6.1.4). Raises InvalidInput for a mask without depth."""
    return _in_released_order(*_mask_pixels(depth, mask), _camera_matrix(intrinsics)).mean(axis=0)


def lifted(pixels_xy: Int[np.ndarray, "N 2"], depth: Depth, intrinsics: Intrinsics) -> Points:
    """Points in camera axes seen at whole pixels. Raises InvalidInput outside the picture or without depth."""
    height, width = depth.shape
    outside = ((pixels_xy < 0) | (pixels_xy >= (width, height))).any(axis=1)
    if outside.any():
        raise InvalidInput(f"The point {pixels_xy[outside][0].tolist()} lies outside the {width}x{height} picture.")
    z = depth[pixels_xy[:, 1], pixels_xy[:, 0]]
    unknown = ~(np.isfinite(z) & (z > 0))
    if unknown.any():
        raise InvalidInput(f"There is no depth at the point {pixels_xy[unknown][0].tolist()}; choose another.")
    return unproject(intrinsics, pixels_xy.astype(np.float64), z)


def kabsch(points_0: Points, points_1: Points) -> Pose:
    """The rigid motion that takes points_0 nearest to points_1 in least squares, mirroring excluded (6.1).

    Raises InvalidInput for fewer than three pairs, points on a line, and NaN.
    """
    if points_0.shape != points_1.shape or len(points_0) < 3:
        raise InvalidInput(f"A rigid motion needs three or more point pairs, got {len(points_0)} and {len(points_1)}.")
    if not (np.isfinite(points_0).all() and np.isfinite(points_1).all()):
        raise InvalidInput("A rigid motion needs finite points; leave out the pairs without depth.")
    centre_0, centre_1 = points_0.mean(axis=0), points_1.mean(axis=0)
    left, spread, right = np.linalg.svd((points_0 - centre_0).T @ (points_1 - centre_1))
    if not spread[1] > _LEAST_SINE**2 * spread[0]:
        raise InvalidInput("The point pairs lie on a line, which leaves a turn open; add a pair beside it.")
    handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(right.T @ left.T))])
    rotation = right.T @ handed @ left.T
    return pose(rotation, centre_1 - rotation @ centre_0)


def displacement(
    depth: Depth, mask: MaskPixels, motion: Pose, intrinsics: Intrinsics, projection: Projection
) -> Displacement:
    """Where the mask's pixels go under a motion in camera axes (6.1.6 to 6.1.8). No visibility is tested.

    EXACT gives NaN to pixels without depth and to those that end behind the camera. The floored ones know no
    such pixels: they raise InvalidInput for a mask without depth and for points that end in the camera's plane.
    """
    height, width = depth.shape
    if projection is Projection.EXACT:
        rows, columns = np.nonzero(mask)
        landed = _projected(depth[rows, columns], np.stack([columns, rows], axis=1), motion, intrinsics)
        on_grid = np.rint(landed)
        with np.errstate(invalid="ignore"):
            inside = ((on_grid >= 0) & (on_grid < (width, height))).all(axis=1)
        marked = on_grid[inside].astype(np.int64)
    else:
        rows, columns, z = _mask_pixels(depth, mask)
        landed = _floored(rows, columns, z, motion, intrinsics)
        clipped = landed.clip(0, (width - 1, height - 1))
        marked = clipped.astype(np.int64)
        landed = clipped if projection is Projection.FLOORED_AND_CLIPPED else landed
    flow = np.zeros((height, width, 2))
    flow[rows, columns] = landed - np.stack([columns, rows], axis=1)
    target = np.zeros((height, width), bool)
    target[marked[:, 1], marked[:, 0]] = True
    return Displacement(flow, target)


def _projected(
    z: Float[np.ndarray, "N"], pixels_xy: Int[np.ndarray, "N 2"], motion: Pose, intrinsics: Intrinsics
) -> Float64[np.ndarray, "N 2"]:
    known = np.where(np.isfinite(z) & (z > 0), z, np.nan)
    return project(intrinsics, transform(motion.matrix, unproject(intrinsics, pixels_xy.astype(np.float64), known)))


def _floored(
    rows: Int[np.ndarray, "N"],
    columns: Int[np.ndarray, "N"],
    z: Float[np.ndarray, "N"],
    motion: Pose,
    intrinsics: Intrinsics,
) -> Float64[np.ndarray, "N 2"]:
    camera = _camera_matrix(intrinsics)
    image = camera @ transform(motion.matrix, _in_released_order(rows, columns, z, camera)).T
    if not image[2].all():
        raise InvalidInput("The motion puts a point of the object in the camera's plane; move it less.")
    return (image[:2] // image[2]).T


def _in_released_order(
    rows: Int[np.ndarray, "N"], columns: Int[np.ndarray, "N"], z: Float[np.ndarray, "N"], camera: Matrix3
) -> Points:
    # Not core.maths.camera.unproject: flooring a pixel that stands still shows the last bit of these very products.
    return ((np.linalg.inv(camera) @ np.stack([columns, rows, np.ones_like(rows)])) * z).T


def _mask_pixels(
    depth: Depth, mask: MaskPixels
) -> tuple[Int[np.ndarray, "N"], Int[np.ndarray, "N"], Float[np.ndarray, "N"]]:
    rows, columns = np.nonzero(mask)
    z = depth[rows, columns]
    if len(z) == 0 or not (np.isfinite(z) & (z > 0)).all():
        raise InvalidInput(f"The object has {len(z)} pixels and needs depth at each of them; fill its depth first.")
    return rows, columns, z


def _camera_matrix(intrinsics: Intrinsics) -> Matrix3:
    k = intrinsics
    return np.array([[k.fx, 0.0, k.cx], [0.0, k.fy, k.cy], [0.0, 0.0, 1.0]])
