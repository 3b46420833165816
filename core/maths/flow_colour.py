"""A flow field as a picture: hue is direction, saturation is length (the usual colour wheel on white)."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8


def flow_colours(flow: Float32[np.ndarray, "H W 2"], longest: float | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """RGB: right is red, hues turn clockwise as the picture is seen; NaN is black.

    `longest` is the length in pixels of full saturation; None takes the 99th percentile of what moves.
    """
    known = np.isfinite(flow).all(axis=-1)
    dx, dy = np.where(known, flow[..., 0], 0), np.where(known, flow[..., 1], 0)
    length = np.hypot(dx, dy)
    if longest is None:
        moving = length[length > 0.5]
        longest = float(np.percentile(moving, 99)) if moving.size else 1.0
    hsv = np.empty((*length.shape, 3), np.uint8)
    hsv[..., 0] = np.rint(np.mod(np.degrees(np.arctan2(dy, dx)), 360.0) / 2).astype(np.uint8) % 180
    hsv[..., 1] = np.rint(255 * np.clip(length / max(longest, 1e-6), 0, 1)).astype(np.uint8)
    hsv[..., 2] = 255
    picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    picture[~known] = 0
    return picture


def colour_wheel(side: int) -> UInt8[np.ndarray, "S S 3"]:
    """The legend of `flow_colours`: a disc of every direction and length, white outside."""
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2).astype(np.float32)
    flow = np.stack([x, y], axis=-1)
    flow[np.hypot(x, y) > side / 2] = 0
    return flow_colours(flow, longest=side / 2)
