"""Edit adherence: whether the edited picture shows the object where the true one does, as a mask back-end sees it."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from core.errors import InvalidInput
from core.maths.mask import overlap
from core.maths.sizes import size_within
from core.types.mask import Click, Prompt
from core.types.photo import Photo
from core.types.protocols import SegmentationBackend

Picture = UInt8[np.ndarray, "H W 3"]
Points = Float64[np.ndarray, "N 2"]


def edit_adherence(
    backend: SegmentationBackend, edited: Picture, truth: UInt8[np.ndarray, "h w 3"], points: Points
) -> float:
    """Intersection over union, 0..1, of the object at `points` (x, y) in the edited and in the true picture.

    Raises InvalidInput when the sizes differ or no point lies in them.
    """
    if edited.shape != truth.shape:
        raise InvalidInput(f"Pictures to compare must have one size, got {edited.shape} and {truth.shape}.")
    return overlap(object_at(backend, edited, points), object_at(backend, truth, points))


def object_at(backend: SegmentationBackend, picture: Picture, points: Points) -> Bool[np.ndarray, "H W"]:
    """The back-end's best mask with a click at every point inside the picture. Raises InvalidInput without one."""
    height, width = picture.shape[:2]
    whole = np.unique(np.rint(points), axis=0)
    clicks = [Click(x, y) for x, y in whole.tolist() if 0 <= x < width and 0 <= y < height]
    if not clicks:
        raise InvalidInput(f"None of the {len(points)} points lies in the {width}x{height} picture.")
    photo = Photo("judged", picture, picture)
    return backend.segment(backend.prepare(photo), Prompt(tuple(clicks)))[0].coverage >= 128


def judged(picture: Picture, side: int) -> UInt8[np.ndarray, "h w 3"]:
    """The picture shrunk so that no side is longer than `side`, area-averaged."""
    return cv2.resize(picture, size_within(picture.shape[1], picture.shape[0], side), interpolation=cv2.INTER_AREA)


def judged_points(points: Points, width: int, judged_width: int) -> Points:
    """Pixels of a picture `width` wide in the same picture at another width."""
    return (points + 0.5) * (judged_width / width) - 0.5
