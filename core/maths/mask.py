"""Pure functions on 8-bit coverage masks: reshape, draw, combine, clean up, describe."""

from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from core.errors import InvalidInput

Coverage = UInt8[np.ndarray, "H W"]
HALF = 128
"""Coverage from which a pixel counts as inside where a yes or no is needed."""

_MAX_SIZE = 100_000_000


def inside(coverage: Coverage) -> Bool[np.ndarray, "H W"]:
    """Pixels at least half covered."""
    return coverage >= HALF


def grow(coverage: Coverage, radius: float) -> Coverage:
    """The mask wider by `radius` pixels on every side; soft edges move outwards unchanged."""
    return _spread(coverage, radius)


def shrink(coverage: Coverage, radius: float) -> Coverage:
    """The mask narrower by `radius` pixels; the picture's border does not eat into it."""
    return 255 - _spread(255 - coverage, radius)


def widened(shape: Bool[np.ndarray, "H W"], radius: int) -> Bool[np.ndarray, "H W"]:
    """A shape wider by `radius` pixels on every side, corners rounded."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(shape.astype(np.uint8), disc) > 0


def feather(coverage: Coverage, sigma: float) -> Coverage:
    """Softer edges: a Gaussian of `sigma` pixels."""
    if _checked(sigma, "The feather width") < 0.1:
        return coverage.copy()
    return cv2.GaussianBlur(coverage, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def polygon_mask(points: Float64[np.ndarray, "N 2"], width: int, height: int) -> Coverage:
    """A lasso's inside, antialiased. `points` are (x, y); at least three. Raises InvalidInput."""
    if len(points) < 3:
        raise InvalidInput(f"A lasso needs at least three points, got {len(points)}.")
    canvas = _canvas(width, height)
    cv2.fillPoly(canvas, [_fixed_point(points)], (255,), lineType=cv2.LINE_AA, shift=_SHIFT)
    return canvas


def box_mask(x0: float, y0: float, x1: float, y1: float, width: int, height: int) -> Coverage:
    """A box (both ends inside, clipped to the picture) as a mask. Raises InvalidInput when nothing is inside."""
    _checked(abs(x0) + abs(y0) + abs(x1) + abs(y1), "A box corner")
    left, right = max(0, round(min(x0, x1))), min(width - 1, round(max(x0, x1)))
    top, bottom = max(0, round(min(y0, y1))), min(height - 1, round(max(y0, y1)))
    if left > right or top > bottom:
        raise InvalidInput(
            f"The box ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) lies outside the {width}x{height} picture; draw it inside."
        )
    canvas = _canvas(width, height)
    canvas[top : bottom + 1, left : right + 1] = 255
    return canvas


def stroke(points: Float64[np.ndarray, "N 2"], radius: float, hardness: float, width: int, height: int) -> Coverage:
    """A brush stroke through `points`: full inside `hardness` (0..1) of the radius, falling to 0 at the radius."""
    if len(points) < 1:
        raise InvalidInput("A brush stroke needs at least one point.")
    if _checked(radius, "The brush radius") == 0:
        raise InvalidInput(f"The brush radius must be positive, got {radius:g}.")
    canvas = _canvas(width, height)
    x0, y0 = np.floor(points.min(0) - radius - 2).astype(int)
    x1, y1 = np.ceil(points.max(0) + radius + 3).astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return canvas
    xs, ys = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    distance = _distance_to_path(xs, ys, points.astype(np.float32))
    core_radius = radius * float(np.clip(hardness, 0, 1))
    soft = max(radius - core_radius, 1.0)
    canvas[y0:y1, x0:x1] = np.round(255 * np.clip((core_radius + soft - distance) / soft, 0, 1))
    return canvas


def combine(base: Coverage, other: UInt8[np.ndarray, "h w"], how: Literal["add", "subtract", "intersect"]) -> Coverage:
    """Union, difference or intersection; soft values combine by maximum and minimum.

    Raises InvalidInput when the sizes differ.
    """
    if base.shape != other.shape:
        raise InvalidInput(f"Masks of one photo must have one size: {base.shape} and {other.shape}.")
    if how == "add":
        return np.maximum(base, other)
    return np.minimum(base, other if how == "intersect" else 255 - other)


def invert(coverage: Coverage) -> Coverage:
    """Everything but the object."""
    return 255 - coverage


