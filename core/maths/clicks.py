"""Where somebody would click on an object, or on what a mask got wrong of it."""

import numpy as np
from jaxtyping import Bool, Float32


def distance_inside(area: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Pixels from the area's edge, 0 outside it; the picture's border counts as edge."""
    import cv2

    padded = np.pad(area.astype(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1].astype(np.float32, copy=False)


def deepest_point(area: Bool[np.ndarray, "H W"]) -> tuple[int, int]:
    """(x, y) of the pixel furthest from the area's edge; the picture's border counts as edge."""
    depth = distance_inside(area)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)


def correcting_click(
    found: Bool[np.ndarray, "H W"], truth: Bool[np.ndarray, "H W"], counted: Bool[np.ndarray, "H W"]
) -> tuple[int, int, bool] | None:
    """(x, y, adds) in the middle of the largest connected error; None when there is none."""
    import cv2

    missing, surplus = truth & ~found & counted, found & ~truth & counted
    largest: tuple[int, np.ndarray, bool] | None = None
    for error, positive in ((missing, True), (surplus, False)):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(error.astype(np.uint8), connectivity=8)
        if count > 1:
            index = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            size = int(stats[index, cv2.CC_STAT_AREA])
            if largest is None or size > largest[0]:
                largest = (size, labels == index, positive)
    return None if largest is None else (*deepest_point(largest[1]), largest[2])
