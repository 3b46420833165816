"""Small pictures for lists and strips, and how pictures are encoded for a screen."""

import cv2
import numpy as np
from jaxtyping import UInt8

from core.files.profile import srgb_of
from core.maths.sizes import size_within
from core.types.frame import Frame
from core.types.photo import Photo

THUMB_SIDE = 160


def frame_srgb(frame: Frame, photo: Photo) -> UInt8[np.ndarray, "H W 3"]:
    """A frame's pixels for the screen."""
    return srgb_of(frame.pixels, photo.icc_profile)


def thumbnail(frame: Frame | None, photo: Photo) -> bytes:
    """A frame as a small JPEG; the photo while there is none."""
    return jpeg(shrunk(photo.srgb if frame is None else frame_srgb(frame, photo), THUMB_SIDE))


def shrunk(values: np.ndarray, max_side: int) -> np.ndarray:
    """The picture no larger than `max_side`; as it is when it is small enough."""
    height, width = values.shape[:2]
    size = size_within(width, height, max_side)
    return values if size == (width, height) else cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def jpeg(rgb: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """For photographs."""
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    return encoded.tobytes()
