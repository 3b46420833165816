"""Flow between two real frames, and where it can be trusted."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

Picture = UInt8[np.ndarray, "H W 3"]
Flow = Float32[np.ndarray, "H W 2"]
# From the first picture to the second, in pixels; must give the same for the same pictures.
OpticalFlow = Callable[[Picture, Picture], Flow]

_TOLERANCE_PIXELS = 1.0
_TOLERANCE_SHARE = 0.05


def dense_inverse_search(first: Picture, second: Picture) -> Flow:
    """Kroeger et al. 2016, as OpenCV has it. The same for any number of threads only when OpenCV uses one."""
    before, after = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in (first, second))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(search.calc(before, after, np.empty(0, np.float32)), np.float32)


def agreeing(forward: Flow, backward: Flow) -> Bool[np.ndarray, "H W"]:
    """Pixels that return to their place, within a pixel and 5 % of the way, when they follow both flows."""
    height, width = forward.shape[:2]
    x = np.arange(width, dtype=np.float32) + forward[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + forward[..., 1]
    back = cv2.remap(backward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
    return inside & near_enough(forward + back, np.linalg.norm(forward, axis=-1))


def near_enough(miss: Flow, way: Float32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Pixels that miss their aim by at most a pixel and 5 % of the `way` to it."""
    return np.linalg.norm(miss, axis=-1) <= _TOLERANCE_PIXELS + _TOLERANCE_SHARE * way
