"""Pictures and depth fitted to a browser canvas, so that viser's background shows them exactly."""

import numpy as np
from jaxtyping import Float32, UInt8

from app.viewport.geometry import Letterbox

CANVAS_COLOUR = (0x16, 0x18, 0x1C)


def on_canvas(
    image: UInt8[np.ndarray, "H W 3"], box: Letterbox, width: int, height: int
) -> UInt8[np.ndarray, "height width 3"]:
    """The picture at its place on a canvas of `width` x `height` pixels, the rest in the canvas colour.

    Area-averaged when it gets smaller; unchanged pixel for pixel when it fits exactly.
    """
    import cv2

    x0, y0, x1, y1 = _pixel_edges(box, width, height)
    smaller = (x1 - x0) * (y1 - y0) < image.shape[0] * image.shape[1]
    fitted = cv2.resize(image, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = CANVAS_COLOUR
    canvas[y0:y1, x0:x1] = fitted[: height - y0, : width - x0]
    return canvas


def depth_on_canvas(
    depth: Float32[np.ndarray, "H W"], box: Letterbox, width: int, height: int, around: float
) -> Float32[np.ndarray, "height width"]:
    """Depth at the picture's place (nearest sample, so that no edge is averaged), `around` beside it."""
    import cv2

    x0, y0, x1, y1 = _pixel_edges(box, width, height)
    canvas = np.full((height, width), around, np.float32)
    fitted = cv2.resize(depth, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    canvas[y0:y1, x0:x1] = fitted[: height - y0, : width - x0]
    return canvas


def _pixel_edges(box: Letterbox, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0 = max(0, round(box.left * width)), max(0, round(box.top * height))
    return x0, y0, max(x0 + 1, round(box.right * width)), max(y0 + 1, round(box.bottom * height))
