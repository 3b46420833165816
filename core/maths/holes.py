"""The holes of a warped picture: their windows, which neighbours lie behind them, and the depth they continue."""

from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from core.maths.bands import block_any, in_bands, reciprocal
from core.maths.compiled import compiled, no_type_check
from core.maths.fill import extend

# Grouping is done on a copy of at most this many pixels a side.
_GROUPING_SIDE = 512
# Near and far surfaces are told apart on every n-th pixel of larger windows: 1.2 s less for a 12 megapixel hole.
_SURFACE_SIDE = 1000
# A crack's pixels lie at most so many pixels from a known one, or this share of the picture's longer side.
_CRACK_PIXELS, _CRACK_SHARE = 2, 0.0015
# Blurry depth can put nearly everything around a hole before the rest of it: less than this share is not believed.
_LEAST_BEHIND = 0.05
# Ratio of inverse depths over a few pixels that makes a step rather than a slope.
_STEP = 1.12


@dataclass(frozen=True)
class Hole:
    """One cluster of unknown pixels: its window in the picture and its pixels inside that window."""

    window: tuple[slice, slice]
    pixels: Bool[np.ndarray, "h w"]
    crack: int = _CRACK_PIXELS

    @cached_property
    def is_thin(self) -> bool:
        """No pixel lies more than `crack` pixels, along rows and columns, from a known one: texture cannot be seen."""
        away = cv2.distanceTransform(self.pixels.view(np.uint8), cv2.DIST_L1, 3)
        return bool(away.max(initial=0) <= self.crack)


def find_holes(unknown: Bool[np.ndarray, "H W"], grow: float = 1.0, least: int = 48) -> list[Hole]:
    """Clusters of unknown pixels, largest first; each window is the bounding box grown by `grow` of its size a side.

    Pixels closer than about 2 % of the picture belong to one cluster.
    """
    height, width = unknown.shape
    step = max(1, -(-max(height, width) // _GROUPING_SIDE))
    small = block_any(unknown, step)
    reach = max(1, max(small.shape) // 100)
    crack = max(_CRACK_PIXELS, round(_CRACK_SHARE * max(height, width)))
    count, labels = cv2.connectedComponents(_dilate(small, reach).astype(np.uint8))
    labels[~small] = 0
    holes: list[Hole] = []
    for label in range(1, count):
        y, x = np.nonzero(labels == label)
        box = (slice(y.min() * step, min((y.max() + 1) * step, height)),
               slice(x.min() * step, min((x.max() + 1) * step, width)))  # fmt: skip
        window = tuple(_grown(side, grow, least, size) for side, size in zip(box, unknown.shape, strict=True))
        pixels = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), bool)
        inside = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, window, strict=True))
        cluster = (labels == label)[y.min() : y.max() + 1, x.min() : x.max() + 1]
        own = cluster.repeat(step, axis=0).repeat(step, axis=1)
        pixels[inside] = unknown[box] & own[: box[0].stop - box[0].start, : box[1].stop - box[1].start]
        holes.append(Hole((window[0], window[1]), pixels, crack))
    return sorted(holes, key=lambda hole: -np.count_nonzero(hole.pixels))


def _grown(side: slice, grow: float, least: int, size: int) -> slice:
    more = max(least, int(grow * (side.stop - side.start)))
    return slice(max(0, side.start - more), min(size, side.stop + more))


def lies_at_rim(pixels: Bool[np.ndarray, "h w"]) -> bool:
    """Whether a hole runs along the frame, as what a camera move uncovers does; `pixels` as in `Hole`.

    Of a straight strip half lies nearer to the frame than to a known pixel; a third is asked for. Only the frame cuts
    a hole's window so close that its edge counts.
    """
    height, width = pixels.shape
    y, x = np.arange(height), np.arange(width)
    to_frame = np.minimum(np.minimum(y, height - 1 - y)[:, None], np.minimum(x, width - 1 - x))
    to_known = cv2.distanceTransform(pixels.view(np.uint8), cv2.DIST_L2, 3)
    return bool(3 * (pixels & (to_frame < to_known)).sum() > pixels.sum())


