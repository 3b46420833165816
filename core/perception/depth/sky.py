"""The sky of a photo by its colour, and depth in which it is far."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from core.maths.layout import SKY_FACTOR
from core.maths.sizes import size_within

_CUE_SIZE = 400
# What looks like sky is taken for it where it lies among the farthest of the rest: a white wall does not.
_AMONG_FARTHEST = 0.75


def cue_picture(srgb: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """A small copy, so that looking at a 12-megapixel photo costs no more than at a small one."""
    height, width = srgb.shape[:2]
    size = size_within(width, height, _CUE_SIZE, least=4)
    return cv2.resize(srgb, size, interpolation=cv2.INTER_AREA)


def sky_in(lab: Float32[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """Where CIE Lab (L 0..100) is smooth, light and blue and joins the top border, or almost white all along it."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    detail = cv2.blur(np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5)), (7, 7))
    smooth = detail < 1.2
    blue = smooth & (light > 40) & (lab[..., 2] < -8) & (lab[..., 1] < 12)
    white = smooth & (light > 86) & (chroma < 8)
    sky = np.zeros(light.shape, bool)
    for kind, least_top, least_area in ((blue, 0.35, 0.05), (white, 0.85, 0.15)):
        _, parts = cv2.connectedComponents((kind | sky).astype(np.uint8), connectivity=4)
        joined = np.isin(parts, np.setdiff1d(parts[0], 0))
        if joined[0].mean() > least_top and joined.mean() > least_area:
            sky |= joined
    return sky


def at_size(sky: Bool[np.ndarray, "h w"], width: int, height: int) -> Bool[np.ndarray, "H W"]:
    """The sky at another size."""
    return cv2.resize(sky.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5


def sky_depth(values: Float32[np.ndarray, "..."]) -> np.float32:
    """Far, but finite, so that the sky moves rightly with the camera."""
    return np.float32(SKY_FACTOR * float(np.median(values)))


def with_far_sky(values: Float32[np.ndarray, "H W"], srgb: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "H W"]:
    """Estimated z with the sky put far behind everything, where both the picture and the estimate see one."""
    lab = cv2.cvtColor(cue_picture(srgb).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    sky = at_size(sky_in(lab), values.shape[1], values.shape[0])
    if not sky.any() or sky.all():
        return values
    rest = values[~sky]
    if np.median(values[sky]) < np.quantile(rest, _AMONG_FARTHEST):
        return values
    return np.where(sky, np.maximum(values, sky_depth(rest)), values)
