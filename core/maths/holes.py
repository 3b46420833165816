"""The holes of a warped picture: their windows, which neighbours lie behind them, and the depth they continue."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.maths.fill import extend

# Grouping is done on a copy of at most this many pixels a side.
_GROUPING_SIDE = 512
# A neighbour counts as near when its inverse depth exceeds that of the scene behind by this factor.
_NEARER = 1.25


@dataclass(frozen=True)
class Hole:
    """One cluster of unknown pixels: its window in the picture and its pixels inside that window."""

    window: tuple[slice, slice]
    pixels: Bool[np.ndarray, "h w"]

    @property
    def is_thin(self) -> bool:
        """No pixel lies more than 2 px from a known one: a crack, where texture cannot be seen."""
        return cv2.distanceTransform(np.pad(self.pixels, 1).astype(np.uint8), cv2.DIST_L2, 3).max() <= 2.0


def find_holes(unknown: Bool[np.ndarray, "H W"], grow: float = 1.0, least: int = 48) -> list[Hole]:
    """Clusters of unknown pixels, largest first; each window is the bounding box grown by `grow` of its size a side.

    Pixels closer than about 2 % of the picture belong to one cluster.
    """
    height, width = unknown.shape
    step = max(1, -(-max(height, width) // _GROUPING_SIDE))
    rows, columns = -(-height // step), -(-width // step)
    padded = np.pad(unknown, ((0, rows * step - height), (0, columns * step - width)))
    small = np.asarray(padded.reshape(rows, step, columns, step).any(axis=(1, 3)))
    reach = max(1, max(rows, columns) // 100)
    count, labels = cv2.connectedComponents(_dilate(small, reach).astype(np.uint8))
    labels[~small] = 0
    holes: list[Hole] = []
    for label in range(1, count):
        y, x = np.nonzero(labels == label)
        box = (slice(y.min() * step, min((y.max() + 1) * step, height)),
               slice(x.min() * step, min((x.max() + 1) * step, width)))  # fmt: skip
        window = tuple(_grown(side, grow, least, size) for side, size in zip(box, unknown.shape, strict=True))
        own = (labels == label).repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
        holes.append(Hole((window[0], window[1]), np.ascontiguousarray((own & unknown)[window])))
    return sorted(holes, key=lambda hole: -np.count_nonzero(hole.pixels))


def _grown(side: slice, grow: float, least: int, size: int) -> slice:
    more = max(least, int(grow * (side.stop - side.start)))
    return slice(max(0, side.start - more), min(size, side.stop + more))


def background_side(
    depth: Float32[np.ndarray, "H W"], unknown: Bool[np.ndarray, "H W"], foreground: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Known pixels that may continue into the hole: no moved object or its halo, nothing that stands before the scene.

    The scene behind is a plane of inverse depth (a plane in space) fitted to the hole's border, farther pixels
    counting nine times as much. Depth 0 means not known. Falls back to fewer conditions when no pixel meets all.
    """
    plain = ~unknown & ~foreground
    halo = max(2, max(unknown.shape) // 400)
    allowed = plain & ~_dilate(foreground, halo)
    near = _dilate(_standing_before(depth, unknown, allowed, band=4 * halo), halo)
    for choice in (allowed & ~near, allowed, plain):
        if choice.any():
            return choice
    return plain


def _standing_before(depth: np.ndarray, unknown: np.ndarray, allowed: np.ndarray, band: int) -> np.ndarray:
    """Pixels within `band` of the hole that are clearly nearer than the plane behind it."""
    rim = _dilate(unknown, band) & allowed & (depth > 0)
    y, x = np.nonzero(rim)
    if len(y) < 16:
        return np.zeros_like(unknown)
    inverse = 1.0 / depth[y, x].astype(np.float64)
    size = float(max(unknown.shape))
    terms = np.stack([np.ones(len(y)), x / size, y / size], axis=1)
    some = slice(None, None, max(1, len(y) // 3000))
    weight = np.ones(len(y[some]))
    plane = np.zeros(3)
    for _ in range(12):
        plane = np.linalg.lstsq(terms[some] * weight[:, None], inverse[some] * weight, rcond=None)[0]
        # Square roots of the expectile weights 0.9 and 0.1.
        weight = np.where(inverse[some] < terms[some] @ plane, 0.949, 0.316)
    behind = np.maximum(terms @ plane, inverse.min())
    error = inverse - behind
    spread = np.median(np.abs(error[error < 0])) if (error < 0).any() else 0.0
    result = np.zeros_like(unknown)
    result[y, x] = inverse > _NEARER * behind + 3 * spread
    return result


def fill_depth(
    depth: Float32[np.ndarray, "H W"], unknown: Bool[np.ndarray, "H W"], allowed: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Depth continued from `allowed` pixels over `unknown`, smooth in inverse depth so that planes stay planes.

    Known pixels keep their depth. 0 everywhere unknown when no allowed pixel has depth.
    """
    measured = allowed & ~unknown & (depth > 0)
    if not measured.any():
        return np.where(unknown, np.float32(0), depth)
    inverse = np.where(measured, 1.0 / np.where(measured, depth, 1.0), 0.0).astype(np.float32)
    smooth = extend(inverse[..., None], ~measured, measured)[..., 0]
    return np.where(unknown, 1.0 / np.maximum(smooth, inverse[measured].min()), depth).astype(np.float32)


def _dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)).astype(bool)