def background_side(
    depth: Float32[np.ndarray, "H W"],
    unknown: Bool[np.ndarray, "H W"],
    foreground: Bool[np.ndarray, "H W"],
    hider: Float32[np.ndarray, "H W"] | None = None,
) -> Bool[np.ndarray, "H W"]:
    """Known pixels that may continue into the hole: no moved object or its halo, nothing that stands before the rest.

    Depth 0 means not known. `hider` is the depth of what was taken away from the hole: what does not stand before that,
    as the table on which it stood, may go on behind it. Falls back to fewer conditions when hardly any pixel beside
    the hole meets all.
    """
    plain = ~unknown & ~foreground
    step = -(-max(unknown.shape) // _SURFACE_SIDE)
    if step > 1:
        rough = background_side(
            _every(depth, step),
            _every(unknown, step),
            _every(foreground, step),
            None if hider is None else _every(hider, step),
        )
        height, width = unknown.shape
        allowed = plain & rough.repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
        return allowed if allowed.any() else plain
    halo = max(2, max(unknown.shape) // 400)
    allowed = plain & ~_dilate(foreground, halo)
    near = _dilate(_standing_before(depth, unknown, allowed, 8 * halo, hider), halo)
    beside = allowed & _dilate(unknown, 8 * halo)
    behind = allowed & ~near
    if np.count_nonzero(behind & beside) > _LEAST_BEHIND * np.count_nonzero(beside):
        return behind
    return allowed if allowed.any() else plain


def _every(field: np.ndarray, step: int) -> np.ndarray:
    return np.ascontiguousarray(field[::step, ::step])


def _standing_before(
    depth: np.ndarray, unknown: np.ndarray, allowed: np.ndarray, band: int, hider: np.ndarray | None
) -> np.ndarray:
    """Surfaces reaching within `band` of the hole that stand before what they border on there.

    Surfaces are cut at depth steps; one is near when it is the nearer side of most of its steps. A floor that meets
    a wall has no step, so both may continue; an object seen against them has one, but is left out only where the
    hole lies between it and the far side, and where it stands before the `hider` too.
    """
    present = allowed & (depth > 0)
    nearest = np.zeros(depth.shape, np.float32)
    np.divide(1, depth, out=nearest, where=present)
    farthest = np.where(present, nearest, nearest.max(initial=0))
    step = _highest(nearest, 1) > _STEP * -_highest(-farthest, 1)
    rim = _dilate(unknown, band) & present
    before = rim & (nearest > _STEP * -_highest(-farthest, 4))
    behind = rim & (_highest(nearest, 4) > _STEP * nearest)
    result = np.zeros_like(unknown)
    # First what reaches beyond the band as one surface, then what only the band separates.
    for part in (present & ~step, rim & ~step):
        pieces = np.asarray(cv2.connectedComponents(part.astype(np.uint8))[1], np.int64)
        count = int(pieces.max()) + 1
        is_near = np.bincount(pieces[before], minlength=count) > np.bincount(pieces[behind], minlength=count)
        result |= is_near[pieces] & part
    before_hider = np.ones_like(unknown)
    if hider is not None:
        hid = np.divide(1, hider, out=np.zeros(depth.shape, np.float32), where=unknown & (hider > 0))
        before_hider = nearest > _STEP * _highest(hid, band)
    return _facing(result, rim & ~step, unknown, before_hider)


def _facing(near: np.ndarray, rim: np.ndarray, unknown: np.ndarray, before_hider: np.ndarray) -> np.ndarray:
    """The part of `near` that has the far side across the hole; beyond the frame's edge a near surface may continue.

    Of each piece most of what touches the hole must be so, and be `before_hider`.
    """
    touching = _dilate(unknown, 3) & rim
    near_rim, far_rim = touching & near, touching & ~near
    if not near_rim.any() or not far_rim.any():
        return np.zeros_like(near)
    y, x = np.nonzero(near_rim)
    far_y, far_x = _nearest(far_rim)
    across = unknown[(y + far_y[y, x]) // 2, (x + far_x[y, x]) // 2] & before_hider[y, x]
    pieces = np.asarray(cv2.connectedComponents((near & rim).astype(np.uint8))[1], np.int64)[y, x]
    faces = np.zeros_like(near)
    faces[y, x] = (2 * np.bincount(pieces, weights=across) > np.bincount(pieces))[pieces]
    return near & faces[_nearest(near_rim)]


def _nearest(marked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every pixel, (y, x) of the nearest marked one."""
    unmarked = (~marked).astype(np.uint8)
    found = cv2.distanceTransformWithLabels(unmarked, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.asarray(found[1], np.int64)
    y, x = np.nonzero(marked)
    place = np.zeros((int(labels.max()) + 1, 2), np.int64)
    place[labels[y, x]] = np.stack([y, x], axis=1)
    return place[labels, 0], place[labels, 1]


def _highest(field: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    return cv2.dilate(field, np.ones((side, side), np.uint8))


def fill_depth(
    depth: Float32[np.ndarray, "H W"], unknown: Bool[np.ndarray, "H W"], allowed: Bool[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Depth continued from `allowed` pixels over `unknown`, smooth in inverse depth so that planes stay planes.

    Known pixels keep their depth. 0 everywhere unknown when no allowed pixel has depth.
    """
    measured = allowed & ~unknown & (depth > 0)
    if not measured.any():
        return np.where(unknown, np.float32(0), depth)
    inverse = reciprocal(depth)
    farthest = cv2.minMaxLoc(inverse, measured.view(np.uint8))[0]
    inverse = extend(inverse[..., None], unknown, measured)[..., 0]
    filled = np.empty_like(depth)
    in_bands(depth.shape, partial(_finish_depth, depth, inverse, unknown, np.float32(farthest), filled))
    return filled


@compiled
@no_type_check
def _finish_depth(depth, inverse, unknown, farthest, filled, first, last):
    for y in range(first, last):
        for x in range(depth.shape[1]):
            filled[y, x] = np.float32(1) / max(inverse[y, x], farthest) if unknown[y, x] else depth[y, x]


def _dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)).astype(bool)
