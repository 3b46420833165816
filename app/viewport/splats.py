"""A photo layer as one flat Gaussian per pixel: looks like the photograph, keeps soft clean edges.

Unlike textured meshes in viser, Gaussians are not tone-mapped and tear no rubber sheets at depth
jumps: each lies in the plane of its own surface and reaches half a pixel beyond its neighbour.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from core.maths.camera import cropped, pixel_rays, project, resized
from core.types.camera import Intrinsics

OPACITY = 0.98
# Of the step to the next pixel. A layer made smaller shows its grid, and what is behind, through less overlap.
TANGENT_SHARE, SMALLER_TANGENT_SHARE = 0.55, 0.66
# A pixel whose every step is longer lies on no surface but between two: it would show as a dash or a loose dot
# at a silhouette (2 % of the motorcycle's pixels, while its floor stays below 4) and is left out.
JUMP_TANGENT_PX, SURFACE_TANGENT_PX = 3.0, 8.0
SMOOTH_RATIO = 2.0
UNDERLAY_STEP, UNDERLAY_REACH = 6, 9
JUMP_RATIO = 1.04
# viser's shader takes the direction of a zero vector for a splat that stands straight on screen and
# loses it (seen as hairlines through flat objects); a slight skew keeps every splat off that case.
SKEW = 0.08
# A splat fainter than this share of 255 only costs time.
FAINTEST = 24
BACKGROUND_BUDGET = 300_000
OBJECT_BUDGET = 150_000
COARSE_SHARE = 0.12
"""Of the budgets, for browsers that draw in software: all of them took 8 to 24 s a frame on two cores."""


@dataclass(frozen=True, eq=False)
class LayerCloud:
    """Gaussians in world axes and scene units; `covariances` are second moments."""

    centres: Float32[np.ndarray, "N 3"]
    covariances: Float32[np.ndarray, "N 3 3"]
    colours: UInt8[np.ndarray, "N 3"]
    opacities: Float32[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.centres)


def layer_cloud(
    rgb: UInt8[np.ndarray, "H W 3"],
    depth: Float32[np.ndarray, "H W"],
    intrinsics: Intrinsics,
    coverage: UInt8[np.ndarray, "H W"] | None = None,
    budget: int = BACKGROUND_BUDGET,
) -> LayerCloud:
    """Gaussians of the covered pixels, at most about `budget`; the picture is made smaller to meet it.

    World = the camera that took the picture. Coverage (255 everywhere by default) becomes opacity, so
    that soft edges stay soft. Pixels with depth that is not positive are left out.
    """
    whole = np.full(depth.shape, 255, np.uint8) if coverage is None else coverage
    coverage = np.where(np.isfinite(depth) & (depth > 0), whole, np.uint8(0))
    if not (coverage >= FAINTEST).any():
        return _gaussians(rgb, depth, np.zeros_like(coverage), intrinsics)
    rgb, depth, coverage, intrinsics = _cropped_to(coverage >= FAINTEST, rgb, depth, coverage, intrinsics)
    columns = depth.shape[1]
    rgb, depth, coverage, intrinsics = _within_budget(rgb, depth, coverage, intrinsics, budget)
    share = TANGENT_SHARE if depth.shape[1] == columns else SMALLER_TANGENT_SHARE
    return _gaussians(rgb, depth, coverage, intrinsics, share)


def with_underlay(
    cloud: LayerCloud,
    rgb: UInt8[np.ndarray, "H W 3"],
    depth: Float32[np.ndarray, "H W"],
    intrinsics: Intrinsics,
) -> LayerCloud:
    """Add a coarse, blurred layer a little behind the far side of every depth jump.

    What a background hides behind its own foreground is then its far side's colour in place of
    black cracks; costs one Gaussian per 36 pixels of the size that `cloud` was sampled at.
    """
    import cv2

    factor = min(1.0, float(np.sqrt(max(len(cloud), 1) / depth.size)))
    fine = max(2, round(depth.shape[1] * factor)), max(2, round(depth.shape[0] * factor))
    size = max(2, fine[0] // UNDERLAY_STEP), max(2, fine[1] // UNDERLAY_STEP)
    colour = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    sampled = np.nan_to_num(cv2.resize(depth, fine, interpolation=cv2.INTER_NEAREST), posinf=0.0, neginf=0.0)
    coarse = cv2.resize(sampled, size, interpolation=cv2.INTER_NEAREST)
    window = (UNDERLAY_REACH, UNDERLAY_REACH)
    around = np.ones(window, np.uint8)
    far = cv2.GaussianBlur(cv2.dilate(coarse, around), window, 0)
    weight = (coarse > 0.9 * far).astype(np.float32) + 1e-4
    blurred = cv2.blur(colour * weight[..., None], window) / cv2.blur(weight, window)[..., None]
    hidden = cv2.resize(_jumps(sampled), size, interpolation=cv2.INTER_AREA) > 0
    hidden = (cv2.dilate(hidden.astype(np.uint8), around) > 0) & (far > 0)
    hidden[[0, -1]] = hidden[:, [0, -1]] = False
    if not hidden.any():
        return cloud
    lower = _gaussians(
        np.clip(blurred, 0, 255).astype(np.uint8),
        far * np.float32(1.01),
        hidden * np.uint8(255),
        resized(intrinsics, *size),
        SMALLER_TANGENT_SHARE,
    )
    return LayerCloud(
        np.concatenate([cloud.centres, lower.centres]),
        np.concatenate([cloud.covariances, lower.covariances]),
        np.concatenate([cloud.colours, lower.colours]),
        np.concatenate([cloud.opacities, lower.opacities]),
    )


def _jumps(depth: np.ndarray) -> np.ndarray:
    """1.0 at pixels whose right or lower neighbour lies on another surface, float32."""
    jumps = np.zeros(depth.shape, np.float32)
    for axis in (0, 1):
        near = np.minimum(depth[1:], depth[:-1]) if axis == 0 else np.minimum(depth[:, 1:], depth[:, :-1])
        change = np.abs(np.diff(depth, axis=axis)) > (JUMP_RATIO - 1.0) * near
        if axis == 0:
            jumps[:-1][change] = 1.0
        else:
            jumps[:, :-1][change] = 1.0
    return jumps


def _gaussians(
    rgb: np.ndarray, depth: np.ndarray, coverage: np.ndarray, intrinsics: Intrinsics, share: float = TANGENT_SHARE
) -> LayerCloud:
    mask = coverage >= FAINTEST
    points = pixel_rays(intrinsics) * depth[..., None]
    footprint = depth / max(intrinsics.fx, intrinsics.fy)
    (right, firm_right), (down, firm_down) = (_tangents(points, mask, footprint, axis) for axis in (1, 0))
    firm = firm_right & firm_down
    right, down = right[firm] * share, down[firm] * share
    covariances = sum(t[:, :, None] * t[:, None, :] for t in (right + SKEW * down, down))
    opacities = coverage[mask][firm].astype(np.float32) * np.float32(OPACITY / 255.0)
    return LayerCloud(points[mask][firm], np.asarray(covariances, np.float32), rgb[mask][firm], opacities)


def _cropped_to(
    mask: np.ndarray, rgb: np.ndarray, depth: np.ndarray, coverage: np.ndarray, intrinsics: Intrinsics
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Intrinsics]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    window = np.s_[y0:y1, x0:x1]
    inner = cropped(intrinsics, int(x0), int(y0), int(x1 - x0), int(y1 - y0))
    return rgb[window], depth[window], coverage[window], inner


def _within_budget(
    rgb: np.ndarray, depth: np.ndarray, coverage: np.ndarray, intrinsics: Intrinsics, budget: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Intrinsics]:
    """Area-averaged colour and coverage; depth is sampled, so that none between two surfaces is made up."""
    import cv2

    mask = coverage >= FAINTEST
    factor = float(np.sqrt(budget / np.count_nonzero(mask)))
    if factor >= 1.0:
        return rgb, depth, coverage, intrinsics
    height, width = mask.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    weight = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(np.where(mask[..., None], rgb, 0), size, interpolation=cv2.INTER_AREA)
    colour = np.clip(inside / np.maximum(weight, 1e-3)[..., None], 0, 255).round().astype(np.uint8)
    columns = np.clip(((np.arange(size[0]) + 0.5) * width / size[0]).astype(int), 0, width - 1)
    rows = np.clip(((np.arange(size[1]) + 0.5) * height / size[1]).astype(int), 0, height - 1)
    picked = np.ix_(rows, columns)
    averaged = np.where(mask[picked], cv2.resize(coverage, size, interpolation=cv2.INTER_AREA), np.uint8(0))
    return colour, depth[picked], averaged, resized(intrinsics, *size)


def _tangents(points: np.ndarray, mask: np.ndarray, footprint: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Step to the next pixel along `axis` for each masked pixel [N 3], on the side where depth changes less.

    At a depth jump this follows the pixel's own surface and is kept short; where both sides agree
    the surface is merely steep and the step keeps its length. A pixel alone faces the camera. Also
    whether the pixel lies on a surface at all [N].
    """
    steps = np.diff(points, axis=axis)
    joined = mask[:, 1:] & mask[:, :-1] if axis == 1 else mask[1:] & mask[:-1]
    jump = np.where(joined, np.abs(steps[..., 2]), np.inf)
    ahead = _shifted(jump, axis, after=True, fill=np.inf)[mask]
    behind = _shifted(jump, axis, after=False, fill=np.inf)[mask]
    less, more = np.minimum(ahead, behind), np.maximum(ahead, behind)
    chosen = np.where(
        (ahead <= behind)[:, None],
        _shifted(steps, axis, after=True)[mask],
        _shifted(steps, axis, after=False)[mask],
    )
    own = footprint[mask]
    firm = (less <= SURFACE_TANGENT_PX * own) | np.isinf(less)
    alone = np.isinf(less)
    chosen[alone] = 0.0
    chosen[alone, 1 - axis] = own[alone]
    smooth = more <= SMOOTH_RATIO * less + own
    limit = np.where(smooth, SURFACE_TANGENT_PX, JUMP_TANGENT_PX) * own
    length = np.linalg.norm(chosen, axis=1)
    return chosen * np.minimum(1.0, limit / np.maximum(length, 1e-12))[:, None], firm


def _shifted(values: np.ndarray, axis: int, after: bool, fill: float = 0.0) -> np.ndarray:
    """Put differences back on the pixel grid: at their first pixel (`after` False: at their second)."""
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, 1) if after else (1, 0)
    return np.pad(values, widths, constant_values=fill)


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