def parts(coverage: Coverage) -> list[Bool[np.ndarray, "H W"]]:
    """Connected parts (8-neighbours) of the inside, largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside(coverage).astype(np.uint8), connectivity=8)
    order = sorted(range(1, count), key=lambda i: (-stats[i, cv2.CC_STAT_AREA], i))
    return [labels == i for i in order]


def clean(coverage: Coverage, smallest: float) -> Coverage:
    """Specks and holes of fewer than `smallest` pixels removed; a lone small object stays."""
    _checked(smallest, "The smallest part")
    solid = inside(coverage).astype(np.uint8)
    kept = coverage.copy()
    specks = _small_parts(solid, smallest, keep_largest=True)
    kept[cv2.dilate(specks, np.ones((3, 3), np.uint8)).astype(bool) & ~((solid > 0) & (specks == 0))] = 0
    holes = _small_parts(1 - solid, smallest, keep_largest=False)
    kept[cv2.dilate(holes, np.ones((3, 3), np.uint8)).astype(bool) & ((solid > 0) | (holes > 0))] = 255
    return kept


def boundary_band(coverage: Coverage, radius: float) -> Bool[np.ndarray, "H W"]:
    """Pixels within `radius` of the edge between inside and outside."""
    return grow(coverage, radius).astype(np.int16) - shrink(coverage, radius) >= HALF


def bounding_box(coverage: Coverage, threshold: int = 1) -> tuple[int, int, int, int] | None:
    """(x0, y0, x1, y1), both ends inside, of coverage >= threshold; None when the mask is empty."""
    found = coverage >= threshold
    columns, rows = np.flatnonzero(found.any(0)), np.flatnonzero(found.any(1))
    if len(columns) == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def overlap(
    found: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"], counted: Bool[np.ndarray, "H W"] | None = None
) -> float:
    """Intersection over union where it counts (everywhere by default); 1 when both are empty there."""
    either, both = found | truth, found & truth
    if counted is not None:
        either, both = either & counted, both & counted
    union = int(either.sum())
    return int(both.sum()) / union if union else 1.0


def centroid(coverage: Coverage) -> tuple[float, float] | None:
    """Coverage-weighted mean (x, y); None when the mask is empty."""
    total = float(coverage.sum(dtype=np.float64))
    if total == 0:
        return None
    along_x, along_y = coverage.sum(0, dtype=np.float64), coverage.sum(1, dtype=np.float64)
    return float(along_x @ np.arange(len(along_x)) / total), float(along_y @ np.arange(len(along_y)) / total)


def outline(coverage: Coverage, tolerance: float = 0.75) -> list[Float64[np.ndarray, "N 2"]]:
    """Closed polygons (x, y) around the inside and its holes for display, within `tolerance` pixels, largest first."""
    contours, _ = cv2.findContours(inside(coverage).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours = sorted(contours, key=cv2.contourArea, reverse=True)
    simple = (cv2.approxPolyDP(contour, tolerance, closed=True) for contour in contours)
    return [polygon.reshape(-1, 2).astype(np.float64) for polygon in simple]


_SHIFT = 4


def _fixed_point(points: np.ndarray) -> np.ndarray:
    """OpenCV's sub-pixel drawing takes integers of 1/16 pixel; far points are clamped to its range."""
    if not np.isfinite(points).all():
        raise InvalidInput("A lasso's points must be finite numbers.")
    return np.round(np.clip(points, -1e5, 1e5) * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)


def _canvas(width: int, height: int) -> np.ndarray:
    if width < 1 or height < 1 or width * height > _MAX_SIZE * 4:
        raise InvalidInput(f"A mask of {width}x{height} pixels cannot be made.")
    return np.zeros((height, width), np.uint8)


def _checked(value: float, name: str) -> float:
    if not np.isfinite(value) or value < 0:
        raise InvalidInput(f"{name} must be a finite number of at least 0, got {value:g}.")
    return value


def _spread(coverage: np.ndarray, radius: float) -> np.ndarray:
    """Grey dilation by a disc, on the mask's own box only."""
    reach = round(_checked(radius, "The radius"))
    box = bounding_box(coverage)
    if reach == 0 or box is None:
        return coverage.copy()
    reach = min(reach, max(coverage.shape))
    y0, y1 = max(0, box[1] - reach), min(coverage.shape[0], box[3] + reach + 1)
    x0, x1 = max(0, box[0] - reach), min(coverage.shape[1], box[2] + reach + 1)
    spread = np.zeros_like(coverage)
    window = np.ascontiguousarray(coverage[y0:y1, x0:x1])
    if reach <= 8:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        spread[y0:y1, x0:x1] = cv2.dilate(window, disc)
        return spread
    # A disc's cost grows with its area; far reaches move the half-coverage edge by distance instead.
    gap = cv2.distanceTransform((window < HALF).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    spread[y0:y1, x0:x1] = np.maximum(window, np.round(255 * np.clip(reach + 1 - gap, 0, 1)).astype(np.uint8))
    return spread


def _small_parts(solid: np.ndarray, smallest: float, *, keep_largest: bool) -> np.ndarray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < smallest
    small[0] = False
    if keep_largest and count > 1:
        small[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = False
    return small[np.asarray(labels, np.int64)].astype(np.uint8)


def _distance_to_path(
    xs: Float32[np.ndarray, "h w"], ys: Float32[np.ndarray, "h w"], points: Float32[np.ndarray, "N 2"]
) -> Float32[np.ndarray, "h w"]:
    """Distance of every pixel to the polyline through `points`."""
    best = np.hypot(xs - points[0, 0], ys - points[0, 1])
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        length2 = dx * dx + dy * dy
        if length2 == 0:
            continue
        along = np.clip(((xs - ax) * dx + (ys - ay) * dy) / length2, 0, 1)
        np.minimum(best, np.hypot(xs - ax - along * dx, ys - ay - along * dy), out=best)
    return best
