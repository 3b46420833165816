"""What stands before what, and how far a partly hidden shape goes on behind what hides it."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.maths.mask import widened
from core.maths.membrane import membrane

_STEP = 0.02  # log ratio of depths from which one of two neighbours is before the other
_MOST_STEP = 0.25  # larger ones say no more
_FULL_SHARE = 0.75  # a visible part that fills so much of its outline is a convex shape
_LEAST_BORDER = 6  # pixels below which a shared border says nothing


def before_at_border(
    first: Bool[np.ndarray, "H W"],
    first_inverse: Float32[np.ndarray, "H W"],
    second: Bool[np.ndarray, "H W"],
    second_inverse: Float32[np.ndarray, "H W"],
    reach: int,
) -> float:
    """How clearly `first` stands before `second` along their shared border; negative when behind, 0 when unknown.

    The median log ratio of their inverse depths within `reach` pixels of both, where they differ by a step at all:
    where a thing touches what it stands on, neither is before the other.
    """
    border = widened(first, reach) & widened(second, reach) & (first | second)
    border &= (first_inverse > 0) & (second_inverse > 0)
    if np.count_nonzero(border) < _LEAST_BORDER:
        return 0.0
    ratio = np.log(first_inverse[border] / second_inverse[border]).clip(-_MOST_STEP, _MOST_STEP)
    steps = ratio[np.abs(ratio) >= _STEP]
    return float(np.median(steps)) * steps.size / ratio.size if steps.size else 0.0


def front_to_back(nearness: Float64[np.ndarray, "N"], before: Float64[np.ndarray, "N N"]) -> list[int]:
    """An order that keeps as many of the clearest relations as fit together; the nearest first among the rest.

    `before[i, j]` > 0 says how clearly i stands before j.
    """
    count = len(nearness)
    reaches = np.eye(count, dtype=bool)
    behind: list[list[int]] = [[] for _ in range(count)]
    pairs = [(before[i, j], i, j) for i in range(count) for j in range(count) if before[i, j] > 0]
    for _, i, j in sorted(pairs, reverse=True):
        if not reaches[j, i]:
            behind[i].append(j)
            reaches |= np.outer(reaches[:, i], reaches[j])
    waiting = np.zeros(count, int)
    for followers in behind:
        waiting[followers] += 1
    order: list[int] = []
    free = [i for i in range(count) if waiting[i] == 0]
    while free:
        nearest = max(free, key=lambda i: (nearness[i], -i))
        free.remove(nearest)
        order.append(nearest)
        for j in behind[nearest]:
            waiting[j] -= 1
            if waiting[j] == 0:
                free.append(j)
    return order


def hidden_extent(
    visible: Bool[np.ndarray, "H W"], hidden_by: Bool[np.ndarray, "H W"], reach: int
) -> Bool[np.ndarray, "H W"]:
    """The pixels of `hidden_by` where a shape of which `visible` is seen goes on behind it.

    It goes on `reach` pixels where nothing else that is seen is nearer, and as far as its convex outline; a shape
    that is not convex where it is seen only where it surrounds what hides it more than other things do.
    """
    hidden_by = hidden_by & ~visible
    own, others = (_away_from(shape) for shape in (visible, ~visible & ~hidden_by))
    rim = hidden_by & (own <= reach) & (own <= others)
    if not rim.any():
        return rim
    outline = _convex(visible)
    seen = outline & ~hidden_by
    inside = outline & hidden_by
    if np.count_nonzero(visible) < _FULL_SHARE * np.count_nonzero(seen):
        inside &= _surrounded(visible, hidden_by)
    _, pieces = cv2.connectedComponents((inside | rim).astype(np.uint8), connectivity=4)
    touching = np.unique(np.asarray(pieces)[rim])
    return np.isin(pieces, touching) & (inside | rim)


def _away_from(shape: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Distance in pixels; without such a shape OpenCV says a very large number."""
    return cv2.distanceTransform((~shape).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(np.float32)


def _surrounded(visible: Bool[np.ndarray, "H W"], gap: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    return membrane(visible.astype(np.float32)[..., None], gap, ~gap)[..., 0] >= 0.5


def _convex(shape: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The convex outline of a shape, filled."""
    outlines, _ = cv2.findContours(shape.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(shape.shape, np.uint8)
    if outlines:
        cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(outlines)), 1)
    return filled > 0
