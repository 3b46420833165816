"""From superpixels to a soft mask at the photo's own size whose edge follows the picture's."""

import numpy as np
from jaxtyping import Float32, UInt8

from core.maths.mask import bounding_box
from core.maths.sizes import size_within

GUIDE_SIZE = 1536
"""Longer side of the picture that guides the edge: bounds the cost of a click on large photos."""

_SMOOTHING = 3e-4
_STEEPNESS = 1.8


def guide_picture(srgb: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """The photo, made smaller when its longer side exceeds GUIDE_SIZE."""
    import cv2

    height, width = srgb.shape[:2]
    size = size_within(width, height, GUIDE_SIZE)
    return srgb if size == (width, height) else cv2.resize(srgb, size, interpolation=cv2.INTER_AREA)


def refine_edge(
    coarse: UInt8[np.ndarray, "h w"], guide: UInt8[np.ndarray, "g k 3"], width: int, height: int
) -> UInt8[np.ndarray, "H W"]:
    """Coverage at `width` x `height`; away from the coarse edge it is exactly 0 or 255.

    A guided filter in the mask's own box moves the edge by at most the width of one superpixel.
    """
    import cv2

    tall, wide = guide.shape[:2]
    reach = max(2, round(0.008 * max(tall, wide)))
    rough = cv2.resize(coarse, (wide, tall), interpolation=cv2.INTER_LINEAR)
    box = bounding_box(rough)
    if box is None:
        return np.zeros((height, width), np.uint8)
    pad = 4 * reach
    window = np.s_[max(0, box[1] - pad) : box[3] + pad + 1, max(0, box[0] - pad) : box[2] + pad + 1]
    alpha = _filtered(np.ascontiguousarray(guide[window]), np.ascontiguousarray(rough[window]), reach)
    fine = np.zeros_like(rough)
    fine[window] = np.round(255 * alpha)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)


def _filtered(guide: np.ndarray, rough: np.ndarray, reach: int) -> Float32[np.ndarray, "h w"]:
    import cv2

    half = (rough >= 128).astype(np.float32)
    # Filtering at half or quarter size loses nothing visible at this reach; thin pictures cannot be made smaller.
    scale = 1.0 if reach < 4 or min(half.shape) < 64 else max(2.0 / reach, 0.25)
    soft = cv2.ximgproc.guidedFilter(guide.astype(np.float32) / 255, half, reach, _SMOOTHING, scale=scale)
    soft = np.clip((soft - 0.5) * _STEEPNESS + 0.5, 0, 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    solid = half.astype(np.uint8)
    soft[cv2.erode(solid, disc) > 0] = 1
    soft[cv2.dilate(solid, disc) == 0] = 0
    return soft.astype(np.float32)
