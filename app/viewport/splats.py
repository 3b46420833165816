"""A photo layer as one flat Gaussian per pixel: looks like the photograph, keeps soft clean edges.

Unlike textured meshes in viser, Gaussians are not tone-mapped and tear no rubber sheets at depth
jumps: each lies in the plane of its own surface and reaches half a pixel beyond its neighbour.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.maths.camera import cropped, pixel_rays, project, resized
from core.types.camera import Intrinsics

OPACITY = 0.98
TANGENT_SHARE = 0.55
MAX_TANGENT_PX = 3.0
BACKGROUND_BUDGET = 300_000
OBJECT_BUDGET = 150_000


@dataclass(frozen=True, eq=False)
class LayerCloud:
    """Gaussians in world axes and scene units; `covariances` are second moments."""

    centres: Float32[np.ndarray, "N 3"]
    covariances: Float32[np.ndarray, "N 3 3"]
    colours: UInt8[np.ndarray, "N 3"]

    def __len__(self) -> int:
        return len(self.centres)


def layer_cloud(
    rgb: UInt8[np.ndarray, "H W 3"],
    depth: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    intrinsics: Intrinsics,
    budget: int = BACKGROUND_BUDGET,
) -> LayerCloud:
    """Gaussians of the masked pixels, at most about `budget`; the picture is made smaller to meet it.

    World = the camera that took the picture. Pixels with depth that is not positive are left out.
    """
    mask = mask & np.isfinite(depth) & (depth > 0)
    if not mask.any():
        return LayerCloud(np.zeros((0, 3), np.float32), np.zeros((0, 3, 3), np.float32), np.zeros((0, 3), np.uint8))
    rgb, depth, mask, intrinsics = _cropped_to(mask, rgb, depth, intrinsics)
    rgb, depth, mask, intrinsics = _within_budget(rgb, depth, mask, intrinsics, budget)
    points = pixel_rays(intrinsics) * depth[..., None]
    footprint = depth / max(intrinsics.fx, intrinsics.fy)
    right = _tangents(points, mask, footprint, axis=1)
    down = _tangents(points, mask, footprint, axis=0)
    limit = MAX_TANGENT_PX * footprint[mask]
    tangents = [_limited(t[mask], limit) * TANGENT_SHARE for t in (right, down)]
    covariances = sum(t[:, :, None] * t[:, None, :] for t in tangents)
    return LayerCloud(points[mask], np.asarray(covariances, np.float32), rgb[mask])


def _cropped_to(
    mask: np.ndarray, rgb: np.ndarray, depth: np.ndarray, intrinsics: Intrinsics
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Intrinsics]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    window = np.s_[y0:y1, x0:x1]
    inner = cropped(intrinsics, int(x0), int(y0), int(x1 - x0), int(y1 - y0))
    return rgb[window], depth[window], mask[window], inner


def _within_budget(
    rgb: np.ndarray, depth: np.ndarray, mask: np.ndarray, intrinsics: Intrinsics, budget: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Intrinsics]:
    """Area-averaged colour; depth and mask are sampled, so that no depth between two surfaces is made up."""
    import cv2

    factor = float(np.sqrt(budget / np.count_nonzero(mask)))
    if factor >= 1.0:
        return rgb, depth, mask, intrinsics
    height, width = mask.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    weight = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(np.where(mask[..., None], rgb, 0), size, interpolation=cv2.INTER_AREA)
    colour = np.clip(inside / np.maximum(weight, 1e-3)[..., None], 0, 255).round().astype(np.uint8)
    columns = np.clip(((np.arange(size[0]) + 0.5) * width / size[0]).astype(int), 0, width - 1)
    rows = np.clip(((np.arange(size[1]) + 0.5) * height / size[1]).astype(int), 0, height - 1)
    picked = np.ix_(rows, columns)
    return colour, depth[picked], mask[picked], resized(intrinsics, *size)


def _tangents(points: np.ndarray, mask: np.ndarray, footprint: np.ndarray, axis: int) -> np.ndarray:
    """Step to the next pixel along `axis`, taken on the side where depth changes less.

    At a depth jump this follows the pixel's own surface; a pixel alone faces the camera.
    """
    steps = np.diff(points, axis=axis)
    joined = mask[:, 1:] & mask[:, :-1] if axis == 1 else mask[1:] & mask[:-1]
    jump = np.where(joined, np.abs(steps[..., 2]), np.inf)
    ahead, behind = _shifted(steps, axis, after=True), _shifted(steps, axis, after=False)
    ahead_jump = _shifted(jump, axis, after=True, fill=np.inf)
    behind_jump = _shifted(jump, axis, after=False, fill=np.inf)
    chosen = np.where((ahead_jump <= behind_jump)[..., None], ahead, behind)
    alone = np.isinf(np.minimum(ahead_jump, behind_jump))
    chosen[alone] = 0.0
    chosen[alone, 1 - axis] = footprint[alone]
    return chosen


def _shifted(values: np.ndarray, axis: int, after: bool, fill: float = 0.0) -> np.ndarray:
    """Put differences back on the pixel grid: at their first pixel (`after` False: at their second)."""
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, 1) if after else (1, 0)
    return np.pad(values, widths, constant_values=fill)


def _limited(tangents: np.ndarray, limit: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(tangents, axis=1)
    return tangents * np.minimum(1.0, limit / np.maximum(length, 1e-12))[:, None]


def nearest_splat(
    points: Float32[np.ndarray, "N 3"], canvas: Intrinsics, x: float, y: float, radius: float
) -> tuple[int, float] | None:
    """Index and depth of the front-most point (camera axes) within `radius` canvas pixels of (x, y)."""
    xy = project(canvas, points)
    close = np.flatnonzero(np.hypot(xy[:, 0] - x, xy[:, 1] - y) <= radius)
    if close.size == 0:
        return None
    best = close[np.argmin(points[close, 2])]
    return int(best), float(points[best, 2])
