"""The ground plane under measured depth."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.maths.camera import pixel_rays
from core.types.camera import Intrinsics
from core.types.depth import Ground

_SAMPLES = 6000
_HYPOTHESES = 300
_LEAST_SHARE = 0.12
_STEEPEST_COSINE = 0.5  # the ground's up leans at most 60 degrees from the camera's


def fit_ground(
    depth: Float32[np.ndarray, "H W"], valid: Bool[np.ndarray, "H W"], intrinsics: Intrinsics, seed: int = 0
) -> Ground | None:
    """The largest roughly level plane below the camera, or None when no plane holds 12 % of the lower picture.

    RANSAC over triples of points from the picture's lower 60 % (Fischler & Bolles 1981), inliers within 1.5 %
    of their distance, then least squares over the inliers. Deterministic for a seed.
    """
    rows, columns = np.nonzero(valid & (np.arange(depth.shape[0])[:, None] >= 0.4 * depth.shape[0]))
    if rows.size < 100:
        return None
    rng = np.random.default_rng(seed)
    chosen = rng.choice(rows.size, size=min(_SAMPLES, rows.size), replace=False)
    rays = pixel_rays(intrinsics)[rows[chosen], columns[chosen]]
    points = rays.astype(np.float64) * depth[rows[chosen], columns[chosen]][:, None]
    best = _best_plane(points, rng)
    if best is None:
        return None
    inliers = _inliers(points, *best)
    if inliers.mean() < _LEAST_SHARE:
        return None
    return _refined(points[inliers])


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


def _best_plane(
    points: Float64[np.ndarray, "N 3"], rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "3"], float] | None:
    best, most = None, 0
    for _ in range(_HYPOTHESES):
        a, b, c = points[rng.choice(len(points), size=3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-9:
            continue
        up = _upwards(normal / length)
        height = -float(up @ a)
        if -up[1] < _STEEPEST_COSINE or height <= 0:
            continue
        count = int(_inliers(points, up, height).sum())
        if count > most:
            best, most = (up, height), count
    return best


def _inliers(points: Float64[np.ndarray, "N 3"], up: Float64[np.ndarray, "3"], height: float) -> np.ndarray:
    return np.abs(points @ up + height) < 0.015 * points[:, 2]


def _refined(points: Float64[np.ndarray, "N 3"]) -> Ground:
    centre = points.mean(axis=0)
    up = _upwards(np.linalg.svd(points - centre, full_matrices=False)[2][2])
    x, y, z = (float(v) for v in up)
    return Ground((x, y, z), max(-float(up @ centre), 1e-6))


def _upwards(normal: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
    return normal if normal[1] < 0 else -normal
