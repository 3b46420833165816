"""Objects cut out of one photo and put into another: new pictures whose masks are exact."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from core.training.windows import cut_picture, window_from_area

Picture = UInt8[np.ndarray, "H W 3"]
_SHARES_OF_SIDE = 0.15, 0.8
_LARGEST_ZOOM = 1.8
_LARGEST_TURN = np.radians(20)


def pasted(
    random: np.random.Generator, picture: Picture, source: UInt8[np.ndarray, "h w 3"], cut_out: Bool[np.ndarray, "h w"]
) -> tuple[Picture, Bool[np.ndarray, "H W"]]:
    """The picture with the cut-out part of `source` somewhere in it, scaled and turned, and where that covers it."""
    height, width = picture.shape[:2]
    rows, columns = np.flatnonzero(cut_out.any(1)), np.flatnonzero(cut_out.any(0))
    middle = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
    longest = max(columns[-1] - columns[0], rows[-1] - rows[0]) + 1
    least, most = np.log(_SHARES_OF_SIDE)
    zoom = min(np.exp(random.uniform(least, most)) * min(width, height) / longest, _LARGEST_ZOOM)
    angle, mirrored = random.uniform(-1, 1) * _LARGEST_TURN, bool(random.random() < 0.5)
    placed = window_from_area(middle, (width / zoom, height / zoom), (width, height), angle, mirrored)
    moved = np.eye(3)
    moved[:2, 2] = random.uniform(-0.5, 0.5, 2) * (width, height)
    placed = moved @ placed
    coverage = cv2.warpAffine(cut_out.astype(np.float32), placed[:2], (width, height), flags=cv2.INTER_LINEAR)
    coverage = cv2.GaussianBlur(coverage, (0, 0), float(random.uniform(0.4, 0.9)))[..., None]
    drawn = cut_picture(source, placed, (width, height)).astype(np.float32)
    inside = coverage[..., 0] > 0.5
    drawn = _likened(drawn, picture, inside, np.float32(random.uniform(0, 0.7)))
    result = drawn * coverage + picture * (1 - coverage)
    return (result + 0.5).clip(0, 255).astype(np.uint8), inside


def _likened(drawn: np.ndarray, picture: Picture, inside: Bool[np.ndarray, "H W"], share: np.float32) -> np.ndarray:
    """Brightness and colour part of the way to the picture's: else its own light would give the object away."""
    if not inside.any():
        return drawn
    own, other = drawn[inside], picture.reshape(-1, 3)[::7].astype(np.float32)
    ratio = 1 + share * ((other.std(0) + 8) / (own.std(0) + 8) - 1).clip(-0.4, 0.6)
    return (drawn - own.mean(0)) * ratio + own.mean(0) + share * (other.mean(0) - own.mean(0))
